"""What a field must keep, and a payload."""

from __future__ import annotations

from collections.abc import Sequence

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
        ('type = "u8", count = 0', "count must be 1 to 65535, not 0"),
        ('type = "u8", count = 65536', "count must be 1 to 65535, not 65536"),
        ('type = "u8", count = "u32"', 'count must be a number, "u8", "u16" or "rest", not \'u32\''),
        ('type = "string", count = 2', "count: several of type string need a size"),
        ('type = "parameter", count = 2', "count: there is one parameter only"),
        ('type = "string", size = 0', "size must be 1 to 65535, not 0"),
        ('type = "bytes", size = "rest"', 'size must be a number, "u8" or "u16", not \'rest\''),
        ('type = "u8", size = 2', "size needs the type bytes or string"),
        ('type = "u8", since = 0', "since must be 1 or more, not 0"),
        ('type = "bool", scale = 2', "scale and offset need a number type"),
        ('type = "string", min = 2', "min and max need a number type"),
        ('type = "f32", enum = { b = 1 }', "enum needs an integer type"),
        ('type = "u8", enum = { b = 300 }', "enum: numbers must be 0 to 255"),
        ('type = "i8", enum = { b = -129 }', "enum: numbers must be -128 to 127"),
        ('type = "u8", enum = { b = 1, c = 1 }', "enum: two labels have the same number"),
        ('type = "u8", scale = 2, enum = { b = 1 }', "scale and offset do not go together with enum"),
        ('type = "u8", min = 1, enum = { b = 1 }', "min and max do not go together with enum"),
        ('type = "u8", limits = { low = 1 }, enum = { b = 1 }', "limits do not go together with enum"),
        ('type = "bool", limits = { low = 1 }', "limits need a number type"),
        ('type = "u8", limits = { }', "limits: at least one of lolo, low, high and hihi is needed"),
        ('type = "u8", limits = { low = nan }', "limits: low must be finite, not nan"),
        (
            'type = "u8", limits = { low = 9, hihi = 3 }',
            "limits must not fall from lolo to low, high and hihi",
        ),
        ('type = "u8", plot = { min = 3, max = 3 }', "plot: min must be below max"),
        ('type = "u8", plot = { max = inf }', "plot: max must be finite, not inf"),
        ('type = "u8", bits = [{ name = "x", width = 9 }]', "bits: they are 9, and u8 has 8"),
        ('type = "u8", bits = [{ name = "x", width = 0 }]', "bits: width must be 1 or more, not 0"),
        ('type = "u8", bits = [{ name = "x y" }]', f"bits: {NAME}, not 'x y'"),
        ('type = "u8", bits = [{ width = 2 }]', "bits: at least one needs a name"),
        ('type = "u8", bits = [{ name = "x" }, { name = "x" }]', "bits: two have the same name"),
        ('type = "u8", bits = [{ name = "x", enum = { b = 2 } }]', "bits: x: enum: numbers must be 0 to 1"),
        ('type = "i8", bits = [{ name = "x" }]', "bits need a type of u8, u16, u32 or u64"),
        ('type = "u8", bits = [{ name = "x" }], enum = { b = 1 }', "enum and bits do not go together"),
        ('type = "u8", bits = [{ name = "x" }], scale = 2', "scale and offset do not go together with bits"),
    ],
)
def test_a_field_that_cannot_be_says_what_is_allowed(keys: str, problem: str) -> None:
    """Named with its file, its message and itself."""
    assert refusal(f'{{ name = "a", {keys} }}').startswith(f"f.toml: e, field 'a': {problem}")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ('{ name = "a", type = "bytes" }, { name = "b", type = "u8" }', "only the last field may be of type"),
        ('{ name = "a", type = "u8", count = "rest" }, { name = "b", type = "u8" }', "only the last field"),
        ('{ name = "a", type = "u8" }, { name = "a", type = "u8" }', "two fields have the same name"),
        ('{ name = "a", type = "value" }', "a field of type value needs one of type parameter before it"),
        ('{ name = "a", type = "u8" }, { name = "b", type = "value" }', "a field of type value needs one"),
        ('{ name = "a", type = "u64", count = 32 }', "256 bytes do not fit into a payload of 255 (max_data)"),
    ],
)
def test_fields_that_make_no_payload_say_why(fields: str, problem: str) -> None:
    """Named with their file and their message."""
    assert refusal(fields).startswith(f"f.toml: e: {problem}")


def test_what_a_payload_may_lack_is_at_its_end() -> None:
    """Fields behind an optional one must be so too."""
    problem = refusal('{ name = "a", type = "u8", since = 2 }, { name = "b", type = "u8" }')
    assert problem == "f.toml: e, field 'b': must be optional or have since, as those before it"


def test_no_field_is_newer_than_the_schema() -> None:
    """The device's version is that of its newest field, or later."""
    text = EVENT.replace("{fields}", '{ name = "a", type = "u8", since = 3 }')
    with pytest.raises(
        SchemaError, match=r"field 'a': since must be 1 to 2 \(version in \[device\]\), not 3"
    ):
        Schema.parse(text.replace("[[event]]", "version = 2\n[[event]]"))


STRUCT = '{ name = "s", fields = [{ name = "a", type = "u8" }] }'
AROUND = '{ name = "t", fields = [{ name = "b", type = "s" }] }'
RING = (
    '{ name = "s", fields = [{ name = "a", type = "u8" }, { name = "b", type = "t" }] }',
    '{ name = "t", fields = [{ name = "c", type = "s", count = "u8" }] }',
)


@pytest.mark.parametrize(
    ("structs", "problem"),
    [
        ([STRUCT.replace('"s"', '"a b"')], f"struct 'a b': {NAME}"),
        ([STRUCT.replace('"s"', '"u8"')], "struct 'u8': u8 is a type of its own; give the struct another name"),
        ([STRUCT, STRUCT], "struct 's': another struct has that name"),
        (['{ name = "s" }'], "struct 's': fields must be one or more"),
        ([AROUND], "struct 't', field 'b': type must be one of u8, "),
        (RING, "struct 's': it would contain itself (s → t → s)"),
        ([STRUCT.replace("u8", "s")], "struct 's': it would contain itself (s → s)"),
        ([STRUCT.replace('"u8"', '"u8", optional = true')], "struct 's', field 'a': optional and since are for"),
        ([STRUCT.replace("u8", "parameter")], "struct 's', field 'a': type parameter is for the fields of messages"),
        ([STRUCT.replace("u8", "bytes")], "struct 's', field 'a': size must be a number, \"u8\" or \"u16\": only"),
        ([STRUCT.replace('"u8"', '"u8", count = "rest"')], "struct 's', field 'a': count must be a number"),
        ([STRUCT, AROUND.replace('"s"', '"s", byte_order = "big"')], "field 'b': byte_order stands at the fields of s"),
    ],
)  # fmt: skip
def test_a_struct_that_cannot_be_says_why(structs: Sequence[str], problem: str) -> None:
    """Named with its file and itself, and the way around if it is one."""
    with pytest.raises(SchemaError) as caught:
        Schema.parse(f'device = {{ name = "x" }}\nstruct = [{", ".join(structs)}]', source="f.toml")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_structs_are_nested_to_a_depth() -> None:
    """Which nobody needs; an error rather than a stack that ends."""
    inner = (f'{{ name = "s{at}", fields = [{{ name = "a", type = "s{at + 1}" }}] }}' for at in range(99))
    last = '{ name = "s99", fields = [{ name = "a", type = "u8" }] }'
    with pytest.raises(SchemaError, match="at most 16 structs may be within each other"):
        Schema.parse(f'device = {{ name = "x" }}\nstruct = [{", ".join([*inner, last])}]')


def test_a_parameter_is_always_there() -> None:
    """It has no version, and its value is no end of a payload."""
    text = '[device]\nname = "x"\n[[parameter]]\nid = 1\nname = "p"\ntype = "u8"\nsince = 2'
    with pytest.raises(SchemaError, match="parameter 'p': optional and since are for the fields of messages"):
        Schema.parse(text)


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
