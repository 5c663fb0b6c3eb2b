"""Requests on a live link: send, wait for the reply, send again, one at a time for each address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from weakref import WeakKeyDictionary

from framelink.device.exchange import Exchange, Phase
from framelink.errors import LinkDown, LinkFull, LinkTimeout
from framelink.wire import Frame

DEFAULT_TIMEOUT = 1.0  # seconds; a device at 9,600 baud needs 0.6 s for the longest request and reply

_PASSING = (LinkDown, LinkFull, LinkTimeout)
"""Faults of the line that may be gone at the next attempt."""


class FrameLine(Protocol):
    """What a request needs of a link; `framelink.link.AsyncLink` has it."""

    async def send(self, frame: Frame, timeout: float = 0.0) -> None:
        """Queue a frame, waiting up to that long for line and room."""

    def subscribe(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Have every received frame passed on in the loop, until the returned function is called."""


async def request(
    link: FrameLine,
    frame: Frame,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    retries: int = 0,
    reply_cmd: int | None = None,
) -> Frame:
    """Send a request and return the device's reply.

    Requests to one address wait for their turn, since nothing but address and command tells replies apart;
    requests to different addresses run side by side.  Other readers of the link still see every frame.

    Args:
        link: The link, connected or on its way there.
        frame: The request.
        timeout: Seconds to wait for the reply after each sending, and for a line that is down before it.
        retries: How often the request is sent again; the device may then have acted more than once.
        reply_cmd: The command that answers, for devices with habits of their own; None means cmd | 0x80.

    Raises:
        FormatError: The request cannot have a reply, or an argument is out of range.
        RequestTimeout: No reply in time, all retries included.
        RequestRefused: The device answered with a negative reply.
        LinkError: The request could not be sent, all retries included.
    """
    exchange = Exchange(frame, timeout=timeout, retries=retries, reply_cmd=reply_cmd)
    async with _turn(link, frame.addr):
        return await _Drive(link, exchange).run()


class _Drive:
    """Moves one exchange through its phases on a real link and a real clock."""

    def __init__(self, link: FrameLine, exchange: Exchange) -> None:
        self._link = link
        self._exchange = exchange
        self._settled = asyncio.Event()

    async def run(self) -> Frame:
        unsubscribe = self._link.subscribe(self._take)
        fault: Exception | None = None
        try:
            while self._exchange.phase is Phase.READY:
                fault = await self._attempt()
        finally:
            unsubscribe()
        if self._exchange.phase is Phase.EXPIRED and fault is not None:
            raise fault
        return self._exchange.result()

    def _take(self, frame: Frame) -> None:
        if self._exchange.receive(frame):
            self._settled.set()

    async def _attempt(self) -> Exception | None:
        """Send once and wait; return the line's fault if it could not be sent."""
        loop = asyncio.get_running_loop()
        exchange = self._exchange
        outgoing = exchange.begin()
        try:
            await self._link.send(outgoing, timeout=exchange.timeout)
        except _PASSING as fault:
            exchange.fail()  # what was not sent needs no waiting for
            return fault
        exchange.sent(loop.time())
        try:
            async with asyncio.timeout_at(exchange.deadline):
                await self._settled.wait()
        except TimeoutError:
            exchange.expire(exchange.deadline)
        return None


_turns: WeakKeyDictionary[FrameLine, dict[int, asyncio.Lock]] = WeakKeyDictionary()


def _turn(link: FrameLine, addr: int) -> asyncio.Lock:
    """Return the lock that serialises requests to that address of that link."""
    return _turns.setdefault(link, {}).setdefault(addr, asyncio.Lock())
