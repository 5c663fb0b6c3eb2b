"""Files to and from real firmware: the C core on the posix board, unplugged and reset meanwhile."""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from firmware_sim.board import Board
from framelink.device.transfers import FileInfo, files, get, put
from framelink.link import AsyncLink, LinkState

DATA = random.Random(9).randbytes(60_000)
FAST = 4_000_000
"""Baud rate of a pty, which has none of its own: the link must not wait for it."""


class Mishaps:
    """A progress callback that has something happen to the board at a quarter, a half and three quarters.

    The transfer goes on meanwhile; the mishaps follow each other.
    """

    def __init__(self, *mishaps: Callable[[], Awaitable[None]]) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self._left = list(mishaps)
        self._count = len(mishaps)

    def __call__(self, done: int, total: int) -> None:
        """Take the news."""
        if self._left and done * (self._count + 1) >= total * (self._count + 1 - len(self._left)):
            self.tasks.append(asyncio.ensure_future(self._left.pop(0)()))

    async def over(self) -> None:
        """Wait until all of them have happened."""
        await asyncio.gather(*self.tasks)
        assert len(self.tasks) == self._count


async def test_a_file_survives_unplugs_and_resets_of_real_firmware(tmp_path: Path) -> None:
    """Both ways, byte by byte the same."""
    async with Board("posix", link=tmp_path / "dev") as board, AsyncLink(board.url, baudrate=FAST) as link:
        lost = asyncio.Event()
        link.watch(lambda change: lost.set() if change.state is LinkState.LOST else None)

        async def pull() -> None:
            lost.clear()
            await board.unplug()
            await lost.wait()
            await board.replug()

        async def happening(transfer: Callable[[Mishaps], Awaitable[Any]]) -> Any:
            mishaps = Mishaps(pull, board.reset, pull)
            done = await transfer(mishaps)
            await mishaps.over()
            assert done.stats.reopened >= 2
            return done

        sent = await happening(lambda mishaps: put(link, 1, "file", DATA, progress=mishaps))
        assert sent.crc == zlib.crc32(DATA)
        assert await files(link, 1) == [FileInfo("file", len(DATA), zlib.crc32(DATA))]
        assert (await happening(lambda mishaps: get(link, 1, "file", progress=mishaps))).data == DATA
