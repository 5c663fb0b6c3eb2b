"""Generated C under every compiler: not one warning."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_sim import schema_of
from firmware_sim.toolchain import CORE, HOST, WARNINGS, build
from framelink.codegen.c import generate
from framelink.codegen.c_symbols import Symbols
from framelink.errors import ToolchainError
from framelink.message import Schema
from tests.codegen.c_library import SOURCE, exports
from tests.codegen.vectors import NAMES, schema_named
from tests.firmware.test_compilers import COMPILERS, LEVELS

ODD = r"""
[device]
name = "2 füße */ int"
description = "It ends */ a comment /* and ??/ goes on \\"
max_data = 200

[[struct]]
name = "go_request"
fields = [{ name = "float", type = "f32" }, { name = "Größe", type = "u16", byte_order = "big" }]

[[struct]]
name = "words"
fields = [{ name = "word", type = "string", size = "u8", count = 2 }]

[[command]]
id = 0x20
name = "go"
request = [
    { name = "class", type = "u8", enum = { int = 0, "int " = 1, Int = 2, "3V3 µ" = 3, "*/" = 4 } },
    { name = "n", type = "u32", enum = { small = 1, large = 0xFFFFFFFF }, description = "a\nb */ c" },
    { name = "s", type = "i64", enum = { least = -9223372036854775808, most = 0x7FFFFFFFFFFFFFFF } },
    { name = "sizeof", type = "go_request", count = "u16" },
    { name = "sizeof_count", type = "words" },
    { name = "bool", type = "bool", optional = true },
    { name = "has_bool", type = "u8", bits = [{ name = "bool" }, { name = "inline", width = 7 }], optional = true },
    { name = "NULL", type = "bytes", optional = true },
]
reply = [{ name = "温度", type = "i8", scale = -0.5, count = "u8" }, { name = "size", type = "u8" }, { name = "at", type = "u64" }]

[[command]]
id = 0x21
name = "typed"
request = [{ name = "which", type = "parameter" }, { name = "value", type = "value" }]

[[command]]
id = 0x22
name = "Go"

[[event]]
id = 0x30
name = "go"

[[event]]
id = 0x31
name = "commands"
fields = [{ name = "text", type = "string" }]

[[parameter]]
id = 1
name = "volatile"
type = "u32"
scale = 0.1
max = 100

[[parameter]]
id = 2
name = "switch"
type = "bool"

[[parameter]]
id = 3
name = "low"
type = "i32"
"""
"""Names that C keeps for itself, that are the same in capitals, or have letters that C does not."""

SCHEMAS = {
    **{name: schema_named(name) for name in NAMES},
    **{name: schema_of(name) for name in ("motor", "weather", "power")},
    "odd": Schema.parse(ODD),
}
FOR_THE_DEVICE = [name for name in SCHEMAS if name != "variant"]


def device_source(symbols: Symbols) -> str:
    """Return C that uses all of the device's half of a header."""
    header = generate(symbols.schema)
    calls = re.findall(r"^static inline (?:FL_MUST_CHECK )?\w+ (\w+)\(fl_device", header, re.MULTILINE)
    tables = re.findall(r"^static const fl_command (\w+)\[", header, re.MULTILINE)
    assert (len(calls), len(tables)) == (
        sum(1 + bool(one.fields) for one in symbols.events),
        bool(symbols.commands),
    )
    return "\n".join(
        [
            f"#define {symbols.device}",
            '#include "device.h"',
            "typedef void (*function)(void);",
            "extern const function used[];",
            f"const function used[] = {{{', '.join(f'(function){one}' for one in calls)}}};",
            *(
                f"const fl_command *table(void); const fl_command *table(void) {{ return {one}; }}"
                for one in tables
            ),
            *_parameters(header),
            "",
        ]
    )


def _parameters(header: str) -> list[str]:
    """Return C with the table of parameters, if there is one."""
    found = re.search(r"^} (\w+_parameters);\n(?:.*\n)*?#define (\w+)\(values\)", header, re.MULTILINE)
    if found is None:
        return []
    kind, table = found.groups()
    return [
        f"static {kind} values;",
        f"static const fl_parameter rows[] FL_FLASH = {table}(values);",
        "const fl_parameter *parameters(void);",
        "const fl_parameter *parameters(void) { return rows; }",
    ]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_generated_compiles_without_a_warning(name: str, compiler: str) -> None:
    """All functions of a header, for size and for speed."""
    symbols = Symbols(SCHEMAS[name])
    generated = {"device.h": generate(symbols.schema), "exports.h": exports(symbols)}
    for level in LEVELS:
        build(
            COMPILERS[compiler], [SOURCE], flags=[*WARNINGS, level, "-c"], generated=generated, name="all.o"
        )


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", FOR_THE_DEVICE)
def test_the_half_for_the_device_compiles_without_a_warning(name: str, compiler: str) -> None:
    """Table, wrappers, events and parameters, with the smallest frame core that takes them."""
    symbols = Symbols(SCHEMAS[name])
    generated = {"device.h": generate(symbols.schema), "exports.h": device_source(symbols)}
    flags = [*WARNINGS, "-Os", "-c", "-DFL_MAX_DATA=64", f"-DFL_SEQUENCED={symbols.schema.sequenced:d}"]
    build(COMPILERS[compiler], [SOURCE], flags=flags, generated=generated, name="device.o")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_header_can_be_included_from_cpp(name: str) -> None:
    """With both halves, in a C++11 program such as an Arduino sketch; names that C++ keeps are no trouble."""
    symbols = Symbols(SCHEMAS[name])
    source = f"#define {symbols.device}\n" * (name in FOR_THE_DEVICE) + '#include "device.h"\n'
    flags = [*(one for one in WARNINGS if one != "-Wmissing-prototypes"), "-xc++", "-c"]
    build(
        replace(HOST, command="g++", flags=("-std=c++11",)),
        [SOURCE],
        flags=[*flags, f"-DFL_SEQUENCED={symbols.schema.sequenced:d}"],
        generated={"device.h": generate(symbols.schema), "exports.h": source},
        name="cpp.o",
    )


@pytest.mark.parametrize(
    ("name", "flags", "problem"),
    [
        ("motor", ["-DFL_SEQUENCED=0"], "compile everything with -DFL_SEQUENCED=1, as the schema says"),
        ("power", ["-DFL_SEQUENCED=1"], "compile everything with -DFL_SEQUENCED=0, as the schema says"),
        ("everything", ["-DFL_MAX_DATA=40"], "compile everything with -DFL_MAX_DATA=43 or more"),
        ("variant", [], "fl_device answers a command below 0x80 with that and 0x80: not 0x01 with 0x41"),
    ],
)
def test_a_core_that_cannot_be_the_device_is_refused(name: str, flags: list[str], problem: str) -> None:
    """When it is compiled, in words that say what to do."""
    symbols = Symbols(SCHEMAS[name])
    source = f'#define {symbols.device}\n#include "device.h"\n'
    generated = {"device.h": generate(symbols.schema), "exports.h": source}
    with pytest.raises(ToolchainError, match=re.escape(problem)):
        build(HOST, [SOURCE], flags=[*flags, "-c"], generated=generated, name="device.o")


@pytest.mark.parametrize("name", SCHEMAS)
def test_cppcheck_finds_nothing(name: str, tmp_path: Path) -> None:
    """In both halves."""
    symbols = Symbols(SCHEMAS[name])
    source = device_source(symbols) if name in FOR_THE_DEVICE else '#include "device.h"\n'
    (tmp_path / "device.h").write_text(generate(symbols.schema), "utf-8")
    (tmp_path / "source.c").write_text(source, "utf-8")
    command = ["cppcheck", "--quiet", "--std=c99", "--enable=warning,style,performance,portability"]
    flags = ["--error-exitcode=1", "--suppress=missingIncludeSystem", "-UFL_CONFIG", f"-I{CORE}"]
    sequenced = f"-DFL_SEQUENCED={symbols.schema.sequenced:d}"
    done = subprocess.run(
        [*command, *flags, sequenced, str(tmp_path / "source.c")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
