"""A device made of its schema alone."""

from __future__ import annotations

from typing import Any

import pytest

from firmware_sim import GenericModel, SimulatedDevice
from framelink.message import Message, Schema
from framelink.wire import Frame, Receiver, encode

EVERYTHING = """
[device]
name = "everything"
type = 0x4242
byte_order = "big"
[frame]
header = "7e"
[[struct]]
name = "point"
fields = [{ name = "x", type = "i16", min = -5, max = 5 }, { name = "y", type = "f32" }]
[[command]]
id = 0x30
name = "dose"
request = [{ name = "ml", type = "u16" }, { name = "rate", type = "string" }]
reply = [
    { name = "ml", type = "u16" },
    { name = "rate", type = "u8" },
    { name = "left", type = "u16", min = 7 },
    { name = "drift", type = "i8" },
    { name = "points", type = "point", count = 2 },
]
[[event]]
id = 0x20
name = "report"
fields = [
    { name = "pressure", type = "u16", scale = 0.1, unit = "bar", min = 1, max = 9 },
    { name = "level", type = "u8", plot = { min = 10, max = 20 } },
    { name = "load", type = "i16", limits = { low = -3, hihi = 12 } },
    { name = "raw", type = "u64" },
    { name = "small", type = "u8", scale = 0.1 },
    { name = "open", type = "bool" },
    { name = "state", type = "u8", enum = { off = 3, on = 7 } },
    { name = "flags", type = "u16", bits = [{ name = "hot" }, { width = 2 }, { name = "step", width = 3 }] },
    { name = "at", type = "point" },
    { name = "note", type = "string", size = 8 },
    { name = "blob", type = "bytes", size = 3 },
    { name = "more", type = "u8", count = "u8" },
    { name = "new", type = "u8", since = 2 },
]
[[parameter]]
id = 1
name = "rate"
type = "u8"
min = 4
max = 10
[[parameter]]
id = 2
name = "label"
type = "string"
"""
SCHEMA = Schema.parse(EVERYTHING)


def made(schema: Schema, *, period: int = 0) -> SimulatedDevice:
    """Return a device of a schema."""
    model = GenericModel(schema)
    return SimulatedDevice(
        schema.name, 1, schema, model, telemetry=model.telemetry, period=period, format=schema.frame_format
    )


def asked(device: SimulatedDevice, name: str, **fields: Any) -> dict[str, Any]:
    """Ask a device and return the reply's fields."""
    (answer,) = device.feed(encode(SCHEMA.encode(1, name, fields), SCHEMA.frame_format), 0.0)
    return fields_of(SCHEMA, answer)


def fields_of(schema: Schema, wire: bytes) -> dict[str, Any]:
    """Return the fields of a frame's bytes."""
    (frame,) = Receiver(schema.format).feed(wire)
    message = schema.decode(frame)
    assert isinstance(message, Message), message
    return dict(message.fields)


def test_parameters_are_held() -> None:
    """From the smallest that is allowed."""
    device = made(SCHEMA)
    assert asked(device, "get", parameter="rate")["value"] == 4
    assert asked(device, "set", parameter="rate", value=9)["value"] == 9
    assert asked(device, "set", parameter="label", value="left")["value"] == "left"
    assert asked(device, "get", parameter="rate")["value"] == 9


def test_replies_are_filled_from_request_and_parameters() -> None:
    """Of the same name and type; else with the smallest value, or 0."""
    device = made(SCHEMA)
    asked(device, "set", parameter="rate", value=9)
    assert asked(device, "dose", ml=33, rate="fast") == {
        "ml": 33,
        "rate": 9,
        "left": 7,
        "drift": 0,
        "points": [{"x": -5, "y": 0.0}] * 2,
    }


def test_reports_move_within_their_ranges() -> None:
    """A range, an axis, alarm limits, or what is usual and possible; everything has a value, and most change."""
    device = made(SCHEMA, period=1_000)
    reports = [fields_of(SCHEMA, wire) for second in range(1, 61) for wire in device.tick(float(second))]
    assert len(reports) == 60
    bounds = {"pressure": (1, 9), "level": (10, 20), "load": (-3, 12), "raw": (0, 100), "small": (0, 25.5)}
    for name, (low, high) in bounds.items():
        values = [one[name] for one in reports]
        assert low <= min(values) < (low + high) / 2 < max(values) <= high, name
    assert {one["state"] for one in reports} == {"off", "on"}
    assert {one["open"] for one in reports} == {True, False}
    assert {one["flags"]["step"] for one in reports} == set(range(8))
    assert all(-5 <= one["at"]["x"] <= 5 for one in reports)


@pytest.mark.parametrize(
    ("events", "telemetry"),
    [
        ([], ""),
        (["first", "second"], "first"),
        (["first", "telemetry"], "telemetry"),
        (["first", "telemetry", "pump"], "pump"),
    ],
)
def test_it_reports_with_the_likeliest_event(events: list[str], telemetry: str) -> None:
    """That with the device's name, that named telemetry, or the first."""
    entries = "".join(f'[[event]]\nid = {0x20 + at}\nname = "{name}"\n' for at, name in enumerate(events))
    assert GenericModel(Schema.parse(f'[device]\nname = "pump"\n{entries}')).telemetry == telemetry


def test_a_device_without_events_reports_nothing() -> None:
    """Whatever its period."""
    device = made(Schema.parse('[device]\nname = "mute"'), period=100)
    assert device.tick(10.0) == device.report(10.0) == []
    (answer,) = device.feed(encode(Frame(1, 0x05, b"\x64\x00")), 0.0)
    assert Receiver().feed(answer) == [Frame(1, 0x85, b"\x64\x00")]
    assert device.tick(20.0) == []


def test_what_is_not_in_the_schema_is_refused() -> None:
    """As any device does."""
    device = made(SCHEMA)
    (answer,) = device.feed(encode(Frame(1, 0x31), SCHEMA.frame_format), 0.0)
    assert Receiver(SCHEMA.format).feed(answer) == [Frame(1, 0xFF, b"\x31\x010x31")]


def test_a_value_beyond_its_range_is_refused() -> None:
    """As the generated C does, before the device acts."""
    text = '[device]\nname = "oven"\n[[command]]\nid = 0x20\nname = "heat"\nrequest = [{ name = "to", type = "u8", max = 90 }]'
    schema = Schema.parse(text)
    device = made(schema)
    answers = [device.feed(encode(Frame(1, 0x20, bytes([to]))), 0.0)[0] for to in (90, 91)]
    replies = [Receiver().feed(answer)[0] for answer in answers]
    assert [frame.cmd for frame in replies] == [0xA0, 0xFF]
    assert replies[1].data[:2] == bytes([0x20, 3])
    assert device.acted["heat"] == 1
