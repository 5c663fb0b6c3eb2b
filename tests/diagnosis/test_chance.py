"""The bound on how likely agreements are by chance."""

from __future__ import annotations

import math

import pytest

from framelink.diagnosis.chance import CERTAIN, ln_chance


def binomial_tail(trials: int, hits: int, rate: float) -> float:
    """Return the exact probability of so many hits or more."""
    return sum(math.comb(trials, n) * rate**n * (1 - rate) ** (trials - n) for n in range(hits, trials + 1))


@pytest.mark.parametrize("trials", [1, 5, 20, 60])
@pytest.mark.parametrize("rate", [0.004, 0.1, 0.5])
def test_it_is_never_below_the_exact_probability(trials: int, rate: float) -> None:
    """So no verdict is surer than it may be."""
    for hits in range(1, trials + 1):
        assert ln_chance(trials, hits, rate) >= math.log(binomial_tail(trials, hits, rate)) - 1e-9


def test_what_is_usual_proves_nothing() -> None:
    """As many hits as the rate gives, or none at all."""
    assert ln_chance(100, 10, 0.1) == 0.0
    assert ln_chance(0, 0, 0.1) == 0.0


def test_what_cannot_be_by_chance_is_certain() -> None:
    """Within what a float can tell from zero."""
    assert ln_chance(5, 1, 0.0) == CERTAIN
    assert ln_chance(10_000, 10_000, 1e-6) == CERTAIN
