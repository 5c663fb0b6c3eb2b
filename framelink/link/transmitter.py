"""The bounded transmit queue: whole frames, in order, from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from framelink.errors import LinkDown, LinkFull
from framelink.link.interface import Port

TX_QUEUE_FRAMES = 1_024  # a command queue, not a file's: more waiting frames than this are a stuck line
TX_QUEUE_BYTES = 131_072  # more than a second of the fastest usual line (921,600 baud: 92 KB/s)


class Transmitter:
    """Frames on their way to the line.

    Args:
        on_blocked: Called, from any thread, when the line takes no more; `pump` is due when it does again.
        on_broken: Called, from any thread, with the reason when writing shows that the line broke.
    """

    def __init__(self, on_blocked: Callable[[], None], on_broken: Callable[[str], None]) -> None:
        self._on_blocked = on_blocked
        self._on_broken = on_broken
        self._lock = threading.Lock()
        self._port: Port | None = None
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._begun = 0  # bytes of the first frame that the line has taken already
        self.reserved = False
        """Whether senders wait for line or room: then new frames must not overtake theirs."""
        self.frames_sent = 0
        self.bytes_sent = 0
        self.discarded = 0
        self.refused = 0

    @property
    def idle(self) -> bool:
        """Whether every frame has been handed to the line."""
        return not self._queue

    def attach(self, port: Port) -> None:
        """Begin to write to a line that is open now."""
        with self._lock:
            self._port = port

    def detach(self) -> None:
        """Stop writing; frames that still wait are discarded, since nobody expects them minutes later."""
        with self._lock:
            self._port = None
            self.discarded += len(self._queue)
            self._queue.clear()
            self._queued_bytes = self._begun = 0

    def has_room(self, data: bytes) -> bool:
        """Tell whether the line is connected and the queue would take that frame."""
        with self._lock:
            return self._port is not None and self._fits(data)

    def _fits(self, data: bytes) -> bool:
        return len(self._queue) < TX_QUEUE_FRAMES and self._queued_bytes + len(data) <= TX_QUEUE_BYTES

    def offer(self, data: bytes, *, reserved: bool = False) -> None:
        """Take a frame's bytes: written at once if nothing waits before it, else queued.

        Args:
            data: The frame's bytes.
            reserved: It is the turn of this frame, which waited.

        Raises:
            LinkDown: The line is not connected, or just broke.
            LinkFull: The queue has no room; it is bounded in frames and bytes.
        """
        with self._lock:
            if self._port is None:
                self.refused += 1
                raise LinkDown("the line is not connected; try again, or send with a timeout to wait for it")
            first = not self._queue
            if (self.reserved and not reserved) or not (first or self._fits(data)):
                self.refused += 1
                raise LinkFull(
                    f"the transmit queue is full ({len(self._queue)} frames); send slower, or with a timeout"
                )
            self._queue.append(data)
            self._queued_bytes += len(data)
            fault = self._write_out(self._port) if first else None
            blocked = first and bool(self._queue)
        if fault is not None:
            self._on_broken(fault)
            raise LinkDown(f"the line broke: {fault}")
        if blocked:
            self._on_blocked()

    def pump(self) -> None:
        """Write on, now that there is room."""
        with self._lock:
            if self._port is None:
                return
            fault = self._write_out(self._port)
            blocked = bool(self._queue)
        if fault is not None:
            self._on_broken(fault)
        elif blocked:
            self._on_blocked()

    def _write_out(self, port: Port) -> str | None:
        """Write until the line takes no more; return the reason if it broke."""
        while self._queue:
            frame = self._queue[0]
            try:
                taken = port.write(frame[self._begun :] if self._begun else frame)
            except OSError as error:
                return error.strerror or str(error)
            self.bytes_sent += taken
            self._begun += taken
            if self._begun < len(frame):
                return None
            self._queue.popleft()
            self._queued_bytes -= len(frame)
            self._begun = 0
            self.frames_sent += 1
        return None
