"""What every generator wants to know of a schema: its payloads in order, and its fields by kind."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from framelink.message import STANDARD, Field, Kind, Schema
from framelink.message.document import CommandEntry, StructEntry
from framelink.message.fields import NUMBERS
from framelink.message.values import range_of
from framelink.wire import REPLY

Shape = Literal["number", "scaled", "enum", "bits", "bool", "bytes", "string", "struct", "parameter", "value"]


@dataclass(frozen=True)
class Payload:
    """One direction of a message.

    Attributes:
        cmd: The command of its frames.
        name: The message's name.
        kind: Whether it is a request, a reply or an event.
        description: For people.
        fields: In the order of the wire.
        sequenced: Whether a sequence byte stands in front.
        refusal: Whether it is the standard negative reply.
    """

    cmd: int
    name: str
    kind: Kind
    description: str
    fields: tuple[Field, ...]
    sequenced: bool
    refusal: bool = False


def own_commands(schema: Schema) -> list[CommandEntry]:
    """Return the commands that stand in the schema's own file."""
    return list(schema.document.command)


def standard_commands(schema: Schema) -> list[CommandEntry]:
    """Return the commands that the device knows because every framelink device does."""
    own = {one.name for one in schema.document.command}
    known = STANDARD.document.command if schema.document.device.standard else []
    return [one for one in known if one.name not in own]


def payloads_of(schema: Schema, commands: list[CommandEntry]) -> list[Payload]:
    """Return requests and replies of the commands."""
    return [one for command in commands for one in _both(schema, command)]


def _both(schema: Schema, command: CommandEntry) -> tuple[Payload, Payload]:
    reply_cmd = command.id | REPLY if command.reply_id is None else command.reply_id
    sequenced = schema.is_sequenced(command.id)
    name, description = command.name, command.description
    refusal = name == "refusal" and command not in schema.document.command
    return (
        Payload(command.id, name, "request", description, tuple(command.request), sequenced),
        Payload(reply_cmd, name, "reply", description, tuple(command.reply), sequenced, refusal),
    )


def events_of(schema: Schema) -> list[Payload]:
    """Return the events."""
    return [
        Payload(one.id, one.name, "event", one.description, tuple(one.fields), sequenced=False)
        for one in schema.document.event
    ]


def all_payloads(schema: Schema) -> list[Payload]:
    """Return everything that may be in the device's frames: its own messages first."""
    own = payloads_of(schema, own_commands(schema))
    return own + events_of(schema) + payloads_of(schema, standard_commands(schema))


def structs_of(schema: Schema) -> list[StructEntry]:
    """Return the structs, each behind those that it is made of."""
    known = {one.name: one for one in schema.document.struct}
    found: dict[str, StructEntry] = {}

    def add(entry: StructEntry) -> None:
        for field in entry.fields:
            if field.type in known:
                add(known[field.type])
        found.setdefault(entry.name, entry)

    for entry in known.values():
        add(entry)
    return list(found.values())


def shape_of(field: Field) -> Shape:
    """Return what kind of value one item of a field is."""
    if field.enum:
        return "enum"
    if field.bits:
        return "bits"
    if field.is_scaled:
        return "scaled"
    if field.type in NUMBERS:
        return "number"
    plain: dict[str, Shape] = {
        "bool": "bool",
        "bytes": "bytes",
        "string": "string",
        "parameter": "parameter",
        "value": "value",
    }
    return plain.get(field.type, "struct")


def may_be_absent(field: Field) -> bool:
    """Tell whether a payload may end before the field."""
    return field.optional or field.since > 1


def digits_of(field: Field) -> int:
    """Return the digits after the point that a scaled whole number can have."""
    return max(_decimals(field.scale), _decimals(field.offset))


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).as_tuple().exponent
    assert isinstance(exponent, int)  # the number is finite
    return max(0, -exponent)


def limits_of(field: Field) -> tuple[float, float]:
    """Return the smallest and the largest value that may be sent."""
    low, high = range_of(field)
    return (
        low if field.min is None else max(low, field.min),
        high if field.max is None else min(high, field.max),
    )


def number_text(number: float) -> str:
    """Return a number as source code has it: whole ones without a point."""
    whole = number == int(number) and abs(number) < 10**16  # a float has no more digits
    return repr(int(number)) if isinstance(number, int) or whole else repr(number)


def largest_data(schema: Schema) -> int:
    """Return the bytes of the largest payload, its sequence byte included."""
    most = schema.document.device.max_data
    return schema.format.largest_data if most is None else min(most, schema.format.largest_data)


def size_of(schema: Schema, field: Field) -> int | None:
    """Return the bytes of a field that a payload has, None if that is not certain."""
    if isinstance(field.count, str):
        return None
    one = _item_size(schema, field)
    return one if one is None or field.count is None else one * field.count


def _item_size(schema: Schema, field: Field) -> int | None:
    shape = shape_of(field)
    if shape == "struct":
        fields = next(one.fields for one in schema.document.struct if one.name == field.type)
        sizes = [size_of(schema, one) for one in fields]
        known = [one for one in sizes if one is not None]
        return sum(known) if len(known) == len(sizes) else None
    if shape in {"bytes", "string"}:
        return field.size if isinstance(field.size, int) else None
    if shape == "value":
        return None
    return int(field.type[1:]) // 8 if field.type in NUMBERS else 1
