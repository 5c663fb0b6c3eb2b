"""Alarms: values beyond their limits."""

from __future__ import annotations

from typing import Any

import pytest

from framelink.message import Alarm, Message, Schema

SCHEMA = Schema.parse("""
    device = { name = "x" }
    struct = [{ name = "motor", fields = [
        { name = "current", type = "u16", scale = 0.1, unit = "A", limits = { high = 10, hihi = 20 } },
        { name = "speed", type = "i16" },
    ] }]
    event = [
        { id = 0x20, name = "plain", fields = [{ name = "a", type = "u8" }] },
        { id = 0x21, name = "state", fields = [
            { name = "heat", type = "i16", limits = { lolo = -30, low = 0, high = 80, hihi = 100 } },
            { name = "motors", type = "motor", count = 2 },
            { name = "cells", type = "u8", count = "u8", limits = { low = 3 }, optional = true },
        ] },
    ]
    parameter = [
        { id = 1, name = "load", type = "u8", limits = { hihi = 90 } },
        { id = 2, name = "title", type = "string" },
    ]
""")
CALM = {"current": 1.0, "speed": 0}


def alarms(name: str, fields: dict[str, Any], kind: Any = "event") -> list[Alarm]:
    """Return the alarms of a message that was sent."""
    message = SCHEMA.decode(SCHEMA.encode(1, name, fields, kind=kind))
    assert isinstance(message, Message)
    return SCHEMA.alarms(message)


@pytest.mark.parametrize(
    ("heat", "level", "limit"),
    [(-31, "lolo", -30), (-30, "low", 0), (-1, "low", 0), (81, "high", 80), (100, "high", 80), (101, "hihi", 100)],
)  # fmt: skip
def test_a_value_beyond_a_limit_is_an_alarm(heat: int, level: str, limit: int) -> None:
    """Of the outermost limit that it is beyond; the limit itself is still within."""
    found = alarms("state", {"heat": heat, "motors": [CALM, CALM]})
    assert found == [("heat", level, heat, limit)]


@pytest.mark.parametrize("heat", [0, 1, 80])
def test_a_value_within_its_limits_is_none(heat: int) -> None:
    """Nor is a message without limits."""
    assert alarms("state", {"heat": heat, "motors": [CALM, CALM]}) == []
    assert alarms("plain", {"a": 255}) == []


def test_alarms_are_found_in_lists_and_structs() -> None:
    """And say where."""
    motors = [CALM, {"current": 20.1, "speed": 0}]
    found = alarms("state", {"heat": 5, "motors": motors, "cells": [4, 2, 3, 1]})
    assert found == [
        Alarm("motors[1].current", "hihi", 20.1, 20),
        Alarm("cells[1]", "low", 2, 3),
        Alarm("cells[3]", "low", 1, 3),
    ]


def test_a_parameter_has_its_limits_where_its_value_is_told() -> None:
    """In what get and set answer."""
    assert alarms("get", {"parameter": "load", "value": 91}, "reply") == [Alarm("value", "hihi", 91, 90)]
    assert alarms("set", {"parameter": "load", "value": 90}, "reply") == []
    assert alarms("get", {"parameter": "title", "value": "x"}, "reply") == []


def test_a_message_of_another_schema_has_no_alarms() -> None:
    """Nothing is known of it."""
    message = SCHEMA.decode(SCHEMA.encode(1, "plain", {"a": 1}))
    assert isinstance(message, Message)
    assert Schema.parse('device = { name = "y" }').alarms(message) == []
