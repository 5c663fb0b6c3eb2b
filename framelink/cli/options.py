"""What several commands take: bytes, hex data, frame formats, lines and addresses to listen on.

A value that is wrong in itself is wrong usage (exit code 2); what is wrong in the world, such as a file
that cannot be read or used, is a failed operation (exit code 1).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from framelink.errors import ConfigError
from framelink.wire import DEFAULT_FORMAT, FrameFormat

DEFAULT_BAUDRATE = 115_200

MAX_BAUDRATE = 0x7FFF_FFFF
"""What serial drivers take, which is more than any line does."""

CONNECT_TIMEOUT = 5.0
"""Seconds that a command waits for its line: an adapter is there within 2 s of being plugged in."""

REPLY_TIMEOUT = 1.0
"""Seconds to wait for the reply to one sending; at 9,600 baud the longest and its reply take 0.6 s."""

SEND_TIMEOUT = 2.0
"""Seconds that a command waits for room in the transmit queue, which is empty when it begins."""


def parse_byte(text: str) -> int:
    """Read a number from 0 to 255, decimal or with 0x."""
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if not 0 <= value <= 0xFF:
        raise typer.BadParameter(f"must be 0 to 255, decimal or with 0x, not {text!r}")
    return value


def parse_hex(text: str | bytes) -> bytes:
    """Read hex text such as `010203` or `01 02 03`."""
    if isinstance(text, bytes):  # an option's default comes by here too
        return text
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise typer.BadParameter(f"must be pairs of hex digits such as 010203, not {text!r}") from None


def parse_listen(text: str) -> tuple[str, int]:
    """Read HOST:PORT, an IPv6 host in brackets.

    Raises:
        ConfigError: It is none.
    """
    host, _colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (_is_host(host) and re.fullmatch("[0-9]{1,5}", port) and int(port) <= 0xFFFF):
        raise ConfigError(f"listen must be HOST:PORT such as 127.0.0.1:8765, not {text!r}")
    return host, int(port)


def _is_host(text: str) -> bool:
    """Tell whether it can be asked for as a host's name or address."""
    try:
        return text.isprintable() and bool(text.encode("idna"))
    except UnicodeError:  # a part between dots that is empty or too long
        return False


def parse_text(text: str) -> str:
    """Read text that others are told: what a shell passes on need not be any."""
    if not text.isprintable():
        raise typer.BadParameter(f"must be printable text, not {text!r}")
    return text


def load_format(path: Path | None) -> FrameFormat:
    """Return the frame format that a TOML file describes, the default one without a file.

    Raises:
        OSError: The file cannot be read.
        ConfigError: The file is no TOML or describes no frame; the message names the file and the key.
    """
    if path is None:
        return DEFAULT_FORMAT
    from framelink.config_files import load_table

    return read_format(load_table(path), str(path))


def read_format(table: dict[str, Any], source: str) -> FrameFormat:
    """Return the frame format that a table describes.

    Raises:
        ConfigError: It describes none; the message begins with `source`, and names the key.
    """
    try:
        return FrameFormat.from_mapping(table)
    except RecursionError:  # of a value that is to be shown
        raise ConfigError(f"{source}: nested too deeply") from None
    except ValueError as error:  # a FormatError, or a number too long to be shown
        raise ConfigError(f"{source}: {error}") from None


Addr = Annotated[
    int, typer.Option(parser=parse_byte, metavar="BYTE", help="The device's address, decimal or 0x….")
]
Cmd = Annotated[int, typer.Option(parser=parse_byte, metavar="BYTE", help="The command, decimal or 0x….")]
OptionalCmd = Annotated[
    int | None,
    typer.Option("--cmd", parser=parse_byte, metavar="BYTE", help="The command, decimal or 0x…."),
]
Data = Annotated[bytes, typer.Option(parser=parse_hex, metavar="HEX", help="The payload, in hex.")]
FormatFile = Annotated[
    Path | None,
    typer.Option("--format", metavar="FORMAT.toml", help="The device's variant of the frame, a TOML file."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="A device path, COM3, usb:VID:PID[:SERIAL], socket://HOST:PORT, rfc2217://HOST:PORT, loop://.",
    ),
]
Baudrate = Annotated[
    int, typer.Option(metavar="BAUD", min=1, max=MAX_BAUDRATE, help="Symbols per second on the line.")
]
BaudrateOfUrls = Annotated[
    int | None,
    typer.Option(
        "--baudrate",
        metavar="BAUD",
        min=1,
        max=MAX_BAUDRATE,
        help=f"Symbols per second on the lines that are given by URL; {DEFAULT_BAUDRATE} unless given.",
    ),
]
ConnectTimeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for the line; 0 waits for ever.")
]
Listen = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Where the page and its WebSocket are served."),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Let others on the network in although nobody has to log in.")
]
