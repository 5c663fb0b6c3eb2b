"""`framelink encode` and `framelink decode`: frames and bytes, without a line."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Annotated, cast

import typer

from framelink import wire
from framelink.cli import options, output
from framelink.cli.progress import FileProgress
from framelink.errors import FormatError
from framelink.wire import Frame, Receiver

CHUNK = 1 << 17  # bytes a read: larger ones are no faster, and a chunk's lines stay within a few MB
STDIN = "-"


def encode(
    addr: options.Addr,
    cmd: options.Cmd,
    data: options.Data = b"",
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Write the bytes themselves.")] = False,
    format: options.FormatFile = None,
) -> None:
    """Print a frame's bytes in hex.

    Example: framelink encode --addr 1 --cmd 0x10 --data 010203
    """
    frame_format = options.load_format(format)
    try:
        encoded = wire.encode(Frame(addr, cmd, data), frame_format)
    except FormatError as error:
        raise typer.BadParameter(str(error)) from None
    if raw:
        output.write_bytes(encoded)
    else:
        output.write(f"{encoded.hex()}\n")


def decode(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A capture's raw bytes; - is standard input.")],
    *,
    json: options.Json = False,
    format: options.FormatFile = None,
) -> None:
    """Print the frames in a capture, one a line, and on stderr where every byte went.

    Example: framelink decode capture.bin --json | head
    """
    receiver = Receiver(options.load_format(format), locate=True)
    lines = _json_lines if json else _text_lines
    with _opened(file) as source:
        _decode_all(source, receiver, lines)
    ledger = receiver.ledger
    account = output.json_line(ledger.as_dict()) if json else output.ledger_text(ledger) + "\n"
    sys.stderr.write(account)


def _decode_all(source: BufferedReader, receiver: Receiver, lines: _Lines) -> None:
    with contextlib.closing(FileProgress(source)) as progress:
        while chunk := source.read1(CHUNK):
            _print_frames(lines(receiver.feed(chunk), receiver.offsets), progress)
            progress.advance(len(chunk))
        _print_frames(lines(receiver.flush(), receiver.offsets), progress)


def _print_frames(text: str, progress: FileProgress) -> None:
    if text:
        progress.hide()
        output.write(text)


def _opened(file: str) -> contextlib.AbstractContextManager[BufferedReader]:
    """Open a file, or standard input, which stays open."""
    if file == STDIN:
        return contextlib.nullcontext(cast("BufferedReader", sys.stdin.buffer))
    return Path(file).open("rb")


_Lines = Callable[[list[Frame], list[int]], str]
"""Frames and their offsets → the lines to print; a chunk at a time, since a call a line would cost more."""


def _json_lines(frames: list[Frame], offsets: list[int]) -> str:
    return "".join(
        [
            f'{{"offset":{offset},"addr":{addr},"cmd":{cmd},"data":"{data.hex()}"}}\n'
            for offset, (addr, cmd, data) in zip(offsets, frames, strict=True)
        ]
    )


def _text_lines(frames: list[Frame], offsets: list[int]) -> str:
    return "".join(
        [f"{offset:10}  {output.frame_text(frame)}\n" for offset, frame in zip(offsets, frames, strict=True)]
    )
