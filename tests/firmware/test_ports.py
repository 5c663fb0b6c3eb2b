"""The boards' sources and the demo: not one warning, and nothing for cppcheck to find."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_sim.board_kind import BOARDS, DEMO, KINDS, BoardKind, headers_of
from firmware_sim.models import schema_of
from firmware_sim.toolchain import CORE, CORTEX_M3, FIRMWARE, HOST, WARNINGS, Compiler, build

HOST_COMPILERS = [HOST, replace(HOST, command="clang-14")]
HOST_SIDE = BOARDS / "host"
UPDATE = FIRMWARE / "update"


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_firmware_and_port_compile_without_a_warning(kind: BoardKind) -> None:
    """By the board's own compiler."""
    headers, flags = headers_of(schema_of("motor"), kind.max_data)
    assert kind.build(DEMO, [*WARNINGS, *flags], headers)


@pytest.mark.parametrize("compiler", HOST_COMPILERS, ids=["gcc", "clang"])
def test_what_runs_on_this_computer_compiles_without_a_warning(compiler: Compiler) -> None:
    """The posix board and the runners."""
    sources = [*BOARDS.glob("*/runner.c"), *KINDS["posix"].port]
    assert len(sources) == 5
    for source in sources:
        build(compiler, [source], flags=[*WARNINGS, "-O2", "-c"], include=(CORE, BOARDS, HOST_SIDE))


@pytest.mark.parametrize("source", sorted(UPDATE.glob("*.c")), ids=lambda one: str(one.name))
def test_the_update_example_compiles_without_a_warning(source: Path) -> None:
    """Boot loader, slots and application."""
    flags = [*WARNINGS, "-Os", "-DFL_MAX_DATA=255", "-c"]
    factory = {"factory.h": "#include <stdint.h>\nstatic const uint8_t factory[] = {0};\n"}
    include = (CORE, BOARDS, UPDATE)
    made = build(CORTEX_M3, [source], flags=flags, include=include, generated=factory)
    assert made.stat().st_size > 0


def test_cppcheck_finds_nothing() -> None:
    """In the boards, the demo and the update example."""
    folders = [*BOARDS.glob("*"), FIRMWARE / "demo", FIRMWARE / "update"]
    sources = [source for folder in folders for source in sorted(folder.glob("*.c"))]
    options = ["--quiet", "--std=c99", "--enable=warning,style,performance,portability", "--error-exitcode=1"]
    quiet = ["--suppress=missingIncludeSystem", "-UFL_CONFIG"]
    places = [f"-I{one}" for one in (CORE, BOARDS, HOST_SIDE)]
    command = ["cppcheck", *options, *quiet, *places, *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(sources) == 14
