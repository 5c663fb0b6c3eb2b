"""One conversation with every kind of device over four wires: requests, events, parameters, files."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest

import framelink
from firmware_sim import DeviceEntry, Fault, PortEntry, Scenario, Simulation, schema_of
from firmware_sim.board import Board
from firmware_sim.board_kind import KINDS
from framelink.device import AsyncDevice
from tests.support.faulty_line import FaultyOpener
from tests.support.pty_device import DEADLINE

WIRES = {
    "perfect": [],
    "one byte at a time": [Fault(chunk=1)],
    "lossy": [
        Fault(direction="to_device", drop=0.05),
        Fault(direction="to_host", drop=0.01),  # of reads, of which a board's frame takes many
        Fault(bit_errors=0.0001, lost=0.0002, added=0.0002, repeated=0.0002),
    ],
    "delayed": [Fault(delay=0.02)],
}
SIMULATED = "simulated"
MOTOR = schema_of("motor")
JOGS = 20
FILE = random.Random(5).randbytes(400)  # what the smallest device has room for


@asynccontextmanager
async def device_on(kind: str, wire: str, folder: Path) -> AsyncIterator[AsyncDevice]:
    """Run a motor controller of a kind behind a wire, and talk to it for a block."""
    async with running(kind, folder / "dev") as url:
        opener = FaultyOpener(url, WIRES[wire], seed=7)
        async with framelink.connect(opener, format=MOTOR.format) as link:
            yield link.device(1, MOTOR)


@asynccontextmanager
async def running(kind: str, name: Path) -> AsyncIterator[str]:
    """Run a motor controller for a block."""
    if kind != SIMULATED:
        async with Board(kind, link=name) as board:
            yield board.url
        return
    device = DeviceEntry(model="motor", addr=1, period=200)
    async with Simulation(Scenario(port=[PortEntry(name="m", device=[device])]), link=name) as simulation:
        yield simulation.urls["m"]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("kind", [SIMULATED, *KINDS])
async def test_a_conversation_holds(kind: str, wire: str, tmp_path: Path) -> None:
    """Each request succeeds and is acted on once; events arrive; a parameter and a file come back as sent."""
    async with asyncio.timeout(6 * DEADLINE), device_on(kind, wire, tmp_path) as device:
        assert (await device.identify()).device_type == MOTOR.device_type
        for steps in range(1, JOGS + 1):
            jogged = await device.call.jog(steps=steps)
        assert jogged.fields == {"position": JOGS * (JOGS + 1) // 2, "jogs": JOGS}
        reply = await device.call.set(parameter="setpoint", value=-321)
        assert reply.fields["value"] == -321
        async for event in device.events("motor"):
            if event.fields["setpoint"] == -321:
                break
        await device.put("notes", BytesIO(FILE))
        got = BytesIO()
        await device.get("notes", got)
        assert got.getvalue() == FILE
