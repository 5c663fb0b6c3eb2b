"""Detect: from captured bytes to the frame format, or a refusal in one line."""

from __future__ import annotations

import functools
import operator
import random
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim import MODELS, SimulatedDevice, schema_of
from framelink.diagnosis import search as search_module
from framelink.diagnosis.capture import LOOKED_MAX, Capture
from framelink.diagnosis.detect import Undetected, Verdict, detect, format_file
from framelink.diagnosis.evidence import Evidence, judge
from framelink.diagnosis.search import CANDIDATES_MAX
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Receiver, encode
from tests.diagnosis.variants import INTACT, Variant, variant

VARIANTS = 40
MISSED_MAX = 1  # a frame at an edge of the capture or of some damage


def found(data: bytes) -> Verdict:
    """Return the verdict on bytes that have one."""
    verdict = detect(data)
    assert isinstance(verdict, Verdict), verdict
    return verdict


@functools.cache
def verdict_on(seed: int) -> Verdict:
    """Return the verdict on a variant."""
    return found(variant(seed).data)


def refused(data: bytes) -> str:
    """Return why there is no verdict on bytes that have none."""
    verdict = detect(data)
    assert isinstance(verdict, Undetected), verdict
    assert "\n" not in verdict.reason
    return verdict.reason


def payloads(format: FrameFormat, data: bytes) -> dict[int, bytes]:
    """Return where a format's payloads stand in bytes, and what they are."""
    receiver = Receiver(format, locate=True)
    frames, offsets = receiver.feed(data), list(receiver.offsets)
    frames += receiver.flush()
    offsets += receiver.offsets
    return {at + format.head_size: one.data for at, one in zip(offsets, frames, strict=True)}


def missed(one: Variant, format: FrameFormat) -> int:
    """Return how many of the frames that the true format decodes a format does not."""
    true, got = payloads(one.format, one.data), payloads(format, one.data)
    return sum(got.get(at) != data for at, data in true.items())


@pytest.mark.parametrize("seed", range(VARIANTS))
def test_variants_with_twenty_frames_and_damage_are_found(seed: int) -> None:
    """The format that is found decodes the same frames with the same payloads."""
    one = variant(seed)
    assert len(one.intact) == INTACT
    assert missed(one, verdict_on(seed).format) <= MISSED_MAX


CHECKED = [seed for seed in range(VARIANTS) if variant(seed).format.check != "none"]
"""Without a check and without neighbours, little tells a frame."""


@pytest.mark.parametrize("seed", CHECKED)
def test_checked_variants_with_noise_between_all_frames_are_found(seed: int) -> None:
    """Where no frame follows another at once, checks and tails show the frames."""
    one = variant(seed, gaps=True)
    assert missed(one, found(one.data).format) <= MISSED_MAX


@pytest.mark.parametrize("seed", range(VARIANTS))
def test_a_found_format_can_be_read_back_from_its_file(seed: int) -> None:
    """What is written is TOML, and the same format."""
    verdict = verdict_on(seed)
    assert FrameFormat.from_mapping(tomllib.loads(format_file(verdict, 9_600))) == verdict.format
    assert "# Baud rate: 9600." in format_file(verdict, 9_600)


def capture(format: FrameFormat, addrs: list[int], cmds: list[int], *, frames: int = 60) -> bytes:
    """Return frames of a format with random data."""
    rng = random.Random(7)
    return b"".join(
        encode(Frame(rng.choice(addrs), rng.choice(cmds), rng.randbytes(rng.randrange(20))), format)
        for _ in range(frames)
    )


@pytest.mark.parametrize("fields", [("addr", "cmd", "len"), ("cmd", "len", "addr"), ("len", "cmd", "addr")])
def test_requests_and_replies_tell_cmd_from_addr(fields: tuple[Any, ...]) -> None:
    """Commands with and without bit 7 are a cmd, wherever it stands."""
    verdict = found(capture(FrameFormat(fields=fields), [1, 2, 3, 4], [1, 2, 0x81, 0x82]))
    assert verdict.format.fields == fields
    assert not any("addr" in one for one in verdict.open)


@pytest.mark.parametrize("fields", [("addr", "cmd", "len"), ("cmd", "addr", "len")])
def test_the_field_with_fewer_values_is_addr(fields: tuple[Any, ...]) -> None:
    """There are fewer devices than commands."""
    verdict = found(capture(FrameFormat(fields=fields), [0x31, 0x32], [0x20, 0x21, 0x22, 0x23, 0x24, 0x25]))
    assert verdict.format.fields == fields


def test_where_nothing_tells_addr_comes_first_and_that_is_said() -> None:
    """As many addresses as commands, none of them replies."""
    verdict = found(capture(FrameFormat(fields=("cmd", "addr", "len")), [0x31, 0x32], [0x20, 0x21]))
    assert verdict.format.fields == ("addr", "cmd", "len")
    assert "nothing tells addr from cmd; addr is taken to come first" in verdict.open


def test_the_default_format_is_certain() -> None:
    """Nothing else comes near, and nothing about its fields is open."""
    verdict = found(capture(FrameFormat(), [1, 2], [1, 2, 0x81, 0x82, 0x20]))
    assert verdict.format == FrameFormat()
    assert verdict.is_certain
    assert verdict.share == 1.0
    assert verdict.frames == 60


def test_lengths_that_never_change_are_said_to_be_a_doubt() -> None:
    """One length alone does not show what len counts."""
    data = b"".join(encode(Frame(1, 0x20, bytes([n, 7, 9, n])), FrameFormat()) for n in range(30))
    verdict = found(data)
    assert payloads(verdict.format, data) == payloads(FrameFormat(), data)
    assert any("same length" in one for one in verdict.open)


def test_a_small_number_behind_the_header_is_a_field_and_that_is_said() -> None:
    """One device on a line whose check covers the header: its address never changes."""
    format = FrameFormat(check_covers_header=True)
    verdict = found(capture(format, [1], [0x20, 0x21, 0xA0, 0xA1]))
    assert verdict.format == format
    assert any("behind the header is always the same" in one for one in verdict.open)


def test_frames_in_text_are_found() -> None:
    """A log on the same line, as boot loaders write it, does not hide frames with a strong check."""
    rng = random.Random(3)
    words = [b"wifi up", b"heap 1423", b"E (2) i2c: no ack", b"measuring", b"tick", b"> sleep 20 ms"]
    lines = [rng.choice(words) + b" %d\r\n" % n for n in range(30)]
    frames = [encode(Frame(1, 0x20 + n % 3, rng.randbytes(1 + n % 9)), FrameFormat()) for n in range(30)]
    data = b"".join(line + frame for line, frame in zip(lines, frames, strict=True))
    verdict = found(data)
    assert verdict.format == FrameFormat()


@pytest.mark.parametrize("size", [0, 1, 39, 300, 5_000, 70_000])
def test_random_bytes_are_refused(size: int) -> None:
    """Noise never gives a verdict."""
    for seed in range(1 if size > 10_000 else 10):
        refused(random.Random(f"{size} {seed}").randbytes(size))


def nmea(count: int, *, steady: bool = False) -> bytes:
    """Return a GPS receiver's log, if wanted of sentences that are all of one length."""
    rng = random.Random(11)
    bodies = [
        f"GPGGA,{n:06d},48{rng.randrange(9999):04d},N,011{rng.randrange(9999):04d},E,1,08,0.9,545.4,M"
        if steady or n % 2
        else f"GPRMC,{n},A,{rng.random()},N,{rng.random()},E,{rng.random()}"
        for n in range(count)
    ]
    sums = [functools.reduce(operator.xor, body.encode()) for body in bodies]
    return "".join(f"${body}*{one:02X}\r\n" for body, one in zip(bodies, sums, strict=True)).encode()


OTHER_THINGS = {
    "zeros": bytes(70_000),
    "ones": b"\xff" * 5_000,
    "two bytes in turn": b"\x55\xaa" * 5_000,
    "a ramp": bytes(range(256)) * 100,
    "a counter": b"".join(n.to_bytes(2, "little") for n in range(8_000)),
    "an NMEA log": nmea(300),
    "an NMEA log of one length": nmea(300, steady=True),
    "source text": Path(__file__).read_bytes(),
    "UTF-16 text": Path(__file__).read_text("utf-8").encode("utf-16"),
    "JSON lines": b"".join(b'{"t":%d,"v":%d}\n' % (n, n * n % 997) for n in range(1_000)),
    "few letters": bytes(random.Random(1).choices(range(4), k=10_000)),
    "mostly zeros": bytes(random.Random(2).choices([0] * 50 + [1, 85, 170], k=10_000)),
    "samples": b"".join(int(random.Random(n).gauss(2048, 40)).to_bytes(2, "little") for n in range(5_000)),
    "records without a len": b"".join(
        b"\xa5\x5a" + n.to_bytes(4, "little") + random.Random(n).randbytes(10) + bytes(8)
        for n in range(1_000)
    ),
    "a picture": (Path(__file__).parents[2] / "docs" / "dashboard.png").read_bytes(),
    "a program": Path(sys.executable).read_bytes()[:30_000],
    "one frame again and again": encode(Frame(1, 2, b"same"), FrameFormat()) * 100,
}


@pytest.mark.parametrize("data", OTHER_THINGS.values(), ids=OTHER_THINGS.keys())
def test_what_is_no_frames_is_refused(data: bytes) -> None:
    """Text, samples, pictures, programs: they have a structure, but no frames."""
    refused(data)


def test_a_refusal_says_what_was_seen() -> None:
    """Text, a line at rest, too little: each is named."""
    assert "this is text" in refused(nmea(100))
    assert "all bytes are 0x00" in refused(bytes(500))
    assert "too few" in refused(b"\x55\xaa")
    assert "no bytes" in refused(b"")


PIECES = st.one_of(
    st.binary(max_size=30),
    st.builds(lambda byte, size: bytes([byte]) * size, st.integers(0, 255), st.integers(0, 200)),
    st.builds(lambda piece, times: piece * times, st.binary(min_size=1, max_size=9), st.integers(1, 40)),
    st.builds(lambda data: encode(Frame(1, 0x10, data), FrameFormat()), st.binary(max_size=20)),
)


@given(st.lists(PIECES, max_size=20).map(b"".join))
@settings(max_examples=25, deadline=None)
def test_no_input_makes_it_raise(data: bytes) -> None:
    """Whatever the bytes are, there is a verdict whose format explains some of them, or a reason."""
    verdict = detect(data)
    if isinstance(verdict, Verdict):
        assert len(payloads(verdict.format, data)) == verdict.frames
    else:
        assert verdict.reason


@given(st.integers(0, 2**32), st.integers(0, 4_000))
@settings(max_examples=30, deadline=None)
def test_no_random_bytes_give_a_verdict(seed: int, size: int) -> None:
    """Noise of any length is refused."""
    refused(random.Random(seed).randbytes(size))


def test_no_more_is_looked_at_than_the_limit() -> None:
    """Of a long capture the first 64 KiB count."""
    data = capture(FrameFormat(), [1, 2], [1, 2, 0x81, 0x82], frames=6_000)
    assert len(data) > LOOKED_MAX
    assert found(data).looked_at == LOOKED_MAX


def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many formats could be, only so many are decoded with."""
    judged: list[FrameFormat] = []

    def counted(capture: Capture, format: FrameFormat) -> Evidence:
        judged.append(format)
        return judge(capture, format)

    monkeypatch.setattr(search_module, "judge", counted)
    for thing in ("records without a len", "a counter", "an NMEA log of one length"):
        judged.clear()
        detect(OTHER_THINGS[thing])
        assert len(judged) <= 2 * CANDIDATES_MAX


def test_a_zero_before_len_is_its_high_byte_and_that_is_said() -> None:
    """A check that begins with zero cannot tell it from a byte of the header."""
    format = FrameFormat(length_size=2, length_order="big", fields=("len", "cmd"), check="xmodem")
    verdict = found(capture(format, [0], [0x20, 0x21, 0xA0, 0xA1]))
    assert verdict.format == format
    assert any("high byte of len was always 0" in one for one in verdict.open)


def test_frames_of_data_alone_have_no_other_fields() -> None:
    """A len is all that a frame needs."""
    format = FrameFormat(fields=("len",), header=b"\xc0", tail=b"")
    assert found(capture(format, [0], [0])).format == format


@pytest.mark.parametrize("model", ["weather", "motor", "power"])
def test_a_device_that_says_the_same_kind_of_thing_is_understood(model: str) -> None:
    """Though with one address, command and length nearly all of its bytes might be marks."""
    for seed in range(4):
        device = SimulatedDevice(model, 3, schema_of(model), MODELS[model](seed), telemetry=model, period=250)
        told = found(b"".join(b"".join(device.tick(0.25 * number)) for number in range(1, 40)))
        assert (told.format.header, told.format.tail) == (DEFAULT_FORMAT.header, DEFAULT_FORMAT.tail)
        assert told.format.fields == DEFAULT_FORMAT.fields
