"""What tests of links do again and again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from framelink.errors import LinkFull
from framelink.link import AsyncLink, LinkState, PortEvents, StateChange, port
from framelink.wire import Frame
from tests.support.pty_device import DEADLINE

FRAME = Frame(0x01, 0x10, b"\x01\x02\x03")
OTHER = Frame(0x02, 0x20, b"other")
CLOSE_LIMIT = 1.0
"""Seconds that closing may take, whatever the line does."""


async def until_true(what: Callable[[], object]) -> None:
    """Wait until something that has no event is so."""
    async with asyncio.timeout(DEADLINE):
        while not what():
            await asyncio.sleep(0.001)


async def until(link: AsyncLink, state: LinkState) -> StateChange:
    """Wait until the link gets into a state."""
    reached: asyncio.Future[StateChange] = asyncio.get_running_loop().create_future()

    def look(change: StateChange) -> None:
        if change.state is state and not reached.done():
            reached.set_result(change)

    stop = link.watch(look)
    try:
        return await asyncio.wait_for(reached, DEADLINE)
    finally:
        stop()


async def closes_in_time(link: AsyncLink) -> None:
    """Close the link and hold it to its promise."""
    before = time.monotonic()
    await link.close()
    assert time.monotonic() - before < CLOSE_LIMIT
    assert link.state is LinkState.CLOSED


async def fill(link: AsyncLink) -> int:
    """Send until the transmit queue is full; return how many frames were taken."""
    taken = 0
    try:
        while True:
            await link.send(Frame(1, 2, bytes([taken & 0xFF]) * 200))
            taken += 1
    except LinkFull:
        return taken


class ScriptedOpener:
    """Opens what a test says, in the order in which it says it: errors are raised, URLs opened."""

    url = "scripted"

    def __init__(self, *script: Exception | str | threading.Event) -> None:
        self.script = list(script)
        self.opened = threading.Event()
        self.closed = threading.Event()

    def open(self) -> Any:
        """Do the next thing of the script; the last one again and again."""
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, threading.Event):
            self.opened.set()
            step.wait(DEADLINE)
            return self
        return port.SerialOpener(step, 115_200).open()

    def close(self) -> None:
        """Note that an abandoned port was closed."""
        self.closed.set()


class HeldPort:
    """A line of one's own that takes everything and has sent nothing yet."""

    url = "held"
    low_latency = False

    def __init__(self, start_fault: Exception | None = None) -> None:
        self._start_fault = start_fault

    def open(self) -> Any:
        """Open it."""
        return self

    def start(self, _loop: asyncio.AbstractEventLoop, _events: PortEvents) -> None:
        """Begin, or fail to."""
        if self._start_fault is not None:
            raise self._start_fault

    def write(self, data: bytes) -> int:
        """Take it all."""
        return len(data)

    def unsent(self) -> int:
        """Have sent none of the last seven bytes."""
        return 7

    def stop(self) -> None:
        """Do nothing."""

    close = stop
