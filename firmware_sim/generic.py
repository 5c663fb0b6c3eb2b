"""GenericModel: a device made of its schema alone, for schema files of the user's own."""

from __future__ import annotations

import math
from collections.abc import Mapping

from firmware_sim.models import Refusal
from framelink.message import Field, RefusalCode, Schema, Value
from framelink.message.fields import NUMBERS, PARAMETER_TYPES, Bit, Limits, Plot

USUAL = (0.0, 100.0)  # what a value without a range swings between, if its type can
PERIOD = 20.0  # seconds of a swing; slow enough to be followed by eye
SHARE = 0.8  # of the range: extremes are for tests that ask for them
STEP = 5.0  # seconds until a label or a switch changes
APART = 0.7  # radians from one field's swing to the next one's, so that their lines do not hide each other
Clock = float | None
"""The time; None for what stands still."""
ONE = 1  # elements of an array whose count is not fixed


class GenericModel:
    """Holds parameters in memory, answers commands, and reports values that swing within their ranges.

    A reply's field is filled from the request's field of that name, else from the parameter of that name,
    else with the smallest value that its `min` allows, or 0.

    Args:
        schema: What the device is.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._replies = {one.name: (one.request, one.reply) for one in schema.document.command}
        self._events = {one.name: one.fields for one in schema.document.event}
        self.telemetry = _telemetry_of(schema)
        """The event that it reports with, empty if there is none."""
        self.parameters: dict[str, Value] = {
            one.name: self._made(one, None) for one in schema.parameters.values()
        }

    def power_up(self) -> None:
        """Forget nothing."""

    def alarms(self) -> list[tuple[str, dict[str, Value]]]:
        """Return none."""
        return []

    def measure(self, now: float) -> dict[str, Value]:
        """Return values that move."""
        fields = self._events[self.telemetry]
        return {one.name: self._made(one, _apart(now, at)) for at, one in enumerate(fields)}

    def command(self, name: str, fields: Mapping[str, Value], _now: float) -> dict[str, Value]:
        """Answer a command of the device's own."""
        if name not in self._replies:
            raise Refusal(RefusalCode.UNKNOWN_COMMAND, f"{name} is not for me")
        asked, replied = self._replies[name]
        known = {(one.name, one.type): self.parameters[one.name] for one in self._schema.parameters.values()}
        known |= {(one.name, one.type): fields[one.name] for one in asked if one.name in fields}
        return {
            one.name: known[one.name, one.type] if (one.name, one.type) in known else self._made(one, None)
            for one in replied
        }

    def _made(self, field: Field, now: Clock) -> Value:
        """Return the value of a field at a time; of one that nothing moves without a time."""
        if field.count is None:
            return self._one(field, now)
        count = field.count if isinstance(field.count, int) else ONE
        return [self._one(field, _apart(now, at)) for at in range(count)]

    def _one(self, field: Field, now: Clock) -> Value:
        struct = self._schema.structs.get(field.type)
        if struct is not None:
            return {one.name: self._made(one, _apart(now, at)) for at, one in enumerate(struct.fields)}
        if field.bits:
            return {one.name: _part(one, now) for one in field.bits if one.name}
        if field.enum:
            return _label(list(field.enum), now)
        if field.type in NUMBERS:
            return _number(field, now)
        return self._other(field, now)

    def _other(self, field: Field, now: Clock) -> Value:
        if field.type in PARAMETER_TYPES:
            name, value = next(iter(self.parameters.items()), ("", 0))
            return name if field.type == "parameter" else value
        others: dict[str, Value] = {
            "bool": _switch(now),
            "bytes": bytes(field.size) if isinstance(field.size, int) else b"",
            "string": "",
        }
        return others[field.type]


def _telemetry_of(schema: Schema) -> str:
    """Return the event that reports: with the device's name, else named telemetry, else the first."""
    events = [one.name for one in schema.document.event]
    likely = [name for name in (schema.name, "telemetry", *events) if name in events]
    return likely[0] if likely else ""


def _apart(now: Clock, at: int) -> Clock:
    """Return the time for the field at a place among others."""
    return None if now is None else now + APART * at


def _switch(now: Clock) -> bool:
    return now is not None and int(now / STEP) % 2 == 1


def _label(labels: list[str], now: Clock) -> str:
    return labels[0 if now is None else int(now / STEP) % len(labels)]


def _part(bit: Bit, now: Clock) -> Value:
    if bit.enum:
        return _label(list(bit.enum), now)
    if bit.width == 1:
        return _switch(now)
    return 0 if now is None else int(now / STEP) % (1 << bit.width)


def _number(field: Field, now: Clock) -> int | float:
    low, high = _range(field)
    if now is None:
        value = low if field.min is not None else min(max(0.0, low), high)
    else:
        value = (low + high) / 2 + SHARE * (high - low) / 2 * math.sin(2 * math.pi * now / PERIOD)
    if not field.is_whole or field.is_scaled:
        return value
    return min(max(round(value), math.ceil(low)), math.floor(high))


def _range(field: Field) -> tuple[float, float]:
    """Return where a number's values lie: in its range, on its axis, in its limits, or where it is usual."""
    first, last = sorted(end * field.scale + field.offset for end in NUMBERS[field.type])
    plot = Plot() if isinstance(field.plot, bool) else field.plot
    limits = field.limits or Limits()
    lows = (field.min, plot.min, limits.lolo, limits.low, USUAL[0])
    highs = (field.max, plot.max, limits.hihi, limits.high, USUAL[1])
    low = max(next(one for one in lows if one is not None), first)
    high = min(next(one for one in highs if one is not None), last)
    return (low, high) if low <= high else (min(low, last), min(low, last))
