"""Requests on a live link: send, wait for the reply, send again, one at a time for each address."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, overload

from framelink.device.exchange import Exchange, Match, Phase
from framelink.device.late import Ended
from framelink.device.round_trips import Patience
from framelink.device.station import FrameLine, Station, switchboard_of
from framelink.errors import LinkClosed, LinkDown, LinkFull, LinkTimeout
from framelink.link import Lane, Link
from framelink.wire import Frame

__all__ = ["DEFAULT_TIMEOUT", "LATE_MAX", "Drive", "FrameLine", "listening_to", "request"]

DEFAULT_TIMEOUT = 1.0  # seconds; a device at 9,600 baud needs 0.6 s for the longest request and reply
LATE_MAX = 1.0  # seconds that a late reply is waited for at most, for the same reason

_PASSING = (LinkDown, LinkFull, LinkTimeout)
"""Faults of the line that may be gone at the next attempt."""


@overload
def request(
    link: Link,
    frame: Frame,
    *,
    timeout: float = ...,
    retries: int = ...,
    reply_cmd: int | None = ...,
    match: Match | None = ...,
) -> Frame: ...


@overload
def request(
    link: FrameLine,
    frame: Frame,
    *,
    timeout: float = ...,
    retries: int = ...,
    reply_cmd: int | None = ...,
    match: Match | None = ...,
) -> Coroutine[Any, Any, Frame]: ...


def request(
    link: Link | FrameLine,
    frame: Frame,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    retries: int = 0,
    reply_cmd: int | None = None,
    match: Match | None = None,
) -> Frame | Coroutine[Any, Any, Frame]:
    """Send a request and return the device's reply; to be awaited if the link is an `AsyncLink`.

    Requests to one address wait for their turn, since little tells replies apart; requests to different
    addresses run side by side.  Other readers of the link still see every frame.

    A request that was sent again, or got no reply in time, may be answered late.  So the next one to that
    address with the same command and other data first lets such replies pass, for `timeout` and 1 s at most.

    Args:
        link: The link, connected or on its way there.
        frame: The request.
        timeout: Seconds to wait for the reply after each sending, and for a line that is down before it.
        retries: How often the request is sent again; the device may then have acted more than once.
        reply_cmd: The command that answers, for devices with habits of their own; None means cmd | 0x80.
        match: Tells whether a frame with the reply's address and command is the reply.  None means: for get
            and set one with the request's parameter, else any.

    Raises:
        FormatError: The request cannot have a reply, or an argument is out of range.
        RequestTimeout: No reply in time, all retries included.
        RequestRefused: The device answered with a negative reply.
        LinkClosed: The link was closed before the reply came.
        LinkError: The request could not be sent, all retries included.
    """
    exchange = Exchange(frame, timeout=timeout, retries=retries, reply_cmd=reply_cmd, match=match)
    if isinstance(link, Link):
        return link.call(lambda inner: _carry_out(exchange, inner))
    return _carry_out(exchange, link)


async def _carry_out(exchange: Exchange, link: FrameLine) -> Frame:
    patience = Patience(exchange.timeout, line=exchange.timeout)
    with listening_to(link, exchange.request.addr) as station:
        async with station.turn:
            return await Drive(link, station, exchange, patience).run()


@contextmanager
def listening_to(link: FrameLine, addr: int) -> Iterator[Station]:
    """Have the frames of an address put through to its station for a block."""
    board = switchboard_of(link)
    board.listen()
    try:
        yield board.station(addr)
    finally:
        board.leave()


class Drive:
    """Moves one exchange through its phases on a real link and a real clock; whoever runs it has the turn.

    Args:
        link: The link.
        station: The station of the device that is asked, which is being listened to.
        exchange: The exchange.
        patience: How long to wait.
        lane: The lane of the transmit queue that its frames take, or a later one in which repeats may wait.
        is_typical: Whether its time says how long the device usually takes.
    """

    def __init__(
        self,
        link: FrameLine,
        station: Station,
        exchange: Exchange,
        patience: Patience,
        *,
        lane: Lane = Lane.NORMAL,
        is_typical: bool = False,
    ) -> None:
        self._link = link
        self._station = station
        self._exchange = exchange
        self._patience = patience
        self._lane = station.lane_for(exchange, lane)
        self._is_typical = is_typical
        self._loop = asyncio.get_running_loop()
        self._is_closed = self._has_run_out = False
        self._news: asyncio.Future[None] | None = None

    async def run(self) -> Frame:
        """Carry the exchange out and return the reply.

        Raises:
            RequestTimeout, RequestRefused: As `request` does.
            LinkError: It could not be sent.
        """
        station, exchange = self._station, self._exchange
        station.tally.requests += 1
        station.asker = self
        try:
            await self._let_late_pass()
            fault = await self._try()
        finally:
            station.asker = None
            wait = min(exchange.timeout, LATE_MAX)
            station.ended(exchange, self._loop.time(), wait, lane=self._lane, is_typical=self._is_typical)
        if exchange.phase is Phase.EXPIRED and fault is not None:
            raise fault
        return exchange.result()

    async def _try(self) -> Exception | None:
        """Make attempts until it is settled or expired; return the last one's fault of the line."""
        exchange, began = self._exchange, self._loop.time()
        fault: Exception | None = None
        while exchange.phase is Phase.READY:
            elapsed = self._loop.time() - began
            if elapsed >= self._patience.total:
                exchange.give_up()
            else:
                fault = await self._attempt(began)
        return fault

    def take(self, frame: Frame) -> bool:
        """Take a frame from the device; tell whether it was the reply."""
        if not self._exchange.receive(frame, self._loop.time()):
            return False
        self._wake()
        return True

    def passed(self) -> None:
        """Be told that a late reply has passed; of interest while nothing was sent yet."""
        if self._exchange.phase is Phase.READY:
            self._wake()

    def closed(self) -> None:
        """Be told that the link was closed."""
        self._is_closed = True
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _run_out(self) -> None:
        self._has_run_out = True
        self._wake()

    async def _heard(self, deadline: float) -> bool:
        """Wait for news; tell whether there were some before the deadline.

        Raises:
            LinkClosed: The news is that the link was closed.
        """
        self._has_run_out = False
        if not self._is_closed:
            self._news = self._loop.create_future()
            alarm = self._loop.call_at(deadline, self._run_out)
            try:
                await self._news
            finally:
                alarm.cancel()
                self._news = None
        if self._is_closed:
            addr = self._exchange.request.addr
            raise LinkClosed(f"the link was closed before address 0x{addr:02X} answered")
        return not self._has_run_out

    async def _attempt(self, began: float) -> Exception | None:
        """Send once and wait; return the line's fault if it could not be sent."""
        exchange, patience = self._exchange, self._patience
        outgoing = exchange.begin()
        try:
            await self._link.send(outgoing, patience.for_line(self._loop.time() - began), lane=self._lane)
        except _PASSING as fault:
            exchange.fail()  # what was not sent needs no waiting for
            return fault
        now = self._loop.time()
        wait = patience.for_reply(exchange.attempts, now - began, is_last=exchange.is_last)
        exchange.sent(now, wait)
        if exchange.phase is Phase.WAITING and not await self._heard(exchange.deadline):
            exchange.expire(exchange.deadline)
        return None

    async def _let_late_pass(self) -> None:
        """Wait out what may be taken for the reply; to the very same request it may as well be one."""
        ended: Ended | None = self._station.late.in_the_way(self._exchange)
        if ended is not None:
            while ended.replies > 0 and await self._heard(ended.until):
                pass
            self._station.late.forget(ended)
