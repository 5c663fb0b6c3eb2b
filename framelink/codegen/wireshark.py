"""A Wireshark dissector of a schema, in Lua: tables of frame and messages, and what reads them."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import crcmod.predefined
import msgspec

from framelink.codegen.model import (
    Payload,
    all_payloads,
    digits_of,
    may_be_absent,
    shape_of,
    structs_of,
)
from framelink.codegen.names import word
from framelink.codegen.wireshark_text import Source, literal, rows
from framelink.codegen.words import one_line
from framelink.message import SEQUENCED_COMMANDS, Field, Schema
from framelink.message.fields import Bit
from framelink.wire import FrameFormat

_FOLDER = files("framelink.codegen").joinpath("templates")
_RUNTIME = [
    _FOLDER.joinpath(f"dissector_{name}.lua").read_text("utf-8")
    for name in ("fields", "payloads", "frames", "tree")
]
_MOST_DIGITS = 99  # that Lua can round to; more change nothing


def generate(schema: Schema) -> str:
    """Return the source of a Wireshark plugin for a device."""
    parts = [
        _title(schema),
        _constants(schema),
        _table("FORMAT", _format(schema.format)),
        _structs(schema),
        _list(
            "PARAMETERS", [{"id": number, **_field(schema, one)} for number, one in schema.parameters.items()]
        ),
        _list("PAYLOADS", [_payload(schema, one) for one in all_payloads(schema)]),
        *_RUNTIME,
    ]
    return "\n".join(one for one in parts if one)


def _title(schema: Schema) -> str:
    about = one_line(schema.description) or "its messages"
    return (
        f"-- {one_line(schema.name)}: {about}.  A dissector for Wireshark.\n"
        "-- Made by `framelink codegen wireshark`: change the schema, not this file.\n"
        "-- Put it into Wireshark's folder of Lua plugins, or give it with `-X lua_script:FILE`.\n"
        "-- It reads captures of link type USER0 (147), whose packets are bytes as they came.\n"
    )


def filter_name(schema: Schema) -> str:
    """Return the name that the device's fields have in Wireshark's filters: `fl_motor`."""
    return "fl_" + (word(schema.name).lower().strip("_") or "device")


def _constants(schema: Schema) -> str:
    ends = [SEQUENCED_COMMANDS[0], SEQUENCED_COMMANDS[-1]] if schema.sequenced else []
    name = filter_name(schema)
    title = f"{schema.name}: {schema.description}" if schema.description else schema.name
    return (
        f"local NAME = {literal(one_line(schema.name))}\n"
        f"local TITLE = {literal(one_line(title))}\n"
        f"local FILTER = {literal(name)} -- fields are {name}.request.MESSAGE.FIELD, and so on\n"
        f"local VERSIONED = {literal(schema.version is not None)} -- may payloads have more than is known?\n"
        f"local SEQUENCED = {literal([Source(f'0x{one:02x}') for one in ends])}"
        " -- first and last request with a sequence byte\n"
    )


def _format(format: FrameFormat) -> dict[str, Any]:
    check = format.check if format.checker.size < 2 or format.check == "sum16" else "crc16"
    found = {
        "header": format.header,
        "tail": format.tail,
        "fields": list(format.fields),
        "length_size": format.length_size,
        "length_big": format.length_order == "big",
        "length_counts_frame": format.length_counts == "frame",
        "max_data": format.largest_data,
        "check": check,
        "check_size": format.checker.size,
        "check_big": format.check_order == "big",
        "check_covers_header": format.check_covers_header,
    }
    return found | ({"crc": _crc(format.check)} if check == "crc16" else {})


def _crc(name: str) -> dict[str, Any]:
    """Return how a CRC is computed: by its name in crcmod, which keeps the first register inverted."""
    crc = crcmod.predefined.PredefinedCrc(name)
    poly = crc.poly & 0xFFFF
    return {
        "name": name,
        "poly": Source(f"0x{_reversed(poly) if crc.reverse else poly:04x}"),
        "init": Source(f"0x{crc.initCrc ^ crc.xorOut:04x}"),
        "xor_out": Source(f"0x{crc.xorOut:04x}"),
        "reflected": bool(crc.reverse),
    }


def _reversed(poly: int) -> int:
    return int(f"{poly:016b}"[::-1], 2)


def _structs(schema: Schema) -> str:
    lists = [
        "\n".join([f"STRUCTS[{literal(one.name)}] = {{", *rows(_fields(schema, one.fields), "  "), "}\n"])
        for one in structs_of(schema)
    ]
    return "\n".join(["local STRUCTS = {}\n", *lists]) if lists else ""


def _list(name: str, entries: list[dict[str, Any]]) -> str:
    return "\n".join([f"local {name} = {{", *rows(entries, "  "), "}\n"])


def _table(name: str, entry: dict[str, Any]) -> str:
    return "\n".join(
        [f"local {name} = {{", *(f"  {key} = {literal(one)}," for key, one in entry.items()), "}\n"]
    )


def _payload(schema: Schema, payload: Payload) -> dict[str, Any]:
    found: dict[str, Any] = {
        "cmd": Source(f"0x{payload.cmd:02x}"),
        "kind": payload.kind,
        "message": payload.name,
        **_ascii(payload.name),
    }
    found |= {name: True for name in ("sequenced", "refusal") if getattr(payload, name)}
    return found | {"fields": _fields(schema, payload.fields)}


def _fields(schema: Schema, fields: Any) -> list[dict[str, Any]]:
    return [_field(schema, one) for one in fields]


def _field(schema: Schema, field: Field) -> dict[str, Any]:
    """Return what the dissector must know of a field: only what is not so by default."""
    order = field.byte_order or schema.document.device.byte_order
    found: dict[str, Any] = {"name": field.name, **_ascii(field.name), "type": field.type}
    if shape_of(field) == "struct":
        found["fields"] = Source(f"STRUCTS[{literal(field.type)}]")
    if order == "big":
        found["big"] = True
    wanted = {"count": field.count, "size": field.size, "min": field.min, "max": field.max}
    found |= {key: value for key, value in wanted.items() if value is not None}
    found |= {"unit": field.unit} if field.unit else {}
    if field.is_scaled:
        found |= {"scale": field.scale, "offset": field.offset}
        found |= {"digits": digits_of(field)} if field.is_whole and digits_of(field) <= _MOST_DIGITS else {}
    if field.limits:
        found["limits"] = msgspec.to_builtins(field.limits)
    if field.enum:
        found["enum"] = _enum(field.enum)
    if field.bits:
        found["bits"] = [_bit(one) for one in field.bits]
    return found | ({"optional": True} if may_be_absent(field) else {})


def _ascii(name: str) -> dict[str, str]:
    """Return the name that filters have for it, if it has letters that Wireshark does not take."""
    return {} if name.isascii() else {"filter": word(name)}


def _bit(bit: Bit) -> dict[str, Any]:
    found: dict[str, Any] = {"name": bit.name, **_ascii(bit.name)} if bit.name else {}
    return found | {"width": bit.width} | ({"enum": _enum(bit.enum)} if bit.enum else {})


def _enum(labels: dict[str, int]) -> list[list[Any]]:
    return [[label, number] for label, number in labels.items()]
