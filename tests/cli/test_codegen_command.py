"""`framelink codegen`."""

from __future__ import annotations

from pathlib import Path

import pytest

from framelink.cli.codegen import LanguageName, companion
from framelink.codegen.languages import LANGUAGES
from tests.cli.conftest import Run

SCHEMA = """\
[device]
name = "pump"

[[command]]
id = 0x20
name = "start"
request = [{ name = "speed", type = "u16", unit = "rpm" }]
"""


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """A schema's file."""
    path = tmp_path / "pump.toml"
    path.write_text(SCHEMA)
    return path


def test_the_command_line_has_every_language() -> None:
    """The names are those of the table."""
    assert [one.value for one in LanguageName] == list(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_goes_to_standard_output(run: Run, schema: Path, language: str) -> None:
    """Without another place for it."""
    done = run("codegen", language, schema)
    assert (done.code, done.err) == (0, "")
    assert "start" in done.out
    assert done.out.endswith("\n")
    assert not done.out.endswith("\n\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_goes_to_a_file(run: Run, schema: Path, language: str) -> None:
    """The same text, and nothing on standard output."""
    out = schema.with_suffix(LANGUAGES[language].ending)
    done = run("codegen", language, schema, "-o", out)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert out.read_text("utf-8") == run("codegen", language, schema).out


def test_type_declarations_are_written_beside_a_javascript_module(run: Run, schema: Path) -> None:
    """Under the name by which TypeScript finds them."""
    run("codegen", "js", schema, "--output", schema.with_name("pump.mjs"))
    assert "export interface StartRequest" in schema.with_name("pump.d.mts").read_text("utf-8")
    assert companion(Path("pump.js"), ".d.ts") == Path("pump.d.ts")


def test_a_schema_that_is_wrong_is_one_line(run: Run, schema: Path) -> None:
    """With the file and the key."""
    schema.write_text(SCHEMA.replace("u16", "u17"))
    done = run("codegen", "python", schema)
    assert (done.code, done.out) == (1, "")
    assert f"{schema}" in done.error
    assert "u17" in done.error


def test_a_schema_that_is_not_there_is_one_line(run: Run, tmp_path: Path) -> None:
    """With the file."""
    done = run("codegen", "python", tmp_path / "none.toml")
    assert done.code == 1
    assert "none.toml: No such file or directory" in done.error


def test_a_file_that_cannot_be_written_is_one_line(run: Run, schema: Path) -> None:
    """With the file."""
    done = run("codegen", "python", schema, "-o", schema.parent / "no" / "where.py")
    assert done.code == 1
    assert "where.py: No such file or directory" in done.error


def test_an_unknown_language_is_wrong_usage(run: Run, schema: Path) -> None:
    """The error names those that there are."""
    done = run("codegen", "cobol", schema)
    assert done.code == 2
    assert "'c', 'python', 'js', 'wireshark', 'markdown'" in done.error
