"""What a field must keep, and a payload."""

from __future__ import annotations

import pytest

from framelink.errors import SchemaError
from framelink.message import Schema

EVENT = '[device]\nname = "x"\n[[event]]\nid = 0x20\nname = "e"\nfields = [{fields}]'
NAME = "name must be letters, digits and _, and begin with a letter"


def refusal(fields: str) -> str:
    """Return why an event of these fields cannot be."""
    with pytest.raises(SchemaError) as caught:
        Schema.parse(EVENT.replace("{fields}", fields), source="f.toml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["", "_io", "_", "1st", "a b", "a.b", r"a\nb", "a-b"])
def test_a_name_is_an_identifier(name: str) -> None:
    """Names that are not are told, whatever is in them."""
    assert refusal(f'{{ name = "{name}", type = "u8" }}').endswith(f": {NAME}")


@pytest.mark.parametrize("name", ["this", "class", "items", "io", "result", "größe", "a_1"])
def test_a_name_means_nothing_to_the_parser(name: str) -> None:
    """Python's words and the parser's own are names like any other."""
    schema = Schema.parse(EVENT.replace("{fields}", f'{{ name = "{name}", type = "u8" }}'))
    frame = schema.encode(1, "e", {name: 5})
    assert schema.decode(frame).fields == {name: 5}  # type: ignore[union-attr]  # else it fails


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ('type = "u9"', "type must be one of u8, u16"),
        ('type = "u8", scale = 0', "scale must not be 0"),
        ('type = "u8", scale = nan', "scale must be finite, not nan"),
        ('type = "f32", scale = inf', "scale must be finite, not inf"),
        ('type = "u8", offset = -inf', "offset must be finite, not -inf"),
        ('type = "f64", min = nan', "min must be finite, not nan"),
        ('type = "f64", max = inf', "max must be finite, not inf"),
        ('type = "u8", min = 2, max = 1', "min must not be above max"),
        ('type = "u8", min = 300', "min and max must leave some of the type's values, 0 to 255"),
        ('type = "u8", scale = 0.1, max = -1', "min and max must leave some of the type's values, 0 to 25.5"),
        ('type = "u8", decimals = -1', "decimals must be 0 to 15, not -1"),
        ('type = "u8", decimals = 16', "decimals must be 0 to 15, not 16"),
        ('type = "u8", count = 0', "count must be 1 to 255, not 0"),
        ('type = "u8", count = 256', "count must be 1 to 255, not 256"),
        ('type = "bool", count = 2', "count: several values need a number type"),
        ('type = "bool", scale = 2', "scale and offset need a number type"),
        ('type = "string", min = 2', "min and max need a number type"),
        ('type = "f32", enum = { b = 1 }', "enum needs an integer type"),
        ('type = "u8", enum = { b = 300 }', "enum: numbers must be 0 to 255"),
        ('type = "i8", enum = { b = -129 }', "enum: numbers must be -128 to 127"),
        ('type = "u8", enum = { b = 1, c = 1 }', "enum: two labels have the same number"),
        ('type = "u8", scale = 2, enum = { b = 1 }', "scale and offset do not go together with enum"),
        ('type = "u8", min = 1, enum = { b = 1 }', "min and max do not go together with enum"),
        ('type = "u8", count = 2, enum = { b = 1 }', "count: several values do not go together with enum"),
    ],
)
def test_a_field_that_cannot_be_says_what_is_allowed(keys: str, problem: str) -> None:
    """Named with its file, its message and itself."""
    assert refusal(f'{{ name = "a", {keys} }}').startswith(f"f.toml: e, field 'a': {problem}")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ('{ name = "a", type = "bytes" }, { name = "b", type = "u8" }', "only the last field may be of type"),
        ('{ name = "a", type = "u8" }, { name = "a", type = "u8" }', "two fields have the same name"),
        ('{ name = "a", type = "value" }', "a field of type value needs one of type parameter before it"),
        ('{ name = "a", type = "u8" }, { name = "b", type = "value" }', "a field of type value needs one"),
        ('{ name = "a", type = "u64", count = 32 }', "256 bytes do not fit into a payload of 255 (max_data)"),
    ],
)
def test_fields_that_make_no_payload_say_why(fields: str, problem: str) -> None:
    """Named with their file and their message."""
    assert refusal(fields).startswith(f"f.toml: e: {problem}")


def test_a_parameter_must_fit_beside_its_number() -> None:
    """Get and set carry both."""
    text = '[device]\nname = "x"\n[[parameter]]\nid = 1\nname = "p"\ntype = "u8"\ncount = 255'
    with pytest.raises(SchemaError, match="get: 256 bytes do not fit into a payload of 255"):
        Schema.parse(text)


def test_a_frame_with_a_wider_len_carries_more() -> None:
    """As max_data says."""
    text = EVENT.replace("{fields}", '{ name = "a", type = "u64", count = 32 }')
    schema = Schema.parse(text.replace("[[event]]", "max_data = 65_535\n[[event]]"))
    assert len(schema.encode(1, "e", {"a": [1] * 32}).data) == 256
