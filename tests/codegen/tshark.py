"""Runs tshark with a generated dissector over packets, and finds what it says of each."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from framelink.codegen import wireshark
from framelink.message import Schema

USER0 = 147
"""The link type of the captures."""
DEADLINE = 120
"""Seconds that tshark may take, on a machine that is busy."""
SNAP = 65_535


class Packet(NamedTuple):
    """What tshark says of a packet.

    Attributes:
        values: Field and value, in order.
        remarks: The names of its expert infos.
    """

    values: list[tuple[str, str]]
    remarks: list[str]

    def all_of(self, name: str) -> list[str]:
        """Return the values of a field."""
        return [value for key, value in self.values if key == name]


def pcap_of(packets: Sequence[bytes]) -> bytes:
    """Return a capture of packets, as pcap has it."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP, USER0)
    return head + b"".join(
        struct.pack("<4I", at, 0, len(one), len(one)) + one for at, one in enumerate(packets)
    )


def dissect(schema: Schema, packets: Sequence[bytes], folder: Path) -> list[Packet]:
    """Return what tshark says of packets, with the dissector of a schema."""
    script, capture = folder / "dissector.lua", folder / "capture.pcap"
    script.write_text(wireshark.generate(schema), "utf-8")
    capture.write_bytes(pcap_of(packets))
    found = json.loads(_tshark(script, capture, "-T", "json"), object_pairs_hook=tuple)
    prefix = wireshark.filter_name(schema) + "."
    return [_packet(one, prefix) for one in found]


def info_of(folder: Path) -> list[str]:
    """Return the lines in the list of packets, of what was dissected last."""
    script, capture = folder / "dissector.lua", folder / "capture.pcap"
    return _tshark(script, capture, "-T", "fields", "-e", "_ws.col.Info").splitlines()


def _tshark(script: Path, capture: Path, *options: str) -> str:
    program = shutil.which("tshark")
    assert program, "the tests need tshark; `make test` installs it where it may"
    command = [program, "-X", f"lua_script:{script}", "-r", str(capture), *options]
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE, check=False)
    complaints = [one for one in done.stderr.decode().splitlines() if not one.startswith("Running as user")]
    assert (done.returncode, complaints) == (0, [])
    text = done.stdout.decode()
    assert "Lua Error" not in text
    return text


def _packet(tree: Any, prefix: str) -> Packet:
    pairs = list(_pairs(tree))
    values = [(key, value) for key, value in pairs if key.startswith(prefix) and isinstance(value, str)]
    mark = f"{prefix}expert."
    return Packet(
        [one for one in values if not one[0].startswith(mark)],
        [key.removeprefix(mark) for key, _value in values if key.startswith(mark)],
    )


def _pairs(tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield keys and values from the outside in, in order; keys may come more than once."""
    for one in tree if isinstance(tree, (tuple, list)) else ():
        if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str):
            yield one
            yield from _pairs(one[1])
