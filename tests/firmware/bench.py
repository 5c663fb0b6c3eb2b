"""The C device as a library of this machine: what it sends piles up until the test takes it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from firmware_sim.toolchain import CORE, HOST, WARNINGS, build
from framelink.wire import Frame, Receiver, encode

SOURCES = (Path(__file__).with_name("device_bench.c"), CORE / "fl_device.c", CORE / "fl_frame.c")
FLAGS = (*WARNINGS, "-O1", "-shared", "-fPIC")
MAX_DATA = 64
RING_SIZE = 128
FULL, REPORTING, SMALLEST, REPLACED = range(4)
REVERSED, TOO_MANY_WORDS, EVENT_INSIDE, NO_WORDS, TOO_LONG_A_REPLY = range(0x30, 0x35)
CLEAR_FAULT, JOG = 0x21, 0x23


class Bench:
    """A device of device_bench.c, or of another source with the same functions, just started.

    Args:
        config: Which of its configurations.
        boots: How often it has started before.
        now: Its clock.
        sequenced: Whether it speaks the sequenced profile.
        sources: The C files.
        include: Their folders of headers.
    """

    def __init__(
        self,
        config: int = FULL,
        *,
        boots: int = 0,
        now: int = 0,
        sequenced: bool = False,
        sources: Sequence[Path] = SOURCES,
        include: Sequence[Path] = (CORE,),
    ) -> None:
        flags = [
            *FLAGS,
            f"-DFL_MAX_DATA={MAX_DATA}",
            f"-DFL_RING_SIZE={RING_SIZE}",
            f"-DFL_SEQUENCED={sequenced:d}",
        ]
        self.c: Any = ctypes.CDLL(str(build(HOST, sources, flags=flags, include=include, name="device.so")))
        self._room = ctypes.create_string_buffer(65_536)
        self.c.bench_start(config, boots, now)

    def step(self, now: int = 0) -> list[Frame]:
        """Let it do what is due while no byte waits, and return what it sends."""
        self.c.bench_step(-1, now)
        return self.sent()

    def feed(self, data: bytes, now: int = 0) -> list[Frame]:
        """Give it bytes, and return what it sends."""
        for byte in data:
            self.c.bench_step(byte, now)
        return self.sent()

    def sent(self) -> list[Frame]:
        """Take what it has sent."""
        size = self.c.bench_take(self._room)
        receiver = Receiver()
        frames = receiver.feed(self._room.raw[:size])
        assert receiver.ledger.delivered == size
        return frames

    def ask(self, cmd: int, data: bytes = b"", addr: int = 1, now: int = 0) -> Frame:
        """Send a request and return the one answer."""
        (answer,) = self.feed(encode(Frame(addr, cmd, data)), now)
        return answer
