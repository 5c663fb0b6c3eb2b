"""The parameters of a device: the struct of their values, and the table by which `fl_device` finds them."""

from __future__ import annotations

from framelink.codegen.c_limits import raw_limits
from framelink.codegen.c_symbols import Symbols
from framelink.codegen.c_text import INDENT, beside, comment, macro, number_literal
from framelink.codegen.c_types import NUMBER_TYPES, about_member
from framelink.codegen.names import member
from framelink.codegen.words import Names
from framelink.message import Field
from framelink.message.fields import INTEGERS
from framelink.message.parts import Part

_KEPT = {
    **{name: name.upper() for name in INTEGERS if name not in ("u64", "i64")},
    "bool": "U8",
}
"""What fl_device can keep → its name there."""
_LARGEST = 0x7FFF_FFFF  # fl_parameter's limits are int32_t


def parameters(symbols: Symbols) -> list[str]:
    """Return the struct and the table."""
    kept = [one for one in symbols.parameters if _is_kept(one)]
    others = [one.field.name for one in symbols.parameters if not _is_kept(one)]
    lines = comment(
        f"fl_device keeps no parameters but little-endian numbers of up to 32 bits: not {', '.join(others)}."
        if others
        else ""
    )
    if not kept:
        return [*lines, ""] if lines else []
    return [*lines, *_struct(symbols, kept), ""]


def _is_kept(part: Part) -> bool:
    field = part.field
    return field.type in _KEPT and field.count is None and (part.order == "little" or part.least == 1)


def _struct(symbols: Symbols, kept: list[Part]) -> list[str]:
    names = Names()
    members = {one.field.name: names.unique(member(one.field.name)) for one in kept}
    kind = symbols.type_name("parameters")
    about = f"The parameters' values, as they are on the wire.  {kind} is yours; fl_device changes it."
    declared = [
        beside(f"{INDENT}{_type(one)} {members[one.field.name]};", about_member(symbols, one)) for one in kept
    ]
    ids = list(symbols.ids.parameters)
    rows = [
        _row(ids[symbols.parameters.index(one)], one.field, f"&(values).{members[one.field.name]}")
        for one in kept
    ]
    table = symbols.constant("parameter_table")
    return [
        *comment(about),
        f"typedef struct {kind} {{",
        *declared,
        f"}} {kind};",
        "",
        *comment(
            f"For fl_device_config: static const fl_parameter rows[] FL_FLASH = {table}(values); with your"
            f" static {kind} values, rows as .parameters, and the number of rows as .parameter_count."
        ),
        *macro(f"{table}(values)", ["{", *(f"{INDENT}{one}," for one in rows), "}"]),
        f"#define {symbols.constant('parameter_count')} {len(rows)}U",
    ]


def _type(part: Part) -> str:
    return "uint8_t" if part.field.type == "bool" else NUMBER_TYPES[part.field.type]


def _row(name: str, field: Field, place: str) -> str:
    low, high = raw_limits(field)
    limits = f"{number_literal(low)}, {number_literal(min(high, _LARGEST))}"
    return f"{{{name}, FL_{_KEPT[field.type]}, {place}, {limits}}}"
