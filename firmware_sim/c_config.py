"""A frame format as the C core's compile-time choices: `python -m firmware_sim.c_config FORMAT.toml`."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from framelink.errors import FormatError
from framelink.wire import FrameFormat


@dataclass(frozen=True)
class CrcParameters:
    """A 16-bit CRC in the terms of the public catalogue of CRCs.

    Attributes:
        poly: The polynomial, its highest power first.
        init: The register at the beginning.
        xor_out: What is added at the end.
        reflected: Whether bytes go in, and the register comes out, lowest bit first.
    """

    poly: int
    init: int
    xor_out: int
    reflected: bool


CRCS = {
    "modbus": CrcParameters(0x8005, 0xFFFF, 0x0000, reflected=True),
    "crc-16": CrcParameters(0x8005, 0x0000, 0x0000, reflected=True),
    "crc-16-buypass": CrcParameters(0x8005, 0x0000, 0x0000, reflected=False),
    "crc-16-dds-110": CrcParameters(0x8005, 0x800D, 0x0000, reflected=False),
    "crc-16-dect": CrcParameters(0x0589, 0x0000, 0x0001, reflected=False),
    "crc-16-dnp": CrcParameters(0x3D65, 0x0000, 0xFFFF, reflected=True),
    "crc-16-en-13757": CrcParameters(0x3D65, 0x0000, 0xFFFF, reflected=False),
    "crc-16-genibus": CrcParameters(0x1021, 0xFFFF, 0xFFFF, reflected=False),
    "crc-16-maxim": CrcParameters(0x8005, 0x0000, 0xFFFF, reflected=True),
    "crc-16-mcrf4xx": CrcParameters(0x1021, 0xFFFF, 0x0000, reflected=True),
    "crc-16-riello": CrcParameters(0x1021, 0xB2AA, 0x0000, reflected=True),
    "crc-16-t10-dif": CrcParameters(0x8BB7, 0x0000, 0x0000, reflected=False),
    "crc-16-teledisk": CrcParameters(0xA097, 0x0000, 0x0000, reflected=False),
    "crc-16-usb": CrcParameters(0x8005, 0xFFFF, 0xFFFF, reflected=True),
    "crc-aug-ccitt": CrcParameters(0x1021, 0x1D0F, 0x0000, reflected=False),
    "crc-ccitt-false": CrcParameters(0x1021, 0xFFFF, 0x0000, reflected=False),
    "kermit": CrcParameters(0x1021, 0x0000, 0x0000, reflected=True),
    "x-25": CrcParameters(0x1021, 0xFFFF, 0xFFFF, reflected=True),
    "xmodem": CrcParameters(0x1021, 0x0000, 0x0000, reflected=False),
}
"""crcmod's name → parameters; a test holds each to crcmod's results."""

NAME = "fl_format.h"
"""The file name under which a build finds a generated configuration."""
FLAG = f'-DFL_CONFIG="{NAME}"'
"""The compiler flag that makes the core read it."""


def config_header(format: FrameFormat, *, max_data: int | None = None, table: int | None = None) -> str:
    """Return the text of a header with the core's choices for a frame format.

    Args:
        format: The device's variant of the frame.
        max_data: The largest number of data bytes of this build; the format's own if it is None.
        table: FL_CRC_TABLE: 0, 16, 256, 4096 for hosts, or 1 for the platform's own; None leaves it to the
            build.
    """
    choices: dict[str, object] = {
        "FL_MAX_DATA": format.largest_data if max_data is None else min(max_data, format.largest_data),
        **_mark("HEADER", format.header),
        **_mark("TAIL", format.tail),
        **_places(format),
        "FL_LEN_SIZE": format.length_size,
        "FL_LEN_BIG_ENDIAN": int(format.length_order == "big"),
        "FL_LEN_COUNTS_FRAME": int(format.length_counts == "frame"),
        **_check(format),
        "FL_CHECK_BIG_ENDIAN": int(format.check_order == "big"),
        "FL_CHECK_COVERS_HEADER": int(format.check_covers_header),
    }
    if table is not None:
        choices["FL_CRC_TABLE"] = table
    if format.legal_lengths:
        choices["FL_LENGTH_ALLOWED(cmd, size)"] = _allowed(format)
    lines = [f"#define {name} {value}" for name, value in choices.items()]
    return "\n".join(["/* Made from a frame format by framelink. */", *lines, ""])


def _mark(name: str, mark: bytes) -> dict[str, object]:
    shown = ", ".join(f"0x{byte:02X}" for byte in mark)
    return {f"FL_{name}": shown or "0", f"FL_{name}_SIZE": len(mark)}


def _places(format: FrameFormat) -> dict[str, object]:
    """Return where each field stands, in bytes after the header."""
    places, at = {"addr": -1, "cmd": -1, "len": -1}, 0
    for one in format.fields:
        places[one] = at
        at += format.length_size if one == "len" else 1
    return {f"FL_{name.upper()}_PLACE": place for name, place in places.items()}


def _check(format: FrameFormat) -> dict[str, object]:
    if format.check not in CRCS:
        return {"FL_CHECK": f"FL_CHECK_{format.check.upper()}"}
    crc = CRCS[format.check]
    return {
        "FL_CHECK": "FL_CHECK_CRC16",
        "FL_CRC_POLY": f"0x{crc.poly:04X}",
        "FL_CRC_INIT": f"0x{crc.init:04X}",
        "FL_CRC_REFLECTED": int(crc.reflected),
        "FL_CRC_XOROUT": f"0x{crc.xor_out:04X}",
    }


def _allowed(format: FrameFormat) -> str:
    """Return the C expression for the format's legal lengths."""
    rules = []
    for command, sizes in sorted(format.legal_lengths.items()):
        tests = " || ".join(f"(size) == {size}" for size in sorted(sizes)) or "0"
        rules.append(f"((cmd) != 0x{command:02X} || {tests})")
    return " && ".join(rules)


def main(arguments: list[str]) -> int:
    """Print the header for a frame format file, or for the `[frame]` of a schema; return the exit code."""
    if len(arguments) != 1:
        print("usage: python -m firmware_sim.c_config FORMAT.toml|SCHEMA.toml > my_config.h", file=sys.stderr)
        return 2
    try:
        table = tomllib.loads(Path(arguments[0]).read_text("utf-8"))
        format = FrameFormat.from_mapping(table.get("frame", {}) if "device" in table else table)
    except (OSError, FormatError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 1
    print(config_header(format), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
