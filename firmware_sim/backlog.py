"""Backlog: bytes for a host that does not take them at once.  Pure."""

from __future__ import annotations

from collections import deque

from firmware_sim.ports import BACKLOG_BYTES

BACKLOG_AGE = 1.0  # seconds; a host that opens the line hears what is said now, not what was said to nobody


class Backlog:
    """Pieces that wait, bounded in bytes and in age; the oldest are lost first, and counted."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._begun = 0  # bytes of the first piece that were taken already
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def put(self, data: bytes, now: float) -> None:
        """Add a piece; the oldest make room for it."""
        self._pieces.append((now, data))
        self._size += len(data)
        while self._size > BACKLOG_BYTES and len(self._pieces) > self._kept:
            self._drop_oldest()

    def first(self, now: float) -> bytes:
        """Return what is to be written next, nothing if nothing waits; what has become too old is lost."""
        while len(self._pieces) > self._kept and now - self._pieces[self._kept][0] > BACKLOG_AGE:
            self._drop_oldest()
        return self._pieces[0][1][self._begun :] if self._pieces else b""

    def taken(self, count: int) -> None:
        """Tell that so many bytes of the first piece have been written."""
        self._begun += count
        if self._begun == len(self._pieces[0][1]):
            self._size -= len(self._pieces.popleft()[1])
            self._begun = 0

    def lose(self, data: bytes) -> None:
        """Count a piece that nobody is there for."""
        self.dropped += len(data)

    def clear(self) -> None:
        """Lose everything."""
        self._pieces.clear()
        self._size = self._begun = 0

    @property
    def _kept(self) -> int:
        """How many pieces are not to be dropped: one that is under way is finished, so no frame is cut."""
        return int(self._begun > 0)

    def _drop_oldest(self) -> None:
        data = self._pieces[self._kept][1]
        del self._pieces[self._kept]
        self._size -= len(data)
        self.dropped += len(data)
