"""Field: one field of a payload, as a schema file writes it."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

import msgspec

Value = int | float | bool | str | bytes | list[Any] | dict[str, Any]
"""What a field may hold: a number, a label of an enum, text, bytes, several of these, or parts by name."""

Order = Literal["little", "big"]

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

_RESTS = ("bytes", "string")  # without a size they are the rest of the payload
PARAMETER_TYPES = ("parameter", "value")  # of the standard get and set, typed by the device's parameters
TYPES = (*NUMBERS, "bool", *_RESTS, *PARAMETER_TYPES)


class Bit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Some bits of a bit field, the next ones from the lowest up.

    Attributes:
        name: Its name in the field's value; empty for bits that are reserved: sent as 0, and not looked at.
        width: How many bits.  One bit without an enum is a bool, else they are an unsigned number.
        enum: Label → number; the value is then the label.
        description: For people.
    """

    name: str = ""
    width: int = 1
    enum: dict[str, int] = {}
    description: str = ""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Alarm limits of a value, in its unit; a value beyond one is still a value.

    Attributes:
        lolo: Below it the value is alarming.
        low: Below it the value deserves a warning.
        high: Above it likewise.
        hihi: Above it the value is alarming.
    """

    lolo: float | None = None
    low: float | None = None
    high: float | None = None
    hihi: float | None = None


class Plot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How a value is plotted.

    Attributes:
        style: A line from value to value, steps, or points.
        group: Values of one group share a plot.
        min: Where its axis begins; by default where the values do.
        max: Where its axis ends.
    """

    style: Literal["line", "step", "points"] = "line"
    group: str = ""
    min: float | None = None
    max: float | None = None


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One field of a payload.

    Attributes:
        name: Its name in `Message.fields`.
        type: One of `TYPES`, or the name of one of the schema's structs.
        unit: The unit of its value.
        scale: Value = number on the wire × scale + offset.
        offset: See scale.
        min: Smallest value allowed when it is sent.
        max: Largest value allowed when it is sent.
        decimals: Digits after the point worth showing.
        description: For people.
        plot: Whether, and how, a dashboard should plot it.
        limits: Its alarm limits.
        enum: Label → number on the wire; the value is then the label.
        bits: The parts of a bit field, of an unsigned type, from the lowest bit up; the value is then a
            mapping of their names.
        count: How many of them; the value is then a list.  A number, the type of the number that stands
            before them (`u8` or `u16`), or `rest` for as many as the payload has left.
        size: Bytes of a `bytes` or `string`: a number (a string is filled up with zeros), or the type of the
            number that stands before it (`u8` or `u16`); None for the rest of the payload.
        byte_order: Its own, if it is not the device's.
        optional: Whether a payload may end before it.
        since: The version of the device's messages that brought it; from 2 on, a payload may end before it.
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
    plot: bool | Plot = False
    limits: Limits | None = None
    enum: dict[str, int] = {}
    bits: list[Bit] = []
    count: int | str | None = None
    size: int | str | None = None
    byte_order: Order | None = None
    optional: bool = False
    since: int = 1

    @property
    def is_rest(self) -> bool:
        """Whether it takes whatever is left of the payload."""
        open_ended = self.type in _RESTS and self.size is None
        return open_ended or self.type == "value" or self.count == "rest"

    @property
    def may_lack(self) -> bool:
        """Whether a payload may end before it."""
        return self.optional or self.since > 1

    @property
    def is_whole(self) -> bool:
        """Whether its numbers on the wire are integers."""
        return self.type in INTEGERS

    @property
    def is_scaled(self) -> bool:
        """Whether its value is another number than the one on the wire."""
        return self.scale != 1 or self.offset != 0

    def describe(self) -> dict[str, Any]:
        """Return the field as JSON shows it: what the schema file says, without defaults."""
        described: dict[str, Any] = msgspec.to_builtins(self)
        return described

    def renamed(self, name: str) -> Self:
        """Return the same field under another name."""
        return msgspec.structs.replace(self, name=name)
