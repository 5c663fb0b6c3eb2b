"""AsyncLink: frames over a real line that may come and go, for asyncio programs."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from typing import Self, Unpack

from framelink.errors import LinkClosed, LinkDown, LinkError, LinkFull, LinkOpenError, LinkTimeout
from framelink.link.connector import STEADY_AFTER, Connector, give_back
from framelink.link.half_duplex import HalfDuplex
from framelink.link.interface import Port, PortEvents, PortOpener
from framelink.link.lane import Lane
from framelink.link.life import ENDING, TRANSITIONS, LinkState, StateChange
from framelink.link.loop_thread import LoopThread
from framelink.link.observers import Observers, Waiters
from framelink.link.port import LineSettings, opener_for
from framelink.link.receiving import Reception
from framelink.link.sending import Sending
from framelink.link.stats import LinkStats
from framelink.link.timeouts import bounded
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Ledger, encode

DEFAULT_BAUDRATE = 115_200
DEFAULT_CONNECT_TIMEOUT = 10.0  # seconds; an adapter is ready 2 s after being plugged in, a slow hub's in 5

_log = logging.getLogger("framelink.link")


class AsyncLink:
    """A line to devices that is opened, watched, and opened again when it breaks.

    Use it as an async context manager, which waits until the line is connected, or `start` it and let it
    connect when it can.  Iterate over it for the received frames; the iteration goes on through
    reconnections and ends when the link is closed.

    Args:
        url: A device path, `COM3`, `usb:VID:PID[:SERIAL]`, `socket://host:port`, `rfc2217://host:port`,
            anything else that pyserial opens, or an opener of your own.
        baudrate: Symbols per second.
        format: The devices' variant of the frame.
        connect_timeout: Seconds that entering the context waits for the line; None waits for ever.
        half_duplex: How the line is driven if only one may talk on it at a time, as on RS-485.
        settings: Parity and the like, see `framelink.link.LineSettings`.

    Raises:
        TypeError: The URL is nothing of the kind, or a setting is none.
    """

    def __init__(
        self,
        url: str | os.PathLike[str] | PortOpener,
        *,
        baudrate: int = DEFAULT_BAUDRATE,
        format: FrameFormat = DEFAULT_FORMAT,
        connect_timeout: float | None = DEFAULT_CONNECT_TIMEOUT,
        half_duplex: HalfDuplex | None = None,
        **settings: Unpack[LineSettings],
    ) -> None:
        self._opener = opener_for(url, baudrate, settings, half_duplex)
        self._format = format
        self._baudrate = baudrate
        self._half_duplex = half_duplex
        self._connect_timeout = bounded(connect_timeout)
        self._waiters = Waiters()
        self._loop_thread = LoopThread()
        in_loop = self._loop_thread.run
        self._reception = Reception(format, baudrate, in_loop, self._waiters)
        self._inbox = self._reception.inbox
        self._sending = Sending(in_loop, self._lose, half_duplex)
        self._transmitter = self._sending.transmitter
        self._state = LinkState.INITIAL
        self._connector = Connector(self._opener)
        self._port: Port | None = None
        self._watchers: Observers[StateChange] = Observers()
        self._loop: asyncio.AbstractEventLoop
        self._task: asyncio.Task[None] | None = None
        self._lost: asyncio.Future[str]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {self._state.value})"

    @property
    def url(self) -> str:
        """The line's name."""
        return self._opener.url

    @property
    def format(self) -> FrameFormat:
        """The devices' variant of the frame."""
        return self._format

    @property
    def baudrate(self) -> int:
        """Symbols per second."""
        return self._baudrate

    @property
    def half_duplex(self) -> HalfDuplex | None:
        """How the line is driven if only one may talk on it at a time; None if all may."""
        return self._half_duplex

    @property
    def state(self) -> LinkState:
        """Where the link stands."""
        return self._state

    @property
    def fault(self) -> str:
        """What stands in the way of a connection, in words; empty if nothing is known to."""
        return "" if self._connector.fault is None else str(self._connector.fault)

    @property
    def low_latency(self) -> bool | None:
        """Whether the driver is in low-latency mode; None while not connected."""
        return None if self._port is None else self._port.low_latency

    @property
    def ledger(self) -> Ledger:
        """Where every received byte went."""
        return self._reception.ledger

    @property
    def stats(self) -> LinkStats:
        """The link's figures so far."""
        ledger = self._reception.ledger
        return LinkStats(
            ledger=ledger,
            frames_received=ledger.frames,
            bytes_received=ledger.received,
            connects=self._connector.connects,
            last_frame_at=self._reception.last_frame_at,
            low_latency=self.low_latency,
            rx_paused=self._inbox.paused,
            rx_unread_dropped=self._inbox.unread_dropped,
            **self._sending.figures(),
        )

    # --- Life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect, and return at once; the line may appear later."""
        if self._state is not LinkState.INITIAL:
            raise LinkClosed(f"{self.url} was opened before; make a new link")
        self._loop = asyncio.get_running_loop()
        self._loop_thread.enter()
        self._move(LinkState.CONNECTING)
        serving = self._connector.keep_open(self._serve)
        self._task = self._loop.create_task(serving, name=f"framelink {self.url}")
        self._task.add_done_callback(self._ended)

    async def wait_connected(self, timeout: float | None = None) -> None:
        """Wait until the line is connected.

        Args:
            timeout: Seconds to wait; None waits for ever.

        Raises:
            LinkTimeout: It was not connected in time; the message says what stood in the way.
            LinkOpenError: It cannot be opened, and waiting will not help.
            LinkClosed: The link was closed.
        """
        try:
            async with asyncio.timeout(bounded(timeout)):
                while self._state is not LinkState.CONNECTED:
                    self._require_open()
                    await self._waiters.wait()
        except TimeoutError:
            why = str(self._connector.fault or f"{self.url} does not answer")
            raise LinkTimeout(f"not connected within {timeout:g} s: {why}") from None

    async def close(self) -> None:
        """Send what is queued, give the line back, and end all waiting.

        Takes less than a second, if no callback keeps the loop for longer.  Closing twice is fine.
        """
        if self._task is None:
            self._advance_to(LinkState.CLOSED)
        elif self._state is not LinkState.CLOSED:
            try:
                if self._state is LinkState.CONNECTED:
                    await self._sending.drain()
            finally:  # also if whoever closes the link is cancelled
                self._advance_to(LinkState.DISCONNECTING)
                self._task.cancel()
            await asyncio.wait([self._task])

    async def __aenter__(self) -> Self:
        self.start()
        try:
            await self.wait_connected(self._connect_timeout)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    def watch(self, callback: Callable[[StateChange], None]) -> Callable[[], None]:
        """Have every state change told, in the loop; call the returned function to end that."""
        return self._watchers.add(callback)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Be closed, now that nothing serves the line any more, for whatever reason."""
        fault = None if task.cancelled() else task.exception()
        if not isinstance(fault, LinkOpenError):
            self._advance_to(LinkState.DISCONNECTING)
            if fault is not None:
                _log.error("%s: closed by a fault of its own", self.url, exc_info=fault)
        self._advance_to(LinkState.CLOSED, str(fault or ""))

    async def _serve(self, port: Port) -> bool:
        """Serve one connection until it breaks; tell whether it lasted, or at least brought a frame."""
        self._lost = self._loop.create_future()
        began, frames_before = self._loop.time(), self._reception.ledger.frames
        try:
            self._adopt(port)
            reason = await self._lost
            self._connector.lost(reason)
            self._forsake(port)
            self._move(LinkState.LOST, reason)
        finally:
            self._forsake(port)
            await give_back(port)
        self._move(LinkState.CONNECTING)
        return self._loop.time() - began >= STEADY_AFTER or self._reception.ledger.frames > frames_before

    def _adopt(self, port: Port) -> None:
        self._port = port
        self._reception.attach(self._loop, port)
        self._sending.attach(self._loop, port, self._baudrate)
        received = self._sending.listening(self._reception.received)
        port.start(self._loop, PortEvents(received, self._sending.writable, self._lose))
        self._move(LinkState.CONNECTED)

    def _forsake(self, port: Port) -> None:
        """End the traffic with a port; doing it twice is fine."""
        self._sending.detach()
        self._port = None
        port.stop()
        self._reception.detach()

    def _advance_to(self, state: LinkState, reason: str = "") -> None:
        """Move on to an ending state, unless the link is there or beyond."""
        if self._state not in (state, LinkState.CLOSED):
            self._move(state, reason)

    def _move(self, state: LinkState, reason: str = "") -> None:
        """The one place where the state changes."""
        previous = self._state
        assert state in TRANSITIONS[previous], f"{previous} → {state}"
        self._state = state
        change = StateChange(previous, state, reason, time.monotonic())
        _log.debug("%s: %s → %s %s", self.url, previous.value, state.value, reason)
        self._watchers.tell(change)
        if state in ENDING:
            self._sending.fail(self._closed_fault())
        else:
            self._sending.advance()
        self._waiters.wake()
        self._reception.arrival()

    def _require_open(self) -> None:
        if self._state in ENDING:
            raise self._closed_fault()

    def _closed_fault(self) -> LinkError:
        fault = self._connector.fault
        return fault if isinstance(fault, LinkOpenError) else LinkClosed(f"{self.url} is closed")

    # --- Sending ------------------------------------------------------------------------------------------

    async def send(self, frame: Frame, timeout: float | None = 0.0, *, lane: Lane = Lane.NORMAL) -> None:
        """Send a frame: handed to the line at once, or queued behind those before it.

        Args:
            frame: What to send.
            timeout: Seconds to wait for the line to be connected and for room in the queue; None waits for
                ever.
            lane: Which of the frames that wait it overtakes.

        Raises:
            FormatError: The frame format cannot carry this frame.
            LinkDown: The line is not connected, and `timeout` is 0.
            LinkFull: The transmit queue has no room, and `timeout` is 0.
            LinkTimeout: Neither came about in time.
            LinkClosed: The link was closed.
        """
        data = encode(frame, self._format)
        try:
            self.send_now(data, lane)
        except (LinkDown, LinkFull):
            if timeout is not None and timeout <= 0:
                raise
            await self.send_in_turn(data, timeout, lane)

    async def send_in_turn(self, data: bytes, timeout: float | None, lane: Lane = Lane.NORMAL) -> None:
        """Have a frame's encoded bytes wait behind those that wait already, as `send` with a timeout does."""
        self._require_open()
        try:
            await self._sending.wait(data, lane, bounded(timeout))
        except TimeoutError:
            why = self._connector.fault or "its transmit queue stayed full"
            raise LinkTimeout(f"{self.url}: not sent within {timeout:g} s: {why}") from None

    def send_now(self, data: bytes, lane: Lane = Lane.NORMAL) -> None:
        """Take a frame's encoded bytes without waiting; from any thread.

        Raises:
            LinkDown, LinkFull, LinkClosed: As `send` does.
        """
        self._require_open()
        self._transmitter.offer(data, lane)

    # --- Receiving ----------------------------------------------------------------------------------------

    async def receive(self, timeout: float | None = None) -> Frame:
        """Return the next received frame.

        Args:
            timeout: Seconds to wait; None waits for ever, through reconnections.

        Raises:
            LinkTimeout: No frame came in time.
            LinkOpenError: The line cannot be opened, and waiting will not help.
            LinkClosed: The link was closed, and all that it had received has been read.
        """
        frame = self.take()
        if frame is not None:
            return frame
        if timeout is None:
            return await self._next()
        try:
            async with asyncio.timeout(bounded(timeout)):
                return await self._next()
        except TimeoutError:
            raise LinkTimeout(f"{self.url}: no frame within {timeout:g} s") from None

    async def _next(self) -> Frame:
        while True:
            await self._waiters.wait()
            frame = self.take()
            if frame is not None:
                return frame

    def take(self) -> Frame | None:
        """Return the next received frame, None if there is none yet; from any thread.

        Raises:
            LinkOpenError, LinkClosed: As `receive` does.
        """
        frame = self._inbox.take()
        if frame is None:
            self._require_open()
        return frame

    def on_arrival(self, callback: Callable[[], None]) -> None:
        """Have it told, in the loop, when `take` may have something new."""
        self._reception.arrival = callback

    async def __aiter__(self) -> AsyncIterator[Frame]:
        while True:
            try:
                yield await self.receive()
            except LinkClosed:
                return

    def subscribe(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Have every received frame told, in the loop, besides the queue; the returned function ends that."""
        return self._reception.subscribers.add(callback)

    def _lose(self, reason: str) -> None:
        """Take the news that the port broke."""
        if self._port is not None and not self._lost.done():
            self._lost.set_result(reason)
