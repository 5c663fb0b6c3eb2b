"""What the C core costs a microcontroller: flash, RAM and stack, by board, kind of CRC table, and part.

`python -m tools.firmware_size` prints the table and writes it to docs/firmware-size.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from firmware_sim.toolchain import AVR, CORE, CORTEX_M3, FIRMWARE, WARNINGS, Compiler, build
from framelink.errors import ToolchainError

PAGE = Path(__file__).resolve().parent.parent / "docs" / "firmware-size.md"
PAYLOADS = (16, 64, 255)
"""The largest payloads that the table shows, in bytes."""

API = ("fl_receiver_init", "fl_receiver_push", "fl_receiver_next", "fl_receiver_idle", "fl_seal", "fl_encode")
"""What receives and encodes; the others tell state and counters, and cost only whoever calls them."""

FOR_SIZE = ("-Os", "-fno-tree-loop-distribute-patterns")
"""The second keeps short loops from becoming calls of memset and the like, which are longer."""
FLAGS = (*WARNINGS, *FOR_SIZE, "-ffunction-sections", "-fdata-sections")
PROGRAM = FIRMWARE / "size" / "use.c"
DEVICE_PROGRAM = FIRMWARE / "size" / "device.c"
DEVICE_PAYLOAD = 64
"""The largest payload of the table of parts, in bytes: the core's own choice."""


@dataclass(frozen=True)
class Part:
    """What stands on receiver and encoder.

    Attributes:
        name: Its name in the table.
        sources: Its C files, without .c.
        state: The name of what keeps its state, in the program that is measured.
        sequenced: FL_SEQUENCED.
    """

    name: str
    sources: tuple[str, ...]
    state: str
    sequenced: int


PARTS = (
    Part("device", ("fl_device",), "device", 0),
    Part("device, sequenced", ("fl_device",), "device", 1),
    Part("transfer", ("fl_transfer", "fl_crc32"), "transfer", 0),
)


@dataclass(frozen=True)
class Board:
    """A board of the table.

    Attributes:
        name: Its name there.
        compiler: What compiles for it.
        tools: The prefix of nm and objdump.
        tables: Kinds of CRC table: FL_CRC_TABLE → in words.
        link_flags: What a program without a start-up file needs.
    """

    name: str
    compiler: Compiler
    tools: str
    tables: dict[int, str]
    link_flags: tuple[str, ...]


BOARDS = (
    Board(
        "ATmega328P",
        AVR,
        "avr-",
        {0: "none", 1: "avr-libc's", 16: "16 entries", 256: "256 entries"},
        (),
    ),
    Board(
        "Cortex-M3",
        CORTEX_M3,
        "arm-none-eabi-",
        {0: "none", 16: "16 entries", 256: "256 entries"},
        ("-nostartfiles", "--specs=nano.specs", "-Wl,-emain", "-Wl,--no-warn-rwx-segments"),
    ),
)


@dataclass(frozen=True)
class Cost:
    """What receiver and encoder cost.

    Attributes:
        board: The board's name.
        table: The kind of CRC table, in words.
        max_data: The largest payload in bytes.
        flash: Bytes of code and constants.
        ram: Bytes of a receiver, and of constants that are copied to RAM.
        stack: Bytes of the deepest call.
    """

    board: str
    table: str
    max_data: int
    flash: int
    ram: int
    stack: int


def costs() -> Iterator[Cost]:
    """Yield every row of the table.

    Raises:
        ToolchainError: A compiler is missing.
    """
    for board in BOARDS:
        for table, words in board.tables.items():
            for max_data in PAYLOADS:
                yield cost(board, table, words, max_data)


def cost(board: Board, table: int, words: str, max_data: int) -> Cost:
    """Measure one build."""
    choices = (f"-DFL_CRC_TABLE={table}", f"-DFL_MAX_DATA={max_data}")
    program = build(
        board.compiler,
        [PROGRAM, CORE / "fl_frame.c"],
        flags=[*FLAGS, *choices, *board.link_flags, "-Wl,--gc-sections"],
        name="use.elf",
    )
    core = build(
        board.compiler, [CORE / "fl_frame.c"], flags=[*FLAGS, *choices, "-fstack-usage", "-c"], name="core.o"
    )
    symbols = _symbols(board.tools, program)
    ours = {
        name: one for name, one in symbols.items() if name in _symbols(board.tools, core) or name in _HELPERS
    }
    constants = sum(size for size, kind in ours.values() if kind in "dD")
    return Cost(
        board.name,
        words,
        max_data,
        flash=sum(size for size, kind in ours.values() if kind in "tTrRdD"),
        ram=symbols["receiver"][0] + constants,
        stack=max(_depth(name, _frames(core), _calls(board.tools, core)) for name in API),
    )


@dataclass(frozen=True)
class PartCost:
    """What a part costs beyond receiver and encoder.

    Attributes:
        board: The board's name.
        part: The part's name.
        flash: Bytes of code and constants.
        ram: Bytes of its state, and of constants that are copied to RAM.
    """

    board: str
    part: str
    flash: int
    ram: int


def part_costs() -> Iterator[PartCost]:
    """Yield every row of the table of parts.

    Raises:
        ToolchainError: A compiler is missing.
    """
    for board in BOARDS:
        for part in PARTS:
            yield part_cost(board, part)


def part_cost(board: Board, part: Part) -> PartCost:
    """Measure one part in a program that has all of them."""
    flags = [*FLAGS, f"-DFL_MAX_DATA={DEVICE_PAYLOAD}", f"-DFL_SEQUENCED={part.sequenced}"]
    core = [CORE / f"{name}.c" for name in ("fl_frame", "fl_device", "fl_transfer", "fl_crc32")]
    linked = [*flags, *board.link_flags, "-Wl,--gc-sections"]
    program = build(board.compiler, [DEVICE_PROGRAM, *core], flags=linked, name="device.elf")
    objects = [
        build(board.compiler, [CORE / f"{name}.c"], flags=[*flags, "-c"], name="part.o")
        for name in part.sources
    ]
    names = {name for one in objects for name in _symbols(board.tools, one)}
    symbols = _symbols(board.tools, program)
    ours = [one for name, one in symbols.items() if name in names]
    constants = sum(size for size, kind in ours if kind in "dD")
    return PartCost(
        board.name,
        part.name,
        flash=sum(size for size, kind in ours if kind in "tTrRdD"),
        ram=symbols[part.state][0] + constants,
    )


_HELPERS = ("memcpy", "memmove", "memset", "memcmp")
"""What of the C library the core may have pulled in."""


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@cache
def _symbols(tools: str, file: Path) -> dict[str, tuple[int, str]]:
    """Return name → (bytes, nm's letter) of what a file defines."""
    found = {}
    for line in _output(f"{tools}nm", "--print-size", str(file)).splitlines():
        parts = line.split()
        if len(parts) == 4:
            found[parts[3]] = (int(parts[1], 16), parts[2])
    return found


def _frames(core: Path) -> dict[str, int]:
    """Return function → bytes of its own stack frame, as the compiler says."""
    text = next(core.parent.glob("*.su")).read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines()]
    return {row[0].rpartition(":")[2]: int(row[1]) for row in rows}


@cache
def _calls(tools: str, core: Path) -> dict[str, set[str]]:
    """Return function → functions that it calls."""
    calls: dict[str, set[str]] = {}
    function = ""
    for line in _output(f"{tools}objdump", "--disassemble", "--reloc", str(core)).splitlines():
        if begun := re.match(r"[0-9a-f]+ <(\w+)>:", line):
            function = begun[1]
        elif called := re.search(r"R_(?:AVR|ARM)\w*(?:CALL|JUMP24|13_PCREL)\s+(?:\.text\.)?(\w+)", line):
            calls.setdefault(function, set()).add(called[1])
    return calls


def _depth(function: str, frames: dict[str, int], calls: dict[str, set[str]]) -> int:
    """Return the bytes of stack from the call of a function to its deepest point."""
    inner = [
        _depth(one, frames, calls) for one in calls.get(function, ()) if one != function and one in frames
    ]
    return frames[function] + max(inner, default=0)


def versions() -> list[str]:
    """Return the compilers' own names for themselves."""
    return [_output(board.compiler.command, "--version").splitlines()[0].strip() for board in BOARDS]


def page(rows: list[Cost], parts: list[PartCost]) -> str:
    """Return the documentation page."""
    lines = [
        "# What the C core costs",
        "",
        f"Made by `make size`, with {' and '.join(versions())},",
        f"`{' '.join(FOR_SIZE)}`.",
        f"Receiver and encoder together: `{'`, `'.join(API)}`.",
        "Stack is that of the deepest call, by the compiler's own figures. RAM is one receiver and the",
        "constants that are copied there; encoding keeps nothing, and writes to the caller's buffer.",
        "All in bytes.",
        "",
        "| board | CRC table | largest payload | flash | RAM | stack |",
        "|---|---|---:|---:|---:|---:|",
        *(
            f"| {row.board} | {row.table} | {row.max_data} | {row.flash} | {row.ram} | {row.stack} |"
            for row in rows
        ),
        "",
        "## The parts that stand on it",
        "",
        f"For payloads of at most {DEVICE_PAYLOAD} bytes, beyond receiver and encoder, but a device's RAM",
        "has its receiver in it. `sequenced` is `FL_SEQUENCED`; `transfer` is `fl_transfer` with `fl_crc32`,",
        "without your storage. Whoever does not link a part pays nothing for it.",
        "",
        "| board | part | flash | RAM |",
        "|---|---|---:|---:|",
        *(f"| {one.board} | {one.part} | {one.flash} | {one.ram} |" for one in parts),
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, write the page, and print it; return the exit code."""
    try:
        text = page(list(costs()), list(part_costs()))
    except ToolchainError as error:
        print(f"make size: {error}", file=sys.stderr)
        return 1
    PAGE.write_text(text, "utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
