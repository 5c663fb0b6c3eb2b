"""Values: from the wire's numbers and back, to their very ends."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from framelink.errors import PayloadError
from framelink.message import Message, Schema, Value


def schema_with(field: str) -> Schema:
    """Return the schema of an event with one field, called a."""
    return Schema.parse(
        f'[device]\nname = "x"\n[[event]]\nid = 0x20\nname = "e"\nfields = [{{ name = "a", {field} }}]'
    )


def there_and_back(field: str, value: object) -> Value:
    """Return what a value is after its way over the wire."""
    schema = schema_with(field)
    message = schema.decode(schema.encode(1, "e", {"a": value}))
    assert isinstance(message, Message)
    return message.fields["a"]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ('type = "f32"', 1e39, "must be -3.402823466e+38 to 3.402823466e+38, not 1e+39"),
        ('type = "f32"', float("inf"), "must be -3.402823466e+38 to 3.402823466e+38, not inf"),
        ('type = "f64"', 10**400, "must be -1.797693135e+308 to 1.797693135e+308, not 1000"),
        pytest.param('type = "f64"', 10**5000, "1.797693135e+308, not this int", id="long"),
        ('type = "f64", scale = 10', float("inf"), "must be -1.797693135e+308 to 1.797693135e+308, not inf"),
        ('type = "u64", scale = 1e308', float("inf"), "must be 0 to 1.797693135e+308, not inf"),
        ('type = "u32"', 2**32, "must be 0 to 4294967295, not 4294967296"),
        ('type = "string"', "\ud800", "must be text that UTF-8 can write, not '\\ud800'"),
        ('type = "string"', "x" * 256, "payload must have at most 255 bytes, not 256"),
        ('type = "bytes"', "é", "must be bytes, or hex text such as 01 02, not 'é'"),
        ('type = "bytes"', "zz" * 100, f"must be bytes, or hex text such as 01 02, not '{'z' * 59}…"),
        ('type = "bool"', float("nan"), "must be true or false, not nan"),
        pytest.param('type = "u8", enum = { b = 1 }', 10**5000, "one of b, not this int", id="long label"),
        ('type = "u8", count = 2', [1, "2"], "must be a number, not '2'"),
    ],
)
def test_a_value_that_cannot_be_sent_is_told(field: str, value: object, message: str) -> None:
    """Whatever it is, by the one error that says what is allowed."""
    with pytest.raises(PayloadError) as caught:
        schema_with(field).encode(1, "e", {"a": value})
    assert message in str(caught.value)


def test_a_value_that_cannot_be_shown_is_told_too() -> None:
    """A list in itself, nested without end."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(PayloadError, match="a must be a number, not this list"):
        schema_with('type = "u8"').encode(1, "e", {"a": deep})


def test_a_float_is_sent_up_to_its_largest() -> None:
    """The type's own ends are allowed, scaled or not."""
    largest = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
    assert there_and_back('type = "f32"', largest) == largest
    for scale in (0.1, 0.3, 3.0, 1e-300):
        field = f'type = "f32", scale = {scale}, offset = 1.0'
        assert there_and_back(field, largest * scale + 1.0) == pytest.approx(largest * scale + 1.0)


@pytest.mark.parametrize("scale", [0.1, 0.3, 3.0, -0.7, 5e-324, 1e308])
@pytest.mark.parametrize("type_", ["u64", "i64"])
def test_a_scaled_integer_is_sent_up_to_its_largest(type_: str, scale: float) -> None:
    """Where floats round beyond the type's ends, the ends are sent."""
    field = f'type = "{type_}", scale = {scale}'
    for end in (b"\xff", b"\x00"):
        schema = schema_with(field)
        message = schema.decode(schema.encode(1, "e", {"a": 0})._replace(data=end * 7 + b"\x7f"))
        assert isinstance(message, Message)
        value = message.fields["a"]
        if value not in (float("inf"), float("-inf")):
            assert there_and_back(field, value) == value


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        ('type = "u8", scale = 0.1', b"\x03", 0.3),
        ('type = "u16", scale = 0.1, offset = -40', b"\x91\x01", 0.1),
        ('type = "u32", scale = 0.001', b"\xff\xff\xff\xff", 4294967.295),
        ('type = "u8", scale = 1e-12', b"\x05", 5e-12),
        ('type = "i8", scale = 100', b"\xff", -100.0),
    ],
)
def test_a_scaled_number_reads_as_people_write_it(field: str, raw: bytes, value: float) -> None:
    """No noise of floats, however small the scale and large the number."""
    schema = schema_with(field)
    message = schema.decode(schema.encode(1, "e", {"a": value}))
    assert isinstance(message, Message)
    assert message.frame.data == raw
    assert message.fields == {"a": value}


def test_the_value_of_a_parameter_is_typed_by_the_parameter_before_it() -> None:
    """In a command of the device's own, wherever the parameter stands."""
    schema = Schema.parse("""
        device = { name = "x", standard = false }
        parameter = [{ id = 7, name = "gain", type = "u16" }, { id = 8, name = "on", type = "bool" }]
        event = [{ id = 1, name = "changed", fields = [
            { name = "by", type = "u8" },
            { name = "which", type = "parameter" },
            { name = "state", type = "u8" },
            { name = "now", type = "value" },
        ] }]
    """)
    values = {"by": 8, "which": "gain", "state": 1, "now": 513}
    frame = schema.encode(1, "changed", values)
    assert frame.data == b"\x08\x07\x01\x01\x02"
    message = schema.decode(frame)
    assert isinstance(message, Message)
    assert message.fields == values
    with pytest.raises(PayloadError, match="changed: now must be true or false, not 5"):
        schema.encode(1, "changed", values | {"which": 8, "now": 5})
