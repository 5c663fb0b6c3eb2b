"""RoundTrips: how long to wait for a device's reply, learned from how long it takes.  Pure.

As RFC 6298 has it for TCP: a smoothed round trip and its variation, no samples of requests that were sent
more than once (Karn), bounds.  Two things are otherwise on a serial line.  The time that the bytes take is
known, so it is taken out of what is learned: a long request after many short ones is waited for as long as
its bytes need.  And loss is no congestion, which would call for restraint, but damage: the first repeats are
as quick as the first sending, and later ones come more slowly only in case the device is busy, or away.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

BITS_PER_BYTE = 10  # start bit, 8 data bits, stop bit
INITIAL = 0.2  # seconds for a device that was not measured yet; TCP's 1 s is for the other side of the world
MARGIN = 0.003  # seconds above the smoothed round trip at least: a USB frame and a turn of a busy loop
LONGEST = 2.0  # seconds at most, whatever was measured; a device that reboots is back by then
RECENT = 1_000  # round trips that the percentiles are of

SMOOTHING = 1 / 8  # RFC 6298's alpha
VARIATION = 1 / 4  # its beta
SPREAD = 4  # its K

QUICK_REPEATS = 6  # at 5 % loss each way, one request in a million is lost as often in a row
GROWTH = 1.25  # of the wait from then on


class RoundTrips:
    """What was measured of one device.

    Args:
        byte_time: Seconds that a byte takes on the line, 0 if that is not known.
    """

    def __init__(self, byte_time: float = 0.0) -> None:
        self._byte_time = byte_time
        self._recent: deque[float] = deque(maxlen=RECENT)
        self.smoothed: float | None = None
        """Seconds that a round trip takes besides its bytes' time, None before the first."""
        self.variance = 0.0
        """By how much, in seconds, round trips differ from that."""

    def wire_time(self, size: int) -> float:
        """Return the seconds that so many bytes take on the line."""
        return size * self._byte_time

    def measured(self, seconds: float, size: int) -> None:
        """Take the round trip of a request that was sent once; `size` is the bytes of request and reply."""
        trip = max(seconds - self.wire_time(size), 0.0)  # a virtual line is faster than its baud rate
        if self.smoothed is None:
            self.smoothed, self.variance = trip, trip / 2
            return
        self.variance += VARIATION * (abs(self.smoothed - trip) - self.variance)
        self.smoothed += SMOOTHING * (trip - self.smoothed)

    def timeout(self, size: int) -> float:
        """Return the seconds to wait for the reply, if request and reply have so many bytes."""
        if self.smoothed is None:
            return INITIAL + self.wire_time(size)
        learned = self.smoothed + max(MARGIN, SPREAD * self.variance)
        return min(learned, LONGEST) + self.wire_time(size)

    def took(self, seconds: float) -> None:
        """Take how long a request took from its first sending to its reply, repeats included."""
        self._recent.append(seconds)

    def percentile(self, share: float) -> float | None:
        """Return within what time that share of the recent requests had their reply, None if none had."""
        times = sorted(self._recent.copy())  # another thread may ask
        return times[min(int(share * len(times)), len(times) - 1)] if times else None


class Patience(NamedTuple):
    """How long a request is waited for, and for how long it is tried.

    Attributes:
        reply: Seconds to wait for the reply after each of the first sendings.
        growth: By how much each later wait is longer.
        line: Seconds to wait for the line before each sending.
        total: Seconds for all of it.
    """

    reply: float
    growth: float = 1.0
    line: float = math.inf
    total: float = math.inf

    def for_line(self, elapsed: float) -> float:
        """Return how long to wait for the line, so many seconds after the beginning."""
        return min(self.line, self.total - elapsed)

    def for_reply(self, attempt: int, elapsed: float, *, is_last: bool = False) -> float:
        """Return how long to wait for the reply to the attempt of that number, the first being 1.

        The last one is waited for as long as there is time: nothing else would be done with it.
        """
        if is_last and self.total < math.inf:
            return max(self.total - elapsed, 0.0)
        grown = self.reply * self.growth ** max(attempt - QUICK_REPEATS, 0)
        return max(min(grown, max(self.reply, LONGEST), self.total - elapsed), 0.0)
