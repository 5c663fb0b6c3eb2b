"""The boards that the real firmware runs on: how each is built, and what runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_sim.toolchain import AVR, CORE, CORTEX_M3, FIRMWARE, HOST, Compiler, build, require

BOARDS = FIRMWARE / "boards"
"""The folder of the boards' sources."""
DEMO = (FIRMWARE / "demo" / "demo.c", CORE / "fl_device.c", CORE / "fl_frame.c")
"""The demo firmware, without a board's port."""

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

    def build(self, firmware: Sequence[Path], flags: Sequence[str], generated: dict[str, str]) -> list[str]:
        """Build firmware for it, and return the command that runs it.

        Raises:
            ToolchainError: A compiler refuses a source.
        """
        image = build(
            self.compiler,
            [*firmware, *self.port],
            flags=[*self.flags, *flags],
            include=(CORE, BOARDS, _HOST_SIDE),
            generated=generated,
            linker_script=self.linker_script,
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
            flags=("-O2", "-DFL_MAX_DATA=255"),
        ),
        BoardKind(
            name="atmega328p",
            description="an ATmega328P at 16 MHz, under simavr",
            compiler=AVR,
            port=(BOARDS / "atmega328p" / "port.c",),
            flags=(
                *_SMALL,
                "-DFL_MAX_DATA=64",
                "-DFL_RING_SIZE=128",
                "-DFL_CRC_TABLE=FL_CRC_TABLE_PLATFORM",
            ),
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
            flags=(*_SMALL, "-nostartfiles", "-DFL_MAX_DATA=255", "-DFL_RING_SIZE=512"),
            linker_script=BOARDS / "lm3s6965" / "lm3s6965.ld",
            runner=(BOARDS / "lm3s6965" / "runner.c", _LINE, _BRIDGE),
            commands=("qemu-system-arm",),
            headers=((CORTEX_M3.command, "string.h"),),
            packages=(*HOST.packages, *CORTEX_M3.packages, "qemu-system-arm"),
        ),
    )
}
"""Name → kind of board."""
