"""Storage: the files of a simulated device, and the commands 0x70 to 0x74 that move them.  Pure."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firmware_sim.models import Refusal
from framelink.message import RefusalCode, Value

CAPACITY = 4_194_304  # bytes of all files and of the one that is being written: a usual flash chip
MAX_CAPACITY = 16_777_216  # bytes; the largest of them, and 32 devices' are half a GB of memory
MAX_FILES = 64  # a small file system's directory; their names count for nothing else
WINDOW = 32  # blocks: the first that lacks, and 31 of those that the reply's map has bits for
PLACE_SIZE = 5  # bytes of a frame's data that say where a block belongs: handle and offset


@dataclass
class _Partial:
    """A file that is being written.  What it has outlives a reboot; which blocks are there beyond does not.

    Attributes:
        name: Its name.
        size: Its bytes when it is whole.
        crc: CRC-32 of it when it is whole.
        data: Room for them.
        next: Offset of the first byte that lacks.
        map: Bit n: the block n + 1 blocks behind that one is there.
    """

    name: str
    size: int
    crc: int
    data: bytearray = field(repr=False)
    next: int = 0
    map: int = 0

    def is_for(self, name: str, size: int, crc: int) -> bool:
        """Tell whether it is that file."""
        return (self.name, self.size, self.crc) == (name, size, crc)

    def write(self, offset: int, data: bytes, block: int) -> None:
        """Take a block, unless it is there or too far ahead."""
        behind = (offset - self.next) // block
        if not 0 <= behind < WINDOW or (behind and self.map >> (behind - 1) & 1):
            return
        self.data[offset : offset + len(data)] = data
        if behind:
            self.map |= 1 << (behind - 1)
            return
        is_there = True
        while is_there:
            self.next = min(self.next + block, self.size)
            is_there, self.map = bool(self.map & 1), self.map >> 1


@dataclass(frozen=True)
class _Transfer:
    """What the handle stands for; it has ended well once `is_closed`."""

    partial: _Partial | None
    content: bytes = field(repr=False)
    crc: int
    is_closed: bool = False


class Storage:
    """The files of one device.  They, and the part of one that is being written, outlive a reboot.

    Args:
        block: Data bytes of each block.
        capacity: Bytes that all files may have.
        is_write_protected: Whether every write is refused.
    """

    def __init__(self, block: int, *, capacity: int = CAPACITY, is_write_protected: bool = False) -> None:
        self.files: dict[str, bytes] = {}
        self.capacity = capacity
        self.is_write_protected = is_write_protected
        self.blocks_written = 0
        """Blocks that were taken, repeated ones included."""
        self._block = block
        self._partial: _Partial | None = None
        self._transfer: _Transfer | None = None
        self._handle = 0
        self.commands: dict[str, Callable[[Mapping[str, Any]], dict[str, Value]]] = {
            "file_open": self._open,
            "file_write": self._write,
            "file_read": self._read,
            "file_close": self._close,
            "file_list": self._list,
        }
        """Command → what carries it out: fields in, the reply's fields out, or a Refusal."""

    def reboot(self) -> None:
        """Forget the handle, and what came early."""
        self._transfer = None
        self._handle = (self._handle + 1) & 0xFF
        if self._partial is not None:
            self._partial.map = 0

    @property
    def free(self) -> int:
        """Bytes that are free, without the file that is being written."""
        return self.capacity - sum(map(len, self.files.values()))

    def _open(self, fields: Mapping[str, Any]) -> dict[str, Value]:
        self._transfer = None
        self._handle = (self._handle + 1) & 0xFF
        if fields["mode"] not in ("read", "write"):
            raise Refusal(RefusalCode.BAD_VALUE, "mode must be 0 (read) or 1 (write)")
        if fields["mode"] == "read":
            self._transfer = self._reading(fields["name"])
            size, have = len(self._transfer.content), 0
        else:
            partial = self._writing(fields["name"], fields["size"], fields["crc"])
            self._transfer = _Transfer(partial, b"", partial.crc)
            size, have = partial.size, partial.next
        return {
            "handle": self._handle,
            "block": self._block,
            "window": WINDOW,
            "size": size,
            "crc": self._transfer.crc,
            "next": have,
        }

    def _reading(self, name: str) -> _Transfer:
        content = self.files.get(name)
        if content is None:
            raise Refusal(RefusalCode.BAD_VALUE, "no such file")
        return _Transfer(None, content, zlib.crc32(content))

    def _writing(self, name: str, size: int, crc: int) -> _Partial:
        """Return the file to write: the one that was begun, the one that is there, or a new one."""
        if self.is_write_protected:
            raise Refusal(RefusalCode.NOT_PERMITTED, "the storage is write-protected")
        if not name:
            raise Refusal(RefusalCode.BAD_VALUE, "a file needs a name")
        if self._partial is not None and self._partial.is_for(name, size, crc):
            return self._partial
        content = self.files.get(name)
        if content is not None and (len(content), zlib.crc32(content)) == (size, crc):
            return _Partial(name, size, crc, bytearray(content), next=size)
        self._partial = None
        if size > self.free:
            raise Refusal(RefusalCode.FAILED, f"no room: {self.free} bytes are free")
        if name not in self.files and len(self.files) >= MAX_FILES:
            raise Refusal(RefusalCode.FAILED, f"no room: {MAX_FILES} files are the most")
        self._partial = _Partial(name, size, crc, bytearray(size))
        return self._partial

    def _opened(self, handle: int) -> _Transfer:
        if self._transfer is None or handle != self._handle:
            raise Refusal(RefusalCode.BAD_VALUE, "no such transfer")
        return self._transfer

    def _write(self, fields: Mapping[str, Any]) -> dict[str, Value]:
        transfer, offset, data = self._opened(fields["handle"]), fields["offset"], fields["data"]
        partial = transfer.partial
        if partial is None or transfer.is_closed:
            raise Refusal(RefusalCode.BAD_VALUE, "no such transfer")
        if offset % self._block or offset >= partial.size:
            raise Refusal(RefusalCode.BAD_VALUE, "no block begins there")
        if len(data) != min(self._block, partial.size - offset):
            raise Refusal(RefusalCode.BAD_LENGTH, "no block of this file is as long")
        self.blocks_written += 1
        partial.write(offset, data, self._block)
        return {"handle": self._handle, "offset": offset, "next": partial.next, "map": partial.map}

    def _read(self, fields: Mapping[str, Any]) -> dict[str, Value]:
        transfer, offset = self._opened(fields["handle"]), fields["offset"]
        if transfer.partial is not None or transfer.is_closed:
            raise Refusal(RefusalCode.BAD_VALUE, "no such transfer")
        if offset > len(transfer.content):
            raise Refusal(RefusalCode.BAD_VALUE, "behind the end of the file")
        data = transfer.content[offset : offset + self._block]
        return {"handle": self._handle, "offset": offset, "data": data}

    def _close(self, fields: Mapping[str, Any]) -> dict[str, Value]:
        """End a transfer; asked again, as by a host that has not heard the reply, answer again."""
        transfer = self._opened(fields["handle"])
        if transfer.partial is not None and not transfer.is_closed:
            self._keep(transfer.partial)
        self._transfer = _Transfer(None, b"", transfer.crc, is_closed=True)
        return {"handle": self._handle, "crc": transfer.crc}

    def _keep(self, partial: _Partial) -> None:
        """Verify what was written, and let it be the file of its name."""
        content = bytes(partial.data)
        self._partial = self._transfer = None
        if partial.next != partial.size or zlib.crc32(content) != partial.crc:
            raise Refusal(RefusalCode.FAILED, "size or CRC-32 is wrong")
        self.files[partial.name] = content

    def _list(self, fields: Mapping[str, Any]) -> dict[str, Value]:
        index = fields["index"]
        if index >= len(self.files):
            raise Refusal(RefusalCode.BAD_VALUE, "no such file")
        name = sorted(self.files)[index]
        content = self.files[name]
        return {"index": index, "size": len(content), "crc": zlib.crc32(content), "name": name}
