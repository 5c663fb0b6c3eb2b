"""Wires and their faults: seeded, repeatable, and what their names say."""

from __future__ import annotations

import math

import pytest

from firmware_sim import Fault, Wire, faults


def through(fault: Fault, data: bytes = bytes(1000), *, seed: int = 1, now: float = 0.0) -> list[bytes]:
    """Send some data through a faulty wire and return the pieces that come out."""
    wire = Wire([fault], "to_host", seed=seed, start=0.0)
    wire.send(data, now)
    return wire.take(math.inf)


def test_a_wire_without_faults_passes_everything_at_once() -> None:
    """In the pieces in which it was written."""
    wire = Wire([], "to_host", seed=1, start=0.0)
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
    wire = Wire([Fault(direction="to_device", silence=True)], "to_host", seed=1, start=0.0)
    wire.send(b"x", 0.0)
    assert wire.take(0.0) == [b"x"]


def test_chunking_and_delay_shape_what_comes_when() -> None:
    """Pieces of at most so many bytes, later by so much, in order."""
    assert through(Fault(chunk=3), b"12345678") == [b"123", b"456", b"78"]
    wire = Wire([Fault(delay=0.5, stop=1.0)], "to_host", seed=1, start=0.0)
    wire.send(b"first", 0.9)
    wire.send(b"second", 1.0)
    assert wire.take(1.39) == []
    assert wire.take(1.4) == [b"first", b"second"]


def test_a_paced_line_takes_the_time_that_its_baud_rate_needs() -> None:
    """1,000 bytes at 10,000 baud take one second, however they are written."""
    wire = Wire([Fault(baudrate=10_000)], "to_host", seed=1, start=0.0)
    for _ in range(10):
        wire.send(bytes(100), 0.0)
    assert sum(map(len, wire.take(0.5))) == pytest.approx(500, abs=20)
    assert sum(map(len, wire.take(0.999))) == pytest.approx(500, abs=20)
    wire.take(1.001)
    assert wire.next_due == math.inf


def test_a_line_that_is_fed_too_fast_loses_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is bounded."""
    monkeypatch.setattr(faults, "MAX_WAITING", 150)
    wire = Wire([Fault(baudrate=100)], "to_host", seed=1, start=0.0)
    wire.send(bytes(100), 0.0)
    wire.send(bytes(100), 0.0)
    assert wire.overrun == 100
    wire.clear()
    assert wire.next_due == math.inf
    wire.cut()
    assert wire.next_due == math.inf


def test_a_cut_leaves_half_of_what_was_on_its_way() -> None:
    """As when the sender stops in mid-frame."""
    wire = Wire([Fault(baudrate=10_000)], "to_host", seed=1, start=0.0)
    wire.send(b"12345678", 0.0)
    wire.cut()
    assert wire.take(1.0) == [b"1234"]
