"""How long a reply is waited for, learned from how long replies take."""

from __future__ import annotations

import pytest

from framelink.device.round_trips import (
    GROWTH,
    INITIAL,
    LONGEST,
    MARGIN,
    QUICK_REPEATS,
    RECENT,
    Patience,
    RoundTrips,
)


def learned(*seconds: float, size: int = 0, byte_time: float = 0.0) -> RoundTrips:
    """Return what such round trips teach."""
    trips = RoundTrips(byte_time)
    for one in seconds:
        trips.measured(one, size)
    return trips


def test_before_the_first_one_a_usual_time_is_waited_for() -> None:
    """Besides the time of the bytes."""
    assert RoundTrips(0.001).timeout(30) == pytest.approx(INITIAL + 0.03)


def test_the_first_one_counts_whole() -> None:
    """RFC 6298 (2.2): half of it is the variation, four of which are waited for."""
    trips = learned(0.1)
    assert (trips.smoothed, trips.variance) == (0.1, 0.05)
    assert trips.timeout(0) == pytest.approx(0.3)


def test_later_ones_count_by_an_eighth_and_a_quarter() -> None:
    """RFC 6298 (2.3), the variation first."""
    trips = learned(0.1, 0.2)
    assert trips.variance == pytest.approx(0.05 * 3 / 4 + 0.1 / 4)
    assert trips.smoothed == pytest.approx(0.1 * 7 / 8 + 0.2 / 8)


def test_a_steady_device_is_waited_for_a_little_longer_than_it_takes() -> None:
    """So that a lost frame costs little, and a busy loop's turn no repeat."""
    assert learned(*[0.01] * 100).timeout(0) == pytest.approx(0.01 + MARGIN, rel=0.01)


def test_the_time_of_the_bytes_is_not_learned() -> None:
    """A long request after many short ones is waited for as long as its bytes need."""
    trips = learned(*[0.012] * 100, size=10, byte_time=0.001)
    assert trips.smoothed == pytest.approx(0.002, rel=0.01)
    assert trips.timeout(200) == pytest.approx(0.2 + 0.002 + MARGIN, rel=0.01)


def test_a_line_that_is_faster_than_its_baud_rate_is_no_time_machine() -> None:
    """A pty takes no time for bytes."""
    assert learned(0.001, size=100, byte_time=0.001).smoothed == 0


def test_no_device_is_waited_for_without_end() -> None:
    """Whatever was measured."""
    assert learned(1_000).timeout(0) == LONGEST


def test_percentiles_are_of_the_recent_ones() -> None:
    """Older ones are forgotten; before the first there is none."""
    trips = RoundTrips()
    assert trips.percentile(0.5) is None
    for one in range(2 * RECENT):
        trips.took(float(one))
    assert trips.percentile(0.5) == RECENT + RECENT // 2
    assert (trips.percentile(0.0), trips.percentile(1.0)) == (RECENT, 2 * RECENT - 1)


def test_the_first_repeats_are_quick_and_the_others_slower_and_slower() -> None:
    """Loss on a serial line is no congestion, but the device may be away."""
    patience = Patience(0.01, growth=GROWTH)
    waits = [patience.for_reply(attempt, 0.0) for attempt in range(1, 60)]
    assert waits[:QUICK_REPEATS] == [0.01] * QUICK_REPEATS
    assert waits[QUICK_REPEATS] == pytest.approx(0.01 * GROWTH)
    assert waits[-1] == LONGEST


def test_all_of_it_takes_no_longer_than_it_may() -> None:
    """Neither the wait for the line nor the one for the reply."""
    patience = Patience(1.0, total=3.0)
    assert patience.for_line(1.0) == 2.0
    assert patience.for_reply(1, 2.5) == 0.5
    assert patience.for_reply(1, 4.0) == 0.0


def test_a_device_that_may_take_longer_than_the_longest_gets_its_time() -> None:
    """Its schema says so."""
    assert Patience(20.0, growth=GROWTH).for_reply(9, 0.0) == 20.0
