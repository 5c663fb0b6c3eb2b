"""The text of a generated header: what it says, and what it says only if the schema is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firmware_sim import schema_of
from firmware_sim.toolchain import HOST, WARNINGS, build
from framelink.cli.codegen import LanguageName, codegen
from framelink.codegen.c import generate
from framelink.codegen.c_limits import raw_limits
from framelink.codegen.names import member, prefix, upper, word
from framelink.errors import SchemaError
from framelink.message import Field, Schema
from tests.codegen.c_library import SOURCE

PUMP = """
[device]
name = "pump"
[[command]]
id = 0x20
name = "start"
request = [{ name = "speed", type = "u16", unit = "rpm", max = 3000, description = "to reach" }]
"""


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("u16", "u17", "type must be one of"),
        ("0x20", "0x0120", "id"),
        ("max = 3000", "max = 70000, min = 66000", "min and max must leave some of the type's values"),
        ('name = "start"', 'name = "ping"', "two messages have the same name"),
        ("request", "reqest", "reqest"),
        ("[device]", "[device", "pump.toml"),
    ],
)
def test_a_schema_that_is_wrong_gives_one_line_and_no_header(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], right: str, wrong: str, problem: str
) -> None:
    """What the program prints is the error; nothing goes to standard output or to the file asked for."""
    path, out = tmp_path / "pump.toml", tmp_path / "pump.h"
    path.write_text(PUMP.replace(right, wrong, 1), "utf-8")
    with pytest.raises(SchemaError, match=re.escape(problem)) as caught:
        codegen(LanguageName.C, path, out=out)
    assert len(str(caught.value).splitlines()) == 1
    assert capsys.readouterr() == ("", "")
    assert not out.exists()


def test_a_header_is_always_the_same() -> None:
    """So that it can be kept under version control."""
    assert generate(Schema.parse(PUMP)) == generate(Schema.parse(PUMP))


def test_a_member_says_what_the_schema_says() -> None:
    """Description, range, unit and scale."""
    text = generate(Schema.parse(PUMP))
    assert "uint16_t speed; /* to reach, 0 to 3000 rpm */" in text
    assert "uint16_t current; /* 0 to 65.535 A; the value is this × 0.001 */" in generate(schema_of("motor"))


def test_the_example_of_the_page_is_a_device() -> None:
    """It compiles without a warning."""
    page = (Path(__file__).parents[2] / "docs" / "codegen.md").read_text("utf-8")
    (example,) = re.findall(r"```c\n(.*?)```", page, re.DOTALL)
    generated = {"motor.h": generate(schema_of("motor")), "exports.h": example}
    flags = [*WARNINGS, "-DFL_SEQUENCED=1", "-c"]
    assert build(HOST, [SOURCE], flags=flags, generated=generated, name="example.o").stat().st_size > 0


def test_lines_of_functions_and_comments_are_short() -> None:
    """Few definitions and members are longer, by names and descriptions that are."""
    lines = generate(schema_of("motor")).splitlines()
    assert [one for one in lines if len(one) > 110] == []


def test_labels_share_an_enum_where_a_name_means_one_thing() -> None:
    """Else the message's name is in it."""
    same = 'fields = [{ name = "mode", type = "u8", enum = { off = 0, on = 1 } }]'
    text = PUMP + f'[[event]]\nid = 1\nname = "a"\n{same}\n[[event]]\nid = 2\nname = "b"\n{same}\n'
    text = text.replace("[device]", "[device]\nstandard = false")
    assert re.findall(r"^enum (\w+)", generate(Schema.parse(text)), re.MULTILINE) == ["pump_mode"]
    other = generate(Schema.parse(text[::-1].replace("no", "niam", 1)[::-1]))
    assert re.findall(r"^enum (\w+)", other, re.MULTILINE) == ["pump_a_event_mode", "pump_b_event_mode"]


@pytest.mark.parametrize(
    ("field", "limits"),
    [
        (Field(name="a", type="i16", min=-6000, max=6000), (-6000, 6000)),
        (Field(name="a", type="u8", max=100), (0, 100)),
        (Field(name="a", type="u16", scale=0.1, max=10), (0, 100)),
        (Field(name="a", type="i8", scale=-0.5, min=-3.2, max=10.9), (-21, 6)),
        (Field(name="a", type="u8", scale=3, offset=1, min=2, max=9), (1, 2)),
        (Field(name="a", type="u8", enum={"x": 3, "y": 9}), (3, 9)),
        (Field(name="a", type="bool"), (0, 1)),
        (Field(name="a", type="u32"), (0, 0xFFFFFFFF)),
    ],
)
def test_limits_of_parameters_are_numbers_on_the_wire(field: Field, limits: tuple[int, int]) -> None:
    """The first and the last whose value is within the limits."""
    assert raw_limits(field) == limits


def test_what_the_device_cannot_keep_is_said() -> None:
    """A parameter that is no little-endian number of up to 32 bits."""
    text = PUMP + '[[parameter]]\nid = 1\nname = "title"\ntype = "string"\n'
    assert "fl_device keeps no parameters but little-endian numbers of up to 32 bits: not title." in generate(
        Schema.parse(text)
    )


def test_names_are_what_c_and_cpp_allow() -> None:
    """In letters that avr-gcc takes, and none of the languages' own."""
    assert [word("Größe 2"), word("µ-ohm"), word("a__b"), word("*")] == ["Grosse_2", "u3bc_ohm", "a_b", "_"]
    assert [member("class"), member("3V3"), member("speed")] == ["class_", "n3V3", "speed"]
    assert [prefix("My Motor"), prefix("2nd"), prefix("fl"), prefix("!")] == [
        "my_motor",
        "device_2nd",
        "device_fl",
        "device",
    ]
    assert upper("motor", "deep blue") == "MOTOR_DEEP_BLUE"
