"""One field of a payload: its number on the wire, its value with a unit, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import construct
import msgspec

from framelink.errors import PayloadError, SchemaError

Value = int | float | bool | str | bytes | list[int | float]
"""What a field may hold: a number, a label of an enum, text, bytes, or several numbers."""

_INTEGERS: Final[dict[str, tuple[int, int]]] = {
    f"{sign}{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) if sign == "i" else (0, (1 << bits) - 1)
    for sign in "ui"
    for bits in (8, 16, 32, 64)
}
_FLOATS = ("f32", "f64")
_RESTS = ("bytes", "string")  # the rest of the payload
_PARAMETER_TYPES = ("parameter", "value")  # of the standard get and set, typed by the device's parameters
TYPES = (*_INTEGERS, *_FLOATS, "bool", *_RESTS, *_PARAMETER_TYPES)

_SCALED_DIGITS = 9  # a scaled number is rounded to these, so that 3 × 0.1 reads 0.3


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One field of a payload, as a schema file writes it.

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

    def require_valid(self, where: str) -> None:
        """Check what the type alone cannot.

        Raises:
            SchemaError: The field cannot be; the message begins with `where`.
        """
        problems = {
            f"type must be one of {', '.join(TYPES)}, not {self.type!r}": self.type not in TYPES,
            "scale must not be 0": self.scale == 0,
            "enum needs an integer type such as u8": bool(self.enum) and self.type not in _INTEGERS,
            "scale, offset and enum do not go together": bool(self.enum) and self._is_scaled,
            "scale and offset need a number type": self._is_scaled and not self._is_number,
            "min must not be above max": self.min is not None
            and self.max is not None
            and self.min > self.max,
            "count must be 1 to 255 and needs a number type": self.count is not None
            and not (1 <= self.count <= 255 and self._is_number),
        }
        for problem, applies in problems.items():
            if applies:
                raise SchemaError(f"{where}, field {self.name!r}: {problem}")

    def construct(self, order: str) -> Any:
        """Return the construct of its bytes; `order` is "little" or "big"."""
        if self.is_rest:
            return construct.GreedyBytes
        code = {"bool": "u8", "parameter": "u8"}.get(self.type, self.type)
        kind = {"u": ("Int", "u"), "i": ("Int", "s"), "f": ("Float", "")}[code[0]]
        one = getattr(construct, f"{kind[0]}{code[1:]}{kind[1]}{order[0]}")
        return one if self.count is None else construct.Array(self.count, one)

    def value_of(self, raw: Any) -> Value:
        """Return the value of what the construct read."""
        if self.count is not None:
            return [self._scaled(one) for one in raw]
        return self._reader(raw)

    def raw_of(self, value: object) -> Any:
        """Return what the construct writes for a value.

        Raises:
            PayloadError: The value is not allowed; the message says what is.
        """
        if self.count is None:
            return self._raw_of_one(value)
        if not isinstance(value, list) or len(value) != self.count:
            raise PayloadError(f"must be a list of {self.count} numbers, not {value!r}")
        return [self._raw_number(one) for one in value]

    @property
    def _is_scaled(self) -> bool:
        return self.scale != 1 or self.offset != 0

    @property
    def _is_number(self) -> bool:
        return self.type in _INTEGERS or self.type in _FLOATS

    @property
    def _reader(self) -> Callable[[Any], Value]:
        readers: dict[str, Callable[[Any], Value]] = {"bool": bool, "bytes": bytes, "string": _text}
        if self.enum:
            return self._label
        return readers.get(self.type, self._scaled)

    def _label(self, raw: int) -> Value:
        """Return the label of a number, the number itself if it has none: a newer device may know more."""
        return next((label for label, number in self.enum.items() if number == raw), raw)

    def _scaled(self, raw: float) -> int | float:
        return round(raw * self.scale + self.offset, _SCALED_DIGITS) if self._is_scaled else raw

    def _raw_of_one(self, value: object) -> Any:
        if self.enum:
            return self._raw_label(value)
        writers = {"bool": _raw_bool, "bytes": _raw_bytes, "string": _raw_text}
        return writers.get(self.type, self._raw_number)(value)

    def _raw_label(self, value: object) -> int:
        if isinstance(value, str) and value in self.enum:
            return self.enum[value]
        if isinstance(value, int) and value in self.enum.values():
            return value
        raise PayloadError(f"must be one of {', '.join(self.enum)}, not {value!r}")

    def _raw_number(self, value: object) -> int | float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise PayloadError(f"must be a number, not {value!r}")
        low, high = self._limits()
        if not low <= value <= high:  # a NaN is refused as well
            raise PayloadError(f"must be {low:g} to {high:g}{self.unit and ' ' + self.unit}, not {value!r}")
        if self.type in _FLOATS:
            return (value - self.offset) / self.scale
        raw = (value - self.offset) / self.scale if self._is_scaled else value
        if not self._is_scaled and raw != int(raw):
            raise PayloadError(f"must be a whole number, not {value!r}")
        return round(raw)

    def _limits(self) -> tuple[float, float]:
        """Return the smallest and the largest value that may be sent."""
        if self.type in _FLOATS:
            low, high = float("-inf"), float("inf")
        else:
            bounds = _INTEGERS.get(self.type, (0, 255))
            low, high = sorted((self._scaled(bounds[0]), self._scaled(bounds[1])))
        return (low if self.min is None else max(low, self.min)), (
            high if self.max is None else min(high, self.max)
        )

    def describe(self) -> dict[str, Any]:
        """Return the field as JSON shows it: what the schema file says, without defaults."""
        described: dict[str, Any] = msgspec.to_builtins(self)
        return described

    def renamed(self, name: str) -> Field:
        """Return the same field under another name."""
        return msgspec.structs.replace(self, name=name)


def size_of(fields: tuple[Field, ...], order: str) -> int:
    """Return the bytes of the fields that have a size of their own."""
    return sum(one.construct(order).sizeof() for one in fields if not one.is_rest)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _raw_bool(value: object) -> int:
    if value not in (True, False, 0, 1):
        raise PayloadError(f"must be true or false, not {value!r}")
    return int(bool(value))


def _raw_bytes(value: object) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        return bytes.fromhex(value)  # type: ignore[arg-type]  # a non-string is the error we report
    except (TypeError, ValueError):
        raise PayloadError(f"must be bytes, or hex text such as 01 02, not {value!r}") from None


def _raw_text(value: object) -> bytes:
    if not isinstance(value, str):
        raise PayloadError(f"must be text, not {value!r}")
    return value.encode("utf-8")


def labels_of(parameters: Mapping[int, Field]) -> dict[str, int]:
    """Return the enum of a device's parameters: name → number."""
    return {one.name: number for number, one in parameters.items()}
