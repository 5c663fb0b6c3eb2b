"""Link: the same link for scripts and notebooks, on a loop of its own in a background thread."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator
from queue import Empty
from typing import Any, Self, TypeVar, Unpack

from framelink.errors import LinkClosed, LinkDown, LinkFull, LinkTimeout
from framelink.link.async_link import DEFAULT_BAUDRATE, DEFAULT_CONNECT_TIMEOUT, AsyncLink
from framelink.link.background import Background, Bell
from framelink.link.half_duplex import HalfDuplex
from framelink.link.interface import PortOpener
from framelink.link.lane import Lane
from framelink.link.life import LinkState, StateChange
from framelink.link.port import LineSettings
from framelink.link.stats import LinkStats
from framelink.link.timeouts import bounded
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Ledger, encode

T = TypeVar("T")


class Link:
    """A line to devices, blocking.  `framelink.open` makes one; the arguments are `AsyncLink`'s.

    The line is read, and opened again when it breaks, in the background.  Use it from any thread.  Close it:
    one that is forgotten is closed when it is collected, with a ResourceWarning.
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
        self._link = AsyncLink(
            url,
            baudrate=baudrate,
            format=format,
            connect_timeout=connect_timeout,
            half_duplex=half_duplex,
            **settings,
        )
        self._bell = Bell()
        self._link.on_arrival(self._bell.ring)
        self._background = Background(self._link)
        self._own_thread = self._background.ident
        try:
            self._background.call(self._link.__aenter__())
        except BaseException:
            self.close()
            raise

    def __del__(self) -> None:
        background: Background | None = getattr(self, "_background", None)
        if background is not None and not background.is_ending:
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=1)
            background.stop()

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
    def baudrate(self) -> int:
        """Symbols per second."""
        return self._link.baudrate

    @property
    def half_duplex(self) -> HalfDuplex | None:
        """How the line is driven if only one may talk on it at a time; None if all may."""
        return self._link.half_duplex

    @property
    def state(self) -> LinkState:
        """Where the link stands."""
        return self._link.state

    @property
    def fault(self) -> str:
        """What stands in the way of a connection, in words; empty if nothing is known to."""
        return self._link.fault

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

    def send(self, frame: Frame, timeout: float | None = 0.0, *, lane: Lane = Lane.NORMAL) -> None:
        """Send a frame, see `AsyncLink.send`."""
        data = encode(frame, self.format)
        try:
            self._link.send_now(data, lane)  # from this thread: half the round trip of asking the loop
        except (LinkDown, LinkFull):
            if timeout is not None and timeout <= 0:
                raise
            self.call(lambda link: link.send_in_turn(data, timeout, lane))

    def receive(self, timeout: float | None = None) -> Frame:
        """Return the next received frame, see `AsyncLink.receive`."""
        if threading.get_ident() == self._own_thread:
            self._background.refuse_own_thread()
        frame = self._link.take()
        if frame is not None:
            return frame
        wait = bounded(timeout)
        deadline = None if wait is None else time.monotonic() + wait
        self._bell.count(1)  # before the next look, so that no arrival after it goes unheard
        try:
            while (frame := self._link.take()) is None:
                self._bell.wait(timeout=_until(deadline))
        except Empty:
            raise LinkTimeout(f"{self.url}: no frame within {timeout:g} s") from None
        finally:
            self._bell.count(-1)
        return frame

    def __iter__(self) -> Iterator[Frame]:
        while True:
            try:
                yield self.receive()
            except LinkClosed:
                return

    def wait_connected(self, timeout: float | None = None) -> None:
        """Wait until the line is connected, see `AsyncLink.wait_connected`."""
        self.call(lambda link: link.wait_connected(timeout))

    def watch(self, callback: Callable[[StateChange], None]) -> Callable[[], None]:
        """Have every state change told, in the background thread; see `AsyncLink.watch`."""
        return self._link.watch(callback)

    def subscribe(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Have every received frame told, in the background thread; see `AsyncLink.subscribe`."""
        return self._link.subscribe(callback)

    def call(self, work: Callable[[AsyncLink], Coroutine[Any, Any, T]]) -> T:
        """Run asyncio code on the link, in its background thread, and return the result.

        Args:
            work: Makes the coroutine from the link's asyncio face.

        Raises:
            LinkClosed: The link is closed, or was before the coroutine came to its end.
        """
        return self._background.call(work(self._link))

    def close(self) -> None:
        """Send what is queued and give the line back, see `AsyncLink.close`; closing twice is fine."""
        self._background.refuse_own_thread()
        self._background.stop()
        self._background.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def _until(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic(), 0)
