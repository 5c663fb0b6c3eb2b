"""Interleaved rounds: every contender in turn, again and again, so that a drifting machine is fair to all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Row = dict[str, Any]


def medians(contenders: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Return each contender's median of process CPU seconds; one round more is run first, to warm up."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, work in contenders.items():
            before = time.process_time()
            work()
            spent = time.process_time() - before
            if number:
                times[name].append(spent)
    return {name: statistics.median(spent) for name, spent in times.items()}
