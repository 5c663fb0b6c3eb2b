"""A JavaScript module of a schema: tables of the messages, and what packs and unpacks them."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from framelink.codegen.js_text import Source, literal, rows
from framelink.codegen.model import (
    Payload,
    all_payloads,
    digits_of,
    largest_data,
    limits_of,
    may_be_absent,
    shape_of,
    structs_of,
)
from framelink.codegen.words import one_line
from framelink.message import SEQUENCED_COMMANDS, Field, Schema
from framelink.message.fields import NUMBERS, Bit

_FOLDER = files("framelink.codegen").joinpath("templates")
_RUNTIME = [
    _FOLDER.joinpath(name).read_text("utf-8")
    for name in ("runtime.js", "runtime_read.js", "runtime_write.js")
]


def generate(schema: Schema) -> str:
    """Return the source of an ES module without imports for a device."""
    parts = [
        title(schema),
        _constants(schema),
        _structs(schema),
        _table("PARAMETERS", [_parameter(schema, number, one) for number, one in schema.parameters.items()]),
        _table("PAYLOADS", [_payload(schema, one) for one in all_payloads(schema)]),
        *_RUNTIME,
    ]
    return "\n".join(one for one in parts if one)


def title(schema: Schema) -> str:
    """Return the comment that both files of a device begin with."""
    about = one_line(schema.description) or "its messages"
    return (
        f"// {one_line(schema.name)}: {about}.\n"
        "// Made by `framelink codegen js`: change the schema, not this file.\n"
    )


def _constants(schema: Schema) -> str:
    ends = [SEQUENCED_COMMANDS[0], SEQUENCED_COMMANDS[-1]] if schema.sequenced else []
    return (
        "/** How a device with such messages identifies itself, 0 if it does not. */\n"
        f"export const DEVICE_TYPE = 0x{schema.device_type:04X};\n\n"
        f"const VERSIONED = {literal(schema.version is not None)}; // may payloads have more than is known?\n"
        f"const MAX_DATA = {largest_data(schema)}; // bytes of a payload\n"
        f"const SEQUENCED = [{', '.join(f'0x{one:02x}' for one in ends)}];"
        " // first and last request with a sequence byte\n"
    )


def _structs(schema: Schema) -> str:
    entries = structs_of(schema)
    lists = [
        "\n".join(
            [f"STRUCTS.{one.name} = [", *(rows(_field(schema, each), "  ") for each in one.fields), "];\n"]
        )
        for one in entries
    ]
    return "\n".join(["const STRUCTS = {};\n", *lists]) if lists else ""


def _table(name: str, entries: list[dict[str, Any]]) -> str:
    return "\n".join([f"const {name} = [", *(rows(one, "  ") for one in entries), "];\n"])


def _payload(schema: Schema, payload: Payload) -> dict[str, Any]:
    found: dict[str, Any] = {
        "cmd": Source(f"0x{payload.cmd:02x}"),
        "kind": payload.kind,
        "message": payload.name,
    }
    found |= {name: True for name in ("sequenced", "refusal") if getattr(payload, name)}
    return found | {"fields": [_field(schema, one) for one in payload.fields]}


def _parameter(schema: Schema, number: int, field: Field) -> dict[str, Any]:
    return {"id": number, **_field(schema, field)}


def _field(schema: Schema, field: Field) -> dict[str, Any]:
    """Return what the module must know of a field: only what is not so by default."""
    shape = shape_of(field)
    order = field.byte_order or schema.document.device.byte_order
    found: dict[str, Any] = {"name": field.name, "type": field.type}
    if shape == "struct":
        found["fields"] = Source(f"STRUCTS.{field.type}")
    if order == "big":
        found["big"] = True
    found |= {
        key: value for key, value in (("count", field.count), ("size", field.size)) if value is not None
    }
    if shape in {"number", "scaled"}:
        found |= _number(field)
    if field.enum:
        found["enum"] = dict(field.enum)
    if field.bits:
        found["bits"] = [_bit(one) for one in field.bits]
    return found | ({"optional": True} if may_be_absent(field) else {})


def _number(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {}
    low, high = limits_of(field)
    if (low, high) != NUMBERS[field.type]:
        found |= {"low": low, "high": high}
    if field.is_scaled:
        found |= {"scale": field.scale, "offset": field.offset}
        found |= {"digits": digits_of(field)} if _is_rounded(field) else {}
    return found | ({"unit": field.unit} if field.unit else {})


def _is_rounded(field: Field) -> bool:
    """Tell whether its value is rounded; JavaScript can to 100 digits, more than that change nothing."""
    return field.is_whole and digits_of(field) <= 100


def _bit(bit: Bit) -> dict[str, Any]:
    found: dict[str, Any] = {"name": bit.name} if bit.name else {}
    return found | {"width": bit.width} | ({"enum": dict(bit.enum)} if bit.enum else {})
