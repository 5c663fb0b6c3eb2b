"""Link: the same link for scripts and notebooks, on a loop of its own in a background thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Self, TypeVar

from framelink.errors import LinkClosed, LinkDown, LinkFull, LinkTimeout
from framelink.link.async_link import DEFAULT_BAUDRATE, DEFAULT_CONNECT_TIMEOUT, AsyncLink
from framelink.link.life import LinkState, StateChange
from framelink.link.port import PortOpener
from framelink.link.stats import LinkStats
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Ledger, encode

T = TypeVar("T")
JOIN_TIMEOUT = 1.0  # seconds to wait for the loop's thread after the link was closed


class Link:
    """A line to devices, blocking.  `framelink.open` makes one; the arguments are `AsyncLink`'s.

    The line is read, and opened again when it breaks, in the background.  Use it from any thread.
    """

    def __init__(
        self,
        line: str | PortOpener,
        *,
        baudrate: int = DEFAULT_BAUDRATE,
        format: FrameFormat = DEFAULT_FORMAT,
        connect_timeout: float | None = DEFAULT_CONNECT_TIMEOUT,
    ) -> None:
        self._link = AsyncLink(line, baudrate=baudrate, format=format, connect_timeout=connect_timeout)
        self._waiting = 0
        self._counting = threading.Lock()
        self._bell: SimpleQueue[None] = SimpleQueue()  # a third of a Condition's time
        self._link.on_arrival(self._notify)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"framelink {self.url}")
        self._thread.start()
        try:
            self._call(self._link.__aenter__())
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {self.state.value})"

    @property
    def url(self) -> str:
        """The line's name."""
        return self._link.url

    @property
    def format(self) -> FrameFormat:
        """The devices' variant of the frame."""
        return self._link.format

    @property
    def state(self) -> LinkState:
        """Where the link stands."""
        return self._link.state

    @property
    def low_latency(self) -> bool | None:
        """Whether the driver is in low-latency mode; None while not connected."""
        return self._link.low_latency

    @property
    def ledger(self) -> Ledger:
        """Where every received byte went."""
        return self._link.ledger

    @property
    def stats(self) -> LinkStats:
        """The link's figures so far."""
        return self._link.stats

    def send(self, frame: Frame, timeout: float = 0.0) -> None:
        """Send a frame, see `AsyncLink.send`."""
        data = encode(frame, self.format)
        try:
            self._link.send_now(data)  # straight from this thread: half the round trip of asking the loop
        except (LinkDown, LinkFull):
            if timeout <= 0:
                raise
            self._call(self._link.send(frame, timeout))

    def receive(self, timeout: float | None = None) -> Frame:
        """Return the next received frame, see `AsyncLink.receive`."""
        frame = self._link.take()
        if frame is not None:
            return frame
        deadline = None if timeout is None else time.monotonic() + timeout
        self._count(1)  # before the next look, so that no arrival after it goes unheard
        try:
            while (frame := self._link.take()) is None:
                self._bell.get(timeout=None if deadline is None else max(deadline - time.monotonic(), 0))
        except Empty:
            raise LinkTimeout(f"{self.url}: no frame within {timeout:g} s") from None
        finally:
            self._count(-1)
        return frame

    def _count(self, change: int) -> None:
        with self._counting:
            self._waiting += change

    def __iter__(self) -> Iterator[Frame]:
        while True:
            try:
                yield self.receive()
            except LinkClosed:
                return

    def wait_connected(self, timeout: float | None = None) -> None:
        """Wait until the line is connected, see `AsyncLink.wait_connected`."""
        self._call(self._link.wait_connected(timeout))

    def watch(self, callback: Callable[[StateChange], None]) -> Callable[[], None]:
        """Have every state change told, in the background thread; see `AsyncLink.watch`."""
        return self._link.watch(callback)

    def subscribe(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Have every received frame told, in the background thread; see `AsyncLink.subscribe`."""
        return self._link.subscribe(callback)

    def close(self) -> None:
        """Send what is queued and give the line back, see `AsyncLink.close`; closing twice is fine."""
        if not self._thread.is_alive():
            return
        with contextlib.suppress(LinkClosed):
            self._call(self._link.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(JOIN_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop's thread and return its result."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a callback of a link must not wait for it; do that in another thread")
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise LinkClosed(f"{self.url} is closed") from None
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _notify(self) -> None:
        """Ring once for every thread that waits; one that hears a stale ring looks, and waits again."""
        for _ in range(self._waiting):
            self._bell.put(None)


def open(
    url: str | PortOpener,
    *,
    baudrate: int = DEFAULT_BAUDRATE,
    format: FrameFormat = DEFAULT_FORMAT,
    connect_timeout: float | None = DEFAULT_CONNECT_TIMEOUT,
) -> Link:
    """Open a line and return its link; arguments as of `AsyncLink`.

    Raises:
        LinkTimeout: The line was not connected in time; the message says what stood in the way.
        LinkOpenError: The line cannot be opened, and waiting will not help.

    Example:
        with framelink.open("/dev/ttyUSB0") as link:
            for frame in link:
                print(frame)
    """
    return Link(url, baudrate=baudrate, format=format, connect_timeout=connect_timeout)
