"""Examples of a schema's messages: values that may be sent, the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framelink.codegen.model import Payload, digits_of, limits_of, shape_of
from framelink.errors import FormatError, PayloadError
from framelink.message import Field, Schema
from framelink.message.fields import Bit
from framelink.wire import encode

ADDR = 1
"""The device of the examples."""
SEQUENCE = 1
_ITEMS = 2  # of an array of any length
_TEXT = "text"
_BYTES = bytes((0xAB, 0xCD))


def example_of(schema: Schema, payload: Payload) -> dict[str, object]:
    """Return values of all fields of a payload."""
    values: dict[str, object] = {}
    named: Field | None = None  # the parameter whose value follows
    for number, field in enumerate(payload.fields, 1):
        if field.type == "parameter":
            named = next(iter(schema.parameters.values()), None)
            values[field.name] = named.name if named else 0
        else:
            typed = named if field.type == "value" and named else field
            values[field.name] = _value(schema, typed, number)
    return values


def wire_of(schema: Schema, payload: Payload, values: Mapping[str, object]) -> bytes | None:
    """Return the bytes of an example's frame; None if frames of this format cannot tell what they carry."""
    addr = ADDR if "addr" in schema.format.fields else 0
    try:
        frame = schema.encode(addr, payload.name, values, kind=payload.kind, sequence=SEQUENCE)
        return encode(frame, schema.format)
    except (FormatError, PayloadError):
        return None


def _value(schema: Schema, field: Field, number: int) -> object:
    if field.count is None:
        return _item(schema, field, number)
    many = field.count if isinstance(field.count, int) else _ITEMS
    return [_item(schema, field, number + step) for step in range(many)]


def _item(schema: Schema, field: Field, number: int) -> object:
    shape = shape_of(field)
    if shape == "struct":
        return _struct(schema, field.type)
    if shape == "bits":
        return {one.name: _bit(one) for one in field.bits if one.name}
    if shape == "enum":
        return _label(list(field.enum), number)
    if shape in {"number", "scaled"}:
        return _number(field, number)
    size = field.size if isinstance(field.size, int) else None
    plain = {"bool": True, "string": _TEXT[:size], "bytes": _BYTES if size is None else bytes(range(size))}
    return plain.get(shape, 0)


def _struct(schema: Schema, name: str) -> dict[str, object]:
    fields = next(one.fields for one in schema.document.struct if one.name == name)
    return {one.name: _value(schema, one, number) for number, one in enumerate(fields, 1)}


def _bit(bit: Bit) -> object:
    if bit.enum:
        return _label(list(bit.enum), 1)
    return True if bit.width == 1 else 1


def _label(labels: Sequence[str], number: int) -> str:
    return labels[number % len(labels)]


def _number(field: Field, number: int) -> float:
    """Return a value near the beginning of what may be sent, or near zero where that may be."""
    low, high = limits_of(field)
    value: float = number
    if field.is_scaled:
        value = round(10 * number * field.scale + field.offset, min(digits_of(field), 15))
    if low <= value <= high:
        return value
    return int(low) if field.is_whole and not field.is_scaled and low == int(low) else low
