"""A C header for a device: C99, without malloc, for microcontrollers and computers alike."""

from __future__ import annotations

from importlib.resources import files

from framelink.codegen.c_device import device
from framelink.codegen.c_functions import functions
from framelink.codegen.c_limits import Limits
from framelink.codegen.c_symbols import Symbols
from framelink.codegen.c_text import comment, remark
from framelink.codegen.c_types import types
from framelink.codegen.c_units import units
from framelink.message import Schema

_RUNTIME = files("framelink.codegen").joinpath("templates", "fl_pack.h").read_text("utf-8")


_USE = (
    "unpack reads a payload: false if it is too short or too long, or has more values than there is room for;"
    " what it has written then means nothing.  pack writes one, and its size: false if there is no room for"
    " it, or if a field is missing before one that is there.  Neither allocates, nor reads or writes outside"
    " of what it is given.  is_allowed tells whether a request's values are those that the schema allows:"
    " within min and max, and with a label.  Numbers are as on the wire; to_units and from_units make values"
    " of them."
)


def generate(schema: Schema) -> str:
    """Return the text of a header with all that a device says and hears; nothing else need be compiled."""
    symbols = Symbols(schema)
    limits = Limits(symbols)
    lines = [
        *_about(symbols),
        f"#ifndef {symbols.guard}",
        f"#define {symbols.guard}",
        "",
        f"#ifdef {symbols.device}",
        '#include "fl_device.h"',
        "#endif",
        "",
        "/* --- The same in every generated header ".ljust(107, "-") + " */",
        _RUNTIME,
        f"/* --- {remark(schema.name)} ".ljust(107, "-") + " */",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        *types(symbols),
        *units(symbols),
        *functions(symbols),
        *limits.lines,
        *device(symbols, limits),
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "",
        "#endif",
        "",
    ]
    return "\n".join(lines)


def _about(symbols: Symbols) -> list[str]:
    schema = symbols.schema
    title = f"{schema.name}: {schema.description}" if schema.description else schema.name
    return [
        *comment(f"{title.rstrip('.')}.  Made from a schema by framelink; changes here are lost."),
        *comment(_USE),
        "",
    ]
