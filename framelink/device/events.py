"""Events: what a device says by itself, as a stream of messages."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Self

from framelink.device.station import Station
from framelink.errors import LinkClosed, LinkTimeout, PayloadError
from framelink.link.timeouts import bounded
from framelink.message import Message, Schema, Undecodable
from framelink.wire import Frame

EVENTS_KEPT = 1_024  # for one who reads slowly; 10 s of a device that reports a hundred times a second


class AsyncEvents:
    """The events of one device, from when it is made; iterate over it.

    A queue of `EVENTS_KEPT` keeps those that were not taken yet; when it is full the oldest go, and are
    counted in the device's stats.  The iteration ends when the link is closed.  An event whose payload does
    not fit the schema is counted and left out.

    Args:
        station: The device's station, which is being listened to.
        schema: Its messages.
        name: The event wanted; None for all.

    Raises:
        PayloadError: The schema has no such event, or none at all.
    """

    def __init__(self, station: Station, schema: Schema, name: str | None) -> None:
        _require_event(schema, name)
        self._station = station
        self._schema = schema
        self._name = name
        self._queue: deque[Message] = deque()
        self._news = asyncio.Event()
        self._is_closed = False
        station.listeners.add(self)

    def take(self, frame: Frame) -> None:
        """Take a frame of the device's that answers nothing."""
        message = self._schema.decode(frame)
        if isinstance(message, Undecodable):
            self._station.tally.events_undecodable += 1
        elif message is not None and message.kind == "event" and self._name in (None, message.name):
            self._keep(message)

    def _keep(self, message: Message) -> None:
        if len(self._queue) >= EVENTS_KEPT:
            self._queue.popleft()
            self._station.tally.events_dropped += 1
        self._queue.append(message)
        self._news.set()

    def closed(self) -> None:
        """Be told that the link was closed."""
        self._is_closed = True
        self._news.set()

    def close(self) -> None:
        """Take no more events; those in the queue can still be read."""
        self._station.listeners.discard(self)
        self.closed()

    async def receive(self, timeout: float | None = None) -> Message:
        """Return the next event.

        Args:
            timeout: Seconds to wait; None waits for ever, through reconnections.

        Raises:
            LinkTimeout: None came in time.
            LinkClosed: The link was closed, and all that had come has been read.
        """
        try:
            async with asyncio.timeout(bounded(timeout)):
                while not self._queue:
                    if self._is_closed:
                        raise LinkClosed("the link was closed: no more events will come")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise LinkTimeout(f"no {self._name or 'event'} within {timeout:g} s") from None
        return self._queue.popleft()

    def left(self) -> Message | None:
        """Return the next event of those in the queue, None if there is none; when the loop has ended."""
        return self._queue.popleft() if self._queue else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.receive()
        except LinkClosed:
            raise StopAsyncIteration from None


def _require_event(schema: Schema, name: str | None) -> None:
    known = [one.name for one in schema.document.event]
    if not known:
        raise PayloadError(f"{schema.name} has no events; iterate over the link for frames")
    if name is not None and name not in known:
        raise PayloadError(f"{schema.name} has no event {name!r}; it has: {', '.join(known)}")
