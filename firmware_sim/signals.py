"""Believable signals: slow swings with noise on them, the same for the same seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Swing:
    """A quantity that swings slowly about a middle.

    Attributes:
        middle: The middle of the swing.
        swing: How far it goes to either side.
        period: Seconds of one swing.
        noise: Standard deviation of the noise on top.
        phase: Where in the swing it begins, 0 to 1.
    """

    middle: float
    swing: float
    period: float
    noise: float
    phase: float = 0.0

    def at(self, now: float, rng: random.Random) -> float:
        """Return the quantity at a time."""
        turn = 2 * math.pi * (now / self.period + self.phase)
        return self.middle + self.swing * math.sin(turn) + rng.gauss(0, self.noise)


class Lag:
    """A quantity that follows another with inertia, as a motor follows its set-point."""

    def __init__(self, value: float, time_constant: float) -> None:
        self.value = value
        self._time_constant = time_constant
        self._at: float | None = None

    def toward(self, target: float, now: float) -> float:
        """Move on to `now` and return the quantity."""
        elapsed = 0.0 if self._at is None else now - self._at
        self._at = now
        self.value += (target - self.value) * (1 - math.exp(-elapsed / self._time_constant))
        return self.value
