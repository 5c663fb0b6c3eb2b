"""Requests on a live link: send, wait for the reply, send again, one at a time for each address."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, overload
from weakref import WeakKeyDictionary

from framelink.device.exchange import Exchange, Match, Phase
from framelink.errors import LinkClosed, LinkDown, LinkFull, LinkTimeout
from framelink.link import Link, StateChange
from framelink.link.life import ENDING
from framelink.wire import Frame

DEFAULT_TIMEOUT = 1.0  # seconds; a device at 9,600 baud needs 0.6 s for the longest request and reply
LATE_MAX = 1.0  # seconds that a late reply is waited for at most, for the same reason

_PASSING = (LinkDown, LinkFull, LinkTimeout)
"""Faults of the line that may be gone at the next attempt."""


class FrameLine(Protocol):
    """What a request needs of a link; `framelink.link.AsyncLink` has it."""

    async def send(self, frame: Frame, timeout: float | None = 0.0) -> None:
        """Queue a frame, waiting up to that long for line and room."""

    def subscribe(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Have every received frame passed on in the loop, until the returned function is called."""

    def watch(self, callback: Callable[[StateChange], None]) -> Callable[[], None]:
        """Have every state change told in the loop, until the returned function is called."""


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
    turn = _turns.setdefault(link, {}).setdefault(exchange.request.addr, _Turn())
    async with turn.lock:
        return await _Drive(link, exchange, turn.late).run()


@dataclass
class _Late:
    """Replies to a request that may come after its end.

    Attributes:
        request: The request.
        replies: How many there may be.
        until: When they are not waited for any more, in the loop's time.
    """

    request: Frame
    replies: int
    until: float


@dataclass
class _Turn:
    """Who may ask one address now, and what may still come from there, by the replies' command."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    late: dict[int, _Late] = field(default_factory=dict)


_turns: WeakKeyDictionary[FrameLine, dict[int, _Turn]] = WeakKeyDictionary()


class _Drive:
    """Moves one exchange through its phases on a real link and a real clock."""

    def __init__(self, link: FrameLine, exchange: Exchange, late: dict[int, _Late]) -> None:
        self._link = link
        self._exchange = exchange
        self._late = late
        self._passing: _Late | None = None
        self._is_closed = False
        self._news = asyncio.Event()

    async def run(self) -> Frame:
        with contextlib.ExitStack() as stack:
            stack.callback(self._link.subscribe(self._take))
            stack.callback(self._link.watch(self._look))
            stack.callback(self._note_late)
            await self._let_late_pass()
            fault: Exception | None = None
            while self._exchange.phase is Phase.READY:
                fault = await self._attempt()
        if self._exchange.phase is Phase.EXPIRED and fault is not None:
            raise fault
        return self._exchange.result()

    def _take(self, frame: Frame) -> None:
        if self._passing is not None:
            if self._exchange.is_answer(frame):
                self._passing.replies -= 1
                self._news.set()
        elif self._exchange.receive(frame):
            self._news.set()

    def _look(self, change: StateChange) -> None:
        if change.state in ENDING:
            self._is_closed = True
            self._news.set()

    async def _heard(self, deadline: float) -> bool:
        """Wait for news; tell whether there were some before the deadline.

        Raises:
            LinkClosed: The news is that the link was closed.
        """
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                if not self._is_closed:
                    await self._news.wait()
        if self._is_closed:
            addr = self._exchange.request.addr
            raise LinkClosed(f"the link was closed before address 0x{addr:02X} answered")
        return self._news.is_set()

    async def _attempt(self) -> Exception | None:
        """Send once and wait; return the line's fault if it could not be sent."""
        exchange = self._exchange
        outgoing = exchange.begin()
        try:
            await self._link.send(outgoing, timeout=exchange.timeout)
        except _PASSING as fault:
            exchange.fail()  # what was not sent needs no waiting for
            return fault
        exchange.sent(asyncio.get_running_loop().time())
        if exchange.phase is Phase.WAITING and not await self._heard(exchange.deadline):
            exchange.expire(exchange.deadline)
        return None

    async def _let_late_pass(self) -> None:
        """Wait out what may be taken for the reply; to the very same request it may as well be one."""
        late = self._late.get(self._exchange.reply_cmd)
        if late is None or late.request == self._exchange.request:
            return
        self._passing = late
        while late.replies > 0 and await self._heard(late.until):
            pass
        self._passing = None
        del self._late[self._exchange.reply_cmd]

    def _note_late(self) -> None:
        """Keep in mind how many replies may still come."""
        exchange, now = self._exchange, asyncio.get_running_loop().time()
        if not exchange.sendings:
            return
        late = self._late.pop(exchange.reply_cmd, None)
        replies = exchange.outstanding + (late.replies if late is not None and now < late.until else 0)
        if replies > 0:
            until = now + min(exchange.timeout, LATE_MAX)
            self._late[exchange.reply_cmd] = _Late(exchange.request, replies, until)
