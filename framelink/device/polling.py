"""Polling: asking devices again and again, each command at its own pace, fairly, as fast as the line can.

A `Plan` is pure: it says what to ask next, the time is an argument.  `poll` carries one out.

All polls run on one clock, the plan's.  It is the real one, so long as the line can do what is planned.  A
poll that is a whole period late shows that it cannot: then the plan's clock is put back by as much as the
poll is too late.  So all polls become rarer in the same proportion, and none is left out.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict, overload

from framelink.device.device import Device
from framelink.errors import FormatError, LinkClosed, LinkError, RequestError, RequestTimeout
from framelink.message import Message
from framelink.wire import Frame

BACKOFF_GROWTH = 2
"""After n silences in a row a device is left alone for 2^n times as long as the last one lasted: so the first
costs others a third of the line at most, the next a fifth, and so on."""

BACKOFF_MAX = 10.0  # seconds, or the period of a rarer poll: who comes back should be noticed soon
BACKOFF_STEPS = 10  # silences that make a difference; 2^10 times the shortest wait is beyond the maximum
MIN_PERIOD = 0.001  # seconds; no serial line has requests and replies that are faster

Payload = Mapping[str, object] | bytes
Outcome = Message | Frame | RequestError | LinkError


class Patience(TypedDict):
    """How long a reply is waited for, see `Poll`."""

    timeout: float | None
    retries: int | None


@dataclass(frozen=True, eq=False)
class Poll:
    """Something to ask again and again.

    Attributes:
        addr: The device's address.
        command: The command's name, or its number.
        period: Seconds from one time to the next.
        payload: The fields by name, or the bytes; None if there are none.
        timeout: Seconds to wait for a reply; None leaves it to the device object.
        retries: How often it is asked again in the same round.  None leaves it to the device object.

    Raises:
        FormatError: The period cannot be.
    """

    addr: int
    command: int | str
    period: float
    payload: Payload | None = None
    timeout: float | None = None
    retries: int | None = 0

    def __post_init__(self) -> None:
        if not MIN_PERIOD <= self.period < math.inf:
            raise FormatError(f"period must be at least {MIN_PERIOD:g} seconds, not {self.period!r}")

    @property
    def patience(self) -> Patience:
        """How long it is waited for, as a device takes it."""
        return {"timeout": self.timeout, "retries": self.retries}


@dataclass(frozen=True)
class PollStats:
    """How a poll has fared.

    Attributes:
        asked: How often it was asked.
        silent: How often there was no reply.
        missed: Periods that passed without its being asked: the line was too slow, or the device silent.
    """

    asked: int
    silent: int
    missed: int


@dataclass(eq=False)
class _Entry:
    """A poll's place in the plan.

    Attributes:
        poll: The poll.
        due: When its next period begins, by the plan's clock.
        round_at: When the period began in which it was asked last, by the real clock.
        turn: The number of the asking when it was asked last.
    """

    poll: Poll
    due: float
    round_at: float
    turn: int
    asked: int = 0
    silent: int = 0
    missed: int = 0

    @property
    def deadline(self) -> tuple[float, int]:
        """When it should have been asked, and among equals, whose turn it is."""
        return self.due + self.poll.period, self.turn

    def count_round(self, now: float) -> None:
        """Note that it is asked, and how many rounds passed since it was before."""
        period = self.poll.period
        if self.asked:
            rounds = max(int((now - self.round_at) / period), 1)
            self.missed += rounds - 1
            self.round_at += rounds * period
        self.asked += 1


class Plan:
    """Which device to ask what, and when.  One request is under way at a time.

    Args:
        polls: What to ask.
    """

    def __init__(self, polls: Iterable[Poll]) -> None:
        self.polls = tuple(polls)
        self._entries: list[_Entry] = []
        self._silences: dict[int, int] = {}  # address → how often in a row it did not answer
        self._lag = 0.0  # seconds by which the plan's clock is behind the real one
        self._turn = 0

    def start(self, now: float) -> None:
        """Begin, or begin anew: everything is due."""
        self._lag = 0.0
        self._silences.clear()
        self._turn = len(self.polls)
        self._entries = [_Entry(poll, now, now, turn) for turn, poll in enumerate(self.polls)]

    def take(self, now: float) -> Poll | None:
        """Return what to ask now, None if nothing is due."""
        clock = now - self._lag
        due = [one for one in self._entries if one.due <= clock]
        if not due:
            return None
        entry = min(due, key=lambda one: one.deadline)
        self._lag += max(clock - entry.due - entry.poll.period, 0.0)
        entry.due += entry.poll.period
        self._turn += 1
        entry.turn = self._turn
        entry.count_round(now)
        return entry.poll

    def next_due(self) -> float:
        """Return when `take` has something next; infinity for an empty plan."""
        return min((one.due + self._lag for one in self._entries), default=math.inf)

    def answered(self, poll: Poll) -> None:
        """Note that the device answered, in whatever way."""
        self._silences.pop(poll.addr, None)

    def silent(self, poll: Poll, now: float, waited: float) -> None:
        """Note that the device did not answer within so many seconds: ask it more rarely, whatever it is."""
        silences = min(self._silences.get(poll.addr, 0) + 1, BACKOFF_STEPS)
        self._silences[poll.addr] = silences
        until = now + min(waited * BACKOFF_GROWTH**silences, BACKOFF_MAX)
        for entry in self._entries:
            if entry.poll.addr == poll.addr:
                entry.due = max(entry.due, until - self._lag)
            if entry.poll is poll:
                entry.silent += 1

    def stats(self, poll: Poll) -> PollStats:
        """Return how a poll of this plan has fared."""
        entry = next(one for one in self._entries if one.poll is poll)
        return PollStats(entry.asked, entry.silent, entry.missed)


@dataclass(frozen=True)
class Polled:
    """What came of asking.

    Attributes:
        poll: What was asked.
        value: The reply; or the error, if there is none.
        at: When it was there, in seconds of the monotonic clock.
    """

    poll: Poll
    value: Outcome
    at: float


class AsyncAsked(Protocol):
    """What polling needs of a device; `AsyncDevice` has it."""

    @property
    def addr(self) -> int:
        """Its address."""

    async def request(
        self, command: Any, payload: Any = None, /, *, timeout: float | None = ..., retries: int | None = ...
    ) -> Any:
        """Ask it, and return the reply."""


@overload
def poll(plan: Plan, devices: Iterable[Device]) -> Iterator[Polled]: ...


@overload
def poll(plan: Plan, devices: Iterable[AsyncAsked]) -> AsyncIterator[Polled]: ...


def poll(plan: Plan, devices: Iterable[Device | AsyncAsked]) -> Iterator[Polled] | AsyncIterator[Polled]:
    """Carry a plan out: an endless iterator of what came of it; asynchronous if the devices are.

    While the results are not taken, nothing is asked.  It ends with the first poll after the link was closed.

    Args:
        plan: The plan; it starts now.
        devices: The devices that it names.

    Raises:
        FormatError: A device of the plan is missing.
        PayloadError: A device has no such command, or its fields do not fit.
    """
    by_addr = {device.addr: device for device in devices}
    missing = {one.addr for one in plan.polls} - by_addr.keys()
    if missing:
        raise FormatError(f"the plan asks address {min(missing)}, and there is no device for it")
    blocking = {addr: one for addr, one in by_addr.items() if isinstance(one, Device)}
    if len(blocking) == len(by_addr):
        return _poll_blocking(plan, blocking)
    return _poll(plan, {addr: one for addr, one in by_addr.items() if not isinstance(one, Device)})


async def _poll(plan: Plan, devices: Mapping[int, AsyncAsked]) -> AsyncIterator[Polled]:
    now = asyncio.get_running_loop().time
    plan.start(now())
    while (due := plan.next_due()) < math.inf:
        await asyncio.sleep(max(due - now(), 0.0))
        one = plan.take(now())
        if one is None:  # the timer was early
            continue
        began = now()
        value: Outcome
        try:
            value = await devices[one.addr].request(one.command, one.payload, **one.patience)
        except LinkClosed:
            return
        except (RequestError, LinkError) as error:
            value = error
        yield _noted(plan, one, value, began, now())


def _poll_blocking(plan: Plan, devices: Mapping[int, Device]) -> Iterator[Polled]:
    now = time.monotonic
    plan.start(now())
    while (due := plan.next_due()) < math.inf:
        time.sleep(max(due - now(), 0.0))
        one = plan.take(now())
        if one is None:
            continue
        began = now()
        value: Outcome
        try:
            ask: Any = devices[one.addr].request  # names and numbers have signatures of their own
            value = ask(one.command, one.payload, **one.patience)
        except LinkClosed:
            return
        except (RequestError, LinkError) as error:
            value = error
        yield _noted(plan, one, value, began, now())


def _noted(plan: Plan, one: Poll, value: Outcome, began: float, now: float) -> Polled:
    """Tell the plan what came of asking, and return it."""
    if isinstance(value, RequestTimeout):
        plan.silent(one, now, now - began)
    elif not isinstance(value, LinkError):  # which says nothing of the device
        plan.answered(one)
    return Polled(one, value, now)
