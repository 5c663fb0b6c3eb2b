"""A million requests to several devices on one bad line that is unplugged now and then, in virtual time."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

import framelink
from firmware_sim import DeviceEntry, Fault, MemoryPort, PortEntry, Scenario, Simulation
from framelink.device import AsyncDevice
from tests.device.helpers import MOTOR
from tests.support import virtual_time

REQUESTS = 1_000_000
DEVICES = 4
BAUDRATE = 921_600
UNPLUG_EVERY = 60.0
"""Seconds of the line's time; it is away for one."""
WARM_UP = 0.2
"""Of the requests, before memory is looked at: until then caches fill."""
GROWTH = 1.02
"""Of the number of Python's objects from then on, at most: a leak of one object per thousand requests is more."""
DAMAGE = Fault(
    bit_errors=0.0002, lost=0.0005, added=0.0005, repeated=0.0005, cut=0.01, bursts=0.01, drop=0.02
)


def faults() -> Iterator[Fault]:
    """Yield a pace, damage of every kind, and delays that come and go."""
    yield Fault(baudrate=BAUDRATE)
    yield DAMAGE
    yield from (Fault(start=20.0 * one, stop=20.0 * one + 5, delay=0.02) for one in range(50))


async def jog(device: AsyncDevice, count: int) -> None:
    """Ask a device so often to jog."""
    for _ in range(count):
        await device.call.jog(steps=1)


async def pull_the_plug(simulation: Simulation) -> None:
    """Unplug the line for a second, again and again."""
    while True:
        await asyncio.sleep(UNPLUG_EVERY)
        simulation.unplug("bench")
        await asyncio.sleep(1)
        await simulation.replug("bench")


async def soak() -> None:
    """Ask all devices side by side, and count."""
    entries = [DeviceEntry(model="motor", addr=addr, period=500) for addr in range(1, DEVICES + 1)]
    port = PortEntry(name="bench", kind="memory", device=entries, fault=list(faults()))
    simulation = Simulation(Scenario(port=[port], seed=3))
    memory = simulation.port("bench")
    assert isinstance(memory, MemoryPort)
    async with simulation, framelink.connect(memory.opener, baudrate=BAUDRATE) as link:
        devices = [link.device(addr, MOTOR) for addr in range(1, DEVICES + 1)]
        plug = asyncio.create_task(pull_the_plug(simulation))
        first = round(REQUESTS / DEVICES * WARM_UP)
        await asyncio.gather(*[jog(one, first) for one in devices])
        gc.collect()
        objects = len(gc.get_objects())
        await asyncio.gather(*[jog(one, REQUESTS // DEVICES - first) for one in devices])
        plug.cancel()
        gc.collect()
        assert len(gc.get_objects()) <= GROWTH * objects
        acted = [one.acted["jog"] for one in simulation.devices("bench")]
        assert acted == [REQUESTS // DEVICES] * DEVICES
        assert all(one.stats.timeouts == 0 for one in devices)
        assert sum(one.stats.retries for one in devices) > REQUESTS * DAMAGE.drop
        assert link.stats.reconnects > 0


@pytest.mark.soak
def test_a_million_requests_are_acted_on_once_each() -> None:
    """Nothing is lost, doubled or leaked."""
    virtual_time.run(soak())
