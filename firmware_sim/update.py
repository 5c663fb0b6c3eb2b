"""Firmware that replaces itself: images for the slots of firmware/update, and the board that runs it.

`python -m firmware_sim.update run --link /tmp/dev` runs it; `python -m firmware_sim.update image 1.1.0 FILE`
makes what `framelink put` sends to it.
"""

from __future__ import annotations

import argparse
import asyncio
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from firmware_sim.board import Board
from firmware_sim.board_kind import KINDS
from firmware_sim.toolchain import BUILD_TIMEOUT, CORE, FIRMWARE, require
from framelink.errors import FramelinkError, ToolchainError

Version = tuple[int, int, int]

FACTORY_VERSION: Version = (1, 0, 0)
"""Of the firmware that the board has when power comes."""
BOARD = "cortex-m3"
"""The kind of board that firmware/update is for."""
MAGIC, DEVICE_TYPE = 0x3157_4C46, 0x0301
SLOT_SIZE = 16_384  # bytes of a slot, and of the RAM that the code runs in

_UPDATE = FIRMWARE / "update"
_SHARED = (_UPDATE / "image.c", CORE / "fl_crc32.c")
_LOADER = (_UPDATE / "boot.c", *_SHARED)
_APPLICATION = (
    _UPDATE / "app.c",
    _UPDATE / "slots.c",
    *_SHARED,
    *(CORE / f"{one}.c" for one in ("fl_device", "fl_transfer", "fl_frame")),
)
_SCRIPT = _UPDATE / "update.ld"
_OBJCOPY = "arm-none-eabi-objcopy"


def build_image(version: Version) -> bytes:
    """Return the firmware of a version as a transfer carries it: its head, and the code.

    Raises:
        ToolchainError: The compiler is missing or refuses the sources.
    """
    flags = [*_place(0x2000_0000, SLOT_SIZE), f"-DVERSION={','.join(map(str, version))}"]
    kind = KINDS[BOARD]
    kind.require_tools()
    *_runner, program = kind.build(_APPLICATION, flags, {}, linker_script=_SCRIPT)
    return pack_image(_code_of(program), version)


def pack_image(code: bytes, version: Version, *, magic: int = MAGIC, device_type: int = DEVICE_TYPE) -> bytes:
    """Return code with its head in front; see firmware/update/image.h."""
    covered = struct.pack("<II4B", len(code), device_type, *version, 0) + code
    return struct.pack("<II", magic, zlib.crc32(covered)) + covered


def updatable_board(link: Path | None = None, version: Version = FACTORY_VERSION) -> Board:
    """Return a board with the boot loader and a factory firmware of a version.

    Raises:
        ToolchainError: The compiler is missing or refuses the sources.
    """
    numbers = ",".join(map(str, build_image(version)))
    factory = f"static const uint8_t factory[] __attribute__((aligned(4))) = {{{numbers}}};\n"
    return Board(
        BOARD,
        link=link,
        firmware=_LOADER,
        flags=_place(0, 256 * 1024),
        generated={"factory.h": f"#include <stdint.h>\n{factory}"},
        linker_script=_SCRIPT,
    )


def _place(start: int, size: int) -> list[str]:
    """Return the flags that say where code runs."""
    return [f"-Wl,--defsym=code_start={start:#x}", f"-Wl,--defsym=code_size={size:#x}"]


def _code_of(program: str) -> bytes:
    """Return what of a program is loaded, as it lies in memory."""
    require("an image", [_OBJCOPY], ["binutils-arm-none-eabi"])
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder, "code")
        command = [_OBJCOPY, "-O", "binary", program, str(code)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT)
        if done.returncode:
            raise ToolchainError(f"{_OBJCOPY} failed: {done.stderr.strip()}")
        return code.read_bytes()


def _version(text: str) -> Version:
    numbers = [int(one) for one in text.split(".")]
    if len(numbers) != 3 or not all(0 <= one <= 255 for one in numbers):
        raise ValueError(text)
    return numbers[0], numbers[1], numbers[2]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m firmware_sim.update", description="Firmware updates.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="run the board, with its factory firmware, until Ctrl-C")
    run.add_argument("--link", type=Path, help="a stable name for its line")
    image = verbs.add_parser("image", help="make the image of a version")
    image.add_argument("version", type=_version, metavar="VERSION", help="such as 1.1.0")
    image.add_argument("file", type=Path, metavar="FILE", help="where it goes")
    return parser


async def _run(link: Path | None) -> None:
    async with updatable_board(link) as board:
        sys.stdout.write(f"ready: {board.url}\n")
        sys.stdout.flush()
        await board.wait()


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.verb == "run":
            asyncio.run(_run(options.link))
        else:
            options.file.write_bytes(build_image(options.version))
    except KeyboardInterrupt:
        return 0
    except (FramelinkError, OSError) as error:
        sys.stderr.write(f"update: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
