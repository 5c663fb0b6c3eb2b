"""The boards' sources and the demo: not one warning, and nothing for cppcheck to find."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from firmware_sim.board_kind import BOARDS, DEMO, KINDS, BoardKind
from firmware_sim.toolchain import CORE, FIRMWARE, HOST, WARNINGS, Compiler, build

HOST_COMPILERS = [HOST, replace(HOST, command="clang-14")]
HOST_SIDE = BOARDS / "host"


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_firmware_and_port_compile_without_a_warning(kind: BoardKind) -> None:
    """By the board's own compiler."""
    assert kind.build(DEMO, WARNINGS, {})


@pytest.mark.parametrize("compiler", HOST_COMPILERS, ids=["gcc", "clang"])
def test_what_runs_on_this_computer_compiles_without_a_warning(compiler: Compiler) -> None:
    """The posix board and the runners."""
    sources = [*BOARDS.glob("*/runner.c"), *KINDS["posix"].port]
    assert len(sources) == 5
    for source in sources:
        build(compiler, [source], flags=[*WARNINGS, "-O2", "-c"], include=(CORE, BOARDS, HOST_SIDE))


def test_cppcheck_finds_nothing() -> None:
    """In the boards and the demo."""
    sources = [*BOARDS.glob("*/*.c"), *(FIRMWARE / "demo").glob("*.c")]
    options = ["--quiet", "--std=c99", "--enable=warning,style,performance,portability", "--error-exitcode=1"]
    quiet = ["--suppress=missingIncludeSystem", "-UFL_CONFIG"]
    places = [f"-I{one}" for one in (CORE, BOARDS, HOST_SIDE)]
    command = ["cppcheck", *options, *quiet, *places, *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(sources) == 9
