"""Seeded damage to frames, and the ways to split a stream."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from framelink.wire import Frame

Damage = Callable[[bytes, random.Random], bytes]


def flip_a_bit(wire: bytes, rng: random.Random) -> bytes:
    """Flip one bit."""
    at = rng.randrange(len(wire))
    return wire[:at] + bytes([wire[at] ^ 1 << rng.randrange(8)]) + wire[at + 1 :]


def lose_a_byte(wire: bytes, rng: random.Random) -> bytes:
    """Take one byte away."""
    at = rng.randrange(len(wire))
    return wire[:at] + wire[at + 1 :]


def add_a_byte(wire: bytes, rng: random.Random) -> bytes:
    """Put a random byte in."""
    at = rng.randrange(1, len(wire))
    return wire[:at] + rng.randbytes(1) + wire[at:]


def cut_short(wire: bytes, rng: random.Random) -> bytes:
    """Let the end go missing."""
    return wire[: rng.randrange(1, len(wire))]


def burst(wire: bytes, rng: random.Random) -> bytes:
    """Replace 8 bytes by random ones."""
    at = rng.randrange(len(wire) - 7)
    return wire[:at] + rng.randbytes(8) + wire[at + 8 :]


DAMAGES: dict[str, Damage] = {
    "bit flip": flip_a_bit,
    "byte lost": lose_a_byte,
    "byte added": add_a_byte,
    "cut short": cut_short,
    "8-byte burst": burst,
}


def random_frame(rng: random.Random, largest: int = 40) -> Frame:
    """Return a frame with random content."""
    return Frame(rng.randrange(256), rng.randrange(256), rng.randbytes(rng.randrange(largest + 1)))


def random_splits(stream: bytes, rng: random.Random, largest: int = 40) -> Iterator[bytes]:
    """Yield a stream in random pieces, empty ones among them."""
    at = 0
    while at < len(stream):
        size = rng.randrange(largest)
        yield stream[at : at + size]
        at += size
