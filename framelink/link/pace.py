"""Pace: when the next frame may be handed to a line, so that it waits where others can overtake it.

Pure: the time is an argument.  Systems tell little of what a line still has to send (a pty and many USB
adapters say nothing), so it is reckoned from the line's rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from framelink.link.half_duplex import HalfDuplex
from framelink.link.lane import Lane

BULK_LEAD = 0.002
"""Seconds of earlier bytes with which the next bulk frame is handed over.

It covers what timers of the loop are late, a millisecond and some tenths, so that the line does not run dry.
"""


class Pace:
    """Knows until when a line is busy.

    Args:
        byte_time: Seconds that a byte takes on the line; 0 for one that has no rate of its own.
        half_duplex: How the line is driven if it is a half-duplex one.
    """

    def __init__(self, byte_time: float, half_duplex: HalfDuplex | None = None) -> None:
        self.byte_time = byte_time
        self.free_lanes = self._free_lanes(half_duplex)
        """The lanes before this one need not wait for the line: their frames may always be handed over."""
        self._turnaround = None if half_duplex is None else half_duplex.turnaround
        self._busy_until = -math.inf
        self._heard_at = -math.inf

    def _free_lanes(self, half_duplex: HalfDuplex | None) -> int:
        if half_duplex is not None:
            return Lane.CONTROL
        return Lane.BULK if self.byte_time else len(Lane)

    def sent(self, count: int, now: float) -> float:
        """Note that bytes were handed to the line; return when it will have sent them."""
        begin = self._busy_until if self._busy_until > now else now  # noqa: FURB136 - every frame's path
        self._busy_until = begin + count * self.byte_time
        return self._busy_until

    def heard(self, now: float) -> None:
        """Note that bytes were received."""
        self._heard_at = now

    def due(self, lane: Lane, now: float, unsent: Callable[[], int]) -> float:
        """Return when a frame may be handed to the line; what is not after `now` is at once.

        Args:
            lane: The frame's lane.
            now: The time.
            unsent: Tells the bytes that the line still has to send, as far as the system knows.
        """
        if lane < self.free_lanes:
            return now
        busy_until = self._busy_until
        if waiting := unsent():  # the driver is slower than its rate: flow control, or a busy adapter
            busy_until = max(busy_until, now + waiting * self.byte_time)
        if self._turnaround is None:
            return busy_until - BULK_LEAD
        return max(busy_until, self._heard_at) + self._turnaround
