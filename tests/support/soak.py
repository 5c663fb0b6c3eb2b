"""Seeded streams for soaks: clean, damaged and hostile bytes, block by block."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from framelink.wire import encode
from tests.support.damage import DAMAGES, random_frame

BLOCK_FRAMES = 800
FRAME_BYTES = 20
"""What counts as a frame's worth of bytes where there are no frames."""

HURTFUL = b"\x55\xaa\x0d\x0a\x00\x01\x03\xff"
FALSE_STARTS = (
    b"\x55\xaa\x01\x02\xff",
    b"\x55",
    b"\x55\xaa",
    b"\x55\xaa\x01\x02\x04\x00\x00\x00\x00\x00\x00\r\n",
    b"\x55\xaa\r\n\x02",
    b"\r\n",
)


def clean(rng: random.Random) -> bytes:
    """Whole frames, one behind the other, most of them short."""
    return (
        b"".join(encode(random_frame(rng, rng.choice((4, 16, 40, 255)))) for _ in range(BLOCK_FRAMES // 4))
        * 4
    )


def damaged(rng: random.Random) -> bytes:
    """Frames of which one in twenty is damaged."""
    wires = [encode(random_frame(rng)) for _ in range(BLOCK_FRAMES)]
    for at in range(0, BLOCK_FRAMES, 20):
        wires[at] = rng.choice([*DAMAGES.values()])(wires[at], rng)
    return b"".join(wires)


def hostile(rng: random.Random) -> bytes:
    """Starts of frames that never end, among frames."""
    starts = (rng.choice(FALSE_STARTS) * rng.randrange(1, 30) for _ in range(BLOCK_FRAMES // 10))
    return b"".join(one + encode(random_frame(rng, 3)) for one in starts)


def hurtful(rng: random.Random) -> bytes:
    """Random bytes out of those that mean something."""
    return bytes(rng.choices(HURTFUL, k=BLOCK_FRAMES * 5))


def noise(rng: random.Random) -> bytes:
    """Random bytes."""
    return rng.randbytes(BLOCK_FRAMES * 10)


def nested(rng: random.Random) -> bytes:
    """Frames whose data are frames, some of them cut."""
    whole = bytearray()
    for _ in range(BLOCK_FRAMES // 20):
        inner = b"".join(encode(random_frame(rng, 20)) for _ in range(5))[:255]
        outer = encode(random_frame(rng, 0)._replace(data=inner))
        whole += outer[: rng.choice((len(outer), rng.randrange(len(outer))))]
    return bytes(whole)


KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    clean,
    clean,
    clean,
    damaged,
    hostile,
    hurtful,
    noise,
    nested,
)


def blocks(seed: int, frames: int) -> Iterator[tuple[str, bytes]]:
    """Yield blocks and what they are, until they hold as many frames' worth of bytes."""
    rng = random.Random(seed)
    worth = 0
    while worth < frames:
        kind = rng.choice(KINDS)
        block = kind(rng)
        worth += len(block) // FRAME_BYTES
        yield kind.__name__, block
