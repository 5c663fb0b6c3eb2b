"""The program as a whole: help, version, start-up, and errors that are no commands'."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

import framelink
from framelink.cli import options
from framelink.cli.app import COMMANDS
from tests.cli.conftest import Run
from tests.support.program import run_process


def test_the_version_is_the_packages(run: Run) -> None:
    """One line."""
    assert run("--version").out == f"framelink {framelink.__version__}\n"


@pytest.mark.parametrize("command", [command.__name__ for command in COMMANDS])
def test_every_command_has_help_with_an_example(run: Run, command: str) -> None:
    """As a user would type it."""
    done = run(command, "--help")
    assert done.code == 0
    assert f"Example: framelink {command}" in done.out


def test_without_a_command_the_help_is_shown_as_wrong_usage(run: Run) -> None:
    """Exit code 2."""
    done = run()
    assert done.code == 2
    assert "demo" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fly"], "No such command 'fly'"),
        (["encode", "--fast"], "No such option"),
        (["encode"], "Missing option"),
    ],
)
def test_wrong_usage_is_one_line_that_says_where_to_read_on(
    run: Run, arguments: list[str], message: str
) -> None:
    """Exit code 2, no traceback."""
    done = run(*arguments)
    assert done.code == 2
    assert message in done.error
    assert "--help`)" in done.error


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, typer.Abort, EOFError])
def test_ctrl_c_in_mid_operation_ends_it_quietly(
    run: Run, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    """With the exit code that shells have for it."""

    def interrupted(_path: object) -> None:
        raise interruption

    monkeypatch.setattr(options, "load_format", interrupted)
    done = run("encode", "--addr", "1", "--cmd", "2")
    assert (done.code, done.out, done.err.strip()) == (130, "", "")


def test_the_program_starts_as_a_module_and_as_a_script() -> None:
    """Both say the same."""
    script = run_process("--version")
    module = subprocess.run(
        [sys.executable, "-m", "framelink", "--version"], capture_output=True, text=True, check=True
    )
    assert script.out == module.stdout == f"framelink {framelink.__version__}\n"


def test_help_loads_nothing_that_only_some_commands_need() -> None:
    """That is what keeps it quick."""
    code = (
        "import sys; from framelink.cli import main; main(['--help']);"
        " print([m for m in ('aiohttp', 'serial', 'construct', 'tenacity', 'msgspec', 'asyncio')"
        " if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() in ("[]", "['asyncio']")


def test_the_package_gives_links_and_schemas_at_first_use_and_nothing_else() -> None:
    """Importing the codec alone does not import pyserial."""
    code = (
        "import sys, framelink; assert 'serial' not in sys.modules;"
        " framelink.open, framelink.Schema, framelink.request; assert 'serial' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="has no attribute 'fly'"):
        framelink.fly  # noqa: B018
    for name in framelink.__all__:
        assert getattr(framelink, name) is not None
