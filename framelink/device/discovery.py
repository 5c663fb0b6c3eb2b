"""Discovery: which devices are on a line, found by asking every address what it is, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload

from framelink.device.exchange import NEGATIVE_REPLY
from framelink.device.identity import Identity
from framelink.device.introduction import identity_in
from framelink.device.requester import listening_to
from framelink.device.round_trips import BITS_PER_BYTE
from framelink.device.station import FrameLine
from framelink.errors import FormatError, RequestError
from framelink.link import HalfDuplex, Link
from framelink.message import STANDARD
from framelink.wire import REPLY, Frame, FrameFormat, Ledger

ADDRESSES = range(1, 255)
"""The addresses that devices can have."""

ADAPTER_LATENCY = 0.016  # seconds for which USB adapters hold received bytes back
LOW_LATENCY = 0.003  # seconds where the driver was told not to: a USB frame, and a turn of a busy loop
ANSWER_TIME = 0.005  # seconds in which a device begins to answer; bare firmware needs one or two
LATE_TIME = (
    0.05  # seconds for which, after all were asked, answers are taken that came too late for their turn
)
IDLE_BYTES = 4  # byte times between two looks at whether an answer goes on, besides the adapter's latency
SEND_TIMEOUT = 2.0  # seconds for the line to be there and have room; one that was just replugged is by then
MAX_PASSES = 20  # who is not heard in so many is not there, or the line is of no use

IDENTIFY = STANDARD.encode(1, "identify").cmd


class DiscoveryLine(FrameLine, Protocol):
    """What discovery needs of a link; `framelink.link.AsyncLink` has it."""

    @property
    def baudrate(self) -> int:
        """Symbols per second."""

    @property
    def format(self) -> FrameFormat:
        """The devices' variant of the frame."""

    @property
    def low_latency(self) -> bool | None:
        """Whether the driver passes bytes on at once."""

    @property
    def half_duplex(self) -> HalfDuplex | None:
        """How the line is driven if only one may talk on it at a time."""

    @property
    def ledger(self) -> Ledger:
        """Where every received byte went: it tells that an answer has begun."""


@dataclass(frozen=True)
class Found:
    """A device that answered.

    Attributes:
        addr: Its address.
        identity: What it says it is; None if it is there but does not say.
        round_trip: Seconds until it had answered.
        note: Why there is no identity; empty if there is.
    """

    addr: int
    identity: Identity | None
    round_trip: float
    note: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a discovery is.

    Attributes:
        asked: How many times an address was asked.
        total: How often addresses will be asked in all, if no more devices are found.
        found: How many devices were found.
    """

    asked: int
    total: int
    found: int


OnProgress = Callable[[Progress], None]


@overload
def discover(
    link: Link,
    addresses: Iterable[int] = ...,
    *,
    passes: int = ...,
    answer_time: float = ...,
    progress: OnProgress | None = ...,
) -> list[Found]: ...


@overload
def discover(
    link: DiscoveryLine,
    addresses: Iterable[int] = ...,
    *,
    passes: int = ...,
    answer_time: float = ...,
    progress: OnProgress | None = ...,
) -> Coroutine[Any, Any, list[Found]]: ...


def discover(
    link: Link | DiscoveryLine,
    addresses: Iterable[int] = ADDRESSES,
    *,
    passes: int = 1,
    answer_time: float = ANSWER_TIME,
    progress: OnProgress | None = None,
) -> list[Found] | Coroutine[Any, Any, list[Found]]:
    """Return the devices on a line, by address; to be awaited if the link is an `AsyncLink`.

    Each address is asked what it is, and the next one only when that answer is there or cannot come any more,
    so nobody talks at the same time.

    Args:
        link: The link, connected or on its way there.
        addresses: Whom to ask.
        passes: How often to ask those that do not answer, for lines that lose frames.
        answer_time: Seconds in which a device begins to answer; more on a line over a network.
        progress: Called after each address; for a blocking link, in its background thread.

    Raises:
        FormatError: An address, the number of passes or the time cannot be, or the frames have no address.
        LinkError: The line cannot be asked.
    """
    wanted = _checked(addresses, passes, answer_time)
    if isinstance(link, Link):
        return link.call(lambda inner: _Sweep(inner, answer_time, progress).run(wanted, passes))
    return _Sweep(link, answer_time, progress).run(wanted, passes)


def _checked(addresses: Iterable[int], passes: int, answer_time: float) -> list[int]:
    wanted = sorted(set(addresses))
    for addr in wanted:
        if addr not in ADDRESSES:
            raise FormatError(f"devices have addresses 1 to 254, not {addr!r}")
    if not 1 <= passes <= MAX_PASSES:
        raise FormatError(f"passes must be 1 to {MAX_PASSES}, not {passes!r}")
    if not 0 <= answer_time < math.inf:
        raise FormatError(f"answer_time must be 0 seconds or more, not {answer_time!r}")
    return wanted


class _Sweep:
    """Asks addresses in turn, and takes every answer, also one that is late."""

    def __init__(self, link: DiscoveryLine, answer_time: float, progress: OnProgress | None) -> None:
        self._link = link
        self._progress = progress
        self._byte_time = BITS_PER_BYTE / link.baudrate
        self._latency = (LOW_LATENCY if link.low_latency else ADAPTER_LATENCY) + answer_time
        if link.half_duplex is not None:
            self._latency += link.half_duplex.turnaround
        self._asked_at: dict[int, float] = {}
        self._found: dict[int, Found] = {}
        self._asked = 0
        self._asking = 0
        self._answered = asyncio.Event()

    async def run(self, wanted: Sequence[int], passes: int) -> list[Found]:
        with contextlib.ExitStack() as stack:
            stack.callback(self._link.subscribe(self._take))
            for passes_left in range(passes, 0, -1):
                missing = [addr for addr in wanted if addr not in self._found]
                await self._pass(missing, passes_left)
            if len(self._found) < len(wanted):
                await asyncio.sleep(LATE_TIME)
        return [self._found[addr] for addr in sorted(self._found)]

    async def _pass(self, missing: Sequence[int], passes_left: int) -> None:
        total = self._asked + len(missing) * passes_left
        for addr in missing:
            if addr not in self._found:  # it may have answered late, meanwhile
                await self._ask(addr)
            self._asked += 1
            if self._progress is not None:
                self._progress(Progress(self._asked, total, len(self._found)))

    async def _ask(self, addr: int) -> None:
        loop = asyncio.get_running_loop()
        request = STANDARD.encode(addr, "identify")
        with listening_to(self._link, addr) as station:
            async with station.turn:
                self._asking = addr
                self._answered.clear()
                heard = self._link.ledger.received
                await self._link.send(request, SEND_TIMEOUT)
                self._asked_at[addr] = loop.time()
                await self._wait(loop.time(), heard)
            found = self._found.get(addr)
            if found is not None and found.identity is not None:
                station.learn(found.identity)

    async def _wait(self, now: float, heard: int) -> None:
        """Wait until the first byte of an answer would be here, and if bytes are, for the end of them."""
        overhead, longest = self._link.format.overhead, self._link.format.longest_frame
        begin = now + (overhead + 1) * self._byte_time + self._latency
        end = begin + longest * self._byte_time + self._latency
        while not await self._is_answered(begin):
            before, heard = heard, self._link.ledger.received
            if heard == before or begin >= end:
                return
            begin = min(begin + self._latency + IDLE_BYTES * self._byte_time, end)

    async def _is_answered(self, deadline: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._answered.wait()
        return self._answered.is_set()

    def _take(self, frame: Frame) -> None:
        addr = frame.addr
        if addr not in self._asked_at and addr != self._asking:
            return
        if addr in self._found or not _is_answer(frame):
            return
        identity, note = _read(frame)
        now = asyncio.get_running_loop().time()
        self._found[addr] = Found(addr, identity, now - self._asked_at.get(addr, now), note)
        if addr == self._asking:
            self._answered.set()


def _is_answer(frame: Frame) -> bool:
    if frame.cmd == NEGATIVE_REPLY:
        return frame.data[:1] == bytes([IDENTIFY])
    return frame.cmd == IDENTIFY | REPLY


def _read(frame: Frame) -> tuple[Identity | None, str]:
    """Return what an answer says, and if it says nothing, why."""
    if frame.cmd == NEGATIVE_REPLY:
        return None, "it does not know identify"
    try:
        return identity_in(frame), ""
    except RequestError:
        return None, "its answer to identify is none of ours"
