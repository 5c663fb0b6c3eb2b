"""What holds for every schema: no bytes make decode raise, and what was encoded is what is decoded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from framelink.errors import PayloadError, SchemaError
from framelink.message import Kind, Message, Schema, Undecodable
from framelink.wire import Frame, Receiver, encode
from tests.message.random_schemas import (
    ANY,
    EXACT,
    HUGE,
    MAX_DATA,
    NAMES,
    Entry,
    Values,
    documents,
    messages_of,
    schema_of,
)

SEQUENCES = st.integers(0, 255)


@settings(max_examples=50, deadline=None)
@given(document=documents(EXACT), data=st.data())
def test_what_was_encoded_is_what_is_decoded(document: Entry, data: st.DataObject) -> None:
    """Every value that a field may have comes back as it was, and so does the sequence byte."""
    schema, values = schema_of(document), Values(document)
    for name, kind, fields in messages_of(document):
        if values.has_any(fields):
            given, sequence = data.draw(values.of(fields)), data.draw(SEQUENCES)
            message = schema.decode(schema.encode(7, name, given, kind=kind, sequence=sequence))
            assert isinstance(message, Message)
            assert (message.name, message.kind, message.fields) == (name, kind, given)
            assert message.sequence == (sequence if schema.sequenced and kind != "event" else None)


@settings(max_examples=50, deadline=None)
@given(document=documents(EXACT), data=st.data())
def test_the_receiver_passes_every_message(document: Entry, data: st.DataObject) -> None:
    """The legal lengths of a schema's format have all in them that its messages can have."""
    schema, values = schema_of(document), Values(document)
    frames = [
        schema.encode(7, name, data.draw(values.of(fields)), kind=kind)
        for name, kind, fields in messages_of(document)
        if values.has_any(fields)
    ]
    if document["device"]["standard"]:
        text, code = data.draw(st.text(max_size=9)), data.draw(st.sampled_from(["busy", "failed"]))
        refusal = {"refused": data.draw(SEQUENCES), "code": code, "text": text}
        frames += [schema.encode(7, "identify"), schema.encode(7, "refusal", refusal, kind="reply")]
    receiver = Receiver(schema.format)
    assert receiver.feed(b"".join(encode(one, schema.format) for one in frames)) == frames


@settings(max_examples=50, deadline=None)
@given(document=documents(EXACT), data=st.data())
def test_a_length_that_is_not_legal_is_never_that_of_a_message(document: Entry, data: st.DataObject) -> None:
    """What the receiver gives up early would have said nothing."""
    schema = schema_of(document)
    for cmd, legal in schema.format.legal_lengths.items():
        size = data.draw(st.integers(0, MAX_DATA))
        if size not in legal:
            assert isinstance(schema.decode(Frame(7, cmd, bytes(size))), Undecodable)


@settings(max_examples=50, deadline=None)
@given(document=documents(ANY), data=st.data())
def test_no_bytes_make_decode_raise(document: Entry, data: st.DataObject) -> None:
    """They are a message, which can be encoded unless a value is none to send, or a reason why not."""
    schema = schema_of(document)
    for cmd in [*schema._by_cmd, 0x6F]:
        size = schema._by_cmd[cmd].layout.size if cmd in schema._by_cmd else 0
        payload = data.draw(st.binary(min_size=size, max_size=size + 1) | st.binary(max_size=255))
        message = schema.decode(Frame(7, cmd, payload))
        assert isinstance(message, Message | Undecodable | None)
        if isinstance(message, Message):
            assert schema.alarms(message) == []
            frame = encoded(schema, message.name, message.fields, message.kind)
            assert frame is None or isinstance(schema.decode(frame), Message)


@settings(max_examples=50, deadline=None)
@given(document=documents(ANY), data=st.data())
def test_the_fast_way_reads_what_the_constructs_read(document: Entry, data: st.DataObject) -> None:
    """A payload has one meaning, however it is found out."""
    schema = schema_of(document)
    for spec in schema._by_cmd.values():
        size = spec.layout.size + spec.sequenced
        frame = Frame(7, spec.cmd, data.draw(st.binary(min_size=size, max_size=size)))
        slow: Message | Undecodable
        try:
            slow = spec._decode(frame)
        except PayloadError as error:
            slow = Undecodable(frame, f"{spec.name}: {error}")
        assert repr(schema.decode(frame)) == repr(slow)  # as text, where NaN is NaN


JUNK_KEYS = st.sampled_from([
    "type", "name", "size", "count", "bits", "enum", "scale", "offset", "min", "max", "limits", "plot", "since",
    "optional", "byte_order", "decimals", "unit", "width", "low", "hihi", "style", "version", "sequenced", "id",
    "reply_id", "timeout", "priority", "repeatable", "fields", "request", "max_data", "standard", "legal_lengths",
    "header", "check", "tail",
])  # fmt: skip
JUNK_NUMBERS = st.sampled_from(
    [0, -1, 1, 2, 255, 256, 65536, 2**63, 2**64, HUGE, 0.0, -1.5, math.inf, math.nan]
)
JUNK_WORDS = st.sampled_from(["", "u8", "u16", "rest", "s", "t", "value", "parameter", "string", "big", "\n"])
JUNK_VALUES = st.recursive(
    st.booleans() | JUNK_NUMBERS | JUNK_WORDS,
    lambda one: st.lists(one, max_size=2) | st.dictionaries(JUNK_KEYS, one, max_size=2),
    max_leaves=4,
)


def tables_of(value: Any) -> list[Entry]:
    """Return all tables in a document."""
    if isinstance(value, list):
        return [table for one in value for table in tables_of(one)]
    return [value, *tables_of(list(value.values()))] if isinstance(value, dict) else []


@settings(max_examples=200, deadline=None)
@given(document=documents(ANY), data=st.data())
def test_a_document_is_a_schema_or_a_schema_error(document: Entry, data: st.DataObject) -> None:
    """Whatever stands under its keys; the error is one line that names the file."""
    for _ in range(data.draw(st.integers(1, 2))):
        table = data.draw(st.sampled_from(tables_of(document)))
        table[data.draw(JUNK_KEYS)] = data.draw(JUNK_VALUES)
    try:
        schema_of(document)
    except SchemaError as error:
        problem = str(error)
        assert problem.startswith("schema: ")
        assert problem.isprintable()


def encoded(schema: Schema, name: str, values: Mapping[str, Any], kind: Kind) -> Frame | None:
    """Return the frame of a message, None if its values are refused."""
    try:
        return schema.encode(7, name, values, kind=kind)
    except PayloadError:
        return None


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([10**400, -(10**400), math.inf, 1e39, 2**64]),
        st.floats(),
        st.text(st.characters()),
        st.sampled_from(["\ud800", "on", "a", "x" * 999]),
        st.binary(max_size=300),
    ),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(NAMES, one, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None)
@given(document=documents(ANY), data=st.data())
def test_no_values_make_encode_raise_anything_but_a_payload_error(
    document: Entry, data: st.DataObject
) -> None:
    """What it lets pass is a message that a frame can carry."""
    schema = schema_of(document)
    for name, kind, fields in messages_of(document):
        values = {field["name"]: data.draw(JUNK) for field in fields}
        values |= data.draw(st.dictionaries(NAMES, JUNK, max_size=1))
        if (frame := encoded(schema, name, values, kind)) is not None:
            assert len(frame.data) <= MAX_DATA
            assert isinstance(schema.decode(frame), Message)
