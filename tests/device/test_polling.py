"""Polling plans: at their pace where the line can, in proportion where it cannot, and no poll is left out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framelink.device import open as open_link
from framelink.device.polling import BACKOFF_MAX, MIN_PERIOD, Plan, Poll, Polled, poll
from framelink.errors import FormatError, LinkClosed, LinkDown, PayloadError, RequestRefused, RequestTimeout
from framelink.message import Message
from framelink.wire import Frame
from tests.support import virtual_time
from tests.support.bench import MOTOR, running_bench

SPAN = 60.0
"""Seconds that plans are carried out for, in no time."""
PERIODS = st.lists(st.floats(0.05, 5.0), min_size=1, max_size=12)
TINY = 1e-6

Asked = dict[Poll, list[float]]


def carry_out(plan: Plan, cost: Callable[[Poll], float], span: float = SPAN) -> Asked:
    """Carry a plan out on a line where a poll takes so many seconds; return when each was asked."""
    asked: Asked = {one: [] for one in plan.polls}
    now = 0.0
    plan.start(now)
    while now < span:
        one = plan.take(now)
        if one is None:
            now = max(plan.next_due(), now + TINY)
        else:
            asked[one].append(now)
            now += cost(one)
            plan.answered(one)
    return asked


def plan_of(*periods: float) -> Plan:
    """Return a plan with a device for each period."""
    return Plan(Poll(addr, 0x20, period) for addr, period in enumerate(periods, 1))


@settings(deadline=None)  # machines may be busy
@given(PERIODS, st.floats(0.001, 1.0))
def test_all_polls_are_stretched_in_the_same_proportion(periods: list[float], cost: float) -> None:
    """What each gets, in periods of its own, is what the others get; whether the line is fast or slow."""
    asked = carry_out(plan_of(*periods), lambda _poll: cost)
    shares = {one: len(times) * one.period for one, times in asked.items()}
    for one, other in itertools.combinations(shares, 2):
        assert abs(shares[one] - shares[other]) <= 2 * (one.period + other.period)


@settings(deadline=None)  # machines may be busy
@given(PERIODS, st.floats(0.001, 1.0))
def test_no_poll_comes_more_often_than_planned_nor_is_made_up_for(periods: list[float], cost: float) -> None:
    """Of three in a row, the first and the last are at least a period apart."""
    for one, times in carry_out(plan_of(*periods), lambda _poll: cost).items():
        for first, third in zip(times, times[2:], strict=False):
            assert third - first >= one.period - TINY


@settings(deadline=None)  # machines may be busy
@given(PERIODS, st.floats(0.001, 0.5))
def test_what_the_line_can_do_is_done_and_what_it_can_not_keeps_it_busy(
    periods: list[float], cost: float
) -> None:
    """Either every poll has all its rounds, or the line has no time left."""
    plan = plan_of(*periods)
    asked = carry_out(plan, lambda _poll: cost)
    load = sum(cost / period for period in periods)
    if load + cost / min(periods) <= 1:
        for one, times in asked.items():
            assert len(times) >= int(SPAN / one.period)
            assert plan.stats(one).missed == 0
    elif load > 1:
        assert sum(map(len, asked.values())) * cost >= 0.95 * SPAN


def test_under_overload_equals_take_turns() -> None:
    """Round and round."""
    plan = plan_of(0.1, 0.1, 0.1)
    order: list[int] = []

    def cost(one: Poll) -> float:
        order.append(one.addr)
        return 0.1

    carry_out(plan, cost, 3.0)
    assert order == [1, 2, 3] * 10


def test_rounds_that_were_missed_are_counted() -> None:
    """A line that can do half of it misses every other one."""
    plan = plan_of(0.125)
    times = carry_out(plan, lambda _poll: 0.25, 125.0)[plan.polls[0]]
    stats = plan.stats(plan.polls[0])
    assert stats.asked == len(times) == 500
    assert stats.missed == 499


def test_a_host_that_slept_does_not_catch_up() -> None:
    """The rounds of that time are gone."""
    plan = plan_of(1.0)
    plan.start(0.0)
    assert plan.take(0.0) is not None
    assert plan.take(3_600.5) is not None
    assert plan.take(3_600.6) is not None, "one round was a period late at most"
    assert plan.take(3_600.7) is None
    assert plan.stats(plan.polls[0]).missed == 3_599


def test_a_silent_device_costs_the_others_little() -> None:
    """It is asked more and more rarely, so that its time-outs do not hold them up."""
    silent, well = Poll(1, 0x20, 0.1), Poll(2, 0x20, 0.1)
    plan = Plan([silent, well])
    plan.start(0.0)
    now, waits, asked = 0.0, [], 0
    while now < 60.0:
        one = plan.take(now)
        if one is silent:
            waits.append(now)
            now += 0.2
            plan.silent(one, now, 0.2)
        elif one is well:
            asked += 1
            now += 0.01
            plan.answered(one)
        else:
            now = max(plan.next_due(), now + TINY)
    assert asked >= 0.93 * 600
    gaps = [later - earlier for earlier, later in itertools.pairwise(waits)]
    assert gaps[0] < gaps[1] < gaps[2] < gaps[3]
    assert max(gaps) < BACKOFF_MAX + 1.0
    assert plan.stats(silent).silent == len(waits)


def test_a_device_that_is_back_is_asked_as_planned() -> None:
    """From its first answer on; all of its polls were left alone meanwhile."""
    one, other = Poll(1, 0x20, 0.1), Poll(1, 0x21, 0.1)
    plan = Plan([one, other])
    plan.start(0.0)
    assert plan.take(0.0) is one
    plan.silent(one, 1.0, 1.0)
    assert plan.next_due() == 3.0
    assert plan.take(2.9) is None
    assert plan.take(3.0) is other, "of two that are due, the one that had no turn yet"
    plan.silent(other, 4.0, 1.0)
    assert plan.next_due() == 8.0
    assert plan.take(8.0) is one
    plan.answered(one)
    assert plan.take(8.01) is other
    plan.silent(other, 8.02, 0.01)
    assert plan.next_due() < 8.2, "the first silence after an answer is the first"


@pytest.mark.parametrize("period", [0.0, MIN_PERIOD / 2, float("inf"), float("nan")])
def test_a_period_that_cannot_be_is_refused(period: float) -> None:
    """The message says what can."""
    with pytest.raises(FormatError, match=r"period must be at least 0\.001 seconds"):
        Poll(1, 0x20, period)


class Device:
    """A device in virtual time, whose answers take a while."""

    def __init__(self, addr: int, answer: Any = None, takes: float = 0.01) -> None:
        self.addr = addr
        self._answer = answer
        self._takes = takes
        self.asked: list[tuple[Any, ...]] = []

    async def request(self, command: Any, payload: Any = None, /, **patience: Any) -> Any:
        """Answer, or fail."""
        self.asked.append((command, payload, patience))
        await asyncio.sleep(self._takes)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer or Frame(self.addr, 0xA0)


def results_of(plan: Plan, devices: list[Device], count: int) -> list[Polled]:
    """Return so many results of a plan, in virtual time."""

    async def work() -> list[Polled]:
        results: list[Polled] = []
        polling: AsyncIterator[Polled] = poll(plan, devices)
        async for one in polling:
            results.append(one)
            if len(results) == count:
                break
        return results

    return virtual_time.run(work())


def test_results_come_as_planned() -> None:
    """Each with its poll and its time."""
    plan = plan_of(0.1, 0.2)
    results = results_of(plan, [Device(1), Device(2)], 6)
    assert [one.poll.addr for one in results] == [1, 2, 1, 1, 2, 1]
    assert [one.at for one in results] == pytest.approx([0.01, 0.02, 0.11, 0.21, 0.22, 0.31], abs=0.001)
    assert results[0].value == Frame(1, 0xA0)


def test_a_poll_says_what_is_asked_and_for_how_long() -> None:
    """Command, payload, timeout and retries go to the device."""
    device = Device(1)
    results_of(Plan([Poll(1, "jog", 1.0, {"steps": 3}, timeout=0.5, retries=2)]), [device], 1)
    assert device.asked == [("jog", {"steps": 3}, {"timeout": 0.5, "retries": 2})]


@pytest.mark.parametrize(
    ("error", "silent"),
    [
        (RequestTimeout("silence"), True),
        (RequestRefused("no", code=1, text=""), False),
        (LinkDown("down"), False),
    ],
)
def test_errors_are_results(error: Exception, silent: bool) -> None:
    """The polling goes on; only silence makes it rarer."""
    plan = plan_of(0.1)
    first, second = results_of(plan, [Device(1, error)], 2)
    assert first.value is second.value is error
    assert plan.stats(plan.polls[0]).silent == 2 * silent


def test_it_ends_when_the_link_is_closed() -> None:
    """As iteration over a link does."""
    assert results_of(plan_of(0.1), [Device(1, LinkClosed("closed"))], 5) == []


def test_an_empty_plan_ends_at_once() -> None:
    """There is nothing to wait for."""
    assert results_of(Plan([]), [Device(1)], 5) == []


def test_misuse_raises() -> None:
    """A device that is missing, and a command that cannot be."""
    with pytest.raises(FormatError, match="the plan asks address 2, and there is no device for it"):
        results_of(plan_of(0.1, 0.1), [Device(1)], 1)
    with pytest.raises(PayloadError):
        results_of(plan_of(0.1), [Device(1, PayloadError("no such field"))], 1)


def test_blocking_devices_are_polled_too() -> None:
    """A real one, by name and by number."""
    plan = Plan([Poll(2, "ping", 0.01, {"bytes": b"hi"}), Poll(2, 0x01, 0.01, b"raw")])
    with running_bench(MOTOR) as urls, open_link(urls["motor"]) as link:
        named, raw = itertools.islice(poll(plan, [link.device(2)]), 2)
        assert isinstance(named.value, Message)
        assert raw.value == Frame(2, 0x81, b"raw")
        polling = poll(plan, [link.device(2)])
        next(polling)
        link.close()
        assert list(polling) == []
