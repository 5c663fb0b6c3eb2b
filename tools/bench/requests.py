"""Requests: how many a second, beside pymodbus and beside a line's limit, and what bad lines do to them."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
import tty
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import framelink
from firmware_sim import DeviceEntry, Fault, MemoryPort, PortEntry, Scenario, Simulation, schema_of
from firmware_sim.board import Board
from firmware_sim.memory_port import MemoryOpener
from framelink.device import AsyncDevice
from framelink.errors import ToolchainError
from tests.support import virtual_time
from tools.bench.rounds import Row

BAUDRATE = 115_200
OVERHEAD = framelink.DEFAULT_FORMAT.overhead
EMPTY_LIMIT = BAUDRATE / 10 / (2 * OVERHEAD)
"""Requests without data, and replies without, that the line can carry in a second, one behind the other."""

PACED = f"-DPORT_BAUDRATE={BAUDRATE}U"
"""The flag that gives the posix board a line as slow as a real one."""

DEVICE = """
import os, select, sys, time, tty
from firmware_sim import MODELS, SimulatedDevice, schema_of
fd, slave = os.openpty()
tty.setraw(slave)
motor = schema_of("motor")
addresses = range(1, 1 + int(sys.argv[1]))
devices = [SimulatedDevice("m", addr, motor, MODELS["motor"](1), telemetry="motor") for addr in addresses]
print(os.ttyname(slave), flush=True)
while True:
    ready, _, _ = select.select([fd, 0], [], [])
    if 0 in ready:
        break
    data = os.read(fd, 4096)
    for device in devices:
        for answer in device.feed(data, time.monotonic()):
            os.write(fd, answer)
"""

SERVER = """
import asyncio, os, sys, tty
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

master, slave = os.openpty()
tty.setraw(slave)
by_path = os.open
os.open = lambda path, *more, **options: master if path == "pty" else by_path(path, *more, **options)

async def main():
    registers = SimData(0, values=[7] * 100, datatype=DataType.REGISTERS)
    devices = [SimDevice(addr, [registers]) for addr in range(1, 1 + int(sys.argv[1]))]
    server = ModbusSerialServer(devices, port="pty", baudrate=115200)
    asyncio.get_running_loop().call_later(0.5, print, os.ttyname(slave))
    asyncio.get_running_loop().add_reader(0, sys.exit)
    await server.serve_forever()

asyncio.run(main())
"""


Ask = Callable[[], Awaitable[Any]]


def run(*, quick: bool = False) -> list[Row]:
    """Return all rows."""
    beside = [row for devices in (1, 8) for row in _beside_pymodbus(quick=quick, devices=devices)]
    return [*beside, *_on_a_paced_line(quick=quick), *_on_bad_lines(quick=quick)]


@contextmanager
def _program(script: str, *arguments: str) -> Iterator[str]:
    """Run a Python program for a block, ended by its standard input; give the path that it prints."""
    command = [sys.executable, "-u", "-c", script, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate("\n")


# --- Beside pymodbus --------------------------------------------------------------------------------------


async def _by_name(path: str, devices: int, count: int) -> float:
    """Ask in the terms of a schema, in the sequenced profile."""
    schema = schema_of("motor")
    async with framelink.connect(path, baudrate=BAUDRATE) as link:

        def asking(addr: int) -> Ask:
            device = link.device(addr, schema)
            return lambda: device.call.jog(steps=1)

        return await _side_by_side([asking(addr) for addr in range(1, devices + 1)], count)


async def _by_number(path: str, devices: int, count: int) -> float:
    """Ask for two bytes by a command's number, as pymodbus asks for a register."""
    async with framelink.connect(path, baudrate=BAUDRATE) as link:

        def asking(addr: int) -> Ask:
            device = link.device(addr)
            return lambda: device.request(0x01, b"\x00\x07")

        return await _side_by_side([asking(addr) for addr in range(1, devices + 1)], count)


async def _pymodbus(path: str, devices: int, count: int) -> float:
    from pymodbus.client import AsyncModbusSerialClient

    client = AsyncModbusSerialClient(path, baudrate=BAUDRATE)
    await client.connect()

    def asking(addr: int) -> Ask:
        async def ask() -> None:
            reply = await client.read_holding_registers(0, count=1, device_id=addr)
            assert not reply.isError(), reply

        return ask

    try:
        return await _side_by_side([asking(addr) for addr in range(1, devices + 1)], count)
    finally:
        client.close()


async def _side_by_side(asks: list[Ask], count: int) -> float:
    """Return how many requests a second all of them make together, each its own in a row."""
    for ask in asks:
        await ask()
    rates = await asyncio.gather(*[_per_second(ask, count // len(asks)) for ask in asks])
    return min(rates) * len(asks)


async def _per_second(ask: Ask, count: int) -> float:
    before = time.perf_counter()
    for _ in range(count):
        await ask()
    return count / (time.perf_counter() - before)


CONTENDERS = {
    "framelink, asyncio, bytes": (_by_number, DEVICE),
    "framelink, asyncio, a schema's fields": (_by_name, DEVICE),
    "pymodbus, asyncio, registers": (_pymodbus, SERVER),
}


def _beside_pymodbus(*, quick: bool, devices: int) -> list[Row]:
    """Each device is asked in a row, over a pty; the devices are one process, at the pty's other end."""
    rounds, count = (3, 200) if quick else (9, 2_000)
    rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, (client, device) in CONTENDERS.items():
            with _program(device, str(devices)) as path:
                rates[name].append(asyncio.run(client(path, devices, count)))
    base = statistics.median(rates["pymodbus, asyncio, registers"])
    return [
        {
            "bench": f"requests over a pty, {devices} device{'s side by side' if devices > 1 else ''}",
            "name": name,
            "requests/s": round(statistics.median(each)),
            "× pymodbus": round(statistics.median(each) / base, 2),
        }
        for name, each in rates.items()
    ]


# --- On a paced line --------------------------------------------------------------------------------------


def _on_a_paced_line(*, quick: bool) -> list[Row]:
    """Requests without data to the C firmware, whose line is as slow as a real one.

    What system calls alone reach is what the machine's wake-ups allow.
    """
    rounds, count = (2, 200) if quick else (7, 1_000)
    try:
        rates = asyncio.run(_paced(rounds, count))
    except ToolchainError as error:
        return [{"bench": "paced 115,200 baud", "name": str(error)}]
    return [
        {
            "bench": "requests without data to board posix, paced 115,200 baud",
            "name": name,
            "requests/s": round(statistics.median(each)),
            "% of the wire": round(100 * statistics.median(each) / EMPTY_LIMIT, 1),
            "best round": round(100 * max(each) / EMPTY_LIMIT, 1),
        }
        for name, each in rates.items()
    ]


async def _paced(rounds: int, count: int) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {"os.read, os.write": [], "framelink, asyncio": []}
    async with Board("posix", flags=[PACED]) as board:
        await _silence(board.url)
        for _ in range(rounds):
            rates["os.read, os.write"].append(await asyncio.to_thread(_blocking, board.url, count))
            rates["framelink, asyncio"].append(await _asking(board.url, count))
    return rates


async def _silence(path: str) -> None:
    """Have the board report nothing by itself."""
    async with framelink.connect(path) as link:
        await link.device(1).request("telemetry", {"period": 0})


def _blocking(path: str, count: int) -> float:
    """Return the requests a second of a program that does nothing but system calls."""
    wire = framelink.encode(framelink.Frame(1, 0x01))
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    before = time.perf_counter()
    for _ in range(count):
        os.write(fd, wire)
        heard = b""
        while len(heard) < len(wire):
            heard += os.read(fd, 64)
    seconds = time.perf_counter() - before
    os.close(fd)
    return count / seconds


async def _asking(path: str, count: int) -> float:
    async with framelink.connect(path, baudrate=BAUDRATE) as link:
        device = link.device(1, schema_of("motor"))
        await device.identify()

        async def ask() -> None:  # once: the reply to a repeat would be the next request's, too early
            await device.request(0x01, retries=0)

        return await _per_second(ask, count)


# --- On bad lines, in virtual time ------------------------------------------------------------------------


def _on_bad_lines(*, quick: bool) -> list[Row]:
    count = 1_000 if quick else 10_000
    return [virtual_time.run(_bad(drop, count)) for drop in (0.0, 0.05, 0.2)]


async def _bad(drop: float, count: int) -> Row:
    device = DeviceEntry(model="motor", addr=1)
    faults = [Fault(baudrate=BAUDRATE), Fault(drop=drop)]
    port = PortEntry(name="m", kind="memory", device=[device], fault=faults)
    async with (
        Simulation(Scenario(port=[port])) as simulation,
        framelink.connect(_opener(simulation), baudrate=BAUDRATE) as link,
    ):
        motor = link.device(1, schema_of("motor"))
        times = sorted([await _duration_of(motor) for _ in range(count)])
    median = times[count // 2]
    return {
        "bench": f"{count:,} jogs at 115,200 baud in virtual time",
        "name": f"{drop:.0%} of the frames lost each way",
        "succeeded": count,
        "acted on": simulation.devices("m")[0].acted["jog"],
        "sent again": motor.stats.retries,
        "median ms": round(median * 1e3, 2),
        "slowest ms": round(times[-1] * 1e3, 2),
        "slowest / median": round(times[-1] / median, 1),
    }


def _opener(simulation: Simulation) -> MemoryOpener:
    port = simulation.port("m")
    assert isinstance(port, MemoryPort)
    return port.opener


async def _duration_of(motor: AsyncDevice) -> float:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await motor.call.jog(steps=1)
    return loop.time() - before
