"""Wires and their faults: seeded, repeatable, and what their names say."""

from __future__ import annotations

import math

import pytest

from firmware_sim import Fault, Wire, faults


def through(fault: Fault, data: bytes = bytes(1000), *, seed: int = 1, now: float = 0.0) -> list[bytes]:
    """Send some data through a faulty wire and return the pieces that come out."""
    wire = Wire([fault], "to_host", seed=seed)
    wire.send(data, now)
    return wire.take(math.inf)


def test_a_wire_without_faults_passes_everything_at_once() -> None:
    """In the pieces in which it was written."""
    wire = Wire([], "to_host", seed=1)
    assert wire.next_due == math.inf
    wire.send(b"one", 1.0)
    wire.send(b"two", 1.0)
    assert wire.next_due == 1.0
    assert wire.take(0.9) == []
    assert wire.take(1.0) == [b"one", b"two"]


RANDOM_FAULTS = [
    Fault(bit_errors=0.01),
    Fault(lost=0.05),
    Fault(added=0.05),
    Fault(repeated=0.05),
    Fault(bursts=1.0),
    Fault(cut=1.0),
]


@pytest.mark.parametrize("fault", RANDOM_FAULTS, ids=repr)
def test_a_fault_does_the_same_for_the_same_seed_and_another_for_another(fault: Fault) -> None:
    """Chance is repeatable."""
    data = bytes(range(256)) * 4
    assert through(fault, data) == through(fault, data)
    assert through(fault, data) != through(fault, data, seed=2)
    assert through(fault, data) != [data]


def test_faults_change_the_length_as_their_names_say() -> None:
    """Bit errors and bursts keep it, losses and cuts shorten, additions and repetitions lengthen."""
    sizes = [sum(map(len, through(fault))) for fault in RANDOM_FAULTS]
    flipped, lost, added, repeated, burst, cut = sizes
    assert flipped == burst == 1000
    assert 900 < lost < 1000 < added < 1100
    assert 1000 < repeated < 1100
    assert cut < 1000


def test_what_is_cut_is_never_whole() -> None:
    """And what was lost before it is cut is no failure."""
    assert all(len(b"".join(through(Fault(cut=1.0), bytes(9), seed=n))) < 9 for n in range(1000))
    wire = Wire([Fault(lost=1.0), Fault(cut=1.0, bursts=1.0)], "to_host", seed=1)
    wire.send(b"gone", 0.0)
    assert wire.next_due == math.inf


def test_the_rate_of_bit_errors_is_what_was_asked_for() -> None:
    """One bit in a hundred, within a quarter."""
    flipped = sum(byte.bit_count() for byte in b"".join(through(Fault(bit_errors=0.01), bytes(10_000))))
    assert 600 < flipped < 1000


def test_silence_lets_nothing_through_while_it_lasts() -> None:
    """And everything before and after."""
    fault = Fault(silence=True, start=1.0, stop=2.0)
    assert [bool(through(fault, b"x", now=now)) for now in (0.5, 1.0, 1.9, 2.0)] == [True, False, False, True]


def test_a_fault_has_a_direction() -> None:
    """The other one is clean."""
    wire = Wire([Fault(direction="to_device", silence=True)], "to_host", seed=1)
    wire.send(b"x", 0.0)
    assert wire.take(0.0) == [b"x"]


def test_chunks_come_one_at_a_time_however_late_they_are_taken() -> None:
    """Whoever reads meets each alone, a millisecond after the one before."""
    wire = Wire([Fault(chunk=3)], "to_host", seed=1)
    wire.send(b"12345678", 0.0)
    assert wire.take(5.0) == [b"123"]
    assert wire.next_due == pytest.approx(5.001)
    assert wire.take(5.0005) == []
    assert [wire.take(5.5), wire.take(6.0), wire.take(7.0)] == [[b"456"], [b"78"], []]


def test_a_delay_makes_bytes_late_and_keeps_their_order() -> None:
    """Also of what is sent once the delay is over."""
    wire = Wire([Fault(delay=0.5, stop=1.0)], "to_host", seed=1)
    wire.send(b"first", 0.9)
    wire.send(b"second", 1.0)
    assert wire.take(1.39) == []
    assert wire.take(1.4) == [b"first", b"second"]


def test_a_paced_line_takes_the_time_that_its_baud_rate_needs() -> None:
    """1,000 bytes at 10,000 baud take one second, however they are written."""
    wire = Wire([Fault(baudrate=10_000)], "to_host", seed=1)
    for _ in range(10):
        wire.send(bytes(100), 0.0)
    assert sum(map(len, wire.take(0.5))) == pytest.approx(500, abs=20)
    assert sum(map(len, wire.take(0.999))) == pytest.approx(500, abs=20)
    wire.take(1.001)
    assert wire.next_due == math.inf


@pytest.mark.parametrize("baudrate", [300, 1_200, 2_400, 115_200])
def test_a_paced_line_is_never_silent_for_long_while_it_sends(baudrate: int) -> None:
    """Its pieces take 10 ms, or one byte's time: else receivers would take their wait for the frame's end."""
    wire = Wire([Fault(baudrate=baudrate)], "to_host", seed=1)
    wire.send(bytes(100), 0.0)
    now, longest = 0.0, 0.0
    while wire.next_due < math.inf:
        longest, now = max(longest, wire.next_due - now), wire.next_due
        wire.take(now)
    assert longest <= max(0.01, 10 / baudrate) + 1e-9
    assert now == pytest.approx(1_000 / baudrate)


def test_a_line_that_is_fed_too_fast_loses_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is bounded."""
    monkeypatch.setattr(faults, "MAX_WAITING", 150)
    wire = Wire([Fault(baudrate=100)], "to_host", seed=1)
    assert wire.send(bytes(100), 0.0) == 0
    assert wire.send(bytes(100), 0.0) == 100
    wire.clear()
    assert wire.next_due == math.inf
    wire.cut()
    assert wire.next_due == math.inf


def test_a_paced_line_is_free_again_once_it_has_lost_everything() -> None:
    """What was on its way when the cable was pulled takes no time after it is back."""
    wire = Wire([Fault(baudrate=100)], "to_host", seed=1)
    wire.send(bytes(1_000), 0.0)
    wire.clear()
    wire.send(b"x", 1.0)
    assert wire.next_due == pytest.approx(1.1)


def test_a_cut_leaves_half_of_what_was_on_its_way() -> None:
    """As when the sender stops in mid-frame."""
    wire = Wire([Fault(baudrate=10_000)], "to_host", seed=1)
    wire.send(b"12345678", 0.0)
    wire.cut()
    wire.send(b"x", 0.0)
    assert wire.take(0.0085) == [b"1234"]
    assert wire.take(0.0091) == [b"x"]


def test_a_cut_on_a_paced_line_keeps_the_pace_of_what_is_left() -> None:
    """And the line is free as soon as that has come."""
    wire = Wire([Fault(baudrate=1_000)], "to_host", seed=1)
    wire.send(bytes(range(100)), 0.0)
    wire.cut()
    wire.send(b"next", 0.0)
    assert b"".join(wire.take(0.2501)) == bytes(range(25))
    assert b"".join(wire.take(0.545)) == bytes(range(25, 50)) + b"next"


def test_a_dropped_frame_is_lost_whole_and_has_taken_its_time() -> None:
    """The others come as they are; on a paced line when they would have come."""
    wire = Wire([Fault(drop=0.3), Fault(baudrate=115_200)], "to_host", seed=1)
    frames = [bytes([number]) * 10 for number in range(100)]
    for frame in frames:
        wire.send(frame, 0.0)
    came = {}
    while wire.next_due < math.inf:
        due = wire.next_due
        came[due] = b"".join(wire.take(due))
    assert 60 <= len(came) <= 80
    assert set(came.values()) <= set(frames)
    assert all(due == pytest.approx((data[0] + 1) * 100 / 115_200) for due, data in came.items())
