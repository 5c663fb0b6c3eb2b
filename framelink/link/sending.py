"""The sending side of a link: frames to the port, and senders that wait, first come, first served."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from framelink.errors import LinkDown, LinkFull
from framelink.link.interface import Port
from framelink.link.transmitter import Transmitter

DRAIN_TIMEOUT = 0.4  # seconds that closing waits for queued frames; with RELEASE_TIMEOUT less than 1 s
DRAIN_POLL = 0.005  # seconds between looks at the driver's buffer while closing; it has no event for that


class Sending:
    """Hands frames to the port, and keeps the senders that wait for line or room in order.

    In the loop, but for the transmitter's `offer`.

    Args:
        in_loop: Does something in the loop, from whichever thread.
        on_broken: Called in the loop with the reason when writing shows that the line broke.
    """

    def __init__(self, in_loop: Callable[..., None], on_broken: Callable[[str], None]) -> None:
        self.transmitter = Transmitter(
            lambda: in_loop(self._watch_writable), lambda reason: in_loop(on_broken, reason)
        )
        self._waiting: deque[tuple[bytes, asyncio.Future[None]]] = deque()
        self._port: Port | None = None
        self.cut = 0
        """Bytes that the driver had not sent when the link was closed."""

    def attach(self, port: Port) -> None:
        """Begin to write to a port that is open now."""
        self._port = port
        self.transmitter.attach(port)

    def detach(self) -> None:
        """Stop writing; doing it twice is fine."""
        self.transmitter.detach()
        self._port = None

    def _watch_writable(self) -> None:
        if self._port is not None:
            self._port.watch_writable()

    def writable(self) -> None:
        """Write on: the port has room again."""
        self.transmitter.pump()
        self.advance()

    async def wait(self, data: bytes, timeout: float | None) -> None:
        """Wait until the frame's turn has come and it was taken.

        Raises:
            TimeoutError: It was not taken in time.
            LinkError: `fail` was called.
        """
        taken = asyncio.get_running_loop().create_future()
        entry = (data, taken)
        self._waiting.append(entry)
        try:
            self.advance()  # there may be room again since the sender looked
            async with asyncio.timeout(timeout):
                await taken
        except TimeoutError:
            if taken.cancelled():  # else it was taken, or failed, in this very moment
                raise
            taken.result()
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(entry)
            self.advance()  # the next one's frame may be shorter

    def advance(self) -> None:
        """Hand over what the transmitter takes now, in the order in which the senders came."""
        while self._waiting and self.transmitter.has_room(self._waiting[0][0]):
            data, taken = self._waiting[0]
            if not taken.done():  # else its sender has given up
                try:
                    self.transmitter.offer(data, reserved=True)
                except (LinkDown, LinkFull):  # the line broke in this moment
                    break
                taken.set_result(None)
            self._waiting.popleft()
        self.transmitter.reserved = bool(self._waiting)

    def fail(self, error: Exception) -> None:
        """End all waiting."""
        for _data, taken in self._waiting:
            if not taken.done():
                taken.set_exception(error)
        self._waiting.clear()
        self.transmitter.reserved = False

    async def drain(self) -> None:
        """Wait until all is on the wire, within reason, and count what is not."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT):
                while self._port is not None and not (self.transmitter.idle and not self._port.unsent()):
                    await asyncio.sleep(DRAIN_POLL)
        self.cut = 0 if self._port is None else self._port.unsent()
