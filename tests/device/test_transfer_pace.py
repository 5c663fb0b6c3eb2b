"""How many blocks are under way, which are lost, how long an answer is waited for."""

from __future__ import annotations

import math

import pytest

from framelink.device.round_trips import QUICK_REPEATS
from framelink.device.transfer_pace import LEAST_TIMEOUT, MOST_TIMEOUT, SPARE, Flight, Pace
from framelink.wire import DEFAULT_FORMAT


class TestFlight:
    """Answers come in the order of sending."""

    def test_an_answer_proves_those_before_it_lost(self) -> None:
        """And none behind it."""
        flight = Flight()
        for at, offset in enumerate((0, 10, 20, 30)):
            flight.add(offset, at)
        assert flight.oldest_at == 0
        assert flight.answered(20, 7.0) == (5.0, [0, 10])
        assert (len(flight), 30 in flight, 20 in flight, flight.oldest_at) == (1, True, False, 3)

    def test_an_answer_to_what_was_sent_twice_tells_no_round_trip(self) -> None:
        """It belongs to the first sending, which may have been the lost one."""
        flight = Flight()
        for at, offset in enumerate((0, 10, 0)):
            flight.add(offset, at)
        assert flight.answered(0, 9.0) == (None, [])
        assert flight.answered(0, 9.0) == (7.0, [10])

    def test_an_answer_to_what_was_given_up_tells_no_round_trip(self) -> None:
        """Until there is an answer to what was sent since and not before."""
        flight = Flight()
        flight.add(0, 0.0)
        flight.add(10, 0.0)
        flight.give_up()
        assert len(flight) == 0
        for offset in (0, 20, 10):
            flight.add(offset, 5.0)
        assert flight.answered(0, 6.0) == (None, [])
        assert flight.answered(20, 7.0) == (2.0, [])
        assert flight.answered(10, 8.0) == (3.0, [])

    def test_what_is_not_on_its_way_is_not_answered(self) -> None:
        """Nothing is concluded from it."""
        flight = Flight()
        flight.add(0, 0.0)
        assert flight.answered(10, 1.0) == (None, [])
        flight.clear()
        assert flight.answered(0, 1.0) == (None, [])
        assert flight.oldest_at == math.inf


class TestPace:
    """Measured round trips."""

    def test_waits_follow_the_round_trips(self) -> None:
        """The mean and four times the spread, as in RFC 6298, within bounds."""
        pace = Pace(DEFAULT_FORMAT, 115_200)
        assert 0.2 < pace.timeout < 0.3
        pace.measured(0.4)
        assert pace.timeout == pytest.approx(0.4 + 4 * 0.2)
        for _ in range(50):
            pace.measured(0.001)
        assert pace.timeout == LEAST_TIMEOUT

    def test_waits_in_vain_grow_to_a_bound(self) -> None:
        """Slowly, after some that come quickly, since loss is no congestion; a measured round trip ends that."""
        pace = Pace(DEFAULT_FORMAT, 921_600)
        first = pace.timeout
        for _ in range(QUICK_REPEATS):
            pace.waited_in_vain()
        assert pace.timeout == first
        pace.waited_in_vain()
        assert pace.timeout == pytest.approx(1.25 * first)
        for _ in range(100):
            pace.waited_in_vain()
        assert pace.timeout == pytest.approx(MOST_TIMEOUT, abs=0.1)
        pace.measured(0.3)
        assert pace.timeout == pytest.approx(0.9)

    @pytest.mark.parametrize(
        ("baudrate", "round_trip", "blocks"),
        [
            (9_600, 0.3, 2 + SPARE),
            (115_200, 0.025, 3 + SPARE),
            (921_600, 0.003, 12 + SPARE),
            (921_600, 1.0, 32),
        ],
    )
    def test_the_line_is_filled_and_not_more(self, baudrate: int, round_trip: float, blocks: int) -> None:
        """A round trip's worth of blocks and some slack, within the window."""
        pace = Pace(DEFAULT_FORMAT, baudrate)
        pace.measured(round_trip)
        assert pace.blocks_under_way(250, 32) == blocks
        assert pace.blocks_under_way(250, 1) == 1

    def test_half_duplex_lines_carry_one_block_at_a_time(self) -> None:
        """Whatever the window."""
        assert Pace(DEFAULT_FORMAT, 115_200, one_at_a_time=True).blocks_under_way(250, 32) == 1
