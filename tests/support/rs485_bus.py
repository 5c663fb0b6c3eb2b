"""An RS-485 bus on a pty: several devices and the host on two wires, with the host's echo.

Whoever talks occupies the wires for as long as the bytes take.  The bus counts who talks into that.
"""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable, Collection, Iterable
from typing import Self

from framelink.wire import Frame, Receiver, encode

BITS = 10
RESPONSE = 0.001  # seconds that a device takes to answer
READ_SIZE = 65_536

Answer = Callable[[Frame], Iterable[Frame]]


def echo_reply(frame: Frame) -> list[Frame]:
    """Answer a request with its own data."""
    return [Frame(frame.addr, frame.cmd | 0x80, frame.data)]


class Rs485Bus:
    """The bus, in the loop of the test.

    Args:
        addresses: The devices that are there.
        baudrate: Symbols per second.
        answer: What a device answers.
        echo: Whether the host hears itself.
        gap: Seconds of silence that the devices want between the last byte and the host's next one.
    """

    def __init__(
        self,
        addresses: Collection[int],
        *,
        baudrate: int = 115_200,
        answer: Answer = echo_reply,
        echo: bool = True,
        gap: float = 0.0,
    ) -> None:
        self._master, self._slave = os.openpty()  # our own end of the slave stays open: hosts come and go
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        """What the host opens."""
        self._addresses = addresses
        self._byte_time = BITS / baudrate
        self._answer = answer
        self._gap = gap
        self._receiver = Receiver()
        self._free_at = 0.0
        self._loop: asyncio.AbstractEventLoop
        self.damage: Callable[[bytes], bytes] = lambda data: data
        """What becomes of the host's echo."""
        self.has_echo = echo
        self.asked: list[Frame] = []
        self.answered = 0
        self.overlaps = 0
        """How often somebody talked while another did."""
        self.hasty = 0
        """How often the host talked before the gap was over."""

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._master, self._read)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._loop.remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)

    def _read(self) -> None:
        data = os.read(self._master, READ_SIZE)
        now = self._loop.time()
        self.hasty += now < self._free_at + self._gap
        self._talk(data, self._hear, self.damage(data) if self.has_echo else b"")

    def _talk(self, data: bytes, then: Callable[[bytes], None], host_hears: bytes) -> None:
        """Occupy the wires; when the bytes are through, the host hears them, and then something happens."""
        now = self._loop.time()
        self.overlaps += now < self._free_at
        self._free_at = now + len(data) * self._byte_time

        def through() -> None:
            if host_hears:
                os.write(self._master, host_hears)
            then(data)

        self._loop.call_at(self._free_at, through)

    def _hear(self, data: bytes) -> None:
        for frame in self._receiver.feed(data):
            self.asked.append(frame)
            if frame.addr in self._addresses:
                for reply in self._answer(frame):
                    self._loop.call_later(RESPONSE, self._say, encode(reply))

    def _say(self, data: bytes) -> None:
        self.answered += 1
        self._talk(data, lambda _data: None, data)
