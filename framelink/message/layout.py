"""Layout: the fields of one payload, compiled to a construct once, and the bytes that they fill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import construct

from framelink.errors import PayloadError, SchemaError
from framelink.message.fields import Field, Value, labels_of, size_of


class Layout:
    """The fields of one payload.

    Args:
        fields: The fields in wire order.
        order: "little" or "big".
        parameters: Number → field of the device's parameters, for fields of type `parameter` and `value`.
        where: What the layout is part of, for errors.

    Raises:
        SchemaError: The fields do not make a payload.
    """

    def __init__(
        self, fields: tuple[Field, ...], *, order: str, parameters: Mapping[int, Field], where: str
    ) -> None:
        for one in fields:
            one.require_valid(where)
        names = [one.name for one in fields]
        if len(set(names)) < len(names):
            raise SchemaError(f"{where}: two fields have the same name")
        if any(one.is_rest for one in fields[:-1]):
            raise SchemaError(f"{where}: only the last field may be of type bytes, string or value")
        self.fields = fields
        self.size = size_of(fields, order)
        self.has_rest = bool(fields) and fields[-1].is_rest
        self._struct = construct.Struct(*[one.name / one.construct(order) for one in fields]).compile()
        self._parameter_labels = labels_of(parameters)
        self._values = {
            number: Layout((one.renamed("value"),), order=order, parameters={}, where=f"{where}, {one.name}")
            for number, one in (parameters.items() if self._ends_in_value else ())
        }

    @property
    def _ends_in_value(self) -> bool:
        return self.has_rest and self.fields[-1].type == "value"

    def unpack(self, data: bytes) -> dict[str, Value]:
        """Return the fields of a payload by name.

        Raises:
            PayloadError: The payload is too short or too long, or names no parameter of the device.
        """
        if len(data) < self.size or (len(data) > self.size and not self.has_rest):
            least = "at least " if self.has_rest else ""
            raise PayloadError(f"payload must have {least}{self.size} bytes, not {len(data)}")
        parsed = self._struct.parse(data)
        return {one.name: self._value(one, parsed) for one in self.fields}

    def _value(self, field: Field, parsed: Any) -> Value:
        raw = parsed[field.name]
        if field.type == "parameter":
            return self._parameter_name(raw)
        if field.type == "value":
            number = self._number(self._parameter_name(parsed[self.fields[0].name]))
            return self._values[number].unpack(raw)["value"]
        return field.value_of(raw)

    def pack(self, values: Mapping[str, object]) -> bytes:
        """Return the payload of the fields' values.

        Raises:
            PayloadError: A field is missing or unknown, or has a value that is not allowed.
        """
        names = [one.name for one in self.fields]
        unknown = [name for name in values if name not in names]
        missing = [name for name in names if name not in values]
        if unknown or missing:
            problem = f"has no field {unknown[0]!r}" if unknown else f"field {missing[0]!r} is missing"
            raise PayloadError(f"{problem}; its fields: {', '.join(names) or 'none'}")
        packed: bytes = self._struct.build({one.name: self._raw(one, values) for one in self.fields})
        return packed

    def _raw(self, field: Field, values: Mapping[str, object]) -> Any:
        value = values[field.name]
        try:
            if field.type == "parameter":
                return self._number(value)
            if field.type == "value":
                return self._values[self._number(values[self.fields[0].name])].pack({"value": value})
            return field.raw_of(value)
        except PayloadError as error:
            raise PayloadError(f"{field.name} {error}" if field.type != "value" else str(error)) from None

    def _parameter_name(self, number: int) -> str:
        for name, known in self._parameter_labels.items():
            if known == number:
                return name
        raise PayloadError(f"the device has no parameter {number}")

    def _number(self, parameter: object) -> int:
        """Return the number of a parameter given by name or number."""
        if isinstance(parameter, str) and parameter in self._parameter_labels:
            return self._parameter_labels[parameter]
        if isinstance(parameter, int) and parameter in self._parameter_labels.values():
            return parameter
        known = ", ".join(self._parameter_labels) or "none"
        raise PayloadError(f"must be one of the device's parameters ({known}), not {parameter!r}")

    def describe(self) -> list[dict[str, Any]]:
        """Return the fields as JSON shows them."""
        return [one.describe() for one in self.fields]
