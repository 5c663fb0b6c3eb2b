"""What holds for every schema: no bytes make decode raise, and what was encoded is what is decoded."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from framelink.errors import PayloadError
from framelink.message import TYPES, Kind, Message, Schema, Undecodable
from framelink.wire import Frame

Entry = dict[str, Any]

NAMES = st.sampled_from(["a", "b", "c", "this", "class", "items", "io", "größe", "x_1"])
LABELS = st.sampled_from(["off", "on", "a b", "ü", ""])
INTEGERS = [one for one in TYPES if one[0] in "ui" and one[1:].isdigit()]
FLOATS = ["f32", "f64"]
SCALES = [0.1, 0.001, 0.25, 3.0, -2.0, 1e-12, 1e6]
OFFSETS = [0.0, -40.0, 273.15, 1000.0]
EXTREMES = [5e-324, -1e-300, 1e17, -1e308, 1.7e308]
ORDERS = ["little", "big"]
CMD, EVENT_ID = 0x30, 0x31


def toml(value: Any) -> str:
    """Return a value as TOML writes it in a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return repr(value) if type(value) in (int, float) else json.dumps(value, ensure_ascii=False)


def range_of(type_: str) -> tuple[int, int]:
    """Return the smallest and the largest integer of a type."""
    bits = int(type_[1:])
    return (0, 2**bits - 1) if type_[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@st.composite
def integers(draw: st.DrawFn) -> Entry:
    """An integer, perhaps with limits."""
    type_ = draw(st.sampled_from(INTEGERS))
    if draw(st.booleans()):
        return {"type": type_}
    low, high = sorted(draw(st.lists(st.integers(*range_of(type_)), min_size=2, max_size=2)))
    return {"type": type_, "min": float(low), "max": float(high)} if high < 2**53 > -low else {"type": type_}


@st.composite
def enums(draw: st.DrawFn) -> Entry:
    """An integer with labels."""
    type_ = draw(st.sampled_from(INTEGERS))
    numbers = st.lists(st.integers(*range_of(type_)), min_size=1, max_size=4, unique=True)
    return {
        "type": type_,
        "enum": dict(zip(draw(st.lists(LABELS, unique=True)), draw(numbers), strict=False)),
    }


def scaled(types: list[str], scales: list[float], offsets: list[float]) -> st.SearchStrategy[Entry]:
    """A number, scaled."""
    keys = {"type": st.sampled_from(types), "scale": st.sampled_from(scales)}
    return st.fixed_dictionaries(keys, optional={"offset": st.sampled_from(offsets)})


def counted(numbers: st.SearchStrategy[Entry]) -> st.SearchStrategy[Entry]:
    """Several of these."""
    return st.builds(lambda one, count: one | {"count": count}, numbers, st.integers(1, 4))


EXACT = st.one_of(
    integers(),
    scaled([one for one in INTEGERS if "64" not in one], SCALES, OFFSETS),
    st.sampled_from([{"type": one} for one in FLOATS]),
)
EXACT_FIELDS = st.one_of(EXACT, counted(EXACT), enums(), st.just({"type": "bool"}))
EXTREME = scaled([*INTEGERS, *FLOATS], SCALES + EXTREMES, OFFSETS + EXTREMES)
ANY_FIELDS = st.one_of(EXACT_FIELDS, EXTREME, counted(EXTREME))
RESTS = st.sampled_from(
    [[{"type": "string"}], [{"type": "bytes"}], [{"type": "parameter"}, {"type": "value"}]]
)


@st.composite
def payloads(draw: st.DrawFn, fields: st.SearchStrategy[Entry]) -> list[Entry]:
    """The fields of a payload."""
    parts = [*draw(st.lists(fields, max_size=4)), *draw(st.one_of(st.just([]), RESTS))]
    names = draw(st.lists(NAMES, min_size=len(parts), max_size=len(parts), unique=True))
    return [{"name": name, **part} for name, part in zip(names, parts, strict=True)]


@st.composite
def documents(draw: st.DrawFn, fields: st.SearchStrategy[Entry]) -> Entry:
    """A schema that is valid."""
    parameters = draw(st.lists(fields | st.just({"type": "string"}), max_size=3))
    names = draw(st.lists(NAMES, min_size=len(parameters), max_size=len(parameters), unique=True))
    command = {"id": CMD, "name": "c", "request": draw(payloads(fields)), "reply": draw(payloads(fields))}
    reply_id = draw(st.sampled_from([None, 0x32, 0xC0]))
    device = {"name": "x", "standard": draw(st.booleans()), "byte_order": draw(st.sampled_from(ORDERS))}
    return {
        "device": device,
        "command": [command | ({"reply_id": reply_id} if reply_id else {})],
        "event": [{"id": EVENT_ID, "name": "e", "fields": draw(payloads(fields))}],
        "parameter": [
            {"id": at, "name": name, **one}
            for at, (name, one) in enumerate(zip(names, parameters, strict=True))
        ],
    }


def schema_of(document: Entry) -> Schema:
    """Return the schema of a document, by way of its text."""
    return Schema.parse("\n".join(f"{key} = {toml(value)}" for key, value in document.items()))


def messages_of(document: Entry) -> list[tuple[str, Kind, list[Entry]]]:
    """Return name, kind and fields of each message of its own."""
    (command,), (event,) = document["command"], document["event"]
    return [
        ("c", "request", command["request"]),
        ("c", "reply", command["reply"]),
        ("e", "event", event["fields"]),
    ]


OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "f32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "f64": st.floats(width=64, allow_nan=False, allow_infinity=False),
    "string": st.text(max_size=9),
    "bytes": st.binary(max_size=9),
    "bool": st.booleans(),
}


def value_of(field: Entry) -> st.SearchStrategy[Any]:
    """A value that a field may have."""
    if "count" in field:
        one = value_of({key: value for key, value in field.items() if key != "count"})
        return st.lists(one, min_size=field["count"], max_size=field["count"])
    if field.get("enum"):
        return st.sampled_from(list(field["enum"]))
    if field["type"] in INTEGERS:
        return integer_of(field)
    return OTHERS[field["type"]]


def integer_of(field: Entry) -> st.SearchStrategy[Any]:
    """A number that an integer may have, as people would work it out from scale and offset."""
    low, high = range_of(field["type"])
    if "scale" not in field:
        return st.integers(int(field.get("min", low)), int(field.get("max", high)))
    scale, offset = Decimal(repr(field["scale"])), Decimal(repr(field.get("offset", 0.0)))
    return st.integers(low, high).map(lambda raw: float(raw * scale + offset))


def values_of(fields: list[Entry], parameters: list[Entry]) -> st.SearchStrategy[dict[str, Any]]:
    """Values of all of a payload's fields."""
    if not fields or fields[-1]["type"] != "value":
        return st.fixed_dictionaries({one["name"]: value_of(one) for one in fields})
    *plain, parameter, value = fields
    return st.sampled_from(parameters).flatmap(
        lambda one: st.fixed_dictionaries(
            {field["name"]: value_of(field) for field in plain}
            | {parameter["name"]: st.just(one["name"]), value["name"]: value_of(one)}
        )
    )


@settings(max_examples=75, deadline=None)
@given(document=documents(EXACT_FIELDS), data=st.data())
def test_what_was_encoded_is_what_is_decoded(document: Entry, data: st.DataObject) -> None:
    """Every value that a field may have comes back as it was."""
    schema, parameters = schema_of(document), document["parameter"]
    for name, kind, fields in messages_of(document):
        if parameters or not fields or fields[-1]["type"] != "value":
            values = data.draw(values_of(fields, parameters))
            message = schema.decode(schema.encode(7, name, values, kind=kind))
            assert isinstance(message, Message)
            assert (message.name, message.kind, message.fields) == (name, kind, values)


@settings(max_examples=75, deadline=None)
@given(document=documents(ANY_FIELDS), data=st.data())
def test_no_bytes_make_decode_raise(document: Entry, data: st.DataObject) -> None:
    """They are a message, which can be encoded unless a value is none to send, or a reason why not."""
    schema = schema_of(document)
    for cmd in [*schema._by_cmd, 0x6F]:
        size = schema._by_cmd[cmd].layout.size if cmd in schema._by_cmd else 0
        payload = data.draw(st.binary(min_size=size, max_size=size) | st.binary(max_size=255))
        message = schema.decode(Frame(7, cmd, payload))
        assert isinstance(message, Message | Undecodable | None)
        if isinstance(message, Message):
            frame = encoded(schema, message.name, message.fields, message.kind)
            assert frame is None or isinstance(schema.decode(frame), Message)


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
    lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(max_size=2), one, max_size=2),
    max_leaves=5,
)


@settings(max_examples=75, deadline=None)
@given(document=documents(ANY_FIELDS), data=st.data())
def test_no_values_make_encode_raise_anything_but_a_payload_error(
    document: Entry, data: st.DataObject
) -> None:
    """What it lets pass is a message that a frame can carry."""
    schema = schema_of(document)
    for name, kind, fields in messages_of(document):
        values = {field["name"]: data.draw(JUNK) for field in fields}
        values |= data.draw(st.dictionaries(NAMES, JUNK, max_size=1))
        if (frame := encoded(schema, name, values, kind)) is not None:
            assert len(frame.data) <= 255
            assert isinstance(schema.decode(frame), Message)
