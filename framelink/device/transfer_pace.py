"""How many blocks to keep on their way, which of them are lost, and how long to wait for an answer.  Pure."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from framelink.device.round_trips import BITS_PER_BYTE, GROWTH, INITIAL, QUICK_REPEATS
from framelink.device.transfer_frames import most_block_bytes
from framelink.wire import FrameFormat

SLACK = 0.03  # seconds of line that are queued at most: a USB adapter's 16 ms, and as long for a busy host
SPARE = (
    2  # blocks more than fill the line: all that are under way may be lost at a time, which costs a silence
)
LEAST_TIMEOUT = 0.1  # seconds; a host that is busy wakes that late, and waiting costs at the tail only
MOST_TIMEOUT = 5.0  # seconds between signs of life that are asked for, in a longer and longer silence
_GAIN, _SPREAD_GAIN, _SPREADS = 1 / 8, 1 / 4, 4  # RFC 6298, 2.3


class Pace:
    """Measures round trips, and tells from them how long to wait and how much to keep under way.

    Args:
        format: The device's frames.
        baudrate: The line's symbols per second.
        one_at_a_time: Whether the line carries one frame at a time, as half-duplex ones do.
    """

    def __init__(self, format: FrameFormat, baudrate: int, *, one_at_a_time: bool = False) -> None:
        self.longest_block = most_block_bytes(format)
        """The most data bytes that a block can have."""
        self._overhead = format.overhead
        self._byte_time = BITS_PER_BYTE / baudrate
        self._one_at_a_time = one_at_a_time
        self._longest = format.longest_frame * self._byte_time
        self._mean: float | None = None
        self._spread = 0.0
        self._shortest = math.inf
        self._silences = 0

    @property
    def timeout(self) -> float:
        """Seconds to wait for the answer to what is sent now; longer after many waits in vain."""
        wait = INITIAL + 2 * self._longest
        if self._mean is not None:
            wait = max(self._mean + _SPREADS * self._spread, LEAST_TIMEOUT)
        growth = GROWTH ** max(self._silences - QUICK_REPEATS, 0)
        return min(wait * growth, MOST_TIMEOUT + 4 * self._longest)

    @property
    def patience(self) -> float:
        """Seconds that the longest frame and its answer take, several times: what slow lines need on top."""
        return 20 * self._longest

    def measured(self, seconds: float) -> None:
        """Take a round trip's time; waits are as long as it says again (Karn's rule, RFC 6298, 5.7)."""
        self._silences = 0
        self._shortest = min(self._shortest, seconds)
        if self._mean is None:
            self._mean, self._spread = seconds, seconds / 2
            return
        self._spread += _SPREAD_GAIN * (abs(seconds - self._mean) - self._spread)
        self._mean += _GAIN * (seconds - self._mean)

    def waited_in_vain(self) -> None:
        """Tell that the wait for an answer has ended."""
        self._silences = min(self._silences + 1, 64)  # far beyond the longest wait

    def blocks_under_way(self, block: int, window: int) -> int:
        """Return how many blocks keep the line busy: a round trip's worth and the slack, 1 to `window`.

        More would be none the faster, and whatever else is sent would wait behind them.
        """
        if self._one_at_a_time:
            return 1
        block_time = (self._overhead + block) * self._byte_time
        shortest = block_time if self._shortest is math.inf else self._shortest
        return max(1, min(math.ceil((shortest + SLACK) / block_time) + SPARE, window))


class Sending(NamedTuple):
    """A block, or a request for one, on its way."""

    offset: int
    at: float


class Flight:
    """What is on its way, in the order of sending.

    The line keeps that order in both directions, so an answer proves that those before it were lost.
    It holds no more than the window.
    """

    def __init__(self) -> None:
        self._sendings: deque[Sending] = deque()
        self._counts: dict[int, int] = {}
        self._doubtful: set[int] = set()
        """What was given up since the last answer that was sure: an answer may be to that sending."""

    def __len__(self) -> int:
        return len(self._sendings)

    def __contains__(self, offset: int) -> bool:
        return offset in self._counts

    @property
    def oldest_at(self) -> float:
        """When the oldest was sent, infinity if there is none."""
        return self._sendings[0].at if self._sendings else math.inf

    def add(self, offset: int, now: float) -> None:
        """Tell that a block is on its way."""
        self._sendings.append(Sending(offset, now))
        self._counts[offset] = self._counts.get(offset, 0) + 1

    def answered(self, offset: int, now: float) -> tuple[float | None, list[int]]:
        """Take an answer off; return its round trip, None if it is unsure, and the lost ones' offsets."""
        if offset not in self._counts:
            return None, []
        is_sure = self._counts[offset] == 1 and offset not in self._doubtful
        lost = []
        while (sending := self._pop()).offset != offset:
            lost.append(sending.offset)
        if not is_sure:
            return None, lost
        self._doubtful.clear()
        return now - sending.at, lost

    def _pop(self) -> Sending:
        sending = self._sendings.popleft()
        self._counts[sending.offset] -= 1
        if not self._counts[sending.offset]:
            del self._counts[sending.offset]
        return sending

    def give_up(self) -> None:
        """Expect no answers any more, though some may come yet."""
        self._doubtful.update(self._counts)
        self._sendings.clear()
        self._counts.clear()

    def clear(self) -> None:
        """Forget all: no answers will come."""
        self.give_up()
        self._doubtful.clear()
