"""A reference page of a schema, in Markdown, for people who write to the device by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from framelink.codegen.examples import ADDR, example_of, wire_of
from framelink.codegen.model import (
    Payload,
    events_of,
    may_be_absent,
    own_commands,
    payloads_of,
    shape_of,
    size_of,
    standard_commands,
    structs_of,
)
from framelink.codegen.words import one_line, range_text
from framelink.message import Field, Schema
from framelink.message.document import CommandEntry
from framelink.message.fields import Bit, Limits
from framelink.wire import FrameFormat

_LANES = {"control": "first, in the control lane", "bulk": "last, in the bulk lane"}


def generate(schema: Schema) -> str:
    """Return the reference page of a device."""
    parts = [
        *_head(schema),
        *_frame(schema),
        *(line for one in own_commands(schema) for line in _command(schema, one)),
        *(line for one in events_of(schema) for line in _event(schema, one)),
        *_structs(schema),
        *_parameters(schema),
        *_standard(schema),
    ]
    return "\n\n".join(parts) + "\n"


def _head(schema: Schema) -> list[str]:
    device = schema.document.device
    facts = [
        f"It identifies itself as type 0x{device.type:04X}." if device.type else "",
        f"Its messages have version {device.version}; a payload may be longer than this page says."
        if device.version
        else "",
        f"Numbers have their {'low' if device.byte_order == 'little' else 'high'} byte first.",
        "Requests 0x20 to 0x5F and their replies have a sequence byte in front." if device.sequenced else "",
    ]
    return [
        f"# {escaped(schema.name)}",
        *([f"{escaped(device.description)}."] if device.description else []),
        " ".join(one for one in facts if one),
    ]


def _frame(schema: Schema) -> list[str]:
    format = schema.format
    rows = [
        ("header", len(format.header), f"`{format.header.hex(' ').upper()}`"),
        *(
            (name, format.length_size if name == "len" else 1, _field_about(format, name))
            for name in format.fields
        ),
        ("data", "n", f"the payload, 0 to {format.largest_data} bytes"),
    ]
    if format.checker.size:
        covered = "header" if format.check_covers_header else format.fields[0]
        order = f", {_order(format.check_order)}" if format.checker.size > 1 else ""
        rows.append(("check", format.checker.size, f"{format.check} over {covered} to data{order}"))
    if format.tail:
        rows.append(("tail", len(format.tail), f"`{format.tail.hex(' ').upper()}`"))
    return ["## Frame", _table(("part", "bytes", "meaning"), rows)]


def _field_about(format: FrameFormat, name: str) -> str:
    if name != "len":
        return {"addr": "the device's address", "cmd": "which message it is"}[name]
    what = "n" if format.length_counts == "data" else "the bytes of the whole frame"
    return what if format.length_size == 1 else f"{what}, {_order(format.length_order)}"


def _order(order: str) -> str:
    return f"{'low' if order == 'little' else 'high'} byte first"


def _command(schema: Schema, command: CommandEntry) -> list[str]:
    request, reply = payloads_of(schema, [command])
    lane = _LANES.get(command.priority)
    facts = [
        "It may be asked again when no reply comes." if command.repeatable else "",
        f"The device may take {command.timeout:g} s." if command.timeout else "",
        f"It is sent {lane}." if lane else "",
    ]
    about = [f"{escaped(command.description)}." if command.description else "", *facts]
    text = " ".join(one for one in about if one)
    return [
        f"## Command {command.name}",
        *([text] if text else []),
        *_payload(schema, f"### Request, 0x{request.cmd:02X}", request),
        *_payload(schema, f"### Reply, 0x{reply.cmd:02X}", reply),
    ]


def _event(schema: Schema, event: Payload) -> list[str]:
    about = [f"{escaped(event.description)}."] if event.description else []
    return [f"## Event {event.name}", *about, *_payload(schema, f"### Payload, 0x{event.cmd:02X}", event)]


def _payload(schema: Schema, heading: str, payload: Payload) -> list[str]:
    table = _fields(schema, payload.fields, 1 if payload.sequenced else 0)
    return [heading, *table, *_example(schema, payload)]


def _example(schema: Schema, payload: Payload) -> list[str]:
    values = example_of(schema, payload)
    wire = wire_of(schema, payload, values)
    if wire is None:
        return []
    addressed = f" at address {ADDR}" if "addr" in schema.format.fields else ""
    shown = json.dumps(values, ensure_ascii=False, default=bytes.hex)
    with_values = f" with `{shown}`" if values else ""
    return [f"Example{addressed}{with_values}:", "    " + wire.hex(" ").upper()]


def _fields(schema: Schema, fields: Sequence[Field], offset: int) -> list[str]:
    """Return the table of some fields; offsets end behind the first of no certain size."""
    if not fields and not offset:
        return ["No data."]
    rows = [("0", "sequence", "u8", "", "which request it is")] if offset else []
    at: int | None = offset
    for field in fields:
        rows.append(("" if at is None else str(at), field.name, *_columns(schema, field)))
        size = size_of(schema, field)
        at = None if at is None or size is None else at + size
    return [_table(("offset", "field", "type", "values", "meaning"), rows), *_lists(fields)]


def _columns(schema: Schema, field: Field) -> tuple[str, str, str]:
    """Return the columns type, values and meaning of a field."""
    about = [escaped(field.description), _scale(field), _limits(field.limits, field.unit), _presence(field)]
    order = field.byte_order
    if order and order != schema.document.device.byte_order:
        about.append(_order(order))
    values = f"{range_text(field)} {escaped(field.unit)}".strip()
    if shape_of(field) in {"enum", "bits"}:
        values = "see below"
    return type_text(field), values, "; ".join(one for one in about if one)


def type_text(field: Field) -> str:
    """Return a field's type: `u16`, `3 × point`, `string of u8 bytes`."""
    one = f"[{field.type}](#{field.type})" if shape_of(field) == "struct" else field.type
    if isinstance(field.size, int):
        one = f"{one}, {field.size} bytes"
    elif field.size is not None:
        one = f"{field.size} size, then {one}"
    elif field.type in {"bytes", "string"}:
        one = f"{one}, the rest"
    if field.count is None:
        return one
    if isinstance(field.count, int):
        return f"{field.count} × {one}"
    return (
        f"{one}, as many as there are" if field.count == "rest" else f"{field.count} count, then {one} each"
    )


def _scale(field: Field) -> str:
    if not field.is_scaled:
        return ""
    offset = f" {'-' if field.offset < 0 else '+'} {abs(field.offset):g}" if field.offset else ""
    return f"value = number × {field.scale:g}{offset}"


def _limits(limits: Limits | None, unit: str) -> str:
    if limits is None:
        return ""
    given = {
        "alarm below": limits.lolo,
        "warning below": limits.low,
        "warning above": limits.high,
        "alarm above": limits.hihi,
    }
    return ", ".join(
        f"{name} {one:g} {escaped(unit)}".rstrip() for name, one in given.items() if one is not None
    )


def _presence(field: Field) -> str:
    if not may_be_absent(field):
        return ""
    return f"since version {field.since}" if field.since > 1 else "may be absent"


def _lists(fields: Iterable[Field]) -> list[str]:
    """Return the labels and bits of the fields that have some."""
    found = []
    for field in fields:
        if field.enum:
            found.append(f"{field.name}: {_labels(field.enum)}.")
        if field.bits:
            found += [f"Bits of {field.name}:", _bits(field.bits)]
    return found


def _labels(enum: dict[str, int]) -> str:
    return ", ".join(f"{number} = {escaped(label)}" for label, number in enum.items())


def _bits(bits: Sequence[Bit]) -> str:
    rows, at = [], 0
    for one in bits:
        span = str(at) if one.width == 1 else f"{at} to {at + one.width - 1}"
        about = "; ".join(text for text in (escaped(one.description), _labels(one.enum)) if text)
        rows.append((span, one.name or "(reserved)", about))
        at += one.width
    return _table(("bits", "name", "meaning"), rows)


def _structs(schema: Schema) -> list[str]:
    found = ["## Structs"] if schema.document.struct else []
    for one in structs_of(schema):
        about = [f"{escaped(one.description)}."] if one.description else []
        found += [f"### {one.name}", *about, *_fields(schema, one.fields, 0)]
    return found


def _parameters(schema: Schema) -> list[str]:
    if not schema.parameters:
        return []
    rows = [(str(number), one.name, *_columns(schema, one)) for number, one in schema.parameters.items()]
    about = "Read with get (0x03) and changed with set (0x04)."
    table = _table(("number", "parameter", "type", "values", "meaning"), rows)
    return ["## Parameters", about, table, *_lists(schema.parameters.values())]


def _standard(schema: Schema) -> list[str]:
    commands = standard_commands(schema)
    if not commands:
        return []
    rows = [
        (f"0x{one.id:02X}", one.name, _names(one.request), _names(one.reply), one.description)
        for one in commands
    ]
    return [
        "## What every framelink device knows",
        _table(("id", "name", "request", "reply", "meaning"), rows),
    ]


def _names(fields: Iterable[Field]) -> str:
    return ", ".join(one.name for one in fields)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, one))} |" for one in lines)


def escaped(text: str) -> str:
    """Return text that a table's cell, or a line, may have."""
    return one_line(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
