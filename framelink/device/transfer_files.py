"""Where a transferred file comes from and where it goes: bytes, a path, or an open file."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import msgspec

from framelink.device.transfer_incoming import Held
from framelink.device.transfer_outgoing import ReadAt
from framelink.errors import FormatError

Source: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | IO[bytes]
"""What `put` takes: the bytes themselves, a path, or an open binary file that can seek."""
Target: TypeAlias = str | os.PathLike[str] | IO[bytes]
"""Where `get` puts a file: a path, or an open binary file."""

SUM_CHUNK = (
    1 << 20
)  # bytes that a checksum is made of at a time: a millisecond in which the loop does nothing
SIZE_MAX = 0xFFFF_FFFF  # bytes; what a u32 carries

ReadChunk = Callable[[int], bytes]


async def checksum(read: ReadChunk) -> tuple[int, int]:
    """Return size and CRC-32 of all that can be read, letting others in between."""
    size = crc = 0
    while chunk := read(SUM_CHUNK):
        size += len(chunk)
        crc = zlib.crc32(chunk, crc)
        await asyncio.sleep(0)
    return size, crc


@dataclass(frozen=True)
class OpenSource:
    """A file to send; read by blocks, so that it may be larger than memory.

    Attributes:
        size: Its bytes.
        crc: CRC-32 of them.
        read_at: Reads a piece of it.
    """

    size: int
    crc: int
    read_at: ReadAt


@contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """Open a source for the length of a block; an open file stays open behind it.

    Raises:
        OSError: It cannot be opened.
        FormatError: It is a file that cannot seek.
    """
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as file:
            yield file
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source)
    elif source.seekable():
        yield source
    else:
        raise FormatError(
            "a file to send must be able to seek, since lost blocks are read again; pass its bytes"
        )


async def measured(file: IO[bytes]) -> OpenSource:
    """Return what is to be sent of an open file: all of it.

    Raises:
        FormatError: It is larger than a transfer can be.
    """
    file.seek(0)
    size, crc = await checksum(file.read)
    if size > SIZE_MAX:
        raise FormatError(f"a file to send must have at most {SIZE_MAX:,} bytes, not {size:,}")

    def read_at(offset: int, count: int) -> bytes:
        file.seek(offset)
        return file.read(count)

    return OpenSource(size, crc, read_at)


class StreamSink:
    """An open binary file as a `Sink`; it stays open."""

    held: Held | None = None
    """Nothing: whose file it is, only its owner knows."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._begun = False
        self._start = 0

    def begin(self, _size: int, _crc: int) -> None:
        """See `Sink.begin`; what was written since the transfer's begin is taken back."""
        if self._begun:
            self._file.seek(self._start)
            self._file.truncate()
        elif self._file.seekable():
            self._start = self._file.tell()
        self._begun = True

    def write(self, data: bytes) -> None:
        """See `Sink.write`."""
        self._file.write(data)

    def finish(self) -> None:
        """Take the news that the file is whole."""

    def close(self) -> None:
        """Leave the file to its owner."""


class _Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose part a part file is."""

    name: str
    size: int
    crc: int


class PartFile:
    """A path as a `Sink`: what has come is in FILE.part, and whose part it is in FILE.part.json.

    The path itself is written when the file is whole, in one step.  A part is kept whatever ends the
    transfer, and the next one goes on behind it if the device's file is still the same.

    Args:
        path: Where the file goes.
        name: Its name on the device.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.part = path.with_name(path.name + ".part")
        self._identity_file = path.with_name(path.name + ".part.json")
        self._name = name
        self._file: IO[bytes] | None = None
        self.held: Held | None = None
        """What an earlier transfer has left, once `look` has looked."""

    async def look(self) -> None:
        """See what an earlier transfer has left."""
        if self.path.is_dir():
            raise FormatError(f"{self.path} is a directory; name the file that is to be written")
        with contextlib.suppress(OSError, msgspec.DecodeError):
            identity = msgspec.json.decode(self._identity_file.read_bytes(), type=_Identity)
            with self.part.open("rb") as file:
                count, crc = await checksum(file.read)
            if identity.name == self._name:
                self.held = Held(identity.size, identity.crc, count, crc)

    def begin(self, size: int, crc: int) -> None:
        """See `Sink.begin`."""
        self.close()
        self.part.unlink(missing_ok=True)  # before the identity: a part never stands beside another's
        self._identity_file.write_bytes(msgspec.json.encode(_Identity(self._name, size, crc)))
        self._file = self.part.open("wb")

    def write(self, data: bytes) -> None:
        """See `Sink.write`."""
        if self._file is None:
            self._file = self.part.open("ab")
        self._file.write(data)

    def finish(self) -> None:
        """Let the part be the file."""
        self.close()
        self.part.replace(self.path)
        self._identity_file.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the part to the next transfer; closing twice is fine."""
        if self._file is not None:
            self._file.close()
            self._file = None


async def sink_for(target: Target, name: str) -> PartFile | StreamSink:
    """Return where a file goes.

    Raises:
        FormatError: The path is a directory.
    """
    if not isinstance(target, (str, os.PathLike)):
        return StreamSink(target)
    sink = PartFile(Path(target), name)
    await sink.look()
    return sink
