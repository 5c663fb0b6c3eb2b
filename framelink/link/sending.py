"""The sending side of a link: frames to the port, and senders that wait, first come, first served."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from framelink.errors import LinkDown, LinkFull
from framelink.link.echo import Echo
from framelink.link.half_duplex import HalfDuplex
from framelink.link.interface import Port
from framelink.link.lane import Lane
from framelink.link.pace import Pace
from framelink.link.stats import SendingStats
from framelink.link.transmitter import TransmitEvents, Transmitter

DRAIN_TIMEOUT = 0.4  # seconds that closing waits for queued frames; with RELEASE_TIMEOUT less than 1 s
DRAIN_POLL = 0.005  # seconds between looks at the driver's buffer while closing; it has no event for that
USUAL_BYTE_BITS = 10  # start bit, 8 data bits, stop bit

_Sender = tuple[bytes, asyncio.Future[None]]
"""One that waits: its frame's bytes, and what it is told by."""


class Sending:
    """Hands frames to the port, and keeps the senders that wait for line or room in order.

    In the loop, but for the transmitter's `offer`.

    Args:
        in_loop: Does something in the loop, from whichever thread.
        on_broken: Called in the loop with the reason when writing shows that the line broke.
        half_duplex: How the line is driven if it is a half-duplex one.
    """

    def __init__(
        self,
        in_loop: Callable[..., None],
        on_broken: Callable[[str], None],
        half_duplex: HalfDuplex | None = None,
    ) -> None:
        self._half_duplex = half_duplex
        self._echo = Echo() if half_duplex is not None and half_duplex.echo else None
        self.transmitter = Transmitter(
            TransmitEvents(
                blocked=lambda: in_loop(self._watch_writable),
                early=lambda due: in_loop(self._wake_at, due),
                broken=lambda reason: in_loop(on_broken, reason),
            ),
            self._echo,
        )
        self._waiting: tuple[deque[_Sender], ...] = tuple(deque() for _lane in Lane)
        self._port: Port | None = None
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None
        self._cut = 0

    def attach(self, loop: asyncio.AbstractEventLoop, port: Port, baudrate: int) -> None:
        """Begin to write to a port that is open now."""
        self._loop, self._port = loop, port
        byte_time = getattr(port, "byte_time", 0.0)
        if self._half_duplex is not None and not byte_time:
            byte_time = USUAL_BYTE_BITS / baudrate  # the rate of the two wires, at whichever end of a network
        self.transmitter.attach(port, Pace(byte_time, self._half_duplex), loop.time)

    def listening(self, received: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Return what takes the port's bytes and passes them on: on a half-duplex line we listen as well."""
        if self._half_duplex is None:
            return received

        def listen(chunk: bytes) -> None:
            if others := self.transmitter.heard(chunk, self._loop.time()):
                received(others)

        return listen

    def figures(self) -> SendingStats:
        """Return the figures of this side."""
        lanes = self.transmitter.lanes
        return {
            "frames_sent": sum(lane.frames_sent for lane in lanes),
            "bytes_sent": self.transmitter.bytes_sent,
            "tx_discarded": sum(lane.discarded for lane in lanes),
            "tx_refused": sum(lane.refused for lane in lanes),
            "tx_lanes": lanes,
            "tx_cut": self._cut,
            "echo_discarded": 0 if self._echo is None else self._echo.discarded,
            "echo_mismatches": 0 if self._echo is None else self._echo.mismatches,
        }

    def detach(self) -> None:
        """Stop writing; doing it twice is fine."""
        self.transmitter.detach()
        self._port = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch_writable(self) -> None:
        if self._port is not None:
            self._port.watch_writable()

    def _wake_at(self, due: float) -> None:
        if self._port is not None and self._timer is None:
            self._timer = self._loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self.writable()

    def writable(self) -> None:
        """Write on: the port has room again, or the line's time has come."""
        self.transmitter.pump()
        self.advance()

    async def wait(self, data: bytes, lane: Lane, timeout: float | None) -> None:
        """Wait until the frame's turn has come and it was taken.

        Raises:
            TimeoutError: It was not taken in time.
            LinkError: `fail` was called.
        """
        taken = asyncio.get_running_loop().create_future()
        sender = (data, taken)
        self._waiting[lane].append(sender)
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
                self._waiting[lane].remove(sender)
            self.advance()  # the next one's frame may be shorter

    def advance(self) -> None:
        """Hand over what the transmitter takes now, in each lane in the order in which the senders came."""
        for lane, waiting in zip(Lane, self._waiting, strict=True):
            self._advance(lane, waiting)
            self.transmitter.reserve(lane, reserved=bool(waiting))

    def _advance(self, lane: Lane, waiting: deque[_Sender]) -> None:
        while waiting and self.transmitter.has_room(waiting[0][0], lane):
            data, taken = waiting[0]
            if not taken.done():  # else its sender has given up
                try:
                    self.transmitter.offer(data, lane, reserved=True)
                except (LinkDown, LinkFull):  # the line broke in this moment
                    break
                taken.set_result(None)
            waiting.popleft()

    def fail(self, error: Exception) -> None:
        """End all waiting."""
        for lane, waiting in zip(Lane, self._waiting, strict=True):
            for _data, taken in waiting:
                if not taken.done():
                    taken.set_exception(error)
            waiting.clear()
            self.transmitter.reserve(lane, reserved=False)

    async def drain(self) -> None:
        """Wait until all is on the wire, within reason, and count what is not."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT):
                while self._port is not None and not (self.transmitter.idle and not self._port.unsent()):
                    await asyncio.sleep(DRAIN_POLL)
        self._cut = 0 if self._port is None else self._port.unsent()
