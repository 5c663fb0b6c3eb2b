"""Bits: numbers made of parts, from the lowest bit up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from framelink.errors import PayloadError
from framelink.message.fields import Bit
from framelink.message.labels import label_reader, label_writer
from framelink.message.problems import placed, require_parts, shown


def bits_reader(bits: Sequence[Bit]) -> Callable[[int], dict[str, Any]]:
    """Return what makes the parts of a number."""
    parts = [(one.name, shift, (1 << one.width) - 1, _part_reader(one)) for one, shift in _named(bits)]
    return lambda raw: {name: read(raw >> shift & mask) for name, shift, mask, read in parts}


def bits_writer(bits: Sequence[Bit]) -> Callable[[object], int]:
    """Return what makes the number of the parts; reserved bits are 0."""
    parts = {one.name: (shift, _part_writer(one)) for one, shift in _named(bits)}

    def write(value: object) -> int:
        given, number = require_parts(value, parts), 0
        for name, (shift, part) in parts.items():
            try:
                number |= part(given[name]) << shift
            except PayloadError as error:
                raise placed(f".{name}", error) from None
        return number

    return write


def _named(bits: Sequence[Bit]) -> Iterator[tuple[Bit, int]]:
    """Yield the parts that have a name, and the places of their lowest bits."""
    shift = 0
    for one in bits:
        if one.name:
            yield one, shift
        shift += one.width


def _part_reader(bit: Bit) -> Callable[[int], Any]:
    if bit.enum:
        return label_reader(bit.enum)
    return bool if bit.width == 1 else int


def _part_writer(bit: Bit) -> Callable[[object], int]:
    if bit.enum:
        return label_writer(bit.enum)
    return _flag if bit.width == 1 else _number_writer((1 << bit.width) - 1)


def _flag(value: object) -> int:
    if not isinstance(value, int) or value not in (0, 1):
        raise PayloadError(f"must be true or false, not {shown(value)}")
    return int(value)


def _number_writer(most: int) -> Callable[[object], int]:
    def write(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            raise PayloadError(f"must be 0 to {most}, not {shown(value)}")
        if value != int(value):
            raise PayloadError(f"must be a whole number, not {shown(value)}")
        return int(value)

    return write
