"""How likely it is that agreements are nothing but chance."""

from __future__ import annotations

import math

CERTAIN = -700.0  # nats; beyond it a float cannot tell a probability from 0


def ln_chance(trials: int, hits: int, rate: float) -> float:
    """Return an upper bound of ln(probability of so many hits or more), if each trial hits with that rate.

    This is Chernoff's bound; 0 means that chance explains it well.
    """
    if trials <= 0 or hits <= rate * trials:
        return 0.0
    if rate <= 0:
        return CERTAIN
    share = min(hits / trials, 1.0)
    divergence = share * math.log(share / rate)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / (1 - rate))
    return max(-trials * divergence, CERTAIN)
