"""Captured bytes, and where each value stands in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar

from framelink.wire.check import ByteOrder

LOOKED_MAX = 65_536
"""Bytes of a capture that are looked at: 20 of the longest usual frames are 5 KB, and this takes seconds."""

CONSTANT = 0.8
"""Share of frames with the same byte at a place from which it is taken to be always there, but for damage."""

TEXT_SHARE = 0.9
"""Share of printable characters and line ends from which bytes are taken to be text."""

_TEXT = bytes([*range(0x20, 0x7F), *b"\t\r\n"])


T = TypeVar("T")


class LengthKind(NamedTuple):
    """How a len field is written."""

    size: int
    order: ByteOrder


LENGTH_KINDS = (LengthKind(1, "little"), LengthKind(2, "little"), LengthKind(2, "big"))


class Capture:
    """The bytes that are looked at: the first of a capture.

    Args:
        data: All that was captured.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data[:LOOKED_MAX]
        self.size = len(self.data)

    @cached_property
    def places(self) -> dict[int, list[int]]:
        """Byte value → the offsets at which it stands."""
        places: dict[int, list[int]] = {}
        for offset, byte in enumerate(self.data):
            places.setdefault(byte, []).append(offset)
        return places

    @cached_property
    def lengths(self) -> dict[LengthKind, Sequence[int]]:
        """How a len is written → what it would say at each offset at which there is room for one."""
        low = self.data
        high = low[1:]
        little = [one | other << 8 for one, other in zip(low, high, strict=False)]
        big = [one << 8 | other for one, other in zip(low, high, strict=False)]
        return dict(zip(LENGTH_KINDS, (low, little, big), strict=True))

    @cached_property
    def text_share(self) -> float:
        """The share of bytes that are printable ASCII, tabs or line ends."""
        return 1 - len(self.data.translate(None, _TEXT)) / self.size if self.size else 0.0

    def offsets(self, mark: bytes) -> list[int]:
        """Return the offsets at which a mark stands."""
        offsets, at = [], self.data.find(mark)
        while at >= 0:
            offsets.append(at)
            at = self.data.find(mark, at + 1)
        return offsets


def spread(values: Sequence[T], most: int) -> Sequence[T]:
    """Return at most so many of the values, from all over them."""
    if len(values) <= most:
        return values
    return [values[index * len(values) // most] for index in range(most)]


def common(values: Iterable[int]) -> tuple[int, float]:
    """Return the most common value and its share; (-1, 0.0) if there are none."""
    counts = Counter(values)
    if not counts:
        return -1, 0.0
    value, count = counts.most_common(1)[0]
    return value, count / counts.total()


def column(data: bytes, starts: Iterable[int], place: int) -> list[int]:
    """Return the bytes that stand so far behind each start, where there is one."""
    return [data[start + place] for start in starts if 0 <= start + place < len(data)]
