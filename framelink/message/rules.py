"""Rules: what a field must keep beyond the types of its keys."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from framelink.errors import SchemaError
from framelink.message.fields import INTEGERS, NUMBERS, PARAMETER_TYPES, TYPES, Bit, Field, Limits, Plot
from framelink.message.parts import PREFIXES
from framelink.message.problems import shown
from framelink.message.values import number_text, range_of

MAX_COUNT = 0xFFFF  # no frame carries more bytes
MAX_DECIMALS = 15  # a float has no more
_SIZED = ("bytes", "string")


def require_name(name: str, where: str) -> None:
    """Check the name of a message, a field or a parameter.

    Raises:
        SchemaError: It is none; the message begins with `where`.
    """
    if not _is_name(name):
        raise SchemaError(f"{where}: name must be letters, digits and _, and begin with a letter")


def require_valid(field: Field, where: str, structs: Collection[str] = ()) -> None:
    """Check a field; `structs` are the names of the schema's.

    Raises:
        SchemaError: The field cannot be; the message begins with `where`.
    """
    require_name(field.name, where)
    for problem in _problems(field, structs):
        raise SchemaError(f"{where}: {problem}")


def _is_name(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_")


def _problems(field: Field, structs: Collection[str]) -> Iterator[str]:
    if field.type not in TYPES and field.type not in structs:
        yield f"type must be one of {', '.join((*TYPES, *structs))}, not {field.type!r}"
    if field.decimals is not None and not 0 <= field.decimals <= MAX_DECIMALS:
        yield f"decimals must be 0 to {MAX_DECIMALS}, not {shown(field.decimals)}"
    if field.since < 1:
        yield f"since must be 1 or more, not {shown(field.since)}"
    yield from _count_problems(field)
    yield from _size_problems(field)
    yield from _kind_problems(field, structs)
    yield from _shown_problems(field)


def _kind_problems(field: Field, structs: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with the keys that depend on what kind of value it is."""
    if field.byte_order is not None and field.type in structs:
        yield f"byte_order stands at the fields of {field.type}"
    if field.enum:
        yield from _enum_problems(field)
    elif field.bits:
        yield from _bits_problems(field)
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
    if field.limits is not None:
        yield f"limits {problem}"


def _count_problems(field: Field) -> Iterator[str]:
    count = field.count
    if count is None:
        return
    if field.type in PARAMETER_TYPES:
        yield f"count: there is one {field.type} only"
    if isinstance(count, str) and count not in (*PREFIXES, "rest"):
        yield f'count must be a number, "u8", "u16" or "rest", not {count!r}'
    if isinstance(count, int) and not 1 <= count <= MAX_COUNT:
        yield f"count must be 1 to {MAX_COUNT}, not {shown(count)}"
    if field.type in _SIZED and field.size is None:
        yield f"count: several of type {field.type} need a size"


def _size_problems(field: Field) -> Iterator[str]:
    size = field.size
    if size is None:
        return
    if field.type not in _SIZED:
        yield "size needs the type bytes or string"
    if isinstance(size, str) and size not in PREFIXES:
        yield f'size must be a number, "u8" or "u16", not {size!r}'
    if isinstance(size, int) and not 1 <= size <= MAX_COUNT:
        yield f"size must be 1 to {MAX_COUNT}, not {shown(size)}"


def _enum_problems(field: Field) -> Iterator[str]:
    if field.bits:
        yield "enum and bits do not go together"
    if field.type not in INTEGERS:
        yield "enum needs an integer type such as u8"
    yield from _number_keys(field, "do not go together with enum")
    yield from _label_problems(field.enum, *INTEGERS[field.type])


def _label_problems(enum: dict[str, int], first: int, last: int) -> Iterator[str]:
    numbers = enum.values()
    if not all(first <= number <= last for number in numbers):
        yield f"enum: numbers must be {first} to {last}"
    if len(set(numbers)) < len(numbers):
        yield "enum: two labels have the same number"


def _bits_problems(field: Field) -> Iterator[str]:
    if field.type not in INTEGERS or field.type[0] != "u":
        yield "bits need a type of u8, u16, u32 or u64"
    yield from _number_keys(field, "do not go together with bits")
    have, need = int(field.type[1:]), sum(one.width for one in field.bits)
    for one in field.bits:
        yield from _bit_problems(one)
    if need > have:
        yield f"bits: they are {shown(need)}, and {field.type} has {have}"
    names = [one.name for one in field.bits if one.name]
    if not names:
        yield "bits: at least one needs a name"
    if len(set(names)) < len(names):
        yield "bits: two have the same name"


def _bit_problems(bit: Bit) -> Iterator[str]:
    if bit.name and not _is_name(bit.name):
        yield f"bits: name must be letters, digits and _, and begin with a letter, not {bit.name!r}"
    if bit.width < 1:
        yield f"bits: width must be 1 or more, not {shown(bit.width)}"
    for problem in _label_problems(bit.enum, 0, (1 << min(max(bit.width, 1), 64)) - 1):
        yield f"bits: {bit.name}: {problem}"


def _number_problems(field: Field) -> Iterator[str]:
    given = {"scale": field.scale, "offset": field.offset, "min": field.min, "max": field.max}
    yield from _finite_problems(given)
    if field.scale == 0:
        yield "scale must not be 0"
    if field.min is not None and field.max is not None and field.min > field.max:
        yield "min must not be above max"
    low, high = range_of(field)
    if (field.min is not None and field.min > high) or (field.max is not None and field.max < low):
        yield f"min and max must leave some of the type's values, {number_text(low)} to {number_text(high)}"
    if field.limits is not None:
        yield from _limit_problems(field.limits)


def _limit_problems(limits: Limits) -> Iterator[str]:
    levels = ("lolo", "low", "high", "hihi")
    given = {key: number for key in levels if (number := getattr(limits, key)) is not None}
    if not given:
        yield "limits: at least one of lolo, low, high and hihi is needed"
    yield from _finite_problems({f"limits: {key}": number for key, number in given.items()})
    if list(given.values()) != sorted(given.values()):
        yield "limits must not fall from lolo to low, high and hihi"


def _shown_problems(field: Field) -> Iterator[str]:
    if isinstance(field.plot, Plot):
        low, high = field.plot.min, field.plot.max
        yield from _finite_problems({"plot: min": low, "plot: max": high})
        if low is not None and high is not None and low >= high:
            yield "plot: min must be below max"


def _finite_problems(numbers: dict[str, float | None]) -> Iterator[str]:
    for key, number in numbers.items():
        if number is not None and not math.isfinite(number):
            yield f"{key} must be finite, not {number}"
