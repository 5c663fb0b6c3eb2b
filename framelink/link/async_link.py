"""AsyncLink: frames over a real line that may come and go, for asyncio programs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

from framelink.errors import LinkClosed, LinkDown, LinkFull, LinkOpenError, LinkTimeout
from framelink.link.connector import Connector
from framelink.link.daemon import in_daemon
from framelink.link.inbox import Inbox
from framelink.link.life import TRANSITIONS, LinkState, StateChange
from framelink.link.observers import Observers, Waiters
from framelink.link.port import Port, PortEvents, PortOpener, SerialOpener
from framelink.link.stats import LinkStats
from framelink.link.transmitter import Transmitter
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Ledger, Receiver, encode, idle_gap

DEFAULT_BAUDRATE = 115_200
DEFAULT_CONNECT_TIMEOUT = 10.0  # seconds; an adapter is ready 2 s after being plugged in, a slow hub's in 5
DRAIN_TIMEOUT = 0.4  # seconds that closing waits for queued frames; with the next one less than 1 s
RELEASE_TIMEOUT = 0.4  # seconds that closing waits for the driver; a thread goes on waiting if need be
DRAIN_POLL = 0.005  # seconds between looks at the driver's buffer while closing; it has no event for that

_log = logging.getLogger("framelink.link")


class AsyncLink:
    """A line to devices that is opened, watched, and opened again when it breaks.

    Use it as an async context manager, which waits until the line is connected, or `start` it and let it
    connect when it can.  Iterate over it for the received frames; the iteration goes on through
    reconnections and ends when the link is closed.

    Args:
        line: A device path, `COM3`, `usb:VID:PID[:SERIAL]`, `socket://host:port`, `rfc2217://host:port`,
            anything else that pyserial opens, or an opener of your own.
        baudrate: Symbols per second.
        format: The devices' variant of the frame.
        connect_timeout: Seconds that entering the context waits for the line; None waits for ever.
    """

    def __init__(
        self,
        line: str | PortOpener,
        *,
        baudrate: int = DEFAULT_BAUDRATE,
        format: FrameFormat = DEFAULT_FORMAT,
        connect_timeout: float | None = DEFAULT_CONNECT_TIMEOUT,
    ) -> None:
        self._opener = SerialOpener(line, baudrate) if isinstance(line, str) else line
        self._format = format
        self._connect_timeout = connect_timeout
        self._idle_gap = idle_gap(baudrate) if baudrate > 0 else 0.0  # opening refuses such a rate
        self._receiver = Receiver(format)
        self._transmitter = Transmitter(self._on_blocked, self._on_broken)
        self._inbox = Inbox(self._pause, self._on_room)
        self._state = LinkState.INITIAL
        self._connector = Connector(self._opener)
        self._port: Port | None = None
        self._last_frame_at: float | None = None
        self._last_bytes_at = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._watchers: Observers[StateChange] = Observers()
        self._subscribers: Observers[Frame] = Observers()
        self._waiters = Waiters()
        self._arrival: Callable[[], None] = lambda: None
        self._loop: asyncio.AbstractEventLoop
        self._loop_thread = 0
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
        return self._receiver.ledger

    @property
    def stats(self) -> LinkStats:
        """The link's figures so far."""
        ledger = self._receiver.ledger
        return LinkStats(
            ledger=ledger,
            frames_received=ledger.frames,
            frames_sent=self._transmitter.frames_sent,
            bytes_received=ledger.received,
            bytes_sent=self._transmitter.bytes_sent,
            connects=self._connector.connects,
            last_frame_at=self._last_frame_at,
            low_latency=self.low_latency,
            tx_discarded=self._transmitter.discarded,
            tx_refused=self._transmitter.refused,
            rx_paused=self._inbox.paused,
            rx_unread_dropped=self._inbox.unread_dropped,
        )

    # --- Life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect, and return at once; the line may appear later."""
        if self._state is not LinkState.INITIAL:
            raise LinkClosed(f"{self.url} was opened before; make a new link")
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._move(LinkState.CONNECTING)
        self._task = self._loop.create_task(self._live(), name=f"framelink {self.url}")

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
            async with asyncio.timeout(timeout):
                while self._state is not LinkState.CONNECTED:
                    self._require_open()
                    await self._waiters.wait()
        except TimeoutError:
            why = str(self._connector.fault or f"{self.url} does not answer")
            raise LinkTimeout(f"not connected within {timeout:g} s: {why}") from None

    async def close(self) -> None:
        """Send what is queued, give the line back, and end all waiting; takes less than a second.

        Closing twice is fine.
        """
        if self._task is not None and self._state is not LinkState.CLOSED:
            if self._state is LinkState.CONNECTED:
                await self._drain()
            self._advance_to(LinkState.DISCONNECTING)
            self._task.cancel()
            await asyncio.wait([self._task])
        self._advance_to(LinkState.CLOSED)

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

    async def _live(self) -> None:
        """Connect, and connect again when the line breaks, until cancelled or until nothing will help."""
        try:
            while True:
                await self._live_once(await self._connector.open())
        except LinkOpenError as fault:
            self._move(LinkState.CLOSED, str(fault))

    async def _live_once(self, port: Port) -> None:
        """Serve one connection until it breaks."""
        self._lost = self._loop.create_future()
        try:
            self._adopt(port)
            reason = await self._lost
            self._connector.fault = LinkDown(f"{self.url} was lost: {reason}")
            self._forsake(port)
            self._move(LinkState.LOST, reason)
        finally:
            self._forsake(port)
            await self._give_back(port)
        self._move(LinkState.CONNECTING)

    def _adopt(self, port: Port) -> None:
        self._port = port
        self._inbox.forget_pause()
        self._transmitter.attach(port)
        port.start(self._loop, PortEvents(self._received, self._writable, self._lose))
        self._move(LinkState.CONNECTED)

    def _forsake(self, port: Port) -> None:
        """End the traffic with a port; doing it twice is fine."""
        self._transmitter.detach()
        self._port = None
        port.stop()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        self._deliver(self._receiver.flush())  # what lies inside a cut frame may be whole

    async def _give_back(self, port: Port) -> None:
        """Close a port, and wait for that so long as it is reasonable."""
        closing = asyncio.ensure_future(in_daemon(port.close))
        await asyncio.wait([closing], timeout=RELEASE_TIMEOUT)
        closing.cancel()

    async def _drain(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT):
                while self._port is not None and not (self._transmitter.idle and not self._port.unsent()):
                    await asyncio.sleep(DRAIN_POLL)

    def _advance_to(self, state: LinkState) -> None:
        """Move on to an ending state, unless the link is there or beyond."""
        if self._state not in (state, LinkState.CLOSED):
            self._move(state)

    def _move(self, state: LinkState, reason: str = "") -> None:
        """The one place where the state changes."""
        previous = self._state
        assert state in TRANSITIONS[previous], f"{previous} → {state}"
        self._state = state
        change = StateChange(previous, state, reason, time.monotonic())
        _log.debug("%s: %s → %s %s", self.url, previous.value, state.value, reason)
        self._watchers.tell(change)
        self._waiters.wake()
        self._arrival()

    def _require_open(self) -> None:
        if self._state in (LinkState.DISCONNECTING, LinkState.CLOSED):
            fault = self._connector.fault
            raise fault if isinstance(fault, LinkOpenError) else LinkClosed(f"{self.url} is closed")

    # --- Sending ------------------------------------------------------------------------------------------

    async def send(self, frame: Frame, timeout: float = 0.0) -> None:
        """Send a frame: handed to the line at once, or queued behind those before it.

        Args:
            frame: What to send.
            timeout: Seconds to wait for the line to be connected and for room in the queue.

        Raises:
            FormatError: The frame format cannot carry this frame.
            LinkDown: The line is not connected, and `timeout` is 0.
            LinkFull: The transmit queue has no room, and `timeout` is 0.
            LinkTimeout: Neither came about in time.
            LinkClosed: The link was closed.
        """
        data = encode(frame, self._format)
        try:
            self.send_now(data)
        except (LinkDown, LinkFull):
            if timeout <= 0:
                raise
            await self._send_later(data, timeout)

    async def _send_later(self, data: bytes, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                while True:
                    await self._waiters.wait()
                    with contextlib.suppress(LinkDown, LinkFull):
                        self.send_now(data)
                        return
        except TimeoutError:
            why = self._connector.fault or "its transmit queue stayed full"
            raise LinkTimeout(f"{self.url}: not sent within {timeout:g} s: {why}") from None

    def send_now(self, data: bytes) -> None:
        """Take a frame's encoded bytes without waiting; from any thread.

        Raises:
            LinkDown, LinkFull, LinkClosed: As `send` does.
        """
        self._require_open()
        self._transmitter.offer(data)

    def _on_blocked(self) -> None:
        self._in_loop(self._watch_writable)

    def _watch_writable(self) -> None:
        if self._port is not None:
            self._port.watch_writable()

    def _on_broken(self, reason: str) -> None:
        self._in_loop(self._lose, reason)

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
            async with asyncio.timeout(timeout):
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
        self._arrival = callback

    async def __aiter__(self) -> AsyncIterator[Frame]:
        while True:
            try:
                yield await self.receive()
            except LinkClosed:
                return

    def subscribe(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Have every received frame told, in the loop, besides the receive queue.

        Returns:
            A function that ends it.
        """
        return self._subscribers.add(callback)

    def _received(self, chunk: bytes) -> None:
        """Take bytes from the port."""
        self._last_bytes_at = self._loop.time()
        frames = self._receiver.feed(chunk)
        if frames:
            self._deliver(frames)
        if self._idle_timer is None and self._receiver.pending:
            self._idle_timer = self._loop.call_at(self._last_bytes_at + self._idle_gap, self._on_idle)

    def _writable(self) -> None:
        """Write on: the port has room again."""
        self._transmitter.pump()
        self._waiters.wake()

    def _lose(self, reason: str) -> None:
        """Take the news that the port broke."""
        if self._port is not None and not self._lost.done():
            self._lost.set_result(reason)

    def _deliver(self, frames: list[Frame]) -> None:
        if not frames:
            return
        self._last_frame_at = self._last_bytes_at
        for frame in frames:
            self._subscribers.tell(frame)
        self._inbox.put(frames)
        self._waiters.wake()
        self._arrival()

    def _on_idle(self) -> None:
        """Give the pending candidate up, if the line really is silent: a host that stalls hears nothing."""
        self._idle_timer = None
        if not self._receiver.pending or self._port is None:
            return
        now, due = self._loop.time(), self._last_bytes_at + self._idle_gap
        if now < due or self._port.waiting():
            self._idle_timer = self._loop.call_at(max(due, now + self._idle_gap), self._on_idle)
            return
        self._deliver(self._receiver.flush())

    def _pause(self) -> None:
        if self._port is not None:
            self._port.pause()

    def _on_room(self) -> None:
        self._in_loop(self._resume)

    def _resume(self) -> None:
        if self._port is not None:
            self._port.resume()

    def _in_loop(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do something in the loop, from whichever thread this is."""
        if threading.get_ident() == self._loop_thread:
            work(*arguments)
        else:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the link with it
                self._loop.call_soon_threadsafe(work, *arguments)


def connect(
    url: str | PortOpener,
    *,
    baudrate: int = DEFAULT_BAUDRATE,
    format: FrameFormat = DEFAULT_FORMAT,
    connect_timeout: float | None = DEFAULT_CONNECT_TIMEOUT,
) -> AsyncLink:
    """Return a link for `async with`, which connects it and closes it; arguments as of `AsyncLink`.

    Example:
        async with framelink.connect("/dev/ttyUSB0") as link:
            async for frame in link:
                print(frame)
    """
    return AsyncLink(url, baudrate=baudrate, format=format, connect_timeout=connect_timeout)
