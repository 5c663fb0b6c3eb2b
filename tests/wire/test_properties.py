"""What holds for every stream: against an oracle that knows no states, and under seeded damage."""

from __future__ import annotations

import dataclasses
import itertools
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, State, encode
from tests.support.damage import DAMAGES, random_frame, random_splits
from tests.support.engines import RECEIVERS, PythonReceiver

in_every_language = pytest.mark.parametrize("language", RECEIVERS)
FRAMES_A_MODE = 3_200
DAMAGED_SHARE = 0.05

GOLDEN = encode(Frame(0x01, 0x10, b"\x01\x02\x03"))
PIECES = st.one_of(
    st.binary(max_size=12),
    st.builds(lambda data: encode(Frame(1, 0x10, data)), st.binary(max_size=20)),
    st.builds(lambda end: GOLDEN[:end], st.integers(0, len(GOLDEN))),
    st.sampled_from(
        [b"\x55", b"\xaa", b"\x55\xaa", b"\r\n", b"\x55\xaa\x01\x02\xff", b"\x55\x55\xaa", GOLDEN]
    ),
)
STREAMS = st.lists(PIECES, max_size=30).map(b"".join)


def oracle(stream: bytes) -> list[Frame]:
    """Return the frames in a stream that has ended: the first from the left, then the first behind it."""
    frames, at = [], 0
    while at < len(stream):
        size = 9 + stream[at + 4] if at + 4 < len(stream) else 0
        candidate = stream[at : at + size]
        if len(candidate) == size > 0:
            frame = Frame(candidate[2], candidate[3], candidate[5:-4])
            if encode(frame) == candidate:
                frames.append(frame)
                at += size
                continue
        at += 1
    return frames


@in_every_language
@settings(max_examples=400, deadline=None)
@given(stream=STREAMS, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_any_chunking_gives_the_oracles_frames(stream: bytes, cuts: list[int], language: str) -> None:
    """Whatever the bytes and the chunks are, the frames are the oracle's and every byte is accounted for."""
    receiver, frames = RECEIVERS[language](), []
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)})
    for begin, end in itertools.pairwise([0, *ends]):
        frames += receiver.feed(stream[begin:end])
        ledger = receiver.ledger
        assert ledger.received == end == ledger.delivered + ledger.noise_bytes + ledger.pending
        assert receiver.pending < DEFAULT_FORMAT.longest_frame
    frames += receiver.flush()
    assert frames == oracle(stream)
    assert receiver.pending == 0
    assert receiver.state is State.HEADER


@in_every_language
@settings(max_examples=200, deadline=None)
@given(stream=STREAMS, cut=st.integers(0, 400))
def test_the_state_does_not_depend_on_the_chunks(stream: bytes, cut: int, language: str) -> None:
    """The same bytes, fed one by one or in two pieces, leave the same state and ledger."""
    bytewise, halves = RECEIVERS[language](), RECEIVERS[language]()
    for byte in stream:
        bytewise.feed(bytes([byte]))
    halves.feed(stream[:cut])
    halves.feed(stream[cut:])
    assert (bytewise.state, bytewise.ledger) == (halves.state, halves.ledger)


def every_second_byte_of_more(data: bytes) -> memoryview:
    """Return a view whose bytes do not lie side by side."""
    return memoryview(b"".join(bytes([one, 0xFF]) for one in data))[::2]


def words(data: bytes) -> memoryview:
    """Return a view of 16-bit words."""
    return memoryview(data).cast("H")


@in_every_language
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, every_second_byte_of_more, words])
def test_every_kind_of_bytes_is_taken(kind: Callable[[bytes], bytes], language: str) -> None:
    """bytes, bytearray and memoryview give the same frames and the same ledger."""
    receiver = RECEIVERS[language]()
    frames = receiver.feed(kind(GOLDEN[:6])) + receiver.feed(kind(GOLDEN[6:]))
    assert frames == [Frame(0x01, 0x10, b"\x01\x02\x03")]
    assert receiver.ledger.received == receiver.ledger.delivered == len(GOLDEN)


@in_every_language
@pytest.mark.parametrize("wrong", ["text", 5, None, [1, 2], {"a": 1}])
def test_what_is_no_bytes_is_refused_and_changes_nothing(wrong: Any, language: str) -> None:
    """Misuse raises a TypeError; the receiver goes on."""
    receiver = RECEIVERS[language]()
    receiver.feed(GOLDEN[:6])
    with pytest.raises(TypeError, match="bytes-like object is required"):
        receiver.feed(wrong)
    assert receiver.feed(GOLDEN[6:]) == [Frame(0x01, 0x10, b"\x01\x02\x03")]
    assert receiver.ledger.received == len(GOLDEN)


@in_every_language
@pytest.mark.parametrize("mode", DAMAGES)
def test_no_intact_frame_is_lost(mode: str, language: str) -> None:
    """With one frame in twenty damaged, all the others are delivered, in order."""
    rng = random.Random(mode)
    intact, stream = [], []
    for _ in range(FRAMES_A_MODE):
        frame = random_frame(rng)
        wire = encode(frame)
        if rng.random() < DAMAGED_SHARE:
            stream.append(DAMAGES[mode](wire, rng))
        else:
            intact.append(frame)
            stream.append(wire)
    receiver = RECEIVERS[language]()
    received = [f for chunk in random_splits(b"".join(stream), rng, 700) for f in receiver.feed(chunk)]
    received += receiver.flush()
    assert len(intact) > FRAMES_A_MODE * (1 - DAMAGED_SHARE * 1.5)
    rest = iter(
        received
    )  # `in` moves it on, so the order is held too; damage may have made frames in between
    assert [frame for frame in intact if frame not in rest] == []


HOSTILE = {
    "false headers": b"\x55\xaa\x01\x02\xff",
    "a run of 55": b"\x55",
    "headers": b"\x55\xaa",
    "false headers with true tails": b"\x55\xaa\x01\x02\x04\x00\x00\x00\x00\x00\x00\r\n",
    "headers whose frames all end at tails": b"\x55\xaa\r\n\x02",
    "headers whose long frames all end at tails": b"\x55\xaa\x01\x02\xfa\r\n",
}
HOSTILE_SECONDS = 5.0  # of CPU for a quarter of a megabyte; Python takes up to 0.1 s, C up to 2 ms


def work_on(stream: bytes) -> int:
    """Return the candidates that Python reads plus the bytes that the check runs over for a stream."""
    done = 0
    format = FrameFormat()
    read_head, checker = format.read_head, format.checker

    def counted_read(buffer: bytes, offset: int) -> tuple[int, int, int]:
        nonlocal done
        done += 1
        return read_head(buffer, offset)

    def counted_check(span: bytes) -> int:
        nonlocal done
        done += len(span)
        return checker.compute(span)

    vars(format).update(read_head=counted_read, checker=dataclasses.replace(checker, compute=counted_check))
    receiver = PythonReceiver(format)
    for begin in range(0, len(stream), 4096):
        receiver.feed(stream[begin : begin + 4096])
    receiver.flush()
    assert receiver.ledger.received == len(stream)
    return done


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_costs_work_in_proportion_to_its_length(name: str) -> None:
    """Twice the input is at most 2.3 times the work, and no byte costs more than one longest frame."""
    unit = HOSTILE[name]
    small, large = work_on(unit * (40_000 // len(unit))), work_on(unit * (80_000 // len(unit)))
    assert large <= 2.3 * max(small, 1)
    assert large <= 80_000 * DEFAULT_FORMAT.longest_frame


@in_every_language
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_taken_in_bounded_time(name: str, language: str) -> None:
    """No pattern makes a receiver stand still."""
    stream, receiver = HOSTILE[name] * (250_000 // len(HOSTILE[name])), RECEIVERS[language]()
    before = time.process_time()
    for begin in range(0, len(stream), 4096):
        receiver.feed(stream[begin : begin + 4096])
    assert time.process_time() - before < HOSTILE_SECONDS


def test_silence_after_a_long_candidate_costs_work_in_proportion_to_its_length() -> None:
    """With a len of two bytes a candidate may hold 65,535 false headers; giving it up goes over them once."""

    class Counting(PythonReceiver):
        scanned = 0

        def _scan(self, buffer: bytes, *, silent: bool = False) -> list[Frame]:
            self.scanned += len(buffer)
            return super()._scan(buffer, silent=silent)

    receiver = Counting(FrameFormat(header=b"\xff", fields=("len",), length_size=2))
    receiver.feed(b"\xff" * 65_535)
    before = receiver.scanned
    assert receiver.flush() == []
    assert receiver.scanned - before <= 65_535
    assert receiver.ledger.noise["timeout"] == 65_535
