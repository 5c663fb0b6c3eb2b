"""`framelink scan`: the devices on a line."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelink.cli import options, output
from framelink.cli.progress import REFRESH_PERIOD

if TYPE_CHECKING:
    from framelink.device.discovery import Found, Progress
    from framelink.link import HalfDuplex

HIGHEST = 254
"""The last address that a device can have; 255 is everybody's."""

MAX_PASSES = 20
"""As of `framelink.device.discovery`, which is not imported for --help."""

MAX_SECONDS = 1.0
"""Of waiting for each address, and of the turn-round."""

HEADINGS = ("address", "name", "type", "firmware", "boots", "protocol", "round trip")
_ERASE_LINE = "\r\x1b[2K"


def parse_addresses(text: str | tuple[int, ...]) -> tuple[int, ...]:
    """Read addresses such as `1-32` or `1,5,0x20-0x2F`."""
    if isinstance(text, tuple):  # an option's default comes by here too
        return text
    found: set[int] = set()
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\w+)\s*(?:-\s*(\w+)\s*)?", part)
        try:
            first, last = (int(end, 0) for end in (ends[1], ends[2] or ends[1])) if ends else (0, 0)
        except ValueError:
            first = last = 0
        if not 1 <= first <= last <= HIGHEST:
            raise typer.BadParameter(f"must be addresses 1 to {HIGHEST} such as 1-32 or 1,5,9, not {text!r}")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


Addresses = Annotated[
    Any,  # a tuple of int, which Typer would take for several values
    typer.Option(
        parser=parse_addresses,
        metavar="LIST",
        show_default=f"1-{HIGHEST}",
        help="Whom to ask, such as 1-32 or 1,5,9.",
    ),
]
Passes = Annotated[
    int,
    typer.Option(
        metavar="N", min=1, max=MAX_PASSES, help="How often to ask who is silent; for lines that lose frames."
    ),
]
AnswerTime = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0,
        max=MAX_SECONDS,
        help="In what time devices begin to answer; give more for a line over a network.",
    ),
]
Echo = Annotated[bool, typer.Option("--echo", help="The line is half duplex, and we hear what we send.")]
Turnaround = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0, max=MAX_SECONDS, help="The line is half duplex, and needs such a pause."
    ),
]


def scan(
    url: options.Url,
    *,
    addresses: Addresses = tuple(range(1, HIGHEST + 1)),
    passes: Passes = 1,
    answer_time: AnswerTime = 0.005,
    json: options.Json = False,
    echo: Echo = False,
    turnaround: Turnaround = 0.0,
    baudrate: options.Baudrate = options.DEFAULT_BAUDRATE,
    format: options.FormatFile = None,
    connect_timeout: options.ConnectTimeout = options.CONNECT_TIMEOUT,
) -> None:
    """Find the devices on a line: ask every address what it is.

    Example: framelink scan /dev/ttyUSB0 --addresses 1-32
    """
    import asyncio

    line = {
        "baudrate": baudrate,
        "format": options.load_format(format),
        "connect_timeout": connect_timeout or None,
        "half_duplex": _half_duplex(turnaround, echo=echo),
    }
    how = {"passes": passes, "answer_time": answer_time}
    found = asyncio.run(_scan(url, line, addresses, how))
    if not found:
        output.say("no device answered; are baud rate and frame format right? `--passes 3` asks more often")
        raise typer.Exit(1)
    output.write("".join(map(_json, found)) if json else _table(found))


def _half_duplex(turnaround: float, *, echo: bool) -> HalfDuplex | None:
    from framelink.link import HalfDuplex

    return HalfDuplex(turnaround=turnaround, echo=echo) if echo or turnaround else None


async def _scan(
    url: str, line: dict[str, Any], addresses: tuple[int, ...], how: dict[str, Any]
) -> list[Found]:
    from framelink.device.discovery import discover
    from framelink.link import connect

    async with connect(url, **line) as link:
        progress = _ProgressLine()
        try:
            return await discover(link, addresses, **how, progress=progress.show)
        finally:
            progress.close()


class _ProgressLine:
    """How far the scan is, on one line of stderr, if that is a terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._due = 0.0

    def show(self, progress: Progress) -> None:
        """Show it, if it is time to."""
        if self._is_shown and time.monotonic() >= self._due:
            self._write(f"{_ERASE_LINE}asked {progress.asked} of {progress.total}, {progress.found} found")
            self._due = time.monotonic() + REFRESH_PERIOD

    def close(self) -> None:
        """Take it off the screen."""
        if self._is_shown:
            self._write(_ERASE_LINE)

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _json(one: Found) -> str:
    says: dict[str, Any] = {"note": one.note}
    if one.identity is not None:
        says = {
            "name": one.identity.name,
            "type": one.identity.device_type,
            "firmware": one.identity.firmware,
            "boots": one.identity.boots,
            "protocol": one.identity.protocol,
        }
    return output.json_line({"addr": one.addr, **says, "round_trip": round(one.round_trip, 6)})


def _table(found: list[Found]) -> str:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(box=None, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(*(escape(output.one_line(cell)) for cell in _cells(one)))
    with console.capture() as text:
        console.print(table)
    return text.get()


def _cells(one: Found) -> tuple[str, ...]:
    trip = f"{one.round_trip * 1_000:.1f} ms"
    if one.identity is None:
        return (f"0x{one.addr:02X}", f"({one.note})", "", "", "", "", trip)
    who = one.identity
    return (
        f"0x{one.addr:02X}",
        who.name,
        f"0x{who.device_type:04X}",
        who.firmware,
        str(who.boots),
        str(who.protocol),
        trip,
    )
