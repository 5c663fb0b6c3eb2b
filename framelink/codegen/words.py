"""Names and texts, as every generator makes them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable

from framelink.codegen.model import limits_of, number_text, shape_of
from framelink.message import Field
from framelink.message.fields import Bit


class Names:
    """Gives everything its own name.

    Args:
        taken: Names that are in use already, or belong to the language.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def unique(self, name: str) -> str:
        """Return the name, with as many `_` behind it as it takes to be the only one."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def free(name: str, taken: Collection[str]) -> str:
    """Return the name, with a `_` behind it if it is taken."""
    return Names(taken).unique(name)


def camel(text: str) -> str:
    """Return a name as classes have it: `read_all` is ReadAll."""
    parts = [one for one in re.split(r"[\W_]+", text) if one]
    name = "".join(one[:1].upper() + one[1:] for one in parts)
    return name if name.isidentifier() else f"Device{name}"


def quoted(text: str) -> str:
    """Return text as a string literal of Python and JavaScript."""
    return json.dumps(text, ensure_ascii=False)


def one_line(text: str) -> str:
    """Return text without line breaks."""
    return " ".join(text.split())


def about_field(field: Field) -> str:
    """Return what is to be said of a field: its description, range, unit and number."""
    many = f"{field.count} of them" if isinstance(field.count, int) else ""
    measure = f"{range_text(field)} {field.unit}".strip()
    return ", ".join(one for one in (field.description, measure, many) if one)


def range_text(field: Field) -> str:
    """Return the values that may be sent; empty where any number may, or none."""
    if shape_of(field) not in {"number", "scaled"} or (
        field.type[0] == "f" and field.min is field.max is None
    ):
        return ""
    low, high = map(number_text, limits_of(field))
    return f"{low} to {high}"


def about_bit(bit: Bit) -> str:
    """Return what is to be said of some bits."""
    span = "" if bit.enum or bit.width == 1 else f"0 to {(1 << bit.width) - 1}"
    return ", ".join(one for one in (bit.description, span) if one)
