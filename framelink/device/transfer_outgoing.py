"""Outgoing: a file on its way to a device.  Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from framelink.device import transfer_frames as frames
from framelink.device.transfer import Transfer
from framelink.device.transfer_pace import Pace
from framelink.device.transfer_state import TransferPhase
from framelink.wire import Frame

WINDOW_MAX = 32  # blocks: the first that lacks, and those that the map of 32 bits tells of

ReadAt = Callable[[int, int], bytes]
"""(offset, count) → the file's bytes there; blocks are read when they are sent, and again when sent again."""


class Outgoing(Transfer):
    """A file on its way to a device.

    Args:
        addr: The device's address.
        name: The file's name there.
        size: Bytes of the file.
        crc: CRC-32 of the whole file.
        read_at: Reads a piece of it.
        pace: The line's.
        now: The time.
    """

    mode = frames.WRITE
    move_cmd = frames.FILE_WRITE
    _must_close = True

    def __init__(
        self, addr: int, name: str, size: int, crc: int, read_at: ReadAt, *, pace: Pace, now: float
    ) -> None:
        super().__init__(addr, name, pace, now)
        self.size, self.crc = size, crc
        self._read_at = read_at
        self._map = 0

    def _began(self, opened: frames.Opened) -> None:
        self._window = min(opened.window, WINDOW_MAX)
        self.next = min(opened.next, self.size)
        self._map = 0

    def _has(self, offset: int) -> bool:
        behind = (offset - self.next) // self._block
        return behind < 0 or (behind > 0 and bool(self._map >> (behind - 1) & 1))

    def _block_frame(self, offset: int) -> Frame:
        data = self._read_at(offset, min(self._block, self.size - offset))
        return frames.write_frame(self.addr, self._handle, offset, data)

    def _take_written(self, written: frames.Written, now: float) -> None:
        is_ours = self.phase is TransferPhase.MOVING and written.handle == self._handle
        if not is_ours or written.next > self.size:
            self.stats.stray += 1
            return
        before, self.next, self._map = self.next, written.next, written.map
        self._answered(written.offset, now)
        self._advanced(before, now)

    _takers: ClassVar[dict[type, Callable[..., None]]] = {
        **Transfer._takers,  # noqa: SLF001 - it is the same object
        frames.Written: _take_written,
    }
