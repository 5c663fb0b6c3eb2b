"""The boards that the real firmware runs on: how each is built, and what runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_sim.c_config import FLAG, NAME, config_header
from firmware_sim.toolchain import AVR, CORE, CORTEX_M3, FIRMWARE, HOST, Compiler, build, require
from framelink.codegen.c import generate
from framelink.codegen.names import prefix
from framelink.message import Schema
from framelink.wire import DEFAULT_FORMAT

BOARDS = FIRMWARE / "boards"
"""The folder of the boards' sources."""
_DEMO = FIRMWARE / "demo"
DEVICE = tuple(CORE / f"{one}.c" for one in ("fl_device", "fl_transfer", "fl_crc32", "fl_frame"))
"""What of the core a device is built with; what it does not use costs it nothing."""
DEMO = (_DEMO / "demo.c", _DEMO / "storage.c", *DEVICE)
"""The demo firmware, without a board's port."""


def headers_of(schema: Schema, max_data: int) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what firmware that speaks a schema is built with: file name → text of headers, and flags.

    Args:
        schema: The schema; its header is called NAME.h.
        max_data: The largest payload that there is room for.
    """
    headers = {f"{prefix(schema.name)}.h": generate(schema)}
    flags = (f"-DFL_SEQUENCED={int(schema.sequenced)}",)
    format = schema.frame_format
    if format == DEFAULT_FORMAT:
        return headers, flags
    headers[NAME] = config_header(format, max_data=max_data, table=16)
    return headers, (*flags, FLAG, "-UFL_MAX_DATA", "-UFL_CRC_TABLE")


_HOST_SIDE = BOARDS / "host"
_LINE = _HOST_SIDE / "line.c"
_BRIDGE = _HOST_SIDE / "bridge.c"
_SMALL = ("-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")


@dataclass(frozen=True)
class BoardKind:
    """One kind of board.

    Attributes:
        name: Its name on the command line.
        description: What it is, for people.
        compiler: What compiles its firmware.
        port: The sources of its port layer.
        flags: How its firmware is compiled.
        linker_script: Where its firmware goes in memory.
        max_data: The largest payload that its memory has room for.
        runner: The sources of the program that runs its firmware; none if the firmware runs by itself.
        libraries: What the runner is linked with.
        commands: Programs that it needs besides compilers.
        headers: A compiler's command, and a header that it must find.
        packages: The Debian packages that bring everything.
    """

    name: str
    description: str
    compiler: Compiler
    port: tuple[Path, ...]
    flags: tuple[str, ...]
    max_data: int = 255
    linker_script: Path | None = None
    runner: tuple[Path, ...] = ()
    libraries: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    packages: tuple[str, ...] = HOST.packages

    def require_tools(self) -> None:
        """Check that everything is there that builds and runs it.

        Raises:
            ToolchainError: Something is missing; the message names the packages.
        """
        commands = dict.fromkeys((HOST.command, self.compiler.command, *self.commands))
        require(f"{self.name} ({self.description})", commands, self.packages, headers=self.headers)

    def build(
        self,
        firmware: Sequence[Path],
        flags: Sequence[str],
        generated: dict[str, str],
        *,
        linker_script: Path | None = None,
    ) -> list[str]:
        """Build firmware for it, and return the command that runs it.

        Args:
            firmware: The sources, without the board's port.
            flags: More flags for the compiler.
            generated: File name → text of headers.
            linker_script: Where the firmware goes in memory, if not where the kind says.

        Raises:
            ToolchainError: A compiler refuses a source.
        """
        image = build(
            self.compiler,
            [*firmware, *self.port],
            flags=[f"-DFL_MAX_DATA={self.max_data}", *self.flags, *flags],
            include=tuple(dict.fromkeys((CORE, BOARDS, _HOST_SIDE, *(one.parent for one in firmware)))),
            generated=generated,
            linker_script=linker_script or self.linker_script,
            name=self.name,
        )
        if not self.runner:
            return [str(image)]
        runner = build(
            HOST,
            self.runner,
            flags=("-O2",),
            include=(_HOST_SIDE,),
            libraries=self.libraries,
            name=f"{self.name}-runner",
        )
        return [str(runner), str(image)]


KINDS = {
    one.name: one
    for one in (
        BoardKind(
            name="posix",
            description="a process of this computer",
            compiler=HOST,
            port=(BOARDS / "posix" / "port.c", _LINE, _BRIDGE),
            flags=("-O2",),
        ),
        BoardKind(
            name="atmega328p",
            description="an ATmega328P at 16 MHz, under simavr",
            compiler=AVR,
            port=(BOARDS / "atmega328p" / "port.c",),
            flags=(
                *_SMALL,
                "-DFL_RING_SIZE=128",
                "-DFL_CRC_TABLE=FL_CRC_TABLE_PLATFORM",
                "-DSTORAGE_FILES=3",
                "-DSTORAGE_WINDOW=6",  # requests to read, 14 bytes each, that its ring has room for
            ),
            max_data=64,
            runner=(BOARDS / "atmega328p" / "runner.c", _LINE),
            libraries=("simavr", "elf"),
            headers=(
                (AVR.command, "avr/io.h"),
                (HOST.command, "simavr/sim_avr.h"),
                (HOST.command, "libelf.h"),
            ),
            packages=(*HOST.packages, *AVR.packages, "libsimavr-dev", "libelf-dev"),
        ),
        BoardKind(
            name="cortex-m3",
            description="an LM3S6965 (Cortex-M3) at 50 MHz, under QEMU",
            compiler=CORTEX_M3,
            port=(BOARDS / "lm3s6965" / "port.c", BOARDS / "lm3s6965" / "start.c"),
            flags=(*_SMALL, "-nostartfiles", "-DFL_RING_SIZE=512"),
            linker_script=BOARDS / "lm3s6965" / "lm3s6965.ld",
            runner=(BOARDS / "lm3s6965" / "runner.c", _LINE, _BRIDGE),
            commands=("qemu-system-arm",),
            headers=((CORTEX_M3.command, "string.h"),),
            packages=(*HOST.packages, *CORTEX_M3.packages, "qemu-system-arm"),
        ),
    )
}
"""Name → kind of board."""
