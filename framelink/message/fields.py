"""Field: one field of a payload, as a schema file writes it."""

from __future__ import annotations

from typing import Any, Final, Self

import construct
import msgspec

Value = int | float | bool | str | bytes | list[int | float]
"""What a field may hold: a number, a label of an enum, text, bytes, or several numbers."""

INTEGERS: Final[dict[str, tuple[int, int]]] = {
    f"{sign}{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) if sign == "i" else (0, (1 << bits) - 1)
    for sign in "ui"
    for bits in (8, 16, 32, 64)
}
_LARGEST_F32 = (2 - 2**-23) * 2.0**127
LARGEST_F64: Final = (2 - 2**-52) * 2.0**1023
_FLOATS: Final = {"f32": (-_LARGEST_F32, _LARGEST_F32), "f64": (-LARGEST_F64, LARGEST_F64)}
NUMBERS: Final[dict[str, tuple[float, float]]] = {**INTEGERS, **_FLOATS}
"""Type → the smallest and the largest number on the wire."""

_RESTS = ("bytes", "string")  # the rest of the payload
PARAMETER_TYPES = ("parameter", "value")  # of the standard get and set, typed by the device's parameters
TYPES = (*NUMBERS, "bool", *_RESTS, *PARAMETER_TYPES)


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One field of a payload.

    Attributes:
        name: Its name in `Message.fields`.
        type: One of `TYPES`.
        unit: The unit of its value.
        scale: Value = number on the wire × scale + offset.
        offset: See scale.
        min: Smallest value allowed when it is sent.
        max: Largest value allowed when it is sent.
        decimals: Digits after the point worth showing.
        description: For people.
        plot: Whether a dashboard should plot it.
        enum: Label → number on the wire; the value is then the label.
        count: How many numbers; the value is then a list.
    """

    name: str
    type: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    min: float | None = None
    max: float | None = None
    decimals: int | None = None
    description: str = ""
    plot: bool = False
    enum: dict[str, int] = {}
    count: int | None = None

    @property
    def is_rest(self) -> bool:
        """Whether it takes whatever is left of the payload."""
        return self.type in _RESTS or self.type == "value"

    @property
    def is_whole(self) -> bool:
        """Whether its numbers on the wire are integers."""
        return self.type in INTEGERS

    @property
    def is_scaled(self) -> bool:
        """Whether its value is another number than the one on the wire."""
        return self.scale != 1 or self.offset != 0

    def construct(self, order: str) -> Any:
        """Return the construct of its bytes; `order` is "little" or "big"."""
        if self.is_rest:
            return construct.GreedyBytes
        code = self.type if self.type in NUMBERS else "u8"  # a bool, or a parameter's number
        kind = {"u": ("Int", "u"), "i": ("Int", "s"), "f": ("Float", "")}[code[0]]
        one = getattr(construct, f"{kind[0]}{code[1:]}{kind[1]}{order[0]}")
        return one if self.count is None else construct.Array(self.count, one)

    def describe(self) -> dict[str, Any]:
        """Return the field as JSON shows it: what the schema file says, without defaults."""
        described: dict[str, Any] = msgspec.to_builtins(self)
        return described

    def renamed(self, name: str) -> Self:
        """Return the same field under another name."""
        return msgspec.structs.replace(self, name=name)


def size_of(fields: tuple[Field, ...], order: str) -> int:
    """Return the bytes of the fields that have a size of their own."""
    return sum(one.construct(order).sizeof() for one in fields if not one.is_rest)
