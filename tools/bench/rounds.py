"""Interleaved rounds: every contender in turn, again and again, so that a drifting machine is fair to all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Row = dict[str, Any]

LEAST_TIME = 0.005  # seconds; less is lost in the clock's steps, and in caches that the one before has filled


def medians(contenders: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Return each contender's median of process CPU seconds for one piece of work.

    One round more is run first: it warms up, and tells how often to repeat what is done in no time.
    """
    repeats = {name: 1 + int(LEAST_TIME / max(_spent(work, 1), 1e-9)) for name, work in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            times[name].append(_spent(work, repeats[name]))
    return {name: statistics.median(spent) for name, spent in times.items()}


def _spent(work: Callable[[], object], repeats: int) -> float:
    """Return the CPU seconds of one piece of work, of so many in a row."""
    before = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - before) / repeats
