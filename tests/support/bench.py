"""Simulated devices for tests of the host's side."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_sim import Scenario, Simulation

WEATHER = """
[[port]]
name = "weather"
[[port.device]]
model = "weather"
addr = 1
period = 20
"""
"""A scenario: a weather node that reports 50 times a second."""

MOTOR = """
[[port]]
name = "motor"
[[port.device]]
model = "motor"
addr = 2
"""
"""A scenario: a motor controller that speaks only when asked."""

SCHEMAS = Path(__file__).parents[2] / "firmware_sim" / "schemas"
DEADLINE = 30.0
"""Seconds after which a wait of a test has failed."""


@contextmanager
def running_bench(scenario: str, link: Path | None = None) -> Iterator[dict[str, str]]:
    """Run a scenario in a thread of its own; yields port name → URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    simulation = Simulation(Scenario.parse(scenario), link=link)
    try:
        asyncio.run_coroutine_threadsafe(simulation.__aenter__(), loop).result(DEADLINE)
        yield simulation.urls
        asyncio.run_coroutine_threadsafe(simulation.__aexit__(), loop).result(DEADLINE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE)
        loop.close()
