"""An event loop whose clock jumps to the next timer in place of waiting: hours in no time, to the microsecond."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
TICK = 1e-6  # seconds by which the clock moves at least, so that no rounding makes it stand


class _Clock(selectors.SelectSelector):
    """Waits for nothing but moves the time on by as much."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "the loop waits for something that will never happen"
        if timeout > 0:
            self.now += max(timeout, TICK)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, now: float) -> None:
        self._clock = _Clock(now)
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(work: Coroutine[Any, Any, T], *, clock: float = 0.0) -> T:
    """Run the work on such a loop; its clock begins at `clock`."""
    with asyncio.Runner(loop_factory=lambda: _Loop(clock)) as runner:
        return runner.run(work)
