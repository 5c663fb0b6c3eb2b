"""Rules: what a field must keep beyond the types of its keys."""

from __future__ import annotations

import math
from collections.abc import Iterator

from framelink.errors import SchemaError
from framelink.message.fields import INTEGERS, NUMBERS, TYPES, Field
from framelink.message.values import range_of

MAX_COUNT = 255  # one of the default frame's bytes each
MAX_DECIMALS = 15  # a float has no more


def require_name(name: str, where: str) -> None:
    """Check the name of a message, a field or a parameter.

    Raises:
        SchemaError: It is none; the message begins with `where`.
    """
    if not name.isidentifier() or name.startswith("_"):
        raise SchemaError(f"{where}: name must be letters, digits and _, and begin with a letter")


def require_valid(field: Field, where: str) -> None:
    """Check a field.

    Raises:
        SchemaError: The field cannot be; the message begins with `where`.
    """
    require_name(field.name, where)
    for problem in _problems(field):
        raise SchemaError(f"{where}: {problem}")


def _problems(field: Field) -> Iterator[str]:
    if field.type not in TYPES:
        yield f"type must be one of {', '.join(TYPES)}, not {field.type!r}"
    if field.decimals is not None and not 0 <= field.decimals <= MAX_DECIMALS:
        yield f"decimals must be 0 to {MAX_DECIMALS}, not {field.decimals}"
    if field.enum:
        yield from _enum_problems(field)
    elif field.type in NUMBERS:
        yield from _number_problems(field)
    else:
        yield from _number_keys(field, "need a number type")


def _number_keys(field: Field, problem: str) -> Iterator[str]:
    """Yield the problem for each key that only a plain number may have."""
    if field.is_scaled:
        yield f"scale and offset {problem}"
    if field.min is not None or field.max is not None:
        yield f"min and max {problem}"
    if field.count is not None:
        yield f"count: several values {problem}"


def _enum_problems(field: Field) -> Iterator[str]:
    if field.type not in INTEGERS:
        yield "enum needs an integer type such as u8"
    yield from _number_keys(field, "do not go together with enum")
    first, last = INTEGERS[field.type]
    numbers = field.enum.values()
    if not all(first <= number <= last for number in numbers):
        yield f"enum: numbers must be {first} to {last}"
    if len(set(numbers)) < len(numbers):
        yield "enum: two labels have the same number"


def _number_problems(field: Field) -> Iterator[str]:
    given = {"scale": field.scale, "offset": field.offset, "min": field.min, "max": field.max}
    for key, number in given.items():
        if number is not None and not math.isfinite(number):
            yield f"{key} must be finite, not {number}"
    if field.scale == 0:
        yield "scale must not be 0"
    if field.min is not None and field.max is not None and field.min > field.max:
        yield "min must not be above max"
    if field.count is not None and not 1 <= field.count <= MAX_COUNT:
        yield f"count must be 1 to {MAX_COUNT}, not {field.count}"
    low, high = range_of(field)
    if (field.min is not None and field.min > high) or (field.max is not None and field.max < low):
        yield f"min and max must leave some of the type's values, {low:.10g} to {high:.10g}"
