"""The types of a schema in C: enums, bit fields, structs, and the constants beside them."""

from __future__ import annotations

from collections.abc import Iterator

from framelink.codegen.c_symbols import BitField, Choice, Member, Record, Symbols
from framelink.codegen.c_text import INDENT, beside, comment, constants
from framelink.codegen.model import largest_data
from framelink.codegen.words import about_bit, range_text
from framelink.message import Field
from framelink.message.fields import INTEGERS, Bit
from framelink.message.parts import Part

NUMBER_TYPES = {
    **{name: f"{'u' if name[0] == 'u' else ''}int{name[1:]}_t" for name in INTEGERS},
    "f32": "float",
    "f64": "fl_f64",
    "bool": "bool",
    "parameter": "uint8_t",
    "value": "fl_bytes",
}


def types(symbols: Symbols) -> list[str]:
    """Return everything that is declared before a function."""
    lines = [*_numbers(symbols), *_limits(symbols)]
    for choice in symbols.enums.values():
        lines += [*constants(choice.constants, tag=choice.name), ""]
    for bits in symbols.bit_fields.values():
        lines += [*_bit_struct(symbols, bits), ""]
    for record in symbols.all_records:
        lines += [*_record(symbols, record), ""]
    return lines


def c_type(symbols: Symbols, part: Part) -> str:
    """Return the type of one value; for text of a fixed size, of its characters."""
    field = part.field
    if part.members:
        return symbols.structs[field.type].name
    if field.bits:
        return symbols.bit_field(part).name
    if field.type in ("bytes", "string"):
        return _bytes_type(field)
    return NUMBER_TYPES[field.type]


def _bytes_type(field: Field) -> str:
    is_text = field.type == "string"
    if isinstance(field.size, int):
        return "char" if is_text else "uint8_t"
    return "fl_text" if is_text else "fl_bytes"


def _numbers(symbols: Symbols) -> Iterator[str]:
    """Yield the numbers of the device, its commands, events and parameters."""
    device = symbols.schema.document.device
    yield f"#define {symbols.type} 0x{device.type:04X}"
    groups = {
        "Commands, and their replies": symbols.ids.commands,
        "Events": symbols.ids.events,
        "Parameters": symbols.ids.parameters,
    }
    for title, numbers in groups.items():
        if numbers:
            yield ""
            yield from comment(title + ".")
            yield from constants(numbers, form="0x{:02X}")
    yield ""


def _limits(symbols: Symbols) -> Iterator[str]:
    """Yield the largest payload, and the room of those fields that have any number of values."""
    several = [
        (record, part)
        for record in symbols.all_records
        for part in record.parts
        if record.members[part.field.name].count
    ]
    least = max((record.least + part.item.least for record, part in several), default=0)
    more = (
        "  Define a smaller number, the same for every source, to save the memory that arrays have for as"
        " many values as such a payload can hold."
    )
    yield from comment(f"Bytes of the largest payload.{more if several else ''}")
    yield f"#ifndef {symbols.max_data}"
    yield f"#define {symbols.max_data} {largest_data(symbols.schema)}"
    yield "#endif"
    if several:
        yield f"#if {symbols.max_data} < {least}"
        yield f'#error "{symbols.max_data} must be {least} or more"'
        yield "#endif"
    for record, part in several:
        yield _capacity(symbols, record, part)
    yield ""


def _capacity(symbols: Symbols, record: Record, part: Part) -> str:
    size = part.item.least
    most = (
        f"({symbols.max_data} - {record.least}) / {size}"
        if size > 1
        else f"{symbols.max_data} - {record.least}"
    )
    name = record.members[part.field.name].capacity
    if part.field.count == "u8":
        return f"#define {name} (({most}) < 255 ? ({most}) : 255)"
    return f"#define {name} ({most})"


def _bit_struct(symbols: Symbols, bits: BitField) -> list[str]:
    named = [one for one in bits.part.field.bits if one.name]
    lines = [
        beside(f"{INDENT}{bit_type(one)} {bits.members[one.name]};", _about_bit(symbols, one))
        for one in named
    ]
    return [f"typedef struct {bits.name} {{", *lines, f"}} {bits.name};"]


def bit_type(bit: Bit) -> str:
    """Return the type of some bits by themselves."""
    if bit.width == 1 and not bit.enum:
        return "bool"
    return f"uint{next(size for size in (8, 16, 32, 64) if bit.width <= size)}_t"


def _about_bit(symbols: Symbols, bit: Bit) -> str:
    return _with_choice(about_bit(bit), symbols.enum(bit.name, bit.enum) if bit.enum else None)


def _record(symbols: Symbols, record: Record) -> list[str]:
    lines = [
        line for part in record.parts for line in _members(symbols, part, record.members[part.field.name])
    ]
    struct = [f"typedef struct {record.name} {{", *(INDENT + one for one in lines), f"}} {record.name};"]
    size = [f"#define {record.size} {record.least}"] if record.is_flat else []
    return [*comment(record.about), *struct, *size]


def _members(symbols: Symbols, part: Part, own: Member) -> Iterator[str]:
    if own.has:
        yield beside(f"bool {own.has};", f"whether there is {own.value}")
    if own.count:
        yield beside(f"size_t {own.count};", f"how many, at most {own.capacity}")
    yield beside(f"{c_type(symbols, part)} {own.value}{_dimensions(part, own)};", about_member(symbols, part))


def about_member(symbols: Symbols, part: Part) -> str:
    """Return what is to be said of a value, as it is on the wire."""
    field = part.field
    choice = symbols.enum(field.name, field.enum) if field.enum else None
    is_limited = field.is_scaled or field.min is not None or field.max is not None
    range_and_unit = f"{range_text(field) if is_limited else ''} {field.unit}".strip()
    about = ", ".join(one for one in (field.description, range_and_unit) if one)
    return _with_scale(_with_choice(about, choice), field)


def _dimensions(part: Part, own: Member) -> str:
    count = part.field.count
    values = "" if count is None else f"[{own.capacity or count}]"
    if not isinstance(part.field.size, int):
        return values
    size = part.field.size
    return f"{values}[{size} + 1]" if part.field.type == "string" else f"{values}[{size}]"


def _with_choice(about: str, choice: Choice | None) -> str:
    names = f"{next(iter(choice.constants))} …" if choice else ""
    return ", ".join(one for one in (about, names) if one)


def _with_scale(about: str, field: Field) -> str:
    if not field.is_scaled:
        return about
    offset = f" + {field.offset:g}" if field.offset else ""
    return f"{about}; the value is this × {field.scale:g}{offset}"
