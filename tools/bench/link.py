"""How fast a frame goes to a device and back, how many a second, and at what cost; all over ptys."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
import tty
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import serial

import framelink
from framelink.wire import Frame, encode
from tools.bench.rounds import Row

FRAME = Frame(1, 0x01, b"")
WIRE = encode(FRAME)
ECHO = """
import os, select, sys, tty
master, slave = os.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
while True:
    readable, _, _ = select.select([master, 0], [], [])
    if 0 in readable:
        break
    os.write(master, os.read(master, 65536))
"""
Times = list[float]


@contextmanager
def echo_device() -> Iterator[str]:
    """Run an echo device in a process of its own; give its path."""
    with subprocess.Popen(
        [sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate("")


def run(*, quick: bool = False) -> list[Row]:
    """Return all rows."""
    return [*_round_trips(quick=quick), _throughput(quick=quick), _cpu_share(quick=quick)]


def _raw(path: str, count: int) -> Times:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    times = []
    for _ in range(count):
        before = time.perf_counter()
        os.write(fd, WIRE)
        heard = b""
        while len(heard) < len(WIRE):
            heard += os.read(fd, 4096)
        times.append(time.perf_counter() - before)
    os.close(fd)
    return times


def _pyserial(path: str, count: int) -> Times:
    with serial.Serial(path, 115200) as line:
        times = []
        for _ in range(count):
            before = time.perf_counter()
            line.write(WIRE)
            line.read(len(WIRE))
            times.append(time.perf_counter() - before)
        return times


def _sync(path: str, count: int) -> Times:
    with framelink.open(path) as link:
        times = []
        for _ in range(count):
            before = time.perf_counter()
            link.send(FRAME)
            link.receive()
            times.append(time.perf_counter() - before)
        return times


async def _async(path: str, count: int) -> Times:
    async with framelink.connect(path) as link:
        times = []
        for _ in range(count):
            before = time.perf_counter()
            await link.send(FRAME)
            await link.receive()
            times.append(time.perf_counter() - before)
        return times


async def _pyserial_asyncio_fast(path: str, count: int) -> Times:
    import serial_asyncio_fast

    reader, writer = await serial_asyncio_fast.open_serial_connection(url=path, baudrate=115200)
    return await _streamed(reader, writer, count)


async def _serialx(path: str, count: int) -> Times:
    import serialx

    reader, writer = await serialx.open_serial_connection(path, baudrate=115200)
    return await _streamed(reader, writer, count)


async def _streamed(reader: Any, writer: Any, count: int) -> Times:
    times = []
    for _ in range(count):
        before = time.perf_counter()
        writer.write(WIRE)
        await reader.readexactly(len(WIRE))
        times.append(time.perf_counter() - before)
    writer.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()  # else the port stays locked for the next contender
    return times


def _running(work: Callable[[str, int], Awaitable[Times]]) -> Callable[[str, int], Times]:
    async def run_it(path: str, count: int) -> Times:
        return await work(path, count)

    return lambda path, count: asyncio.run(run_it(path, count))


CONTENDERS: dict[str, Callable[[str, int], Times]] = {
    "os.read, os.write": _raw,
    "pyserial, blocking": _pyserial,
    "framelink, sync": _sync,
    "framelink, asyncio": _running(_async),
    "pyserial-asyncio-fast": _running(_pyserial_asyncio_fast),
    "serialx": _running(_serialx),
}


def _round_trips(*, quick: bool) -> list[Row]:
    rounds, count = (3, 300) if quick else (15, 2_000)
    halves: dict[str, tuple[Times, Times]] = {name: ([], []) for name in CONTENDERS}
    with echo_device() as path:
        for _ in range(rounds):
            for name, contender in CONTENDERS.items():
                times = sorted(contender(path, count))
                halves[name][0].append(times[count // 2])
                halves[name][1].append(times[count * 99 // 100])
    medians = {name: [statistics.median(one) for one in both] for name, both in halves.items()}
    base = medians["pyserial, blocking"][0]
    return [
        {
            "bench": "round trip over a pty",
            "name": name,
            "p50 µs": round(p50 * 1e6, 1),
            "p99 µs": round(p99 * 1e6, 1),
            "p50 / pyserial": round(p50 / base, 2),
        }
        for name, (p50, p99) in medians.items()
    ]


WRITER = """
import os, sys, time, tty
master, slave = os.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
sys.stdin.readline()
block, count, pace = bytes.fromhex(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
due = time.monotonic()
for _ in range(count):
    rest = block
    while rest:
        rest = rest[os.write(master, rest):]
    due += pace
    time.sleep(max(0, due - time.monotonic()) if pace else 0)
sys.stdin.readline()
"""


@contextmanager
def _writer(block: bytes, count: int, pace: float) -> Iterator[tuple[str, Callable[[], None]]]:
    """Run a device that writes blocks, every `pace` seconds, once it is told to begin."""
    command = [sys.executable, "-c", WRITER, block.hex(), str(count), str(pace)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        stdin = process.stdin
        path = process.stdout.readline().strip()

        def begin() -> None:
            stdin.write("\n")
            stdin.flush()

        yield path, begin
        process.communicate("\n")


def _throughput(*, quick: bool) -> Row:
    block = encode(Frame(1, 0x20, bytes(64))) * 50
    blocks = 200 if quick else 2_000

    async def receive() -> float:
        with _writer(block, blocks, 0.0) as (path, begin):
            async with framelink.connect(path) as link:
                begin()
                before = time.perf_counter()
                for _ in range(blocks * 50):
                    await link.receive()
                return blocks * 50 / (time.perf_counter() - before)

    return {
        "bench": "one way over a pty, 64 B",
        "name": "framelink, asyncio",
        "frames/s": round(asyncio.run(receive())),
    }


def _cpu_share(*, quick: bool) -> Row:
    """Receive 64-byte payloads at the pace of 921,600 baud; return the share of a core that it took."""
    frame = encode(Frame(1, 0x20, bytes(64)))
    burst, seconds = 8, 3 if quick else 15  # a 512-byte USB transfer's worth at a time
    pace = burst * len(frame) * 10 / 921_600
    bursts = round(seconds / pace)

    async def receive() -> float:
        with _writer(frame * burst, bursts, pace) as (path, begin):
            async with framelink.connect(path) as link:
                begin()
                await link.receive()
                before, cpu = time.perf_counter(), time.process_time()
                for _ in range(bursts * burst - 1):
                    await link.receive()
                return (time.process_time() - cpu) / (time.perf_counter() - before)

    share = asyncio.run(receive())
    return {"bench": "paced 921,600 baud, 64 B", "name": "framelink, asyncio", "CPU %": round(share * 100, 1)}
