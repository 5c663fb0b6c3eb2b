"""The receiving side of a link: the port's bytes in; frames out to subscribers, queue and waiting tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from framelink.link.inbox import Inbox
from framelink.link.interface import Port
from framelink.link.observers import Observers, Waiters
from framelink.wire import Frame, FrameFormat, Ledger, Receiver, idle_gap
from framelink.wire.idle import MIN_IDLE_GAP

READER_PATIENCE = (
    2.0  # seconds a full line waits for its reader: long for one, short for those who subscribed
)


class Reception:
    """Finds frames in what the port received and passes them on; in the loop, if nothing else is said.

    Args:
        format: The devices' variant of the frame.
        baudrate: Symbols per second, from which follows when an incomplete frame is given up.
        in_loop: Does something in the loop, from whichever thread.
        waiters: Who wants to go on when frames came.
    """

    def __init__(
        self, format: FrameFormat, baudrate: int, in_loop: Callable[..., None], waiters: Waiters
    ) -> None:
        self._receiver = Receiver(format)
        self._counting = threading.RLock()  # a ledger that is read in mid-feed would not add up
        is_possible = type(baudrate) is int and baudrate > 0  # opening refuses any other
        self._idle_gap = idle_gap(baudrate) if is_possible else MIN_IDLE_GAP
        self._in_loop = in_loop
        self._waiters = waiters
        self._loop: asyncio.AbstractEventLoop
        self._port: Port | None = None
        self._last_bytes_at = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None
        self.last_frame_at: float | None = None
        self.inbox = Inbox(self._pause, self._on_room)
        self.subscribers: Observers[Frame] = Observers()
        self.arrival: Callable[[], None] = lambda: None
        """Called when the receive queue may have something new."""

    @property
    def ledger(self) -> Ledger:
        """Where every received byte went; from any thread."""
        with self._counting:
            return self._receiver.ledger

    def attach(self, loop: asyncio.AbstractEventLoop, port: Port) -> None:
        """Expect bytes from a port that is open now."""
        self._loop, self._port = loop, port
        self.inbox.forget_pause()

    def detach(self) -> None:
        """Expect nothing more; doing it twice is fine."""
        self._port = None
        for timer in (self._idle_timer, self._reader_timer):
            if timer is not None:
                timer.cancel()
        self._idle_timer = self._reader_timer = None
        self._flush()  # what lies inside a cut frame may be whole

    def received(self, chunk: bytes) -> None:
        """Take bytes from the port."""
        self._last_bytes_at = self._loop.time()
        with self._counting:
            frames = self._receiver.feed(chunk)
        if frames:
            self._deliver(frames)
        if self._idle_timer is None and self._receiver.pending:
            self._set_idle_timer(self._last_bytes_at + self._idle_gap)

    def _deliver(self, frames: list[Frame]) -> None:
        self.last_frame_at = self._last_bytes_at
        for frame in frames:
            self.subscribers.tell(frame)
        self.inbox.put(frames)
        self._waiters.wake()
        self.arrival()

    def _flush(self) -> None:
        """Give the pending candidate up."""
        with self._counting:
            frames = self._receiver.flush()
        if frames:
            self._deliver(frames)

    def _set_idle_timer(self, when: float) -> None:
        self._idle_timer = self._loop.call_at(when, self._on_idle, when)

    def _on_idle(self, planned: float) -> None:
        """Give the pending candidate up, if the line really is silent: a host that stalls hears nothing."""
        self._idle_timer = None
        if not self._receiver.pending or self._port is None:
            return
        now, due = self._loop.time(), self._last_bytes_at + self._idle_gap
        if now < due:
            self._set_idle_timer(due)
        elif now > planned + self._idle_gap / 2 or self._port.waiting():
            self._set_idle_timer(now + self._idle_gap)
        else:
            self._flush()

    def _pause(self) -> None:
        if self._port is not None:
            self._port.pause()
            self._watch_reader()

    def _watch_reader(self) -> None:
        self._reader_timer = self._loop.call_later(READER_PATIENCE, self._look_for_reader)

    def _look_for_reader(self) -> None:
        self._reader_timer = None
        if self.inbox.expect_reader():
            self._watch_reader()

    def _on_room(self) -> None:
        self._in_loop(self._resume)

    def _resume(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None
        if self._port is not None:
            self._port.resume()
