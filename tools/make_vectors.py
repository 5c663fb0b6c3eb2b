"""Make tests/vectors/*.json: `python -m tools.make_vectors [FOLDER]`.

The inputs are written here; what is expected comes from tools/reference.py, never from the package.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
from pathlib import Path
from typing import Any

from tools.reference import CRC16, DEFAULTS, PLAIN, Machine, build

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "vectors"
SEED = 55_170
DAMAGED_FORMATS = (
    "tail none",
    "header 7E",
    "header 5555AA",
    "tail 0D0D",
    "len of 2 bytes, big",
    "fields len",
    "len counts the frame",
    "at most 16 data bytes",
    "legal lengths",
    "legal lengths, len before cmd",
    "check none",
    "check covers the header",
)


LONG = {
    "default": (255,),
    "len of 2 bytes, little": (300, 600),
    "len of 2 bytes, big": (300, 600),
    "len counts the frame": (246,),
    "len counts the frame, 2 bytes": (300,),
    "at most 16 data bytes": (16,),
}
"""Format → further sizes of data, up to the largest."""
TOO_LONG = {
    "len of 2 bytes, little": 601,
    "len of 2 bytes, big": 601,
    "len counts the frame, 2 bytes": 301,
    "at most 16 data bytes": 17,
    "legal lengths": 4,
    "legal lengths, len before cmd": 4,
}
"""Format → a size of data that it does not allow, for command 0x10."""


def some_data(size: int) -> bytes:
    """Return so many bytes, no two neighbours alike."""
    return bytes(at * 7 & 0xFF for at in range(size))


def formats() -> dict[str, dict[str, Any]]:
    """Return every variant that the vectors cover, as its TOML file would say it."""
    found: dict[str, dict[str, Any]] = {"default": {}}
    for check in (*CRC16, *PLAIN):
        found[f"check {check}"] = {"check": check}
        found[f"check {check}, high byte first"] = {"check": check, "check_order": "big"}
    for header in ("7E", "A55A", "010203", "55555555", "5555AA"):
        found[f"header {header}"] = {"header": header}
    for tail in ("", "7E", "0D0D", "010203", "AABBCCDD"):
        found[f"tail {tail or 'none'}"] = {"tail": tail}
    for fields_order in itertools.permutations(("addr", "cmd", "len")):
        found[f"fields {' '.join(fields_order)}"] = {"fields": list(fields_order)}
    for fields in (["cmd", "len"], ["len", "addr"], ["len"]):
        found[f"fields {' '.join(fields)}"] = {"fields": fields}
    for order in ("little", "big"):
        found[f"len of 2 bytes, {order}"] = {"length_size": 2, "length_order": order, "max_data": 600}
    found |= {
        "len counts the frame": {"length_counts": "frame"},
        "len counts the frame, 2 bytes": {
            "length_counts": "frame",
            "length_size": 2,
            "length_order": "big",
            "max_data": 300,
        },
        "check covers the header": {"check_covers_header": True},
        "check covers the header, sum8": {"check_covers_header": True, "check": "sum8", "tail": ""},
        "at most 16 data bytes": {"max_data": 16},
        "legal lengths": {"legal_lengths": {"0x10": [3], "0x11": [0, 2]}},
        "legal lengths, len before cmd": {
            "fields": ["len", "cmd", "addr"],
            "legal_lengths": {"0x10": [3], "0x11": [0, 2]},
        },
    }
    return found


def frame_vectors(all_formats: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return valid frames of every variant, and what damage makes of them."""
    rng = random.Random(SEED)
    valid, invalid = [], []
    for name, given in all_formats.items():
        least = b"" if "legal" not in name else b"\xaa\xbb"
        for data in (b"\1\2\3", least, *map(some_data, LONG.get(name, ()))):
            addr, cmd = content(given, 0x11 if data == least else 0x10)
            wire = build(given, addr, cmd, data)
            valid.append({"format": name, "addr": addr, "cmd": cmd, "data": data.hex(), "wire": wire.hex()})
        short = build(given, *content(given, 0x11), least)
        at = rng.randrange(len(bytes.fromhex((DEFAULTS | given)["header"])), len(short))
        damaged = short[:at] + bytes([short[at] ^ 1 << rng.randrange(8)]) + short[at + 1 :]
        invalid.append(damage(name, given, damaged))
        if name in TOO_LONG:
            wire = build(given, *content(given, 0x10), some_data(TOO_LONG[name]))
            invalid.append(damage(name, given, wire + build(given, *content(given, 0x10), b"\1\2\3")))
    return {"formats": all_formats, "valid": valid, "invalid": invalid}


def content(given: dict[str, Any], cmd: int) -> tuple[int, int]:
    """Return address 1 and a command; 0 for what the format has no field for."""
    fields = (DEFAULTS | given)["fields"]
    return int("addr" in fields), cmd if "cmd" in fields else 0


def damage(name: str, given: dict[str, Any], wire: bytes) -> dict[str, Any]:
    """Return the vector of bytes that are not all in frames."""
    machine = run(given, wire, flush=True)
    return {
        "format": name,
        "wire": wire.hex(),
        "frames": machine.frames,
        "noise": machine.ledger()["noise"],
    }


def run(given: dict[str, Any], stream: bytes, *, flush: bool = False) -> Machine:
    """Return the machine after a stream."""
    machine = Machine(given)
    for byte in stream:
        machine.push(byte)
    if flush:
        machine.flush()
    return machine


def streams() -> list[tuple[str, str, bytes]]:
    """Return named streams: name, format, bytes."""
    golden = build({}, 0x01, 0x10, b"\x01\x02\x03")
    empty, long = build({}, 2, 0x01, b""), build({}, 0xFE, 0x7F, bytes(range(255)))
    nested = build({}, 3, 0x20, b"<" + golden + b">")
    rng = random.Random(SEED)
    noise = rng.randbytes(120)
    made = [
        ("nothing", b""),
        ("one frame", golden),
        ("no data", empty),
        ("longest frame", long),
        ("three in a row", golden + empty + golden),
        ("noise around", b"\x00\xff" + golden + b"\x11\x22" + empty + b"\x33"),
        ("half a header before", b"\x55" + golden),
        ("two halves of a header before", b"\x55\x55" + golden),
        ("a run of 55", b"\x55" * 40 + golden),
        ("a false header before", b"\x55\xaa" + golden),
        ("a false header that claims all", b"\x55\xaa\x01\x02\xff" + golden + empty),
        ("false headers", b"\x55\xaa\x01\x02\xff" * 30),
        ("a false header with a true tail", b"\x55\xaa\x01\x02\x03\x01\x02\x03\x00\x00\x0d\x0a" + golden),
        ("a frame inside a frame", nested),
        ("a frame inside a damaged frame", nested[:-1] + b"\x00" + empty),
        ("a frame inside a frame with a bad check", nested[:-3] + b"\x00\x0d\x0a" + empty),
        ("a frame inside a frame that ends early", nested[:-4]),
        ("a frame cut before its data", golden[:4] + empty),
        ("a frame cut in its data", golden[:6] + golden),
        ("a frame cut in its check", golden[:9] + golden),
        ("a frame cut in its tail", golden[:11] + golden),
        ("the last frame cut", golden + empty[:7]),
        ("a wrong first tail byte", golden[:10] + b"\x00\x0a" + golden),
        ("a wrong second tail byte", golden[:11] + b"\x00" + golden),
        ("a wrong check", golden[:8] + b"\x00" + golden[9:] + golden),
        ("a byte lost", golden[:5] + golden[6:] + golden + empty),
        ("a byte added", golden[:5] + b"\x99" + golden[5:] + golden + empty),
        ("a byte repeated", golden[:3] + golden[2:] + golden),
        ("only tails", b"\x0d\x0a" * 20),
        ("headers in the data", build({}, 1, 2, b"\x55\xaa" * 20)),
        ("tails in the data", build({}, 1, 2, b"\x0d\x0a" * 20)),
        ("random bytes", noise),
        ("random bytes around frames", noise[:50] + golden + noise[50:90] + long + noise[90:] + empty),
    ]
    found = [(name, "default", stream) for name, stream in made]
    for name in DAMAGED_FORMATS:
        given = formats()[name]
        fields = (DEFAULTS | given)["fields"]
        one = build(given, "addr" in fields and 1, "cmd" in fields and 0x10, b"\x01\x02\x03")
        stream = one[:-1] + one + one[:4] + b"\x00" + one + b"\x55\xaa\x01\x10\x09" + bytes(range(12)) + one
        found.append((f"damage, {name}", name, stream))
    return found


def stream_vectors(all_formats: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return streams with frames, states and ledgers, before and after silence."""
    cases = []
    for name, format_name, stream in streams():
        machine, states, accounts = Machine(all_formats[format_name]), "", [(0, [0] * 7)]
        for number, byte in enumerate(stream, 1):
            machine.push(byte)
            states += machine.state()
            account = machine.account()
            if account != accounts[-1][1]:
                accounts.append((number, account))
        before = {"frames": list(machine.frames), "ledger": machine.ledger()}
        machine.flush()
        after = {"frames": machine.frames[len(before["frames"]) :], "ledger": machine.ledger()}
        cases.append(
            {
                "name": name,
                "format": format_name,
                "bytes": stream.hex(),
                "states": states,
                "accounts": [" ".join(map(str, (number, *account))) for number, account in accounts],
                **before,
                "flush": after,
            }
        )
    used = {case["format"] for case in cases}
    return {"formats": {name: all_formats[name] for name in all_formats if name in used}, "streams": cases}


def main(folder: Path = FOLDER) -> None:
    """Write the files."""
    all_formats = formats()
    files = {"frames.json": frame_vectors(all_formats), "streams.json": stream_vectors(all_formats)}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
