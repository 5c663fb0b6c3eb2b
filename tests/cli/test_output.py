"""What the commands print, and what becomes of it when nobody reads."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys

import pytest

from framelink.cli import output
from tests.support.program import PATIENCE


class _Gone(io.RawIOBase):
    """A pipe whose reader has gone."""

    def writable(self) -> bool:
        return True

    def write(self, _data: object) -> int:
        raise BrokenPipeError


def test_a_reader_that_has_gone_is_told_apart_from_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text and bytes alike; what is said on stderr is just lost."""
    gone = io.TextIOWrapper(io.BufferedWriter(_Gone(), 1), write_through=True)
    monkeypatch.setattr("sys.stdout", gone)
    monkeypatch.setattr("sys.stderr", gone)
    with pytest.raises(output.ReaderGoneError):
        output.write("text\n")
    with pytest.raises(output.ReaderGoneError):
        output.write_bytes(b"bytes")
    output.say("nobody hears this")


def test_a_reader_may_go_before_what_was_printed_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buffered text is no different."""
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BufferedWriter(_Gone())))
    sys.stdout.write("for later")
    with pytest.raises(output.ReaderGoneError):
        output.flush()


@pytest.mark.parametrize(
    ("text", "line"),
    [("21 °C → ☀", "21 °C → ☀"), ("a\nb\tc", r"a\nb\tc"), ("\x1b[2J", r"\x1b[2J"), ("\udcff", r"\udcff")],
)
def test_text_from_anywhere_is_one_line(text: str, line: str) -> None:
    """Signs stay; breaks, controls and what is no character are escaped."""
    assert output.one_line(text) == line


def test_json_is_compact_and_always_json() -> None:
    """Signs stay as they are; what JSON has no number for becomes null."""
    line = output.json_line({"unit": "°C", "value": math.nan, "most": math.inf})
    assert line == '{"unit":"°C","value":null,"most":null}\n'
    assert json.loads(line)["value"] is None


def test_a_terminal_without_the_sign_shows_another() -> None:
    """A unit's sign is no reason to end the program."""
    code = "from framelink.cli.app import _make_output_lenient as m; m(); print('21 °C Ω')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.decode("latin-1") == "21 °C ?\n"
