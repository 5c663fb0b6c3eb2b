"""The README's Python examples run as they stand, against a real line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.bench import MOTOR, SCHEMAS, running_bench
from tests.support.pty_device import DEADLINE, Echo, PtyDevice

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
STOP_AFTER = """
import builtins as _b
_print = _b.print
def print(*what):
    _print(*what, flush=True)
    if "Frame(" in str(what[0]) and "[Frame" not in str(what[0]):
        raise KeyboardInterrupt  # an endless example is stopped as a user would, after its first frame
"""
EXPECTED = [
    ["Frame(addr=0x01, cmd=0x01, data=[68 65 6c 6c 6f])"],
    ["Frame(addr=0x01, cmd=0x01, data=[68 65 6c 6c 6f])"],
    [
        "[Frame(addr=0x01, cmd=0x10, data=[01 02 03])]",
        "Ledger(received=13, delivered=12",
        "55 aa 01 10 03 01 02 03",
    ],
    [
        "{'parameter': 'setpoint', 'value': 1500}",
        "{'position': 5, 'jogs': 1}",
        "1500 none",
    ],
]


def test_the_readme_has_the_examples_that_are_run() -> None:
    """None is left out."""
    assert len(EXAMPLES) == len(EXPECTED)


@contextmanager
def line_for(example: str, folder: Path) -> Iterator[str]:
    """Give what stands in for /dev/ttyUSB0: an echo, or the motor controller if the example asks one."""
    if "motor.toml" in example:
        shutil.copy(SCHEMAS / "motor.toml", folder)
        with running_bench(MOTOR + "period = 20\n") as urls:
            yield urls["motor"]
    else:
        with PtyDevice(folder) as device, Echo(device):
            yield str(device.path)


@pytest.mark.parametrize(("example", "lines"), list(zip(EXAMPLES, EXPECTED, strict=True)))
def test_an_example_prints_what_it_promises(tmp_path: Path, example: str, lines: list[str]) -> None:
    """With the test's own line in place of /dev/ttyUSB0."""
    with line_for(example, tmp_path) as line:
        source = STOP_AFTER + example.replace("/dev/ttyUSB0", line)
        command = [sys.executable, "-c", source]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=3 * DEADLINE, check=False, cwd=tmp_path
        )
    printed = done.stdout.splitlines()
    assert len(printed) == len(lines), done.stderr
    for got, wanted in zip(printed, lines, strict=True):
        assert got.startswith(wanted)
