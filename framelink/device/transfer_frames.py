"""The frames of file transfers, commands 0x70 to 0x74 of `framelink/message/standard.toml`.  Pure.

They are packed here by hand since a block may be as long as the device's frames allow, which the standard
schema's do not; a test holds both to the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from framelink.device.exchange import NEGATIVE_REPLY
from framelink.wire import REPLY, Frame, FrameFormat

FILE_OPEN = 0x70
FILE_WRITE = 0x71
FILE_READ = 0x72
FILE_CLOSE = 0x73
FILE_LIST = 0x74
COMMANDS = range(FILE_OPEN, FILE_LIST + 1)

READ, WRITE = 0, 1
"""The modes of file_open."""

_OPEN = struct.Struct("<BII")
_OPENED = struct.Struct("<BHBIII")
_PLACE = struct.Struct("<BI")
_WRITTEN = struct.Struct("<BIII")
_CLOSED = struct.Struct("<BI")
_LISTED = struct.Struct("<HII")


class Opened(NamedTuple):
    """A transfer has begun.

    Attributes:
        handle: Names it.
        block: Data bytes of each block but the last.
        window: How many blocks may be on their way.
        size: Bytes of the file.
        crc: CRC-32 of the whole file.
        next: Offset of the first byte that the device lacks; of no meaning for a file that is read.
    """

    handle: int
    block: int
    window: int
    size: int
    crc: int
    next: int


class Written(NamedTuple):
    """What the device has after a block.

    Attributes:
        handle: Names the transfer.
        offset: Of the block that is answered.
        next: Offset of the first byte that the device lacks.
        map: Bit n: the block n + 1 blocks behind that one is there.
    """

    handle: int
    offset: int
    next: int
    map: int


class Block(NamedTuple):
    """A piece of a file that is read."""

    handle: int
    offset: int
    data: bytes


class Closed(NamedTuple):
    """A transfer has ended; `crc` is that of the whole file."""

    handle: int
    crc: int


class Listed(NamedTuple):
    """The file of a number."""

    number: int
    size: int
    crc: int
    name: str


class Refused(NamedTuple):
    """A negative reply to one of these commands."""

    cmd: int
    code: int
    text: str


Answer: TypeAlias = Opened | Written | Block | Closed | Listed | Refused


def most_name_bytes(format: FrameFormat) -> int:
    """Return how long a file's name may be."""
    return format.largest_data - _OPEN.size


def most_block_bytes(format: FrameFormat) -> int:
    """Return how many data bytes a block may have."""
    return format.largest_data - _PLACE.size


def open_frame(addr: int, mode: int, name: str, size: int = 0, crc: int = 0) -> Frame:
    """Return the request to begin, or resume, a transfer."""
    return Frame(addr, FILE_OPEN, _OPEN.pack(mode, size, crc) + name.encode())


def write_frame(addr: int, handle: int, offset: int, data: bytes) -> Frame:
    """Return a block of a file."""
    return Frame(addr, FILE_WRITE, _PLACE.pack(handle, offset) + data)


def read_frame(addr: int, handle: int, offset: int) -> Frame:
    """Return the request for a block of a file."""
    return Frame(addr, FILE_READ, _PLACE.pack(handle, offset))


def close_frame(addr: int, handle: int) -> Frame:
    """Return the request to end a transfer."""
    return Frame(addr, FILE_CLOSE, bytes([handle]))


def list_frame(addr: int, index: int) -> Frame:
    """Return the request for the file of a number."""
    return Frame(addr, FILE_LIST, index.to_bytes(2, "little"))


def answer_of(frame: Frame) -> Answer | None:
    """Return what a frame answers to these commands; None if it is another, or its payload is too short."""
    parse = _PARSERS.get(frame.cmd)
    if parse is None:
        return None
    try:
        return parse(frame.data)
    except (struct.error, IndexError):
        return None


def _block(data: bytes) -> Block:
    handle, offset = _PLACE.unpack_from(data)
    return Block(handle, offset, data[_PLACE.size :])


def _listed(data: bytes) -> Listed:
    number, size, crc = _LISTED.unpack_from(data)
    return Listed(number, size, crc, data[_LISTED.size :].decode("utf-8", "replace"))


def _refused(data: bytes) -> Refused | None:
    cmd, code, text = data[0], data[1], data[2:].decode("utf-8", "replace")
    return Refused(cmd, code, text) if cmd in COMMANDS else None


_PARSERS: dict[int, Callable[[bytes], Answer | None]] = {
    FILE_OPEN | REPLY: lambda data: Opened(*_OPENED.unpack_from(data)),
    FILE_WRITE | REPLY: lambda data: Written(*_WRITTEN.unpack_from(data)),
    FILE_READ | REPLY: _block,
    FILE_CLOSE | REPLY: lambda data: Closed(*_CLOSED.unpack_from(data)),
    FILE_LIST | REPLY: _listed,
    NEGATIVE_REPLY: _refused,
}
"""Command of a reply → what reads its payload; bytes behind what is known are a newer device's."""
