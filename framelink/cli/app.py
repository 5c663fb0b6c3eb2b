"""The program: the commands in one Typer application, and one line for every error that a user can cause."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import framelink
from framelink.cli import INTERRUPTED, output
from framelink.cli.codec import decode, encode
from framelink.cli.codegen import codegen
from framelink.cli.diagnose import detect, doctor
from framelink.cli.line import monitor, ports, request, send
from framelink.cli.scan import scan
from framelink.cli.schema import schema
from framelink.cli.serve import bridge, demo, sim
from framelink.cli.transfer import get, put
from framelink.errors import FramelinkError

COMMANDS = (
    demo,
    ports,
    scan,
    doctor,
    detect,
    monitor,
    send,
    request,
    put,
    get,
    sim,
    bridge,
    codegen,
    encode,
    decode,
)

app = typer.Typer(
    name="framelink",
    help="Talk to microcontrollers in frames over a serial line, simulate them, and watch them in a browser.",
    epilog="Begin with `framelink demo`: three simulated devices, live in the browser.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
for _command in COMMANDS:
    app.command()(_command)
app.add_typer(schema)


def _print_version(wanted: bool) -> None:
    if wanted:
        from framelink.wire.engine import LANGUAGE

        print(f"framelink {framelink.__version__} (frames decoded in {LANGUAGE})")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _framelink(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 success, 1 a failed operation, 2 wrong usage.

    Args:
        arguments: What follows the program's name; None means the process's own arguments.
    """
    _open_missing_streams()
    _make_output_lenient()
    try:
        code = app(args=arguments, prog_name="framelink", standalone_mode=False) or 0
        output.flush()
        return code
    except (output.ReaderGoneError, SystemExit):  # the latter is what Typer and rich make of a broken pipe
        return 0
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        if error.format_message():  # a group without a command has shown its help
            output.say(_usage_text(error))
        return error.exit_code
    except FramelinkError as error:
        output.say(str(error))
    except OSError as error:
        output.say(_os_error_text(error))
    finally:
        output.forsake_unwritable_stdout()
    return 1


def _open_missing_streams() -> None:
    """Open the standard streams that were closed before the start, so that to use one is a plain error.

    As GNU's programs do it, input is opened for writing and output for reading: no other file gets their
    numbers, and their use fails.  What goes to stderr is lost, as whoever closed it wanted.
    """
    wrong = {"stdin": os.O_WRONLY, "stdout": os.O_RDONLY, "stderr": os.O_WRONLY}
    for name, flag in wrong.items():
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flag), "r" if name == "stdin" else "w"))


def _make_output_lenient() -> None:
    """Let a terminal that has no character for a unit's sign show another one, not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _usage_text(error: typer.TyperException) -> str:
    """Return the error with where to read on."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "framelink"
    return f"{error.format_message()}  (see `{command} --help`)"


def _os_error_text(error: OSError) -> str:
    """Return the system's reason and what it is about."""
    if error.errno == errno.EBADF:
        return "standard input or output is closed"
    about = f"{error.filename}: " if error.filename is not None else ""
    return f"{about}{error.strerror or error}"
