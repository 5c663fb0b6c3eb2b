"""`framelink scan`, against simulated devices on real ptys."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from framelink.cli import scan
from framelink.device.discovery import Found
from tests.cli.conftest import Run
from tests.support.bench import running_bench
from tests.support.pty_device import PtyDevice

PATIENT = ("--answer-time", "0.5")
"""For a machine that is busy."""

LINE = """
[[port]]
name = "line"
[[port.device]]
model = "motor"
addr = 2
[[port.device]]
model = "motor"
addr = 5
"""


@pytest.fixture
def line() -> Iterator[str]:
    """The URL of a line with two devices, addresses 2 and 5."""
    with running_bench(LINE) as urls:
        yield urls["line"]


class Terminal(io.StringIO):
    """A terminal that keeps what it shows."""

    def isatty(self) -> bool:
        """Be one."""
        return True


def test_the_devices_are_shown_with_what_they_say(run: Run, line: str) -> None:
    """A table with a line for each."""
    outcome = run("scan", line, "--addresses", "1-6", *PATIENT)
    assert outcome.code == 0
    heading, first, second = outcome.out.splitlines()
    assert heading.split() == [*scan.HEADINGS[:-1], "round", "trip"]
    assert (first.split()[0], second.split()[0]) == ("0x02", "0x05")
    assert "ms" in first
    assert outcome.err == ""


def test_json_has_a_line_for_each_device(run: Run, line: str) -> None:
    """For programs."""
    outcome = run("scan", line, "--addresses", "2,5", "--json", *PATIENT)
    found = [json.loads(text) for text in outcome.out.splitlines()]
    assert [one["addr"] for one in found] == [2, 5]
    assert set(found[0]) == {"addr", "name", "type", "firmware", "boots", "protocol", "round_trip"}
    assert 0 < found[0]["round_trip"] < 1


def test_an_empty_line_is_a_failure_that_says_what_may_be_wrong(run: Run, tmp_path: Path) -> None:
    """Nothing goes to stdout."""
    with PtyDevice(tmp_path) as device:
        outcome = run("scan", str(device.path), "--addresses", "1", "--turnaround", "0.001", "--passes", "2")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("framelink: no device answered; are baud rate and frame format right?")


def test_progress_is_shown_on_a_terminal_and_taken_off(run: Run, line: str) -> None:
    """On stderr; what is left on the screen is nothing of it."""
    terminal = Terminal()
    outcome = run("scan", line, "--addresses", "2", *PATIENT, stderr=terminal)
    assert outcome.code == 0
    assert "asked 1 of 1, 1 found" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[2K")


def test_a_device_that_does_not_say_what_it_is_has_a_note() -> None:
    """In the table and in JSON."""
    one = Found(3, None, 0.0123, "it does not know identify")
    assert scan._cells(one)[:2] == ("0x03", "(it does not know identify)")
    assert json.loads(scan._json(one)) == {"addr": 3, "note": one.note, "round_trip": 0.0123}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1-3", (1, 2, 3)), ("9,1, 0x20-0x21", (1, 9, 32, 33)), ("254", (254,)), ("3,2-4", (2, 3, 4))],
)
def test_addresses_are_ranges_and_lists(text: str, wanted: tuple[int, ...]) -> None:
    """Each once, in order."""
    assert scan.parse_addresses(text) == wanted


@pytest.mark.parametrize("text", ["", "0", "255", "5-2", "a", "1-", "1--2", "1-300", "1,,2"])
def test_other_addresses_are_wrong_usage(run: Run, text: str) -> None:
    """Nothing is opened."""
    outcome = run("scan", "nowhere", "--addresses", text)
    assert outcome.code == 2
    assert "must be addresses 1 to 254 such as 1-32 or 1,5,9" in outcome.err
