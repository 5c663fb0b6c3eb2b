"""Incoming: a file on its way from a device.  Pure."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import ClassVar, NamedTuple, Protocol

from framelink.device import transfer_frames as frames
from framelink.device.transfer import Transfer
from framelink.device.transfer_pace import Pace
from framelink.device.transfer_state import TransferPhase
from framelink.wire import Frame

WINDOW_MAX = 64  # blocks asked for beyond the first that lacks; of those that came early no more are kept


class Held(NamedTuple):
    """What an earlier transfer has left of a file.

    Attributes:
        size: Bytes of the whole file.
        crc: CRC-32 of the whole file.
        got: How many bytes are here, from the first on.
        sum: CRC-32 of those.
    """

    size: int
    crc: int
    got: int
    sum: int


class Sink(Protocol):
    """Where a file goes, in the order of its bytes."""

    def begin(self, size: int, crc: int, /) -> None:
        """Throw away what is there, and take a file of that size and CRC-32 from its first byte on."""

    def write(self, data: bytes) -> None:
        """Take the bytes that come next."""


class Incoming(Transfer):
    """A file on its way from a device.

    Args:
        addr: The device's address.
        name: The file's name there.
        sink: Where it goes.
        held: What the sink has of it already, None for nothing.
        pace: The line's.
        now: The time.
    """

    mode = frames.READ
    move_cmd = frames.FILE_READ
    _must_close = False

    def __init__(
        self, addr: int, name: str, sink: Sink, *, held: Held | None = None, pace: Pace, now: float
    ) -> None:
        super().__init__(addr, name, pace, now)
        self._sink = sink
        self._held = held
        self._early: dict[int, bytes] = {}
        self._sum = 0
        self._begun = False

    def _began(self, opened: frames.Opened) -> None:
        self._window = min(opened.window, WINDOW_MAX)
        self._early.clear()
        is_same = self._begun and (opened.size, opened.crc) == (self.size, self.crc)
        if not is_same or self.next == 0:
            self._begin(opened.size, opened.crc)

    def _begin(self, size: int, crc: int) -> None:
        """Begin with what the device has under that name now."""
        held, self._held = self._held, None
        if self._begun and self.next:
            self.stats.restarted += 1
        self.size, self.crc, self._begun = size, crc, True
        self.next = self._sum = self._furthest = 0
        if held is not None and (held.size, held.crc) == (size, crc) and held.got <= size:
            self.next, self._sum = held.got, held.sum
        else:
            self._sink.begin(size, crc)

    def _has(self, offset: int) -> bool:
        return offset < self.next or offset in self._early

    def _block_frame(self, offset: int) -> Frame:
        return frames.read_frame(self.addr, self._handle, offset)

    def _take_block(self, block: frames.Block, now: float) -> None:
        is_ours = self.phase is TransferPhase.MOVING and block.handle == self._handle
        if not is_ours or len(block.data) != min(self._block, self.size - block.offset):
            self.stats.stray += 1
            return
        before = self.next
        if self._is_expected(block.offset):
            self._early[block.offset] = block.data
        while (data := self._early.pop(self.next, None)) is not None:
            self._sink.write(data)
            self._sum = zlib.crc32(data, self._sum)
            self.next += len(data)
        self._answered(block.offset, now)
        self._advanced(before, now)

    def _is_expected(self, offset: int) -> bool:
        """Tell whether it is a block that lacks, near enough to be kept."""
        behind = offset - self.next
        return 0 <= behind < self._window * self._block and behind % self._block == 0

    def _completed(self, now: float) -> None:
        if self._sum != self.crc:
            self._restart(f"sent a file whose CRC-32 is {self._sum:08x}, not {self.crc:08x}", now)

    _takers: ClassVar[dict[type, Callable[..., None]]] = {
        **Transfer._takers,  # noqa: SLF001 - it is the same object
        frames.Block: _take_block,
    }
