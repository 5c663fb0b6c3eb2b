"""Layout: the fields of one payload, compiled to a construct once, and the bytes that they fill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import construct

from framelink.errors import PayloadError, SchemaError
from framelink.message.fields import Field, Value, size_of
from framelink.message.rules import require_valid
from framelink.message.values import Reader, Writer, reader_of, shown, writer_of


class Layout:
    """The fields of one payload.

    Args:
        fields: The fields in wire order.
        order: "little" or "big".
        max_data: The largest payload that a frame carries, in bytes.
        parameters: Number → field of the device's parameters, for fields of type `parameter` and `value`.
        where: What the layout is part of, for errors.

    Raises:
        SchemaError: The fields do not make a payload.
    """

    def __init__(
        self,
        fields: tuple[Field, ...],
        *,
        order: str,
        max_data: int,
        parameters: Mapping[int, Field],
        where: str,
    ) -> None:
        for one in fields:
            require_valid(one, f"{where}, field {one.name!r}")
        _require_payload(fields, where)
        self.fields = fields
        self.size = size_of(fields, order)
        self.has_rest = bool(fields) and fields[-1].is_rest
        self._max_data = max_data
        self._struct = construct.Struct(*[one.name / one.construct(order) for one in fields]).compile()
        plain = [one for one in fields if one.type != "value"]
        self._readers = [(one.name, _reader_of(one, parameters)) for one in plain]
        self._writers = [(one.name, _writer_of(one, parameters)) for one in plain]
        self._typed_by = _type_of_value(fields, where)
        self._values = {
            number: Layout(
                (one.renamed(fields[-1].name),), order=order, max_data=max_data, parameters={}, where=where
            )
            for number, one in (parameters.items() if self._typed_by else ())
        }
        least = self.size + max((one.size for one in self._values.values()), default=0)
        if least > max_data:
            raise SchemaError(f"{where}: {least} bytes do not fit into a payload of {max_data} (max_data)")

    def unpack(self, data: bytes) -> dict[str, Value]:
        """Return the fields of a payload by name.

        Raises:
            PayloadError: The payload is too short or too long, or names no parameter of the device.
        """
        if len(data) < self.size or (len(data) > self.size and not self.has_rest):
            least = "at least " if self.has_rest else ""
            raise PayloadError(f"payload must have {least}{self.size} bytes, not {len(data)}")
        parsed = self._struct.parse(data)
        values = {name: read(parsed[name]) for name, read in self._readers}
        if self._typed_by is not None:
            values |= self._values[parsed[self._typed_by]].unpack(parsed[self.fields[-1].name])
        return values

    def pack(self, values: Mapping[str, object]) -> bytes:
        """Return the payload of the fields' values.

        Raises:
            PayloadError: A field is missing or unknown, or has a value that is not allowed.
        """
        self._require_names(values)
        raw = {name: _written(name, write, values[name]) for name, write in self._writers}
        if self._typed_by is not None:
            name = self.fields[-1].name
            raw[name] = self._values[raw[self._typed_by]].pack({name: values[name]})
        packed: bytes = self._struct.build(raw)
        if len(packed) > self._max_data:
            raise PayloadError(f"payload must have at most {self._max_data} bytes, not {len(packed)}")
        return packed

    def _require_names(self, values: Mapping[str, object]) -> None:
        names = [one.name for one in self.fields]
        unknown = [name for name in values if name not in names]
        missing = [name for name in names if name not in values]
        if unknown or missing:
            problem = f"has no field {shown(unknown[0])}" if unknown else f"field {missing[0]!r} is missing"
            raise PayloadError(f"{problem}; its fields: {', '.join(names) or 'none'}")

    def describe(self) -> list[dict[str, Any]]:
        """Return the fields as JSON shows them."""
        return [one.describe() for one in self.fields]


def _require_payload(fields: tuple[Field, ...], where: str) -> None:
    names = [one.name for one in fields]
    if len(set(names)) < len(names):
        raise SchemaError(f"{where}: two fields have the same name")
    if any(one.is_rest for one in fields[:-1]):
        raise SchemaError(f"{where}: only the last field may be of type bytes, string or value")


def _type_of_value(fields: tuple[Field, ...], where: str) -> str | None:
    """Return the name of the parameter that types the last field, None if that is no value."""
    if not fields or fields[-1].type != "value":
        return None
    for one in reversed(fields):
        if one.type == "parameter":
            return one.name
    raise SchemaError(f"{where}: a field of type value needs one of type parameter before it")


def _written(name: str, write: Writer, value: object) -> Any:
    try:
        return write(value)
    except PayloadError as error:
        raise PayloadError(f"{name} {error}") from None


def _reader_of(field: Field, parameters: Mapping[int, Field]) -> Reader:
    return _parameter_reader(parameters) if field.type == "parameter" else reader_of(field)


def _writer_of(field: Field, parameters: Mapping[int, Field]) -> Writer:
    return _parameter_writer(parameters) if field.type == "parameter" else writer_of(field)


def _parameter_reader(parameters: Mapping[int, Field]) -> Reader:
    """Return what makes a parameter's name of its number."""
    names = {number: one.name for number, one in parameters.items()}

    def read(number: int) -> str:
        if number not in names:
            raise PayloadError(f"the device has no parameter {number}")
        return names[number]

    return read


def _parameter_writer(parameters: Mapping[int, Field]) -> Writer:
    """Return what makes a parameter's number of its name or number."""
    numbers = {one.name: number for number, one in parameters.items()}

    def write(value: object) -> int:
        if isinstance(value, str) and value in numbers:
            return numbers[value]
        if isinstance(value, int) and value in parameters:
            return value
        known = ", ".join(numbers) or "none"
        raise PayloadError(f"must be one of the device's parameters ({known}), not {shown(value)}")

    return write
