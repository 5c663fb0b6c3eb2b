"""The vectors of the schemas: made by hand, and held to by the schema that all generators read."""

from __future__ import annotations

from pathlib import Path

import pytest

from framelink import wire
from framelink.errors import PayloadError
from framelink.message import Message, Undecodable
from framelink.wire import Frame
from tests.codegen.vectors import COUNTS, FOLDER, NAMES, load, schema_named
from tools import make_schema_vectors


def test_the_files_are_what_their_maker_makes(tmp_path: Path) -> None:
    """Nobody edited the vectors by hand."""
    make_schema_vectors.main(tmp_path)
    for name in NAMES:
        assert (tmp_path / f"{name}.json").read_bytes() == (FOLDER / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_vector_is_there(name: str) -> None:
    """The counts that every runner asserts are those of the files."""
    cases = load(name)
    assert {kind: len(cases[kind]) for kind in COUNTS[name]} == COUNTS[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_reads_and_writes_its_vectors(name: str) -> None:
    """Fields become the payload and the frame that they are in the vectors, and the other way round."""
    schema, cases = schema_named(name), load(name)
    addr = cases["addr"] if "addr" in schema.format.fields else 0
    for one in cases["vectors"]:
        frame = Frame(addr, one["cmd"], bytes.fromhex(one["data"]))
        assert wire.encode(frame, schema.format).hex() == one["frame"]
        sequence = one.get("sequence")
        assert schema.decode(frame) == Message(frame, one["message"], one["kind"], one["fields"], sequence)
        if one.get("way") != "decode":
            made = schema.encode(
                addr, one["message"], one["fields"], kind=one["kind"], sequence=sequence or 0
            )
            assert made == frame


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_gives_reasons_for_payloads_that_say_nothing(name: str) -> None:
    """They are Undecodable, with the message's name in the reason."""
    schema = schema_named(name)
    for one in load(name)["undecodable"]:
        found = schema.decode(Frame(0, one["cmd"], bytes.fromhex(one["data"])))
        assert isinstance(found, Undecodable), one
        assert found.reason.startswith(f"{one['message']}: ")


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_refuses_fields_that_have_no_payload(name: str) -> None:
    """They are a PayloadError with the message's name."""
    schema = schema_named(name)
    for one in load(name)["refused"]:
        with pytest.raises(PayloadError, match=f"^{one['message']}: "):
            schema.encode(0, one["message"], one["fields"], kind=one["kind"])
