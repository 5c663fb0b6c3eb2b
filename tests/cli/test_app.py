"""The program as a whole: help, version, start-up, and errors that are no commands'."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import framelink
from framelink.cli import options
from framelink.cli.app import COMMANDS
from framelink.wire.engine import LANGUAGE
from tests.cli.conftest import Run
from tests.support.program import PATIENCE, PROGRAM, Outcome, run_process

ROOT = Path(framelink.__file__).parents[1]


VERSION = f"framelink {framelink.__version__} (frames decoded in {LANGUAGE})\n"


def test_the_version_is_the_packages_and_says_what_decodes(run: Run) -> None:
    """One line."""
    assert run("--version").out == VERSION


def test_the_version_tells_when_python_decodes() -> None:
    """Whoever wonders about speed sees why."""
    done = subprocess.run(
        [PROGRAM, "--version"],
        env={**os.environ, "FRAMELINK_PURE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"framelink {framelink.__version__} (frames decoded in Python)\n"


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
    assert script.out == module.stdout == VERSION


def test_help_loads_nothing_that_only_some_commands_need() -> None:
    """That is what keeps it quick."""
    code = (
        "import sys; before = set(sys.modules); from framelink.cli import main; main(['--help']);"
        " print([m for m in ('aiohttp', 'serial', 'construct', 'tenacity', 'msgspec', 'asyncio', 'tomllib')"
        " if m in set(sys.modules) - before], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_hardly_anything_is_loaded_before_the_program_can_take_ctrl_c() -> None:
    """The package and the way to `main` import nothing else."""
    code = "import sys; before = set(sys.modules); import framelink.cli; print(set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout) == {"framelink", "framelink.errors", "framelink.cli", "__future__"}


@pytest.mark.parametrize("module", ["threading", "typer", "framelink.cli.app", "framelink.wire.codec"])
def test_ctrl_c_while_the_program_starts_ends_it_quietly(module: str) -> None:
    """Whatever is being imported, and though an import may make another exception of it."""
    code = (
        "import signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(name, *_):\n"
        f"        if name == {module!r}:\n"
        "            try: signal.raise_signal(signal.SIGINT)\n"
        "            except KeyboardInterrupt as error:\n"
        "                raise error if name == 'threading' else RuntimeError('import failed')\n"
        "sys.modules.pop('threading', None)\n"
        "sys.meta_path.insert(0, Interrupt)\n"
        "from framelink.cli import main; sys.exit(main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_the_program_starts_in_a_thread_and_leaves_ctrl_c_as_it_was() -> None:
    """For who calls it from Python."""
    code = (
        "import signal, threading; from framelink.cli import main\n"
        "thread = threading.Thread(target=main, args=[['--version']]); thread.start(); thread.join()\n"
        "main(['--version']); assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("framelink ") == 2


ENCODE = ["encode", "--addr", "1", "--cmd", "2"]
PRINTING = [["--help"], ["--version"], [], ENCODE, [*ENCODE, "--raw"]]
"""Arguments that make the program print something."""


def run_shell(redirected: str, *arguments: str, keep: int | None = None) -> Outcome:
    """Run the program in a shell, "$@" redirected, with Python's buffers as users have them."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        ["bash", "-c", f'"$0" {redirected}', PROGRAM, *arguments],
        env=environment, pass_fds=[] if keep is None else [keep], capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is full")
@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_results_that_cannot_be_written_are_a_failed_operation(arguments: list[str]) -> None:
    """A full disk is one line, also where Python keeps the text until the end."""
    done = run_shell('"$@" >/dev/full', *arguments)
    assert (done.code, done.error) == (1, "framelink: No space left on device")


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_reader_that_has_gone_is_no_failure(arguments: list[str]) -> None:
    """Whatever was printed."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = run_shell(f'"$@" >&{write_end}', *arguments, keep=write_end)
    finally:
        os.close(write_end)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_results_without_a_stdout_are_a_failed_operation(arguments: list[str]) -> None:
    """One that was closed before the start."""
    done = run_shell('"$@" >&-', *arguments)
    assert (done.code, done.error) == (1, "framelink: standard input or output is closed")


def test_input_without_a_stdin_is_a_failed_operation() -> None:
    """As if it could not be read, which is so."""
    done = run_shell('"$@" <&-', "decode", "-")
    assert (done.code, done.error) == (1, "framelink: standard input or output is closed")


def test_the_program_runs_without_a_stderr_and_without_all_streams(tmp_path: Path) -> None:
    """Whoever closes it does not want to hear; a file that is read meanwhile gets no stream's number."""
    capture = tmp_path / "capture.bin"
    capture.write_bytes(bytes.fromhex("55aa011003010203d0ec0d0a"))
    done = run_shell('"$@" 2>&-', "decode", str(capture))
    assert (done.code, done.err) == (0, "")
    assert "01 02 03" in done.out
    assert run_shell('"$@" <&- >&- 2>&-', "decode", str(capture)).code == 1
    assert capture.read_bytes().startswith(b"\x55")


def test_an_error_is_one_line_whatever_it_names(run: Run, tmp_path: Path) -> None:
    """Line breaks and what steers terminals are shown as escapes."""
    done = run("decode", tmp_path / "a\nb\x1b[2J")
    assert done.error.endswith(r"a\nb\x1b[2J: No such file or directory")


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


def test_a_group_without_a_command_shows_its_help(run: Run) -> None:
    """And is wrong usage, without a word more."""
    done = run("schema")
    assert (done.code, "check" in done.out + done.err) == (2, True)
    assert "framelink: " not in done.err
