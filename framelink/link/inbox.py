"""The bounded receive queue: received frames until somebody reads them, in any thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from framelink.wire import Frame

RX_QUEUE_FRAMES = 16_384  # a second of the shortest frames at 921,600 baud is 10,240; room for a slow second


class Inbox:
    """Received frames, in order.

    When it is full and somebody reads from it, the line is paused: with flow control nothing is lost.  While
    nobody reads, the oldest frames make room, since waiting for a reader would stop everything else.

    Args:
        on_full: Called in the loop when the line should pause; `expect_reader` is due some time later.
        on_room: Called from the reader's thread when it may go on.
    """

    def __init__(self, on_full: Callable[[], None], on_room: Callable[[], None]) -> None:
        self._on_full = on_full
        self._on_room = on_room
        self._frames: deque[Frame] = deque()
        self._has_reader = False
        self.is_paused = False
        self.paused = 0
        self.unread_dropped = 0

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frames: Iterable[Frame]) -> None:
        """Add frames; in the loop."""
        self._frames.extend(frames)
        excess = len(self._frames) - RX_QUEUE_FRAMES
        if excess < 0:
            return
        if not self.is_paused and self._has_reader:
            self.is_paused = True
            self.paused += 1
            self._has_reader = False  # until it reads again
            self._on_full()
        elif not self.is_paused:
            for _ in range(excess):
                self._frames.popleft()
            self.unread_dropped += excess

    def take(self) -> Frame | None:
        """Remove and return the oldest frame, None if there is none."""
        self._has_reader = True
        if not self._frames:  # the usual case before a wait, and an exception costs ten times as much
            return None
        try:
            frame = self._frames.popleft()
        except IndexError:  # another thread was faster
            return None
        if self.is_paused and len(self._frames) <= RX_QUEUE_FRAMES // 2:
            self.is_paused = False
            self._on_room()
        return frame

    def expect_reader(self) -> bool:
        """Give the pause up if nobody has read since the last look; tell whether it goes on."""
        if self.is_paused and not self._has_reader:
            self.is_paused = False
            self._on_room()
        self._has_reader = self._has_reader and not self.is_paused
        return self.is_paused

    def forget_pause(self) -> None:
        """Start unpaused: the line is a new one."""
        self.is_paused = False
