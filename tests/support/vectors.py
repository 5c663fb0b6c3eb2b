"""The vectors, as every runner reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from framelink.wire import REASONS, Frame, FrameFormat, Ledger

FOLDER = Path(__file__).resolve().parent.parent / "vectors"
FRAMES: dict[str, Any] = json.loads((FOLDER / "frames.json").read_text("utf-8"))
STREAMS: dict[str, Any] = json.loads((FOLDER / "streams.json").read_text("utf-8"))
LETTERS = {
    "header": "H",
    "address": "A",
    "command": "C",
    "length": "L",
    "data": "D",
    "check": "K",
    "tail": "T",
}


def format_named(name: str) -> FrameFormat:
    """Return a frame format of the vectors."""
    return FrameFormat.from_mapping((FRAMES["formats"] | STREAMS["formats"])[name])


def format_of(case: dict[str, Any]) -> FrameFormat:
    """Return a case's frame format."""
    return format_named(case["format"])


def frame_of(case: dict[str, Any]) -> Frame:
    """Return a case's frame."""
    return Frame(case["addr"], case["cmd"], bytes.fromhex(case["data"]))


COUNTS = {"valid": 158, "invalid": 81, "streams": 45}
"""How many cases there are; every runner asserts that it ran them."""


def accounts(case: dict[str, Any]) -> list[Ledger]:
    """Return the ledger after each byte of a stream."""
    changes = [[int(number) for number in one.split()] for one in case["accounts"]]
    found: list[Ledger] = []
    for received in range(1, len(bytes.fromhex(case["bytes"])) + 1):
        if len(changes) > 1 and changes[1][0] == received:
            changes.pop(0)
        _at, delivered, *noise, frames = changes[0]
        pending = received - delivered - sum(noise)
        found.append(Ledger(received, delivered, dict(zip(REASONS, noise, strict=True)), pending, frames))
    return found


def cases_by_format() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return each format's cases by their kind: valid, invalid, streams."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    files = {"valid": FRAMES["valid"], "invalid": FRAMES["invalid"], "streams": STREAMS["streams"]}
    for kind, cases in files.items():
        for case in cases:
            found.setdefault(case["format"], {}).setdefault(kind, []).append(case)
    return found
