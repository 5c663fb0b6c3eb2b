"""The C device: its commands, parameters, refusals, events and times."""

from __future__ import annotations

import pytest

from firmware_sim import schema_of
from firmware_sim.toolchain import HOST, build
from framelink.errors import ToolchainError
from framelink.wire import BROADCAST, REPLY, Frame, encode
from tests.firmware.bench import (
    EVENT_INSIDE,
    FLAGS,
    MAX_DATA,
    NO_WORDS,
    REPLACED,
    REPORTING,
    REVERSED,
    RING_SIZE,
    SMALLEST,
    SOURCES,
    TOO_LONG_A_REPLY,
    TOO_MANY_WORDS,
    Bench,
)

BUSY, OK_BYTE = 4, b"\x00"


def refusal(cmd: int, code: int, text: bytes = b"") -> Frame:
    """Return the negative reply."""
    return Frame(1, 0xFF, bytes([cmd, code]) + text)


def test_every_device_answers_ping_and_identify() -> None:
    """With its boot counter, type, version, and as much of its name as there is room for."""
    bench = Bench(boots=0x1234)
    assert bench.ask(1, b"\x55\xaa") == Frame(1, 0x81, b"\x55\xaa")
    assert bench.ask(1, bytes(MAX_DATA)).data == bytes(MAX_DATA)
    identity = bench.ask(2)
    assert identity.data[:8] == bytes.fromhex("01 34 12 02 01 01 02 03")
    assert identity.data[8:].startswith(b"a device with a name")
    assert len(identity.data) == MAX_DATA


def test_a_device_needs_no_tables_no_name_and_no_telemetry() -> None:
    """What is not there is refused."""
    bench = Bench(SMALLEST)
    assert bench.ask(2, addr=9).data == bytes.fromhex("01 00 00 00 00 00 00 00")
    assert bench.ask(3, b"\x01", addr=9).data[:2] == b"\x03\x02"
    assert bench.ask(5, b"\x64\x00", addr=9).data == b"\x05\x05nothing to report"
    assert bench.ask(6, addr=9).data[-4:] == bytes(4)
    assert bench.step(1_000_000) == []


def test_a_table_of_commands_extends_and_replaces_the_standard_ones() -> None:
    """The device's own row wins."""
    assert Bench().ask(REVERSED, b"abc") == Frame(1, REVERSED | REPLY, b"cba")
    assert Bench(REPLACED).ask(1, b"abc") == Frame(1, 0x81, b"cba")


@pytest.mark.parametrize(
    ("cmd", "data", "expected"),
    [
        (0x55, b"", refusal(0x55, 1, b"unknown command")),
        (0x20, b"", refusal(0x20, 1, b"unknown command")),
        (0x7F, b"", refusal(0x7F, 1, b"unknown command")),
        (REVERSED, b"", refusal(REVERSED, 2)),
        (REVERSED, b"12345", refusal(REVERSED, 2)),
        (NO_WORDS, b"", refusal(NO_WORDS, 5)),
        (3, b"", refusal(3, 2)),
        (3, b"\x09", refusal(3, 2, b"no such parameter")),
        (4, b"\x09\x00", refusal(4, 2, b"no such parameter")),
        (4, b"\x01\x00", refusal(4, 2)),
        (4, b"\x02\x65", refusal(4, 3, b"out of range")),
        (4, b"\x01\x0d\x00", refusal(4, BUSY, b"unlucky")),
        (5, b"\x01", refusal(5, 2)),
    ],
)
def test_what_cannot_be_done_is_refused(cmd: int, data: bytes, expected: Frame) -> None:
    """With the command, a code, and a text where there is more to say; a refused value is not set."""
    bench = Bench()
    assert bench.ask(cmd, data) == expected
    assert bench.ask(3, b"\x01").data == b"\x01\xb0\x04"


def test_a_refusal_has_as_much_text_as_fits() -> None:
    """The largest payload, less the command and the code."""
    data = Bench().ask(TOO_MANY_WORDS).data
    assert data.startswith(bytes([TOO_MANY_WORDS, 6]) + b"a text of more")
    assert len(data) == MAX_DATA


def test_a_reply_that_no_frame_can_carry_is_not_sent() -> None:
    """Nor half of it; the device goes on."""
    bench = Bench()
    assert bench.feed(encode(Frame(1, TOO_LONG_A_REPLY))) == []
    assert bench.ask(1) == Frame(1, 0x81)


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (1, ["90e8", "7017", "0000"], ["8fe8", "7117"]),
        (2, ["00", "64"], ["65", "ff"]),
        (103, ["00000000", "ffffff7f"], ["00000080", "ffffffff"]),
        (104, ["fb", "05"], ["fa", "06", "80"]),
        (105, ["0000", "ffff"], []),
        (106, ["00000080", "ffffff7f", "ffffffff"], []),
    ],
)
def test_parameters_of_every_type_are_held_to_their_limits(
    parameter: int, good: list[str], bad: list[str]
) -> None:
    """The reply to set has the value in force, and get has it afterwards."""
    bench, number = Bench(), bytes([parameter])
    for value in map(bytes.fromhex, good):
        assert bench.ask(4, number + value) == Frame(1, 0x84, number + value)
        assert bench.ask(3, number) == Frame(1, 0x83, number + value)
    for value in map(bytes.fromhex, bad):
        assert bench.ask(4, number + value) == refusal(4, 3, b"out of range")
    assert bench.ask(3, number).data == number + bytes.fromhex(good[-1])


def test_a_broadcast_is_carried_out_and_not_answered() -> None:
    """Else all devices would answer at once."""
    bench = Bench()
    assert bench.feed(encode(Frame(BROADCAST, 4, b"\x02\x07"))) == []
    assert bench.feed(encode(Frame(BROADCAST, 0x55))) == []
    assert bench.ask(3, b"\x02").data == b"\x02\x07"


def test_what_is_for_others_is_counted_and_not_answered() -> None:
    """Other addresses, and replies."""
    bench = Bench()
    assert bench.feed(encode(Frame(2, 1)) + encode(Frame(1, 0x81)) + encode(Frame(0, 1))) == []
    assert bench.ask(6).data[:4] == b"\x04\x00\x00\x00"


def test_the_ledger_counts_every_reason_and_overruns() -> None:
    """In the order of the standard schema."""
    bench, ping = Bench(), encode(Frame(1, 1))
    bench.feed(b"xyz")
    bench.feed(bytes.fromhex("55 AA 01 01 41"))  # more than this device takes; 4 bytes of noise behind it
    bench.feed(ping[:-1] + b"\x0b")
    bench.feed(ping[:-3] + b"\x00\x0d\x0a")
    bench.feed(ping[:4], now=100)
    bench.step(151)
    for _ in range(300):
        bench.c.bench_lose()
    schema = schema_of("motor")
    message = schema.decode(bench.ask(6, now=151))
    assert getattr(message, "fields", None) == {
        "frames": 1,
        "noise": 3 + 4 + 8 + 8 + 3,
        "length": 1,
        "tail": 1,
        "check": 1,
        "timeout": 1,
        "overruns": 300,
    }


def test_half_a_frame_is_given_up_after_silence_only() -> None:
    """More than 50 whole ms in which no byte waits; a request inside it is answered then."""
    inner = encode(Frame(1, 1, b"hi"))
    half = encode(Frame(1, 1, inner))[:-1]
    bench = Bench()
    assert bench.feed(half, now=1_000) == []
    assert bench.step(1_050) == []
    assert bench.step(1_051) == [Frame(1, 0x81, b"hi")]
    slow = Bench(SMALLEST)
    assert slow.feed(encode(Frame(9, 1))[:5], now=0) == []
    slow.step(160)
    assert slow.feed(encode(Frame(9, 1))[5:], now=160) == [Frame(9, 0x81)]


def test_a_byte_that_waits_is_no_silence() -> None:
    """A main loop that was busy for long finds the rest of the frame in its ring."""
    bench, ping = Bench(), encode(Frame(1, 1))
    assert bench.feed(ping[:5], now=0) == []
    assert bench.feed(ping[5:], now=499) == [Frame(1, 0x81)]


def test_telemetry_is_started_stopped_and_paced_by_its_command() -> None:
    """0 stops it; a period below 10 ms is raised to that and said so."""
    bench, report = Bench(REPORTING), Frame(1, 0x20, b"\x07")
    assert bench.step(499) == []
    assert bench.step(500) == [report]
    assert bench.step(999) == []
    assert bench.step(1_000) == [report]
    assert bench.ask(5, b"\x01\x00", now=1_000).data == b"\x0a\x00"
    assert bench.step(1_009) == []
    assert bench.step(1_010) == [report]
    assert bench.ask(5, b"\x00\x00", now=1_015).data == b"\x00\x00"
    assert bench.step(1_000_000) == []


def test_a_late_device_does_not_make_up_for_missed_reports() -> None:
    """After a stall there is one report, and the next after half a period or more."""
    bench = Bench(REPORTING)
    assert len(bench.step(10_000)) == 1
    assert bench.step(10_249) == []
    assert len(bench.step(10_250)) == 1


def test_reports_go_on_while_bytes_keep_coming() -> None:
    """A flood does not silence the device."""
    assert len(Bench(REPORTING).feed(b"x", now=500)) == 1


def test_the_clock_may_wrap_around() -> None:
    """Telemetry and silence are measured across it."""
    bench = Bench(REPORTING, now=0xFFFFFF00)
    assert bench.step(0xFFFFFF00 + 499) == []
    assert len(bench.step(0xFFFFFF00 + 500 & 0xFFFFFFFF)) == 1
    bench = Bench(now=0xFFFFFFF0)
    bench.feed(encode(Frame(1, 1))[:5], now=0xFFFFFFF0)
    timeouts = slice(20, 24)
    bench.step(0x22)
    bench.step(0x23)
    assert bench.ask(6, now=0x24).data[timeouts] == b"\x01\x00\x00\x00"


def test_events_are_sent_but_not_into_a_reply_or_a_report() -> None:
    """A handler is told so, and its reply is whole."""
    bench = Bench()
    assert bench.c.bench_event(0x40, b"abc", 3) == 1
    assert bench.c.bench_event(0x41, None, 0) == 1
    assert bench.sent() == [Frame(1, 0x40, b"abc"), Frame(1, 0x41)]
    assert bench.c.bench_event(0x40, bytes(MAX_DATA + 1), MAX_DATA + 1) == 0
    assert bench.ask(EVENT_INSIDE) == Frame(1, EVENT_INSIDE | REPLY, OK_BYTE)


def test_a_device_too_small_for_the_ledger_does_not_compile() -> None:
    """The compiler says what is needed."""
    with pytest.raises(ToolchainError, match="FL_MAX_DATA of 28 or more"):
        build(HOST, SOURCES, flags=[*FLAGS, "-DFL_MAX_DATA=27"])
    with pytest.raises(ToolchainError, match="a device needs a format with a command"):
        build(HOST, SOURCES, flags=[*FLAGS, "-DFL_CMD_PLACE=-1"])


class TestRing:
    """The ring between interrupt and main loop."""

    def test_bytes_come_out_in_order_across_the_wrap(self) -> None:
        """However often the indexes wrap."""
        c = Bench().c
        for start in range(0, 2_000, 100):
            values = [(start + n) & 0xFF for n in range(100)]
            for value in values:
                c.bench_put(value)
            assert [c.bench_get() for _ in range(100)] == values
        assert c.bench_get() == -1
        assert c.bench_overruns() == 0

    def test_what_a_full_ring_cannot_take_is_counted(self) -> None:
        """The oldest bytes stay; all the room is used."""
        c = Bench().c
        for value in range(RING_SIZE + 70):
            c.bench_put(value)
        assert c.bench_overruns() == 70
        assert [c.bench_get() for _ in range(RING_SIZE + 1)] == [*range(RING_SIZE), -1]
        c.bench_put(1)
        assert (c.bench_get(), c.bench_overruns()) == (1, 70)

    @pytest.mark.parametrize("size", ["1", "100", "65536"])
    def test_a_size_that_cannot_be_does_not_compile(self, size: str) -> None:
        """It is a power of two in a range."""
        with pytest.raises(ToolchainError, match="FL_RING_SIZE is a power of two from 2 to 32,768"):
            build(HOST, SOURCES, flags=[*FLAGS, f"-DFL_RING_SIZE={size}"])
