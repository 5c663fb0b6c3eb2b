"""The vectors that every implementation of schemas is held to: the same values ↔ the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framelink.errors import PayloadError
from framelink.message import Kind, Message, Schema, Undecodable
from framelink.wire import Frame, Receiver, encode

FOLDER = Path(__file__).parents[1] / "vectors" / "schemas"
NAMES = sorted(one.stem for one in FOLDER.glob("*.json"))


class Vectors:
    """A schema and what is to hold of it."""

    def __init__(self, name: str) -> None:
        self.schema = Schema.load(FOLDER / f"{name}.toml")
        self._document = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
        self.addr = self._document["addr"] if "addr" in self.schema.format.fields else 0

    def those(self, key: str) -> list[dict[str, Any]]:
        """Return the vectors of a kind, with values as Python has them."""
        return [{name: untagged(value) for name, value in one.items()} for one in self._document[key]]

    def frame(self, vector: dict[str, Any]) -> Frame:
        """Return the frame that carries a vector's payload."""
        spec = self.schema._by_name[vector["message"], vector["kind"]]
        return Frame(self.addr, spec.cmd, bytes.fromhex(vector["data"]))


def untagged(value: Any) -> Any:
    """Return a value that JSON cannot have."""
    if isinstance(value, list):
        return [untagged(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return bytes.fromhex(value["$bytes"])
    return int(value["$int"]) if "$int" in value else {key: untagged(one) for key, one in value.items()}


@pytest.fixture(params=NAMES)
def vectors(request: pytest.FixtureRequest) -> Vectors:
    """Each file of vectors."""
    return Vectors(request.param)


def is_taken_for_the_reply(vectors: Vectors, frame: Frame, kind: Kind) -> bool:
    """Tell whether a request has the command of its reply."""
    command = vectors.schema.command(frame.cmd)
    return kind == "request" and command is not None and command.reply_cmd == command.id


def test_bytes_become_the_values(vectors: Vectors) -> None:
    """Of every vector, with its sequence byte."""
    for one in vectors.those("vectors"):
        frame = vectors.frame(one)
        if not is_taken_for_the_reply(vectors, frame, one["kind"]):
            message = vectors.schema.decode(frame)
            assert isinstance(message, Message), message
            assert (message.name, message.kind, message.fields) == (
                one["message"],
                one["kind"],
                one["fields"],
            )
            assert message.sequence == one.get("sequence")


def test_values_become_the_bytes(vectors: Vectors) -> None:
    """Of every vector that goes both ways."""
    for one in vectors.those("vectors"):
        if one.get("way") != "decode":
            frame = vectors.schema.encode(
                vectors.addr,
                one["message"],
                one["fields"],
                kind=one["kind"],
                sequence=one.get("sequence", 0),
            )
            assert frame == vectors.frame(one)


def test_the_schemas_format_carries_them(vectors: Vectors) -> None:
    """Its frames are the vectors', and its receiver passes them all."""
    for one in vectors.those("vectors"):
        wire, frame = bytes.fromhex(one["frame"]), vectors.frame(one)
        assert encode(frame, vectors.schema.format) == wire
        assert Receiver(vectors.schema.format).feed(wire) == [frame]


def test_bytes_that_say_nothing_are_undecodable(vectors: Vectors) -> None:
    """Too short, too long, or cut within a field."""
    for one in vectors.those("undecodable"):
        assert isinstance(vectors.schema.decode(vectors.frame(one)), Undecodable), one


def test_values_that_have_no_bytes_are_refused(vectors: Vectors) -> None:
    """By an error that names the message."""
    for one in vectors.those("refused"):
        with pytest.raises(PayloadError, match=one["message"]):
            vectors.schema.encode(vectors.addr, one["message"], one["fields"], kind=one["kind"])
