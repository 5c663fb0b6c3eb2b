"""`framelink schema check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SCHEMA = """
[device]
name = "arm"
type = 0x0103
version = 2
sequenced = true

[[struct]]
name = "point"
fields = [{ name = "x", type = "i16", unit = "mm" }, { name = "y", type = "i16", unit = "mm" }]

[[command]]
id = 0x20
name = "move"
request = [{ name = "path", type = "point", count = "u8" }, { name = "speed", type = "u8", since = 2 }]

[[event]]
id = 0x30
name = "log"
fields = [{ name = "tag", type = "string", size = 8 }, { name = "text", type = "string" }]

[[parameter]]
id = 1
name = "pace"
type = "u16"
unit = "1/s"
"""
LINES = """\
arm: type 0x0103, version 2, sequenced, 1 command of its own and 12 standard ones, 1 event, 1 parameter
struct          point: x i16 mm, y i16 mm
request   0x20  move: path point[u8], speed u8? (1, 5, 9 … or at least 2 bytes)
reply     0xA0  move: nothing (any number of bytes)
event     0x30  log: tag string(8), text string (at least 8 bytes)
parameter   1   pace u16 1/s
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A schema that is right."""
    path = tmp_path / "arm.toml"
    path.write_text(SCHEMA, "utf-8")
    return path


def test_a_schema_is_told_in_a_line_for_each_message(run: Run, file: Path) -> None:
    """With its ids, its fields and the lengths of its payloads."""
    outcome = run("schema", "check", file)
    assert (outcome.code, outcome.out, outcome.err) == (0, LINES, "")


def test_a_program_reads_it_as_json(run: Run, file: Path) -> None:
    """Everything that the file says, in one line."""
    outcome = run("schema", "check", file, "--json")
    described = json.loads(outcome.out)
    assert (outcome.code, outcome.err, outcome.out.count("\n")) == (0, "", 1)
    assert (described["name"], described["version"], described["sequenced"]) == ("arm", 2, True)
    assert described["commands"][-1]["request_bytes"] == "1, 5, 9 … or at least 2"
    assert described["events"][0]["bytes"] == "at least 8"
    assert described["structs"]["point"]["fields"][0] == {"name": "x", "type": "i16", "unit": "mm"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[device]", "[device", "not a TOML file: "),
        ('type = "point"', 'type = "pint"', "move, field 'path': type must be one of u8, u16"),
        ("size = 8", "length = 8", "Object contains unknown field `length` - at `event[0].fields[0]`; must be one of"),
        ("id = 0x20", "id = 0x70", "move: id must be 0x20 to 0x5F in a sequenced device, not 0x70"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(run: Run, file: Path, old: str, new: str, problem: str) -> None:
    """That names the file, the place in it, and what is allowed."""
    file.write_text(SCHEMA.replace(old, new), "utf-8")
    outcome = run("schema", "check", file)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"framelink: {file}: {problem}")
    assert outcome.err.count("\n") == 1


def test_a_file_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    """By its name."""
    outcome = run("schema", "check", tmp_path / "none.toml")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == f"framelink: {tmp_path / 'none.toml'}: No such file or directory\n"


def test_wrong_usage_says_where_to_read_on(run: Run) -> None:
    """Without a file there is nothing to check."""
    outcome = run("schema", "check")
    assert (outcome.code, outcome.out) == (2, "")
    assert "see `framelink schema check --help`" in outcome.err


def test_the_help_has_an_example(run: Run) -> None:
    """And the group names its commands."""
    assert "Example: framelink schema check motor.toml" in run("schema", "check", "--help").out
    assert "check" in run("schema", "--help").out
