"""A simulated UART in virtual time: takes everything at once, and knows when each byte is on the wire."""

from __future__ import annotations

import asyncio
from typing import NamedTuple


class OnWire(NamedTuple):
    """What was written at once, when that was, and when it is on the wire."""

    data: bytes
    written: float
    begins: float
    ends: float


class Uart:
    """A port of that kind.

    Args:
        byte_time: Seconds that a byte takes.
        room: Bytes that it takes at once at most.
    """

    low_latency = False

    def __init__(self, byte_time: float, room: int = 1_000_000) -> None:
        self.byte_time = byte_time
        self.room = room
        self.log: list[OnWire] = []
        self.free_at = 0.0

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        data = data[: self.room]
        now = asyncio.get_running_loop().time()
        begins = max(now, self.free_at)
        self.free_at = begins + len(data) * self.byte_time
        self.log.append(OnWire(data, now, begins, self.free_at))
        return len(data)

    def unsent(self) -> int:
        """Tell nothing, as a pty does."""
        return 0

    @property
    def busy(self) -> float:
        """Which part of the time since the first byte the wire was busy."""
        taken = sum(len(one.data) for one in self.log) * self.byte_time
        return taken / (self.free_at - self.log[0].begins)


class LateLoop:
    """A loop whose timers come late, as real ones do."""

    def __init__(self, late: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._late = late
        self.time = self._loop.time

    def call_at(self, when: float, *work: object) -> asyncio.TimerHandle:
        """Do something then, or a little later."""
        return self._loop.call_at(when + self._late, *work)  # type: ignore[arg-type]
