"""Make framelink/dashboard/framelink.wasm, the decoder for pages: `python -m tools.make_wasm [FILE]`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from firmware_sim.c_config import FLAG, NAME, config_header
from firmware_sim.toolchain import CORE, FIRMWARE, WARNINGS, WASM, build
from framelink.errors import ToolchainError
from framelink.wire import DEFAULT_FORMAT

ROOT = Path(__file__).resolve().parent.parent
COMMITTED = ROOT / "framelink" / "dashboard" / "framelink.wasm"
MAX_SIZE = 4_096  # bytes; less than the page's icon font would be, and loaded in one packet or three
FOLDER = FIRMWARE / "wasm"
SOURCES = (FOLDER / "fl_wasm.c", FOLDER / "string.c", CORE / "fl_frame.c", CORE / "fl_feed.c")
FLAGS = (
    *WARNINGS,
    "-Os",
    "-fno-builtin",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    "-Wl,-z,stack-size=4096",
    FLAG,
)


def build_wasm(header: str) -> Path:
    """Return the module for a configuration header.

    Raises:
        ToolchainError: The compiler is missing or refuses the sources.
    """
    return build(
        WASM, SOURCES, flags=FLAGS, include=(FOLDER, CORE), generated={NAME: header}, name="framelink.wasm"
    )


def default_wasm() -> Path:
    """Return the module for the default frame."""
    return build_wasm(config_header(DEFAULT_FORMAT, table=16))


def main(target: Path = COMMITTED) -> int:
    """Build the module and put it in its place; return the exit code."""
    try:
        made = default_wasm()
    except ToolchainError as error:
        print(f"make wasm: {error}", file=sys.stderr)
        return 1
    size = made.stat().st_size
    if size > MAX_SIZE:
        print(f"make wasm: the module has {size} bytes; at most {MAX_SIZE} are allowed", file=sys.stderr)
        return 1
    shutil.copyfile(made, target)
    print(f"{target}: {size:,} bytes, no imports")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
