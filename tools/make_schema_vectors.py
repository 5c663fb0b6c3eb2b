"""Make tests/vectors/schemas/*.json: `python -m tools.make_schema_vectors [FOLDER]`.

The payloads are written here by hand, number by number with `struct`, and never come from the package; nor
do the frames around them, which tools/reference.py builds.

A vector is `{"message", "kind", "cmd", "fields", "data", "frame"}`, with `"sequence"` where the payload has
one, and `"way": "decode"` where the fields have another payload when they are packed.  JSON has no bytes and,
in JavaScript, no whole numbers of 64 bits: they stand as `{"$bytes": "hex"}` and `{"$int": "digits"}`.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from tools.reference import build
from tools.schema_cases import EVERYTHING, Case, Cases
from tools.schema_cases_small import SEQUENCED, VARIANT

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "schemas"
ADDR = 5
"""The device in the frames of all vectors."""
CASES = {"everything": EVERYTHING, "everything_sequenced": SEQUENCED, "variant": VARIANT}
LONG_INTEGERS = ("d", "h", "long")
"""The fields that have 64 bits."""


def document_of(cases: Cases, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the vectors of one schema as its file has them."""
    return {
        "schema": f"{schema['device']['name']}.toml",
        "addr": ADDR,
        "vectors": [vector(one, schema) for one in cases.good],
        "undecodable": [undecodable(one, schema) for one in cases.undecodable],
        "refused": [
            {"message": name, "kind": kind, "fields": tagged(fields), "why": why}
            for name, kind, fields, why in cases.refused
        ],
    }


def vector(case: Case, schema: dict[str, Any]) -> dict[str, Any]:
    """Return fields and the payload and frame that they make."""
    found = {
        "message": case.message,
        "kind": case.kind,
        "cmd": cmd_of(case, schema),
        "fields": tagged(case.fields),
        "data": case.data.hex(),
        "frame": frame(case, schema).hex(),
    }
    if case.sequence is not None:
        found["sequence"] = case.sequence
    if case.way != "both":
        found["way"] = case.way
    return found


def undecodable(case: Case, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a payload that no fields have, in a frame that is right."""
    return {
        "message": case.message,
        "kind": case.kind,
        "cmd": cmd_of(case, schema),
        "data": case.data.hex(),
        "frame": frame(case, schema).hex(),
        "why": case.why,
    }


def frame(case: Case, schema: dict[str, Any]) -> bytes:
    """Return a frame that carries the case's payload."""
    return build(schema.get("frame", {}), ADDR, cmd_of(case, schema), case.data)


STANDARD = {"get": 0x03, "set": 0x04, "refusal": 0x7F}


def cmd_of(case: Case, schema: dict[str, Any]) -> int:
    """Return the command of a case's frame."""
    entries = schema["event"] if case.kind == "event" else schema["command"]
    own = {one["name"]: one for one in entries}
    entry: dict[str, int] = own.get(case.message, {"id": STANDARD.get(case.message, 0)})
    return entry.get("reply_id", entry["id"] | 0x80) if case.kind == "reply" else entry["id"]


def tagged(value: Any, name: str = "") -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, dict):
        return {key: tagged(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [tagged(one, name) for one in value]
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    return {"$int": str(value)} if name in LONG_INTEGERS and isinstance(value, int) else value


def main(folder: Path = FOLDER) -> None:
    """Write the files."""
    for name, cases in CASES.items():
        schema = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
        text = json.dumps(document_of(cases, schema), indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
