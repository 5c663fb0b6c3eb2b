"""The C device with the sequenced profile: a repeat is answered, not acted on; and it is the simulator's equal."""

from __future__ import annotations

import random

import pytest

from firmware_sim import MODELS, SimulatedDevice, schema_of
from framelink.wire import BROADCAST, REPLY, Frame, Receiver, encode
from tests.firmware.bench import (
    CLEAR_FAULT,
    EVENT_INSIDE,
    JOG,
    MAX_DATA,
    NO_WORDS,
    REVERSED,
    TOO_LONG_A_REPLY,
    TOO_MANY_WORDS,
    Bench,
)

UNKNOWN = 0x55


@pytest.fixture
def bench() -> Bench:
    """A device that has just started."""
    return Bench(sequenced=True)


def jog(steps: int, number: int, addr: int = 1) -> Frame:
    """Return a request to jog."""
    return Frame(addr, JOG, bytes([number]) + steps.to_bytes(2, "little", signed=True))


def jogged(position: int, jogs: int, number: int) -> Frame:
    """Return the reply to a jog."""
    data = position.to_bytes(4, "little", signed=True) + jogs.to_bytes(4, "little")
    return Frame(1, JOG | REPLY, bytes([number]) + data)


def ask(bench: Bench, frame: Frame) -> list[Frame]:
    """Send a request and return what comes back."""
    return bench.feed(encode(frame))


def test_it_says_so_in_its_identity(bench: Bench) -> None:
    """Protocol version 2; a plain device has 1."""
    assert bench.ask(2).data[0] == 2
    assert Bench().ask(2).data[0] == 1


def test_a_repeat_gets_the_same_reply_and_is_not_acted_on(bench: Bench) -> None:
    """However often it comes; the next number is acted on."""
    for _ in range(3):
        assert ask(bench, jog(5, 1)) == [jogged(5, 1, 1)]
    assert ask(bench, jog(5, 2)) == [jogged(10, 2, 2)]
    assert ask(bench, jog(5, 1)) == [jogged(15, 3, 1)]


def test_only_the_same_command_and_number_are_a_repeat(bench: Bench) -> None:
    """The payload does not matter: a number is given once."""
    assert ask(bench, jog(5, 1)) == [jogged(5, 1, 1)]
    assert ask(bench, Frame(1, REVERSED, b"\x01abc")) == [Frame(1, REVERSED | REPLY, b"\x01cba")]
    assert ask(bench, Frame(1, REVERSED, b"\x01xyz")) == [Frame(1, REVERSED | REPLY, b"\x01cba")]
    assert ask(bench, jog(5, 1)) == [jogged(10, 2, 1)]


def test_number_0_is_acted_on_whenever_it_comes(bench: Bench) -> None:
    """And its reply takes no other's place."""
    assert ask(bench, jog(1, 9)) == [jogged(1, 1, 9)]
    assert ask(bench, jog(1, 0)) == [jogged(2, 2, 0)]
    assert ask(bench, jog(1, 0)) == [jogged(3, 3, 0)]
    assert ask(bench, jog(1, 9)) == [jogged(1, 1, 9)]


def test_commands_that_are_not_sequenced_leave_the_kept_reply_alone(bench: Bench) -> None:
    """Ping between a request and its repeat; identify makes the device forget."""
    assert ask(bench, jog(1, 9)) == [jogged(1, 1, 9)]
    assert bench.ask(1, b"hi").data == b"hi"
    assert bench.ask(0x66).data == b"\x66\x01unknown command"
    assert ask(bench, Frame(BROADCAST, 2)) == []
    assert bench.ask(2, b"no identify").data == b"\x02\x02"
    assert ask(bench, jog(1, 9)) == [jogged(1, 1, 9)]
    bench.ask(2)
    assert ask(bench, jog(1, 9)) == [jogged(2, 2, 9)]


def test_a_broadcast_is_acted_on_and_not_kept(bench: Bench) -> None:
    """Each time that it comes."""
    assert ask(bench, jog(1, 9)) == [jogged(1, 1, 9)]
    assert ask(bench, jog(1, 9, BROADCAST)) == ask(bench, jog(1, 3, BROADCAST)) == []
    assert ask(bench, jog(1, 9)) == [jogged(1, 1, 9)]
    assert ask(bench, jog(1, 3)) == [jogged(4, 4, 3)]


def test_a_broadcast_without_its_number_is_not_acted_on(bench: Bench) -> None:
    """There is nothing behind the number that could be meant."""
    assert ask(bench, Frame(BROADCAST, JOG)) == []
    assert ask(bench, jog(1, 1)) == [jogged(1, 1, 1)]


def test_a_restart_forgets(bench: Bench) -> None:
    """The host notices by the boot counter."""
    assert ask(bench, jog(1, 9)) == [jogged(1, 1, 9)]
    bench.c.bench_start(0, 1, 0)
    assert ask(bench, jog(1, 9)) == [jogged(1, 1, 9)]


@pytest.mark.parametrize(
    ("cmd", "data", "expected"),
    [
        (UNKNOWN, b"\x07", b"\x55\x01\x07unknown command"),
        (NO_WORDS, b"\x07", bytes([NO_WORDS, 5, 7])),
        (JOG, b"\x07\x01", bytes([JOG, 2, 7])),
        (JOG, b"\x07\x01\x02\x03", bytes([JOG, 2, 7])),
        (JOG, b"", bytes([JOG, 2, 0])),
        (0x20, b"", bytes([0x20, 2, 0])),
        (0x1F, b"", b"\x1f\x01unknown command"),
        (0x60, b"\x01", b"\x60\x01unknown command"),
        (3, b"\x09", b"\x03\x02no such parameter"),
    ],
)
def test_a_refusal_has_the_number_behind_the_code(
    bench: Bench, cmd: int, data: bytes, expected: bytes
) -> None:
    """Only if the refused command has one; without its byte a request is of number 0 and of a bad length."""
    assert ask(bench, Frame(1, cmd, data)) == [Frame(1, 0xFF, expected)]


def test_a_refusal_is_kept_as_a_reply_is(bench: Bench) -> None:
    """What was refused once is refused again, even if it would be done now."""
    refused = Frame(1, 0xFF, bytes([JOG, 4, 9]) + b"jammed")
    bench.c.bench_jam(1)
    assert ask(bench, jog(1, 9)) == [refused]
    bench.c.bench_jam(0)
    assert ask(bench, jog(1, 9)) == [refused]
    assert ask(bench, jog(1, 10)) == [jogged(1, 1, 10)]


def test_the_longest_texts_and_replies_have_one_byte_less(bench: Bench) -> None:
    """The number takes it."""
    data = ask(bench, Frame(1, TOO_MANY_WORDS, b"\x09"))[0].data
    assert data.startswith(bytes([TOO_MANY_WORDS, 6, 9]) + b"a text of more")
    assert len(data) == MAX_DATA
    assert ask(bench, Frame(1, TOO_LONG_A_REPLY, b"\x09")) == []
    assert bench.ask(1).cmd == 0x81


def test_no_event_gets_into_a_sequenced_reply(bench: Bench) -> None:
    """As in a plain device."""
    assert ask(bench, Frame(1, EVENT_INSIDE, b"\x09")) == [Frame(1, EVENT_INSIDE | REPLY, b"\x09\x00")]
    assert bench.c.bench_event(0x40, b"abc", 3) == 1
    assert bench.sent() == [Frame(1, 0x40, b"abc")]
    assert ask(bench, Frame(1, EVENT_INSIDE, b"\x09")) == [Frame(1, EVENT_INSIDE | REPLY, b"\x09\x00")]


def test_a_lossy_line_makes_no_jog_twice(bench: Bench) -> None:
    """Requests and replies lost at random, repeats until there is an answer: 1,000 jogs are 1,000 jogs."""
    rng = random.Random(4)
    for count in range(1, 1_001):
        number = (count - 1) % 255 + 1
        answer: list[Frame] = []
        while not answer:
            heard = ask(bench, jog(1, number)) if rng.random() < 0.7 else []
            answer = heard if rng.random() < 0.7 else []
        assert answer == [jogged(count, count, number)]


def test_the_simulated_device_and_the_c_device_answer_alike() -> None:
    """4,000 random requests with noise between: the same replies, refusals by code, and the same ledger."""
    rng, schema = random.Random(3), schema_of("motor")
    model = MODELS["motor"](1)
    simulated = SimulatedDevice("a", 1, schema, model, telemetry="motor", firmware=(1, 2, 3))
    bench = Bench(sequenced=True)
    for _ in range(4_000):
        wire = rng.randbytes(rng.randrange(3)) + random_request(rng)
        expected = [Receiver().feed(one)[0] for one in simulated.feed(wire, 0.0)]
        assert [comparable(one) for one in bench.feed(wire)] == [comparable(one) for one in expected], (
            wire.hex()
        )
    assert bench.ask(6).data == Receiver().feed(simulated.feed(encode(Frame(1, 6)), 0.0)[0])[0].data


def random_request(rng: random.Random) -> bytes:
    """Return a request that may or may not make sense, may have come before, and often jogs."""
    cmd = rng.choice([1, 2, 3, 3, 4, 4, 4, 4, 5, 6, 7, CLEAR_FAULT, UNKNOWN, 0x66, 0x81, *[JOG] * 8])
    head = rng.choice([b"", b"\x01", b"\x01", b"\x02", b"\x02", b"\x07", b"\x00"])
    if cmd == UNKNOWN:  # without its number it is wrong twice over: each device names another of both
        head = b"\x07"
    data = head + rng.randbytes(rng.choice([0, 1, 1, 2, 2, 2, 3, MAX_DATA - 1]))
    return encode(Frame(rng.choice([1, 1, 1, 1, 2, BROADCAST]), cmd, data))


def comparable(frame: Frame) -> Frame:
    """Return a reply without the words that each device has of its own."""
    if frame.cmd == 0x82:
        return Frame(frame.addr, frame.cmd, frame.data[:8])
    if frame.cmd != 0xFF:
        return frame
    return Frame(frame.addr, frame.cmd, frame.data[: 3 if 0x20 <= frame.data[0] < 0x60 else 2])
