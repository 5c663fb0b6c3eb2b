"""Functions between numbers on the wire and values in units."""

from __future__ import annotations

from framelink.codegen.c_symbols import Symbols
from framelink.codegen.c_text import INDENT, comment, function, number_literal
from framelink.codegen.c_types import NUMBER_TYPES
from framelink.message import Field
from framelink.message.fields import INTEGERS

_FLOAT_BITS = 16  # a float keeps every number of so many, and what a float can do is quick on a controller
_FLOAT_RANGE = 1e-30, 1e30


def units(symbols: Symbols) -> list[str]:
    """Return two functions for each way of scaling."""
    lines: list[str] = []
    for name, field in symbols.scaled:
        unit = f" in {field.unit}" if field.unit else ""
        lines += [
            *comment(f"{field.name}{unit}, and the number on the wire that is nearest to it."),
            *_to_units(name, field),
        ]
        lines += _from_units(name, field)
    return lines


def _to_units(name: str, field: Field) -> list[str]:
    kind = real_type(field)
    value = f"({kind})raw * {_literal(field.scale, field)}"
    offset = f" + {_literal(field.offset, field)}" if field.offset else ""
    head = f"static inline {kind} {name}_to_units({NUMBER_TYPES[field.type]} raw)"
    return function(head, [f"return {value}{offset};"])


def _from_units(name: str, field: Field) -> list[str]:
    kind, raw = real_type(field), NUMBER_TYPES[field.type]
    head = f"static inline {raw} {name}_from_units({kind} value)"
    offset = f"(value - {_literal(field.offset, field)})" if field.offset else "value"
    scaled = f"{kind} raw = {offset} / {_literal(field.scale, field)};"
    return function(head, [scaled, *(_rounded(field) if field.is_whole else [f"return ({raw})raw;"])])


def _rounded(field: Field) -> list[str]:
    """Return how a real number becomes the nearest whole one of the type; what is no number, the smallest."""
    kind, raw, half = real_type(field), NUMBER_TYPES[field.type], _literal(0.5, field)
    low, high = INTEGERS[field.type]
    # As real numbers the limits may be rounded, away from zero: what is between them has a whole one.
    lines = [
        *(f"if (!(raw > {_literal(low, field)}))", f"{INDENT}return {number_literal(low)};"),
        *(f"if (raw >= {_literal(high, field)})", f"{INDENT}return {number_literal(high)};"),
        f"{raw} whole = ({raw})raw;",
        *(f"if (raw - ({kind})whole >= {half})", f"{INDENT}whole++;"),
    ]
    if low:
        lines += [f"if (raw - ({kind})whole <= -{half})", f"{INDENT}whole--;"]
    return [*lines, "return whole;"]


def real_type(field: Field) -> str:
    """Return the type of the values."""
    ends = [abs(one) for one in (field.scale, field.offset) if one]
    is_small = field.is_whole and int(field.type[1:]) <= _FLOAT_BITS
    in_range = all(_FLOAT_RANGE[0] < one < _FLOAT_RANGE[1] for one in ends)
    return "float" if is_small and in_range else "double"


def _literal(number: float, field: Field) -> str:
    return f"{float(number)!r}{'F' if real_type(field) == 'float' else ''}"
