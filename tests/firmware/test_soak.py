"""All decoders over the same seeded bytes: the same frames, ledger and state, always."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from framelink.wire import DEFAULT_FORMAT, Frame
from tests.support.damage import random_splits
from tests.support.engines import RECEIVERS
from tests.support.flat import FlatReceiver, NativeModule, WasmModule
from tests.support.soak import blocks
from tests.support.vectors import LETTERS
from tools.make_wasm import COMMITTED

SILENCE = 0.1
"""Probability that the line falls silent after a block."""


class Contender:
    """One decoder under test."""

    def __init__(self, name: str, receiver: Any, state: Callable[[Any], str]) -> None:
        self.name = name
        self.receiver = receiver
        self._state = state

    def state(self) -> tuple[Any, ...]:
        """Return all that can be seen of it."""
        return self._state(self.receiver), self.receiver.ledger


def contenders() -> list[Contender]:
    """Return every decoder there is: Python's engine, the extension, the C core as a library, and as Wasm."""
    return [
        *(Contender(name, one(), lambda one: LETTERS[one.state.value]) for name, one in RECEIVERS.items()),
        Contender("C core", FlatReceiver(NativeModule(DEFAULT_FORMAT, 4_096)), lambda one: str(one.state)),
        Contender("Wasm", FlatReceiver(WasmModule(COMMITTED)), lambda one: str(one.state)),
    ]


def compare(seed: int, frames: int) -> int:
    """Feed every decoder the same bytes, in the same and in other splits; return how many frames came out."""
    rng, all_of_them, found = random.Random(seed), contenders(), 0
    for kind, block in blocks(seed, frames):
        silent = rng.random() < SILENCE
        results = [received(one, block, rng, silent=silent) for one in all_of_them]
        for one, result in zip(all_of_them, results, strict=True):
            assert result == results[0], f"{one.name} differs from Python on a block of {kind}, seed {seed}"
        found += len(results[0][0])
    return found


def received(
    one: Contender, block: bytes, rng: random.Random, *, silent: bool
) -> tuple[list[Frame], tuple[Any, ...]]:
    """Return the frames that a decoder finds in a block, and what can be seen of it afterwards."""
    chunks = [block] if rng.random() < 0.7 else random_splits(block, rng, 400)
    frames = [frame for chunk in chunks for frame in one.receiver.feed(chunk)]
    if silent:
        frames += one.receiver.flush()
    return frames, one.state()


def test_all_decoders_agree_on_a_hundred_thousand_frames() -> None:
    """A short run of the soak."""
    assert compare(seed=1, frames=100_000) > 30_000


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 20))
def test_all_decoders_agree_on_ten_million_frames(seed: int) -> None:
    """The soak: a million frames' worth of bytes for each of ten seeds."""
    found = compare(seed, frames=1_000_000)
    print(f"seed {seed}: {found:,} frames found")  # noqa: T201 - figures for whoever runs the soak
    assert found > 300_000
