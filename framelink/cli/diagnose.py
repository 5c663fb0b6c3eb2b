"""`framelink detect` and `framelink doctor`: what is on a line, and what is wrong with it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framelink.cli import options, output
from framelink.errors import FramelinkError

if TYPE_CHECKING:
    from framelink.diagnosis.detect import Undetected, Verdict
    from framelink.diagnosis.findings import Finding
    from framelink.diagnosis.listening import Heard

STDIN = "-"
LISTEN_SECONDS = 3.0
LISTEN_MAX = 600.0


def detect(
    source: Annotated[
        str,
        typer.Argument(
            metavar="URL|FILE|-", help="A line as links open it, a capture's raw bytes, or standard input."
        ),
    ],
    *,
    seconds: Annotated[
        float,
        typer.Option(metavar="S", min=0.1, max=LISTEN_MAX, help="How long to listen at each baud rate."),
    ] = LISTEN_SECONDS,
    baudrates: Annotated[
        str,
        typer.Option(metavar="BAUD,…", help="What to try, in this order; 12 common ones unless given."),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FORMAT.toml", help="Write the format file there, for --format."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Find out from bytes in which frame format a device speaks, and at which baud rate.

    Prints a format file, for --format, with how sure it is.

    Example: framelink detect /dev/ttyUSB0 -o device.toml
    """
    from framelink.diagnosis.detect import Undetected, format_file

    outcome, baudrate = _detected(source, baudrates, seconds)
    if isinstance(outcome, Undetected):
        if json:
            output.write(output.json_line({"found": False, "reason": outcome.reason}))
        raise FramelinkError(f"{source}: {outcome.reason}")
    text = format_file(outcome, baudrate)
    if out is not None:
        out.write_text(text, "utf-8", newline="\n")
    output.write(output.json_line({"baudrate": baudrate, **outcome.as_dict()}) if json else text)


def _detected(source: str, baudrates: str, seconds: float) -> tuple[Verdict | Undetected, int | None]:
    """Return what was found out, and the baud rate if it was at one."""
    import asyncio

    from framelink.diagnosis.detect import Undetected
    from framelink.diagnosis.detect import detect as detect_in
    from framelink.diagnosis.listening import BAUDRATES, RATELESS, detect_on

    rates = _parse_baudrates(baudrates) or BAUDRATES
    if not is_line(source):
        return detect_in(_read(source)), None
    heard = asyncio.run(detect_on(source, rates, seconds, _say_heard))
    if isinstance(heard, Undetected):
        return heard, None
    return heard.outcome, None if source.startswith(RATELESS) else heard.baudrate


def _say_heard(heard: Heard) -> None:
    what = "frames" if heard.makes_sense else "nothing that makes sense" if heard.data else "nothing"
    output.say(f"{heard.baudrate} baud: {len(heard.data)} bytes, {what}")


def _parse_baudrates(text: str) -> list[int]:
    """Read baud rates such as `9600,115200`; none if the text is empty."""
    parts = [one.strip() for one in text.split(",")] if text else []
    if not all(re.fullmatch("[0-9]{1,10}", one) and 0 < int(one) <= options.MAX_BAUDRATE for one in parts):
        raise typer.BadParameter(
            f"must be baud rates such as 9600,115200, not {text!r}", param_hint="--baudrates"
        )
    return [int(one) for one in parts]


def is_line(source: str) -> bool:
    """Tell whether a link opens it: a URL, a port's name, a device; what is not there may be unplugged."""
    if source == STDIN:
        return False
    path = Path(source)
    return not (path.is_file() or path.is_fifo() or path.is_dir())


def _read(source: str) -> bytes:
    """Return as much as is looked at."""
    from framelink.diagnosis.capture import LOOKED_MAX

    if source == STDIN:
        return sys.stdin.buffer.read(LOOKED_MAX)
    with Path(source).open("rb") as file:
        return file.read(LOOKED_MAX)


def _parse_addr(given: str | int | None) -> int | None:
    """Read an address; the option's default comes by here too."""
    return options.parse_byte(given) if isinstance(given, str) else given


def doctor(
    url: options.Url,
    *,
    addr: Annotated[
        int | None,
        typer.Option(
            parser=_parse_addr, metavar="BYTE", help="The device to talk to; else the first that answers."
        ),
    ] = None,
    baudrate: options.Baudrate = options.DEFAULT_BAUDRATE,
    format: options.FormatFile = None,
    json: options.Json = False,
) -> None:
    """Examine a line and the device on it: what is wrong, and what to do about it, the worst first.

    Takes some 10 s.  Exits with 0 if there is nothing worse than a remark.

    Example: framelink doctor /dev/ttyUSB0
    """
    import asyncio

    from framelink.diagnosis.examination import examine
    from framelink.diagnosis.findings import Severity
    from framelink.diagnosis.rules import diagnose

    known = options.load_format(format)
    measured = asyncio.run(examine(url, addr=addr, baudrate=baudrate, format=known, tell=output.say))
    findings = diagnose(measured)
    show = _finding_json if json else _finding_text
    output.write("".join(map(show, findings)))
    if any(one.severity > Severity.REMARK for one in findings):
        raise typer.Exit(1)


def _finding_json(one: Finding) -> str:
    return output.json_line(one.as_dict())


def _finding_text(one: Finding) -> str:
    """Return a finding as a line, and its fix as another."""
    fix = f"         fix: {output.one_line(one.fix)}\n" if one.fix else ""
    return f"{one.severity.name.lower():7}  {one.topic}: {output.one_line(one.seen)}\n{fix}"
