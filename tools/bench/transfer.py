"""How much of what a line could carry a file transfer carries: clean and lossy lines, both ways."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from framelink.device.transfer_frames import most_block_bytes
from framelink.device.transfers import get, put
from framelink.link import AsyncLink, PortOpener
from framelink.wire import DEFAULT_FORMAT
from tools.bench.rounds import Row

BAUDRATES = (115_200, 921_600)
LOSS = 0.05
"""Probability that a frame is lost, each way."""

SCENARIO = """
seed = 1
[[port]]
name = "{name}"
[[port.device]]
model = "weather"
addr = 1
[[port.fault]]
baudrate = {baudrate}
drop = {drop}
"""

Line = str | PortOpener


def run(*, quick: bool = False) -> list[Row]:
    """Return all rows."""
    seconds = 3 if quick else 20
    return [*_simulated(seconds), *_on_board(min(seconds, 6))]


def _simulated(seconds: int) -> Iterator[Row]:
    """Yield the rows of the Python simulator, in a process of its own, over paced ptys."""
    for baudrate in BAUDRATES:
        shares = {}
        for drop in (0.0, LOSS):
            with _simulator(baudrate, drop) as path:
                shares[drop] = asyncio.run(_both_ways(path, baudrate, seconds))
        for direction, clean in shares[0.0].items():
            yield _row(f"{direction}, simulator", baudrate, clean, shares[LOSS][direction])


def _on_board(seconds: int) -> Iterator[Row]:
    """Yield the rows of the C core on the posix board; this process paces the line, and loses frames.

    What comes from the board is read in pieces of many frames, so frames are lost on the way to it only, and
    twice as many: a request or its reply is lost as often.
    """
    for baudrate in BAUDRATES:
        clean = asyncio.run(_with_board(baudrate, 0.0, seconds))
        lossy = asyncio.run(_with_board(baudrate, LOSS, seconds))
        for direction, share in clean.items():
            yield _row(f"{direction}, posix board", baudrate, share, lossy[direction])


async def _with_board(baudrate: int, drop: float, seconds: int) -> dict[str, float]:
    from firmware_sim import Fault
    from firmware_sim.board import Board
    from tests.support.faulty_line import FaultyOpener

    async with Board("posix") as board:
        faults = [Fault(baudrate=baudrate), Fault(direction="to_device", drop=2 * drop)]
        line = FaultyOpener(board.url, faults, baudrate=baudrate)
        return await _both_ways(line, baudrate, seconds, most=_BOARD_MOST)


_BOARD_MOST = 60_000
"""Bytes of a file that the demo firmware has room for."""


@contextmanager
def _simulator(baudrate: int, drop: float) -> Iterator[str]:
    """Run the simulator; give the path of its line."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder, "scenario.toml")
        scenario.write_text(SCENARIO.format(name="node", baudrate=baudrate, drop=drop), "utf-8")
        command = [sys.executable, "-m", "framelink", "sim", str(scenario)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().removeprefix("ready: ").strip()
            finally:
                process.terminate()


async def _both_ways(line: Line, baudrate: int, seconds: int, most: int = 4_000_000) -> dict[str, float]:
    """Return direction → the share of the wire's payload limit that a file of so many seconds used."""
    size = min(int(_limit(baudrate) * seconds), most)
    data = random.Random(1).randbytes(size)
    async with AsyncLink(line, baudrate=baudrate) as link:
        sent = await put(link, 1, "file", data)
        got = await get(link, 1, "file")
    assert got.data == data
    return {"put": size / sent.seconds / _limit(baudrate), "get": size / got.seconds / _limit(baudrate)}


def _limit(baudrate: int) -> float:
    """Return the bytes a second that full frames could carry, back to back."""
    block = most_block_bytes(DEFAULT_FORMAT)
    return baudrate / 10 * block / (DEFAULT_FORMAT.longest_frame)


def _row(name: str, baudrate: int, clean: float, lossy: float) -> Row:
    return {
        "bench": "file transfer, % of the wire's payload limit",
        "name": name,
        "baud": baudrate,
        "clean %": round(clean * 100, 1),
        "5 % of frames lost %": round(lossy * 100, 1),
        "kB/s": round(clean * _limit(baudrate) / 1_000, 1),
    }
