"""A generated header as a library of this machine: values in, bytes out, and the other way round."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware_sim.toolchain import HOST, WARNINGS, build
from framelink.codegen.c import generate
from framelink.codegen.c_limits import Limits
from framelink.codegen.c_symbols import Record, Symbols
from framelink.codegen.c_types import NUMBER_TYPES
from framelink.codegen.c_units import real_type
from framelink.codegen.model import digits_of
from framelink.message import Field, Kind, Schema
from framelink.message.parts import Part
from framelink.message.values import reader_of_one, writer_of_one

SOURCE = Path(__file__).with_name("c_library.c")
FLAGS = (*WARNINGS, "-O1", "-shared", "-fPIC")
ROOM = 300
_NUMBERS = {
    **{
        f"{sign}{bits}": getattr(ctypes, f"c_{'u' * (sign == 'u')}int{bits}")
        for sign in "ui"
        for bits in (8, 16, 32, 64)
    },
    "f32": ctypes.c_float,
    "bool": ctypes.c_bool,
    "parameter": ctypes.c_uint8,
}


class View(ctypes.Structure):
    """fl_bytes, and fl_text."""

    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class Library:
    """What the header of a schema does.

    Args:
        schema: The schema.
        flags: More flags for the compiler.
        short_double: Whether an f64 is a float in memory, as on AVR.
    """

    def __init__(self, schema: Schema, flags: Sequence[str] = (), *, short_double: bool = False) -> None:
        self.symbols = Symbols(schema)
        self._numbers = {**_NUMBERS, "f64": ctypes.c_float if short_double else ctypes.c_double}
        flags = [*flags, f"-DFL_SHORT_DOUBLE={short_double:d}"]
        generated = {"device.h": generate(schema), "exports.h": exports(self.symbols)}
        self.c: Any = ctypes.CDLL(
            str(build(HOST, [SOURCE], flags=[*FLAGS, *flags], generated=generated, name="schema.so"))
        )
        self._types: dict[str, Any] = {}
        self._scaled = {(one.type, one.scale, one.offset): name for name, one in self.symbols.scaled}
        self._declare()

    def pack(self, name: str, kind: Kind, values: Mapping[str, Any], room: int = ROOM) -> bytes | None:
        """Return the payload of values, None if the header refuses them; None without a struct is no payload."""
        record = self.record(name, kind)
        if not record.parts:
            return b""
        kept: list[Any] = []
        value, out, size = self._type(record)(), ctypes.create_string_buffer(room), ctypes.c_size_t()
        self._fill(value, record, values, kept)
        done = getattr(self.c, f"{record.name}_pack_")(ctypes.byref(value), out, room, ctypes.byref(size))
        return out.raw[: size.value] if done else None

    def unpack(self, name: str, kind: Kind, data: bytes) -> dict[str, Any] | None:
        """Return the values of a payload, None if the header refuses it."""
        record = self.record(name, kind)
        if not record.parts:
            return {} if not data or self.symbols.schema.version is not None else None
        value = self._type(record)()
        done = getattr(self.c, f"{record.name}_unpack_")(ctypes.byref(value), data, len(data))
        return self._read(value, record) if done else None

    def allows(self, name: str, data: bytes) -> bool:
        """Tell whether a request's payload, which is one, has values that the schema allows."""
        record = self.record(name, "request")
        check = getattr(self.c, f"{record.name}_is_allowed_", None)
        if check is None:
            return True
        value = self._type(record)()
        assert getattr(self.c, f"{record.name}_unpack_")(ctypes.byref(value), data, len(data))
        return bool(check(ctypes.byref(value)))

    def record(self, name: str, kind: Kind) -> Record:
        """Return what a message is in C."""
        return next(
            self.symbols.record(one) for one in self.symbols.payloads if (one.name, one.kind) == (name, kind)
        )

    def _declare(self) -> None:
        """Tell ctypes what the functions take and return, where that is no int."""
        for one in _payloads(self.symbols):
            if hasattr(self.c, f"{one.name}_is_allowed_"):
                getattr(self.c, f"{one.name}_is_allowed_").restype = ctypes.c_bool
            getattr(self.c, f"{one.name}_pack_").restype = ctypes.c_bool
            getattr(self.c, f"{one.name}_unpack_").restype = ctypes.c_bool
        for name, field in self.symbols.scaled:
            to, back = getattr(self.c, f"{name}_to_units_"), getattr(self.c, f"{name}_from_units_")
            to.argtypes = [back_type := self._numbers[field.type]]
            to.restype, back.restype, back.argtypes = ctypes.c_double, back_type, [ctypes.c_double]

    # --- types -------------------------------------------------------------------------------------------

    def _type(self, record: Record) -> Any:
        """Return the ctypes of a struct; the compiler says that it has its size."""
        if record.name not in self._types:
            fields = [one for part in record.parts for one in self._members(record, part)]
            self._types[record.name] = type(record.name, (ctypes.Structure,), {"_fields_": fields})
            assert ctypes.sizeof(self._types[record.name]) == getattr(self.c, f"{record.name}_sizeof")()
        return self._types[record.name]

    def _members(self, record: Record, part: Part) -> list[tuple[str, Any]]:
        own, kind, count = record.members[part.field.name], self._type_of(part), part.field.count
        if isinstance(count, str):
            count = getattr(self.c, f"{record.name}_{own.count}_capacity")()
        flags = [(own.has, ctypes.c_bool)] if own.has else []
        counts = [(own.count, ctypes.c_size_t)] if own.count else []
        return [*flags, *counts, (own.value, kind if count is None else kind * count)]

    def _type_of(self, part: Part) -> Any:
        field = part.field
        if part.members:
            return self._type(self.symbols.structs[field.type])
        if field.bits:
            return self._bits_type(part)
        if field.type in ("bytes", "string", "value"):
            if not isinstance(field.size, int):
                return View
            return ctypes.c_uint8 * field.size if field.type == "bytes" else ctypes.c_char * (field.size + 1)
        return self._numbers[field.type]

    def _bits_type(self, part: Part) -> Any:
        bits = self.symbols.bit_field(part)
        if bits.name not in self._types:
            fields = []
            for one in part.field.bits:
                if one.name:
                    width = next(size for size in (8, 16, 32, 64) if one.width <= size)
                    flag = one.width == 1 and not one.enum
                    fields.append((bits.members[one.name], ctypes.c_bool if flag else _NUMBERS[f"u{width}"]))
            self._types[bits.name] = type(bits.name, (ctypes.Structure,), {"_fields_": fields})
        return self._types[bits.name]

    # --- values ------------------------------------------------------------------------------------------

    def _fill(self, to: Any, record: Record, values: Mapping[str, Any], kept: list[Any]) -> None:
        """Write values into a struct; `kept` holds what it points at."""
        for part in record.parts:
            own = record.members[part.field.name]
            if part.field.name not in values:
                continue
            value = values[part.field.name]
            if own.has:
                setattr(to, own.has, True)
            if part.field.count is None:
                setattr(to, own.value, self._raw(part, value, kept))
                continue
            if own.count:
                setattr(to, own.count, len(value))
            room = getattr(to, own.value)
            for at, one in enumerate(value[: len(room)]):
                _set(room, at, self._raw(part.item, one, kept))

    def _raw(self, part: Part, value: Any, kept: list[Any]) -> Any:
        field = part.field
        if part.members:
            struct = self._type_of(part)()
            self._fill(struct, self.symbols.structs[field.type], value, kept)
            return struct
        if field.bits:
            return self._raw_bits(part, value)
        if field.type in ("bytes", "string", "value"):
            return self._raw_bytes(field, value, kept)
        if field.is_scaled:
            return getattr(self.c, f"{self._scale_of(field)}_from_units_")(value)
        return value if field.type[0] == "f" else writer_of_one(field, {})(value)

    def _raw_bytes(self, field: Field, value: Any, kept: list[Any]) -> Any:
        raw = value.encode() if isinstance(value, str) else bytes(value)
        if isinstance(field.size, int):
            return raw if field.type == "string" else (ctypes.c_uint8 * field.size)(*raw)
        kept.append(ctypes.create_string_buffer(raw, len(raw) or 1))
        return View(ctypes.addressof(kept[-1]), len(raw))

    def _raw_bits(self, part: Part, value: Mapping[str, Any]) -> Any:
        struct, members = self._bits_type(part)(), self.symbols.bit_field(part).members
        for one in part.field.bits:
            if one.name:
                given = value[one.name]
                setattr(struct, members[one.name], one.enum.get(given, given) if one.enum else given)
        return struct

    def _read(self, value: Any, record: Record) -> dict[str, Any]:
        """Return the values of a struct."""
        found: dict[str, Any] = {}
        for part in record.parts:
            own = record.members[part.field.name]
            if own.has and not getattr(value, own.has):
                continue
            given = getattr(value, own.value)
            if part.field.count is None:
                found[part.field.name] = self._value(part, given)
            else:
                count = getattr(value, own.count) if own.count else len(given)
                found[part.field.name] = [self._value(part.item, given[at]) for at in range(count)]
        return found

    def _value(self, part: Part, raw: Any) -> Any:
        field = part.field
        if part.members:
            return self._read(raw, self.symbols.structs[field.type])
        if field.bits:
            return self._bits_value(part, raw)
        if field.type in ("bytes", "string", "value"):
            data = _bytes_of(raw)
            return data.decode("utf-8", "replace") if field.type == "string" else data
        if field.is_scaled:
            value = getattr(self.c, f"{self._scale_of(field)}_to_units_")(raw)
            return round(value, digits_of(field)) if field.is_whole else value
        return reader_of_one(field, {})(raw) if field.type != "parameter" else raw

    def _bits_value(self, part: Part, raw: Any) -> dict[str, Any]:
        members = self.symbols.bit_field(part).members
        found = {}
        for one in part.field.bits:
            if one.name:
                number = getattr(raw, members[one.name])
                found[one.name] = {value: label for label, value in one.enum.items()}.get(number, number)
        return found

    def _scale_of(self, field: Field) -> str:
        return self._scaled[field.type, field.scale, field.offset]


def _bytes_of(raw: Any) -> bytes:
    """Return the bytes of a view, or of an array; text that ends at its zero."""
    if isinstance(raw, View):
        return ctypes.string_at(raw.data, raw.size)
    return bytes(getattr(raw, "value", raw))


def _set(room: Any, at: int, value: Any) -> None:
    if isinstance(value, bytes):
        room[at].value = value
    else:
        room[at] = value


def _payloads(symbols: Symbols) -> list[Record]:
    """Return the structs of messages."""
    return symbols.all_records[len(symbols.structs) :]


def exports(symbols: Symbols) -> str:
    """Return C that makes functions of a library of the header's."""
    lines = ['#include "device.h"']
    for record in symbols.all_records:
        lines += _exported("size_t", f"{record.name}_sizeof", "void", f"sizeof({record.name})")
        for own in record.members.values():
            if own.count:
                lines += _exported("size_t", f"{record.name}_{own.count}_capacity", "void", own.capacity)
    for record in _payloads(symbols):
        name = record.name
        unpack, pack = (
            f"{name} *to, const uint8_t *data, size_t size",
            f"const {name} *from, uint8_t *to, size_t room, size_t *size",
        )
        lines += _exported("bool", f"{name}_unpack_", unpack, f"{name}_unpack(to, data, size)")
        lines += _exported("bool", f"{name}_pack_", pack, f"{name}_pack(from, to, room, size)")
    limits = Limits(symbols)
    for record in _payloads(symbols):
        if check := limits.check(record, "from"):
            lines += _exported("bool", f"{record.name}_is_allowed_", f"const {record.name} *from", check)
    for name, field in symbols.scaled:
        raw, real = NUMBER_TYPES[field.type], real_type(field)
        lines += _exported("double", f"{name}_to_units_", f"{raw} raw", f"{name}_to_units(raw)")
        lines += _exported(raw, f"{name}_from_units_", "double value", f"{name}_from_units(({real})value)")
    return "\n".join([*lines, ""])


def _exported(result: str, name: str, parameters: str, value: str) -> list[str]:
    return [f"{result} {name}({parameters});", f"{result} {name}({parameters}) {{ return {value}; }}"]
