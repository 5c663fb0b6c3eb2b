"""Scaling: value = number on the wire × scale + offset, without the noise of floats."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from framelink.message.fields import Field

_LARGEST_INTEGER: Final = 10**18  # in the source of a formula; integers of a few words divide fast


def digits_of(field: Field) -> int:
    """Return the digits after the point that a scaled whole number can have."""
    return max(_decimals(field.scale), _decimals(field.offset))


def formula_of(field: Field, number: str) -> str:
    """Return the value as Python writes it; `number` is the one on the wire.

    A whole number × scale + offset is a decimal fraction, and the division of two integers is the float next
    to it: 3 × 0.1 reads 0.3.  Only of factors with many digits the noise is rounded away.
    """
    plain = f"{number} * {field.scale!r} + {field.offset!r}"
    if not field.is_whole:
        return plain
    digits = digits_of(field)
    divisor = 10**digits
    factor, shift = (int(Decimal(repr(one)) * divisor) for one in (field.scale, field.offset))
    if max(abs(factor), abs(shift), divisor) > _LARGEST_INTEGER:
        return f"round({plain}, {digits})"
    product = number if factor == 1 else f"{number} * {factor}"
    return f"({product} + {shift}) / {divisor}" if shift else f"{product} / {divisor}"


def scaled_reader(field: Field) -> Callable[[Any], float]:
    """Return what makes the value of the number on the wire."""
    reader: Callable[[Any], float] = eval(f"lambda raw: {formula_of(field, 'raw')}")  # noqa: S307 - of numbers only
    return reader


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).as_tuple().exponent
    assert isinstance(exponent, int)  # the number is finite
    return max(0, -exponent)
