"""Requests that succeed: thousands on a line that loses frames, in virtual time, counted in the device."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass

import pytest

import framelink
from firmware_sim import DeviceEntry, Fault, MemoryPort, PortEntry, Scenario, Simulation
from framelink.device import AsyncDevice, DeviceStats
from tests.device.helpers import MOTOR
from tests.support import virtual_time

BAUDRATE = 115_200
JOG_BYTES = (9 + 3) + (9 + 9)
"""What a jog and its reply are on the wire."""


@dataclass(frozen=True)
class Run:
    """What became of a number of jogs."""

    times: list[float]
    acted: int
    jogs: object
    stats: DeviceStats


async def jogging(count: int, *faults: Fault) -> Run:
    """Ask a motor so often to jog, on a line of 115,200 baud with faults."""
    device = DeviceEntry(model="motor", addr=1)
    port = PortEntry(name="m", kind="memory", device=[device], fault=[Fault(baudrate=BAUDRATE), *faults])
    simulation = Simulation(Scenario(port=[port]))
    memory = simulation.port("m")
    assert isinstance(memory, MemoryPort)
    async with simulation, framelink.connect(memory.opener, baudrate=BAUDRATE) as link:
        motor = link.device(1, MOTOR)
        times = [await _time_of(motor) for _ in range(count)]
        jogs = (await motor.call.jog(steps=0)).fields["jogs"]
        return Run(times, simulation.devices("m")[0].acted["jog"], jogs, motor.stats)


async def _time_of(motor: AsyncDevice) -> float:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await motor.call.jog(steps=1)
    return loop.time() - before


@pytest.mark.parametrize("drop", [0.05, 0.2])
def test_ten_thousand_requests_succeed_on_a_bad_line(drop: float) -> None:
    """Each is acted on once.  At 5 % loss each way, none takes more than 20 times the median."""
    count = 10_000
    run = virtual_time.run(jogging(count, Fault(drop=drop)))
    assert run.acted == run.jogs == count + 1
    assert run.stats.retries > count * drop
    assert run.stats.timeouts == 0
    assert drop > 0.05 or max(run.times) <= 20 * statistics.median(run.times)


def test_a_clean_line_is_used_to_the_last_byte() -> None:
    """One request behind the other takes what its bytes take: 90 % of the wire's limit, and more."""
    run = virtual_time.run(jogging(1_000))
    limit = JOG_BYTES * 10 / BAUDRATE
    assert statistics.mean(run.times[1:]) <= limit / 0.99
    assert run.stats.retries == 0


def test_faults_of_every_kind_double_nothing() -> None:
    """Bytes that are lost, added, flipped and repeated, cut frames, and a delay that varies."""
    count = 2_000
    everything = Fault(
        bit_errors=0.0005, lost=0.001, added=0.001, repeated=0.001, cut=0.02, bursts=0.02, drop=0.02
    )
    late = [Fault(start=5.0 * one, stop=5.0 * one + 2.5, delay=0.03) for one in range(20)]
    run = virtual_time.run(jogging(count, everything, *late))
    assert run.acted == run.jogs == count + 1
    assert run.stats.timeouts == 0
