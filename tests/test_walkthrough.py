"""The walk-through of the docs, typed as it stands: schema, simulation, Python, C, the C on an AVR."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import PATIENCE, RunningProgram, run_process

PAGE = Path(__file__).parent.parent / "docs" / "walkthrough.md"
FILES = dict(re.findall(r"`(\S+)`:\n\n```\w+\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
SCHEMA, PROGRAM, FIRMWARE = "thermostat.toml", "talk.py", "thermostat.c"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's files."""
    assert set(FILES) == {SCHEMA, PROGRAM, FIRMWARE}
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def talk(line: Path) -> list[str]:
    """Run the page's program on a line and return what it prints."""
    command = [sys.executable, PROGRAM, str(line)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_schema_is_right_and_becomes_files(folder: Path) -> None:
    """Every command of the page that writes one."""
    assert "sequenced, 2 commands of its own" in run_process("schema", "check", SCHEMA).out
    commands = re.findall(
        r"^ {4}framelink (codegen .*)$|`framelink (codegen .*?)`", PAGE.read_text("utf-8"), re.MULTILINE
    )
    for words in (one or other for one, other in commands):
        assert run_process(*words.split()).code == 0
    made = {path.name for path in folder.iterdir()} - set(FILES)
    assert {"thermostat.h", "thermostat.py", "thermostat.lua", "thermostat.js", "thermostat.md"} <= made


def test_the_simulated_device_answers(folder: Path) -> None:
    """The program, and the commands."""
    line = folder / "dev"
    with RunningProgram("sim", "--schema", SCHEMA, "--link", str(line)) as program:
        program.wait_line("ready: ")
        said = talk(line)
        assert said[0] == "thermostat"
        assert said[3] == "{'parameter': 'target', 'value': 23}"
        found = run_process("scan", str(line), "--addresses", "1-4")
        assert (found.code, "thermostat" in found.out) == (0, True)


@pytest.mark.parametrize("board", ["atmega328p", "cortex-m3", "posix"])
def test_the_firmware_answers_the_same_program(folder: Path, board: str) -> None:
    """On every board, with what its C computes."""
    line = folder / "dev"
    words = ("--board", board, "--firmware", FIRMWARE, "--schema", SCHEMA, "--link", str(line))
    with RunningProgram("sim", *words) as program:
        program.wait_line("ready: ")
        assert talk(line) == [
            "thermostat",
            "{'temperature': 19.5, 'humidity': 48}",
            "10 min left",
            "{'parameter': 'target', 'value': 23}",
            "{'temperature': 19.5, 'state': {'heating': True, 'mode': 'comfort'}}",
        ]
