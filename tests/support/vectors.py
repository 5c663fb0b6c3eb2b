"""The vectors, as every runner reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from framelink.wire import Frame, FrameFormat

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


def format_of(case: dict[str, Any]) -> FrameFormat:
    """Return a case's frame format."""
    given = (FRAMES["formats"] | STREAMS["formats"])[case["format"]]
    return FrameFormat.from_mapping({key: value for key, value in given.items() if value is not None})


def frame_of(case: dict[str, Any]) -> Frame:
    """Return a case's frame."""
    return Frame(case["addr"], case["cmd"], bytes.fromhex(case["data"]))
