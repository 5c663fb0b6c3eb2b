"""Layout: the fields of one payload, compiled to constructs once, and the bytes that they fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framelink.errors import PayloadError, SchemaError
from framelink.message.alarms import Alarm, alarms_of, watches_of
from framelink.message.fields import Field, Order, Value
from framelink.message.lengths import Lengths, lengths_of, union
from framelink.message.parts import Part, resolve
from framelink.message.pieces import pieces_of
from framelink.message.problems import shown
from framelink.message.rules import require_valid
from framelink.message.source import Source
from framelink.message.structs import require_other_names


class Layout:
    """The fields of one payload.

    Args:
        fields: The fields in wire order.
        order: "little" or "big".
        max_data: The largest payload that a frame carries, in bytes.
        parameters: Number → field of the device's parameters, for fields of type `parameter` and `value`.
        where: What the layout is part of, for errors.
        structs: Struct → its fields.
        is_open: Whether a payload may have more than these fields, which is left alone.

    Raises:
        SchemaError: The fields do not make a payload.
    """

    def __init__(
        self,
        fields: tuple[Field, ...],
        *,
        order: Order,
        max_data: int,
        parameters: Mapping[int, Field],
        where: str,
        structs: Mapping[str, tuple[Part, ...]],
        is_open: bool = False,
    ) -> None:
        for one in fields:
            require_valid(one, f"{where}, field {one.name!r}", structs)
        _require_payload(fields, where)
        self.fields = fields
        self.parts = tuple(resolve(one, order, structs) for one in fields)
        self.parameters = parameters
        self._typed_by = _type_of_value(fields, where)
        plain = self.parts if self._typed_by is None else self.parts[:-1]
        self._pieces = pieces_of(plain, parameters)
        self._values = {
            number: Layout(
                (one.renamed(fields[-1].name),),
                order=order,
                max_data=max_data,
                parameters={},
                where=where,
                structs=structs,
                is_open=is_open,
            )
            for number, one in (parameters.items() if self._typed_by else ())
        }
        self._watches = watches_of(self.parts)
        self._is_open = is_open
        self._max_data = max_data
        self._own_lengths = lengths_of(self.parts, is_open=is_open)
        self._require_room(where)

    @property
    def is_typed(self) -> bool:
        """Whether the last field is a value, which a parameter types."""
        return self._typed_by is not None

    @property
    def size(self) -> int:
        """The fewest bytes of a payload."""
        return self._own_lengths.least

    @property
    def lengths(self) -> Lengths:
        """The legal lengths of its payloads."""
        if not self._values or self._is_open:  # of what a device has that nobody here knows
            return self._own_lengths
        before = sum(one.least for one in self.parts[:-1])
        return union(one.lengths.after(before) for one in self._values.values())

    def unpack(self, data: bytes) -> dict[str, Value]:
        """Return the fields of a payload by name.

        Raises:
            PayloadError: The payload is too short or too long, or names no parameter of the device.
        """
        if len(data) not in self._own_lengths:
            raise PayloadError(f"payload must have {self._own_lengths} bytes, not {len(data)}")
        return self._unpack_by_pieces(Source(data))

    def _unpack_by_pieces(self, source: Source) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for piece in self._pieces:
            if piece.may_lack and source.is_empty:
                return values
            values |= piece.read(source)
        if self._typed_by is not None:
            return values | self._value_of(values[self._typed_by]).unpack(source.read())
        if not (source.is_empty or self._is_open):
            raise PayloadError(
                f"payload has {len(source.data) - source.at} bytes too many, from byte {source.at}"
            )
        return values

    def pack(self, values: Mapping[str, object]) -> bytes:
        """Return the payload of the fields' values.

        Raises:
            PayloadError: A field is missing or unknown, or has a value that is not allowed.
        """
        self._require_names(values)
        packed = b"".join(one.write(values) for one in self._pieces if one.names[0] in values)
        if self._typed_by is not None:
            name = self.fields[-1].name
            packed += self._value_of(values[self._typed_by]).pack({name: values[name]})
        if len(packed) > self._max_data:
            raise PayloadError(f"payload must have at most {self._max_data} bytes, not {len(packed)}")
        return packed

    def alarms(self, values: Mapping[str, Value]) -> list[Alarm]:
        """Return which of a payload's values are beyond the limits of their fields."""
        found = alarms_of(self._watches, values) if self._watches else []
        if self._typed_by is not None:
            found += self._value_of(values[self._typed_by]).alarms(values)
        return found

    def describe(self) -> list[dict[str, Any]]:
        """Return the fields as JSON shows them."""
        return [one.describe() for one in self.fields]

    def _value_of(self, parameter: object) -> Layout:
        """Return the layout of the value of a parameter, which the device has, by its name or number."""
        known = self.parameters.items()
        return next(self._values[number] for number, one in known if parameter in (one.name, number))

    def _require_names(self, values: Mapping[str, object]) -> None:
        names = [one.name for one in self.fields]
        unknown = [name for name in values if name not in names]
        missing = self._missing(values)
        if unknown or missing:
            problem = f"has no field {shown(unknown[0])}" if unknown else f"field {missing!r} is missing"
            raise PayloadError(f"{problem}; its fields: {', '.join(names) or 'none'}")

    def _missing(self, values: Mapping[str, object]) -> str | None:
        """Return the first field that the values lack and need: also because a later one is there."""
        lacking = [one for one in self.fields if one.name not in values]
        if not lacking or lacking == list(self.fields[-len(lacking) :]):
            return next((one.name for one in lacking if not one.may_lack), None)
        return lacking[0].name

    def _require_room(self, where: str) -> None:
        values = max((one.size for one in self._values.values()), default=0)
        least = sum(one.least for one in self.parts) + values
        if least > self._max_data:
            raise SchemaError(
                f"{where}: {least} bytes do not fit into a payload of {self._max_data} (max_data)"
            )


def _require_payload(fields: Sequence[Field], where: str) -> None:
    require_other_names(fields, where)
    if any(one.is_rest for one in fields[:-1]):
        raise SchemaError(
            f"{where}: only the last field may be of type value, be bytes or a string without a size, or have"
            ' count = "rest"'
        )
    lacking = [one.may_lack for one in fields]
    if lacking != sorted(lacking):
        name = next(one.name for one in fields[lacking.index(True) :] if not one.may_lack)
        problem = "must be optional or have since, as those before it"
        raise SchemaError(f"{where}, field {name!r}: {problem}")


def _type_of_value(fields: Sequence[Field], where: str) -> str | None:
    """Return the name of the parameter that types the last field, None if that is no value."""
    if not fields or fields[-1].type != "value":
        return None
    for one in reversed(fields):
        if one.type == "parameter":
            return one.name
    raise SchemaError(f"{where}: a field of type value needs one of type parameter before it")
