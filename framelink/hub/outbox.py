"""One client's outbox: bounded, so that a slow client costs memory to nobody and time only to itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

MAX_FRAMES = 1_000  # frames; a browser that is further behind sees history, not the device
MAX_FRAME_BYTES = 1 << 20  # bytes of them; with 256 clients at most 256 MiB
MAX_CONTROL = 256  # answers; a client that asks more without reading does not want them
BATCH_BYTES = 65_536  # handed to the socket at a time; about what the transport buffers

GapMessage = Callable[[int, int, int], bytes]


class Outbox:
    """What waits to be sent to one client.

    Answers are never dropped, and too many of them end the connection.  Of what a link tells about itself
    only the latest is kept.  Of the frames the oldest are dropped when there are too many, and the client is
    told which.

    Args:
        gap_message: (dropped, from offset, to offset) → the message that tells it.
    """

    def __init__(self, gap_message: GapMessage) -> None:
        self._gap_message = gap_message
        self._control: deque[bytes] = deque()
        self._latest: dict[str, bytes] = {}
        self._frames: deque[tuple[int, bytes]] = deque()
        self._frame_bytes = 0
        self._gap: tuple[int, int, int] | None = None
        self.dropped = 0
        self.overflowed = False

    def __bool__(self) -> bool:
        return bool(self._control or self._latest or self._frames or self._gap)

    def put_control(self, message: bytes) -> None:
        """Add an answer."""
        if len(self._control) >= MAX_CONTROL:
            self.overflowed = True
        else:
            self._control.append(message)

    def put_latest(self, key: str, message: bytes) -> None:
        """Add what replaces an earlier message of the same key."""
        self._latest[key] = message

    def put_frame(self, offset: int, message: bytes) -> None:
        """Add a frame; the oldest make room for it."""
        self._frames.append((offset, message))
        self._frame_bytes += len(message)
        while len(self._frames) > MAX_FRAMES or self._frame_bytes > MAX_FRAME_BYTES:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        offset, message = self._frames.popleft()
        self._frame_bytes -= len(message)
        self.dropped += 1
        count, first, _last = self._gap or (0, offset, offset)
        self._gap = (count + 1, first, offset)

    def take(self) -> list[bytes]:
        """Remove and return the next messages to send, a batch at most."""
        batch = [*self._control, *self._latest.values()]
        self._control.clear()
        self._latest.clear()
        if self._gap is not None:
            batch.append(self._gap_message(*self._gap))
            self._gap = None
        size = sum(map(len, batch))
        while self._frames and size < BATCH_BYTES:
            _offset, message = self._frames.popleft()
            self._frame_bytes -= len(message)
            size += len(message)
            batch.append(message)
        return batch
