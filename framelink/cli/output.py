"""What the commands print: results in bulk to stdout, everything about them to stderr."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

from framelink.wire import Frame, Ledger


class ReaderGoneError(Exception):
    """Whoever read our results through a pipe has had enough, as `head` does."""


def say(message: str) -> None:
    """Tell the user something that is no result: one line on stderr, if anybody can still read it."""
    with contextlib.suppress(OSError):
        print(f"framelink: {one_line(message)}", file=sys.stderr, flush=True)


def one_line(text: str) -> str:
    """Return text with escapes for what would break the line or steer the terminal."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def write(text: str) -> None:
    """Write results to stdout, and let whoever reads a pipe have them now.

    Raises:
        ReaderGoneError: Nobody reads the pipe any more.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None


def flush() -> None:
    """Write out what printing left in stdout, while a failure can still be told.

    Raises:
        ReaderGoneError: Nobody reads the pipe any more.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None


def write_bytes(data: bytes) -> None:
    """Write bytes to stdout as they are.

    Raises:
        ReaderGoneError: Nobody reads the pipe any more.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None


def forsake_unwritable_stdout() -> None:
    """Point stdout nowhere if what is left in it cannot be written, or the interpreter complains at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def json_line(value: dict[str, Any]) -> str:
    """Return the value as one compact line; what JSON has no number for, such as NaN, becomes null."""
    import msgspec

    return msgspec.json.encode(value).decode() + "\n"


def frame_text(frame: Frame) -> str:
    """Return a frame for people."""
    addr, cmd, data = frame
    return f"addr 0x{addr:02X}  cmd 0x{cmd:02X}  {len(data):3} bytes  {data.hex(' ')}".rstrip()


def frame_dict(frame: Frame) -> dict[str, Any]:
    """Return a frame for programs."""
    return {"addr": frame.addr, "cmd": frame.cmd, "data": frame.data.hex()}


def ledger_text(ledger: Ledger) -> str:
    """Return where all bytes went, for people."""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in ledger.noise.items() if count)
    return (
        f"{ledger.received:,} bytes: {ledger.delivered:,} in {ledger.frames:,}"
        f" frame{'' if ledger.frames == 1 else 's'}, {ledger.noise_bytes:,} in none"
        f"{f' ({reasons})' if reasons else ''}"
    )
