"""A C device with files, as a library of this machine, and the host's side of each step of a transfer."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware_sim import schema_of
from firmware_sim.board_kind import BOARDS, DEMO
from firmware_sim.toolchain import CORE
from framelink.message import Message
from framelink.wire import encode
from tests.firmware.bench import MAX_DATA, Bench

SOURCES = (Path(__file__).with_name("file_bench.c"), *DEMO[1:])
INCLUDE = (CORE, BOARDS, DEMO[0].parent)
STANDARD = schema_of("motor")
BLOCK = MAX_DATA - 5
WINDOW = 32
WORKING, BROKEN = range(2)
BAD_LENGTH, BAD_VALUE, NOT_PERMITTED, FAILED = 2, 3, 5, 6
FILE = random.Random(1).randbytes(10 * BLOCK + 7)
CONTENTS = [
    random.Random(size).randbytes(size) for size in (1, BLOCK, 2 * BLOCK, 3 * BLOCK + 1, 4 * BLOCK - 1)
]
ROOM = 4_096 - 8 * 36 - 12  # bytes behind the shelf


Call = Callable[..., dict[str, Any]]


class Refused(Exception):
    """The device will not; its arguments are code and text."""


class FileBench(Bench):
    """A device with files, and the host's side of each step.

    Args:
        storage: Which one it has.
    """

    def __init__(self, storage: int = WORKING) -> None:
        self.storage = storage
        super().__init__(storage, sources=SOURCES, include=INCLUDE)
        self.boots = 0
        self.power_up(0)

    def power_up(self, filler: int) -> None:
        """Switch it on, with anything in its memory."""
        self.c.bench_power_up(filler)
        self.c.bench_start(self.storage, 0, 0)

    def reset(self) -> None:
        """Start it anew."""
        self.boots += 1
        self.c.bench_start(self.storage, self.boots, 0)

    def call(self, command: str, /, **fields: Any) -> dict[str, Any]:
        """Send a request and return the reply's fields.

        Raises:
            Refused: The device will not.
        """
        (frame,) = self.feed(encode(STANDARD.encode(1, command, fields)))
        message = STANDARD.decode(frame)
        assert isinstance(message, Message)
        if message.name == "refusal":
            raise Refused(frame.data[1], message.fields["text"])
        assert message.name == command
        return dict(message.fields)

    def open(self, data: bytes = FILE, name: str = "a.txt", crc: int | None = None) -> dict[str, Any]:
        """Open a file to write."""
        check = zlib.crc32(data) if crc is None else crc
        return self.call("file_open", mode="write", size=len(data), crc=check, name=name)

    def write(self, handle: int, number: int, data: bytes = FILE) -> dict[str, Any]:
        """Write a block."""
        at = number * BLOCK
        return self.call("file_write", handle=handle, offset=at, data=data[at : at + BLOCK])

    def put(self, data: bytes = FILE, name: str = "a.txt") -> None:
        """Write a whole file."""
        handle = self.open(data, name)["handle"]
        for number in range(-(-len(data) // BLOCK)):
            self.write(handle, number, data)
        self.call("file_close", handle=handle)

    def get(self, name: str = "a.txt") -> bytes:
        """Read a whole file."""
        opened = self.call("file_open", mode="read", size=0, crc=0, name=name)
        parts = [
            self.call("file_read", handle=opened["handle"], offset=at)["data"]
            for at in range(0, opened["size"], opened["block"])
        ]
        data = b"".join(parts)
        assert (len(data), zlib.crc32(data)) == (opened["size"], opened["crc"])
        assert self.call("file_close", handle=opened["handle"])["crc"] == opened["crc"]
        return data

    def names(self) -> dict[str, tuple[int, int]]:
        """Return name → size and CRC of every file."""
        found: dict[str, tuple[int, int]] = {}
        while True:
            try:
                one = self.call("file_list", index=len(found))
            except Refused as refused:
                assert refused.args == (BAD_VALUE, "no such file")  # noqa: PT017 - it ends the list
                return found
            assert one["index"] == len(found)
            found[one["name"]] = (one["size"], one["crc"])
