"""Lanes: which of the frames that wait to be sent go first, and how many may wait in each."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple


class Lane(enum.IntEnum):
    """A frame's place among those that wait: all of a lane go before any of the next, in their order."""

    CONTROL = 0
    """What must not wait: a stop, an acknowledgement."""
    NORMAL = 1
    """Requests and whatever else."""
    BULK = 2
    """Files: handed to the line one by one, so that the others can overtake."""


class Bound(NamedTuple):
    """How much may wait in a lane."""

    frames: int
    size: int  # bytes


BOUNDS = {
    Lane.CONTROL: Bound(64, 16_384),  # they go first, so more of them than this are a stuck line
    Lane.NORMAL: Bound(1_024, 131_072),  # above a second of the fastest usual line (921,600 baud: 92 KB/s)
    Lane.BULK: Bound(64, 65_536),  # two whole windows of a transfer; who sends more waits for the line
}


@dataclass(frozen=True)
class LaneStats:
    """A lane's figures.

    Attributes:
        frames_sent: Frames handed to the line, whole.
        waiting: Frames that wait now.
        discarded: Frames that waited when the line broke or the link was closed.
        refused: Frames that found the line down or the lane full.
    """

    frames_sent: int
    waiting: int
    discarded: int
    refused: int


class LaneQueue:
    """The frames that wait in one lane."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.frames: deque[bytes] = deque()
        self.reserved = False
        """Whether senders wait for line or room: then new frames must not overtake theirs."""
        self.sent = self.discarded = self.refused = 0
        self._size = 0

    def fits(self, data: bytes) -> bool:
        """Tell whether there is room for a frame; an empty lane takes any."""
        bound = BOUNDS[self.lane]
        return not self.frames or (len(self.frames) < bound.frames and self._size + len(data) <= bound.size)

    def put(self, data: bytes) -> None:
        """Add a frame's bytes."""
        self.frames.append(data)
        self._size += len(data)

    def sent_first(self) -> None:
        """Remove the first frame: it is on its way."""
        self._size -= len(self.frames.popleft())
        self.sent += 1

    def discard(self) -> None:
        """Throw all frames away."""
        self.discarded += len(self.frames)
        self.frames.clear()
        self._size = 0

    @property
    def stats(self) -> LaneStats:
        """The figures so far."""
        return LaneStats(self.sent, len(self.frames), self.discarded, self.refused)
