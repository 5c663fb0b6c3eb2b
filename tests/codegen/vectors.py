"""The vectors of the schemas, as every runner reads them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from framelink.message import Schema
from framelink.wire import Frame

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "schemas"
COUNTS = {
    "everything": {"vectors": 77, "undecodable": 17, "refused": 29},
    "everything_sequenced": {"vectors": 11, "undecodable": 10, "refused": 2},
    "variant": {"vectors": 6, "undecodable": 5, "refused": 2},
}
"""How many cases each schema has; every runner asserts that it ran them."""
NAMES = tuple(COUNTS)
CHANGED = 6
"""Bytes of each payload that are changed, each in a frame of its own."""


def load(name: str) -> dict[str, Any]:
    """Return the vectors of a schema: bytes and whole numbers are what they stand for."""
    text = (FOLDER / f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text, object_hook=_untagged)
    return found


def _untagged(value: dict[str, Any]) -> Any:
    if "$bytes" in value:
        return bytes.fromhex(value["$bytes"])
    return int(value["$int"]) if "$int" in value else value


def schema_named(name: str) -> Schema:
    """Return a schema of the vectors."""
    return Schema.load(FOLDER / f"{name}.toml")


def variations(name: str) -> list[Frame]:
    """Return frames with the vectors' payloads cut everywhere, one byte longer, and with bytes changed."""
    rng = random.Random(name)
    found: list[Frame] = []
    for one in load(name)["vectors"]:
        data = bytes.fromhex(one["data"])
        payloads = [data[:size] for size in range(len(data))]
        payloads.append(data + b"\x07")
        places = rng.sample(range(len(data)), min(len(data), CHANGED))
        payloads += [data[:at] + rng.randbytes(1) + data[at + 1 :] for at in places]
        found += [Frame(0, one["cmd"], each) for each in payloads]
    return found
