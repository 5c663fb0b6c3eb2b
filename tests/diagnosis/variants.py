"""Seeded variants of the frame, and captures of them with damage, gaps and payloads of many kinds."""

from __future__ import annotations

import random
from dataclasses import dataclass

from framelink.wire import CHECK_NAMES, Frame, FrameFormat, encode
from tests.support.damage import DAMAGES

DAMAGED = 0.05
INTACT = 20
FIELDS = (
    ("addr", "cmd", "len"),
    ("addr", "len", "cmd"),
    ("len", "addr", "cmd"),
    ("cmd", "len"),
    ("len", "cmd"),
    ("len",),
)


@dataclass(frozen=True)
class Variant:
    """A frame format and a capture of it.

    Attributes:
        format: The format.
        data: The capture.
        intact: Offset of the payload → payload, of the frames that were left alone.
    """

    format: FrameFormat
    data: bytes
    intact: dict[int, bytes]


def variant(seed: int, *, gaps: bool = False, frames: int = 0) -> Variant:
    """Return a variant with at least 20 intact frames among its damaged ones."""
    rng = random.Random(f"variant {seed}")
    format = _format(rng, seed)
    data = bytearray()
    intact: dict[int, bytes] = {}
    payload = rng.choice([_random_payload, _counting_payload, _constant_length_payload])
    addrs = rng.sample(range(1, 0x30), rng.randint(1, 4))
    cmds = rng.sample(range(0x20, 0x60), rng.randint(2, 9))
    while len(intact) < max(INTACT, frames):
        addr = rng.choice(addrs) if "addr" in format.fields else 0
        cmd = rng.choice(cmds) if "cmd" in format.fields else 0
        wire = encode(Frame(addr, cmd, payload(rng, len(intact))), format)
        if gaps:
            data += rng.randbytes(rng.randrange(1, 12))
        if rng.random() < DAMAGED:
            damage = rng.choice(list(DAMAGES.values())) if len(wire) > 8 else DAMAGES["bit flip"]
            data += damage(wire, rng)
        else:
            intact[len(data) + format.head_size] = wire[format.head_size : len(wire) - format.trailer_size]
            data += wire
    return Variant(format, bytes(data), intact)


def _format(rng: random.Random, seed: int) -> FrameFormat:
    header = rng.randbytes(1 + seed % 4)
    check = CHECK_NAMES[seed % len(CHECK_NAMES)] if seed % 3 else rng.choice(CHECK_NAMES)
    return FrameFormat(
        header=header,
        tail=rng.randbytes(rng.randrange(5)),
        fields=rng.choice(FIELDS),  # type: ignore[arg-type]  # they are literals
        length_size=rng.choice([1, 1, 2]),
        length_order=rng.choice(["little", "big"]),
        length_counts=rng.choice(["data", "frame"]),
        check=check,
        check_order=rng.choice(["little", "big"]),
        check_covers_header=rng.random() < 0.4,
    )


def _random_payload(rng: random.Random, _count: int) -> bytes:
    return rng.randbytes(rng.randrange(1, 40))


def _counting_payload(rng: random.Random, count: int) -> bytes:
    """Return what devices report: a counter, slow values, zeros."""
    size = rng.choice([8, 12, 20])
    return (count.to_bytes(2, "little") + rng.randrange(900, 1100).to_bytes(4, "little") + bytes(20))[:size]


def _constant_length_payload(rng: random.Random, _count: int) -> bytes:
    return rng.randbytes(12)
