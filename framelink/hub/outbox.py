"""One client's outbox: bounded, so that a slow client costs memory to nobody and time only to itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

MAX_FRAMES = 1_000  # frames; a browser that is further behind sees history, not the device
MAX_FRAME_BYTES = 1 << 20  # bytes of them; with 256 clients at most 256 MiB
MAX_ANSWERS = 64  # answers; twice the commands that a client may have under way
MAX_ANSWER_BYTES = 65_536  # bytes of them; as much as a client may say in one message
BATCH_BYTES = 65_536  # handed to the socket at a time; about what the transport buffers

GapMessage = Callable[[int, int, int], bytes]


class Outbox:
    """What waits to be sent to one client.

    Answers are never dropped; whoever lets too many of them wait is not listened to until it has read some.
    Of what a link tells about itself only the latest is kept.  Of the frames the oldest are dropped when
    there are too many, and the client is told which.

    Args:
        gap_message: (dropped, from offset, to offset) → the message that tells it.
    """

    def __init__(self, gap_message: GapMessage) -> None:
        self._gap_message = gap_message
        self._answers: deque[bytes] = deque()
        self._answer_bytes = 0
        self._latest: dict[str, bytes] = {}
        self._frames: deque[tuple[int, bytes]] = deque()
        self._frame_bytes = 0
        self._gap: tuple[int, int, int] | None = None
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._answers or self._latest or self._frames or self._gap)

    @property
    def is_full(self) -> bool:
        """Whether so many answers wait that the client should read before it asks for more."""
        return len(self._answers) >= MAX_ANSWERS or self._answer_bytes >= MAX_ANSWER_BYTES

    @property
    def first_frame(self) -> int | None:
        """The offset of the first frame that waits, or whose loss is still to be told."""
        if self._gap is not None:
            return self._gap[1]
        return self._frames[0][0] if self._frames else None

    def put_answer(self, message: bytes) -> None:
        """Add an answer."""
        self._answers.append(message)
        self._answer_bytes += len(message)

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
        batch: list[bytes] = []
        size = 0
        while self and size < BATCH_BYTES:
            batch.append(self._next())
            size += len(batch[-1])
        return batch

    def _next(self) -> bytes:
        if self._answers:
            message = self._answers.popleft()
            self._answer_bytes -= len(message)
        elif self._latest:
            message = self._latest.pop(next(iter(self._latest)))
        elif self._gap is not None:
            message = self._gap_message(*self._gap)
            self._gap = None
        else:
            _offset, message = self._frames.popleft()
            self._frame_bytes -= len(message)
        return message
