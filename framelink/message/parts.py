"""Part: a field with all that its schema says about its bytes: byte order, struct, lengths, construct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd
from typing import Any, Final

import construct
import msgspec

from framelink.message.fields import NUMBERS, Field, Order

PREFIXES: Final = {"u8": 1, "u16": 2}
"""Types of a number that says how much follows it → its bytes."""

_CODES: Final = {
    **dict(zip(NUMBERS, "BHIQbhiqfd", strict=True)),
    "bool": "B",
    "parameter": "B",
}  # as `struct` has them


@dataclass(frozen=True)
class Part:
    """A field of a payload or of a struct, resolved.

    Attributes:
        field: What the schema file says.
        order: The byte order of its numbers.
        members: The fields of its struct; empty if its type is none.
    """

    field: Field
    order: Order
    members: tuple[Part, ...] = ()

    @cached_property
    def item(self) -> Part:
        """One of its values, if it has several."""
        return replace(self, field=msgspec.structs.replace(self.field, count=None))

    @cached_property
    def least(self) -> int:
        """The fewest bytes that it takes."""
        count, size = self.field.count, self.field.size
        if count is not None:
            return count * self.item.least if isinstance(count, int) else PREFIXES.get(count, 0)
        if self.members:
            return sum(one.least for one in self.members)
        if self.field.type in _CODES:
            return 1 if self.field.type not in NUMBERS else int(self.field.type[1:]) // 8
        return size if isinstance(size, int) else PREFIXES.get(size or "", 0)

    @cached_property
    def step(self) -> int:
        """What its length in bytes may grow by from `least`, again and again; 0 if it never does."""
        count = self.field.count
        if count is not None:
            return self.item.step if isinstance(count, int) else gcd(self.item.least, self.item.step)
        if self.members:
            return gcd(*(one.step for one in self.members))
        return int(self.field.type not in _CODES and not isinstance(self.field.size, int))

    @cached_property
    def construct(self) -> Any:
        """The construct of its bytes."""
        count = self.field.count
        if count is None:
            return self._construct_of_one()
        if isinstance(count, int):
            return construct.Array(count, self.item.construct)
        if count in PREFIXES:
            return construct.PrefixedArray(self._number(count), self.item.construct)
        return construct.GreedyRange(self.item.construct)

    def _construct_of_one(self) -> Any:
        size = self.field.size
        if self.members:
            return construct.Struct(*[one.field.name / one.construct for one in self.members])
        if self.field.type in _CODES:
            return self._number(self.field.type if self.field.type in NUMBERS else "u8")
        if isinstance(size, int):
            return construct.Bytes(size)
        rest = construct.GreedyBytes
        return construct.Prefixed(self._number(size), rest) if size else rest

    def _number(self, code: str) -> Any:
        kind, sign = {"u": ("Int", "u"), "i": ("Int", "s"), "f": ("Float", "")}[code[0]]
        return getattr(construct, f"{kind}{code[1:]}{sign}{self.order[0]}")

    @cached_property
    def span(self) -> int:
        """How many values `struct` makes of it."""
        if isinstance(self.field.count, int):
            return self.field.count * self.item.span
        return sum(one.span for one in self.members) if self.members else 1

    @cached_property
    def codes(self) -> str:
        """Its bytes in the letters of `struct`, one for each value; for parts that have one length."""
        if isinstance(self.field.count, int):
            return self.item.codes * self.field.count
        if self.members:
            return "".join(one.codes for one in self.members)
        return _CODES.get(self.field.type) or f"{self.field.size}s"

    @cached_property
    def orders(self) -> frozenset[Order]:
        """The byte orders of its numbers of several bytes."""
        if self.members:
            return frozenset().union(*(one.orders for one in self.members))
        return frozenset({self.order} if NUMBERS.get(self.field.type) and self.item.least > 1 else ())


def resolve(field: Field, order: Order, structs: Mapping[str, tuple[Part, ...]]) -> Part:
    """Return a field, resolved; `order` is that of fields that have none of their own."""
    return Part(field, field.byte_order or order, structs.get(field.type, ()))
