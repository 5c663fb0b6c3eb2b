"""The vectors on the chips themselves, through their UARTs."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest
import serial

from firmware_sim.board import Board
from firmware_sim.c_config import CRCS, FLAG, NAME, config_header
from firmware_sim.toolchain import CORE, FIRMWARE
from framelink.wire import REASONS, Frame, FrameFormat, Ledger
from tests.support.flat import STATES
from tests.support.vectors import COUNTS, cases_by_format, format_named, frame_of

CASES = cases_by_format()
PROBE = (FIRMWARE / "probe" / "probe.c", CORE / "fl_frame.c")
CHIPS = ("posix", "atmega328p", "cortex-m3")
MAX_DATA = 600
"""Bytes; a probe holds two frames, and an ATmega328P has 2,048 bytes of RAM."""
AT_ONCE = 32
"""Bytes pushed before their answers are read, so that no ring overflows."""
DEADLINE = 10.0
"""Seconds for an answer, on a machine that is busy."""


class Probe:
    """The core on a chip, with the face of the Python receiver and encoder."""

    def __init__(self, line: serial.Serial) -> None:
        self._line = line
        line.write(b"R")
        assert self._read(1) == b"R"

    def push(self, data: bytes) -> tuple[list[Frame], str]:
        """Push bytes; return the frames and the letters of the states."""
        frames, states = [], ""
        for at in range(0, len(data), AT_ONCE):
            part = data[at : at + AT_ONCE]
            self._line.write(b"P" + bytes([len(part)]) + part)
            for _ in part:
                found, state = self._answer()
                frames += found
                states += state
        return frames, states

    def idle(self) -> list[Frame]:
        """Tell that the line is silent."""
        self._line.write(b"I")
        return self._answer()[0]

    def ledger(self) -> Ledger:
        """Return the account of all bytes so far."""
        self._line.write(b"L")
        assert self._read(1) == b"L"
        received, delivered, *noise, pending, frames = struct.unpack("<9I", self._read(36))
        return Ledger(received, delivered, dict(zip(REASONS, noise, strict=True)), pending, frames)

    def encode(self, frame: Frame) -> bytes:
        """Return the frame's bytes."""
        self._line.write(struct.pack("<cBBH", b"E", frame.addr, frame.cmd, len(frame.data)) + frame.data)
        assert self._read(1) == b"E"
        return self._read(struct.unpack("<H", self._read(2))[0])

    def _answer(self) -> tuple[list[Frame], str]:
        frames = []
        while (kind := self._read(1)) == b"F":
            addr, cmd, size = struct.unpack("<BBH", self._read(4))
            frames.append(Frame(addr, cmd, self._read(size)))
        assert kind == b"S"
        return frames, STATES[self._read(1)[0]]

    def _read(self, size: int) -> bytes:
        data: bytes = self._line.read(size)
        assert len(data) == size, f"the chip says no more after {data!r}"
        return data


def run_cases(path: str, cases: dict[str, list[dict[str, Any]]]) -> int:
    """Run a format's vectors on a chip; return how many there were."""
    with serial.Serial(path, 115_200, timeout=DEADLINE) as line:
        for case in cases.get("valid", ()):
            check_valid(line, case)
        for case in cases.get("invalid", ()):
            check_invalid(line, case)
        for case in cases.get("streams", ()):
            check_stream(line, case)
    return sum(map(len, cases.values()))


def check_valid(line: serial.Serial, case: dict[str, Any]) -> None:
    """A valid frame is encoded to its bytes, and received from them."""
    frame, wire = frame_of(case), bytes.fromhex(case["wire"])
    assert Probe(line).encode(frame) == wire
    assert Probe(line).push(b"\x00" + wire + wire)[0] == [frame, frame]


def check_invalid(line: serial.Serial, case: dict[str, Any]) -> None:
    """A damaged frame is noise under the vector's reason."""
    probe = Probe(line)
    frames = probe.push(bytes.fromhex(case["wire"]))[0] + probe.idle()
    assert frames == [frame_of(one) for one in case["frames"]]
    assert probe.ledger().noise == case["noise"]


def check_stream(line: serial.Serial, case: dict[str, Any]) -> None:
    """A stream gives the vector's frames, states and ledger, before and after silence."""
    probe = Probe(line)
    frames, states = probe.push(bytes.fromhex(case["bytes"]))
    assert (frames, states) == ([frame_of(one) for one in case["frames"]], case["states"])
    assert probe.ledger().as_dict() == case["ledger"]
    assert probe.idle() == [frame_of(one) for one in case["flush"]["frames"]]
    assert probe.ledger().as_dict() == case["flush"]["ledger"]


def probe_header(chip: str, format: FrameFormat) -> str:
    """Return the configuration of a chip's probe for a format."""
    crc = CRCS.get(format.check)
    natural = crc is not None and (crc.poly, crc.reflected) == (0x8005, True)
    table = 1 if chip == "atmega328p" and natural else 16
    return config_header(format, max_data=MAX_DATA, table=table)


@pytest.mark.parametrize("chip", CHIPS)
async def test_all_vectors_hold_on_the_chip(chip: str) -> None:
    """Encoding, receiving a byte at a time, states and ledger, in every variant of the frame."""
    ran = 0
    for name, cases in CASES.items():
        header = probe_header(chip, format_named(name))
        flags = (FLAG, "-UFL_MAX_DATA", "-UFL_CRC_TABLE")
        async with Board(chip, firmware=PROBE, flags=flags, generated={NAME: header}, paced=False) as board:
            ran += await asyncio.to_thread(run_cases, board.url, cases)
    assert ran == sum(COUNTS.values())
