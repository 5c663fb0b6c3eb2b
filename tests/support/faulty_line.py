"""A bad cable before any line: what goes through it, either way, is delayed, damaged or lost, by a seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from firmware_sim.faults import Direction, Fault, Wire
from framelink.link import Port, PortEvents, PortOpener
from framelink.link.port import opener_for


class FaultyOpener:
    """Opens a line with a bad cable before it; for asyncio links.

    Args:
        url: What is opened.
        faults: What is wrong with the cable; `drop` and the like are per write, and per read.
        seed: Of all chance.
        baudrate: The line's symbols per second.
    """

    def __init__(self, url: str, faults: Sequence[Fault], *, seed: int = 1, baudrate: int = 115_200) -> None:
        self._opener: PortOpener = opener_for(url, baudrate, {})
        self._faults = list(faults)
        self._seed = seed

    @property
    def url(self) -> str:
        """The line's name."""
        return self._opener.url

    def open(self) -> Port:
        """See `PortOpener.open`."""
        return FaultyPort(self._opener.open(), self._faults, self._seed)


class _Direction:
    """One way through the cable: bytes go in, and come out when they are due."""

    def __init__(self, wire: Wire, out: Callable[[bytes], None]) -> None:
        self._wire = wire
        self._out = out
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def send(self, data: bytes) -> None:
        self._wire.send(data, self._loop.time())
        self._deliver()

    def _deliver(self) -> None:
        self.stop()
        for piece in self._wire.take(self._loop.time()):
            if piece:
                self._out(piece)
        if self._wire.next_due < float("inf"):
            self._timer = self._loop.call_at(self._wire.next_due, self._deliver)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class FaultyPort:
    """A `Port` behind a bad cable."""

    def __init__(self, port: Port, faults: list[Fault], seed: int) -> None:
        def wire(direction: Direction) -> Wire:
            return Wire(faults, direction, seed=seed)

        self._port = port
        self._unwritten = b""
        self._events: PortEvents
        self._in = _Direction(wire("to_host"), self._receive)
        self._out = _Direction(wire("to_device"), self._write)

    @property
    def byte_time(self) -> float:
        """See `Port.byte_time`."""
        return float(getattr(self._port, "byte_time", 0.0))

    @property
    def low_latency(self) -> bool:
        """See `Port.low_latency`."""
        return self._port.low_latency

    def start(self, loop: asyncio.AbstractEventLoop, events: PortEvents) -> None:
        """See `Port.start`."""
        self._events = events
        self._in.start(loop)
        self._out.start(loop)
        self._port.start(loop, PortEvents(self._in.send, lambda: self._write(b""), events.lost))

    def _receive(self, data: bytes) -> None:
        self._events.received(data)

    def _write(self, data: bytes) -> None:
        self._unwritten += data
        try:
            self._unwritten = self._unwritten[self._port.write(self._unwritten) :]
        except OSError as error:
            self._events.lost(str(error))
        else:
            if self._unwritten:
                self._port.watch_writable()

    def pause(self) -> None:
        """See `Port.pause`."""
        self._port.pause()

    def resume(self) -> None:
        """See `Port.resume`."""
        self._port.resume()

    def waiting(self) -> bool:
        """See `Port.waiting`."""
        return self._port.waiting()

    def write(self, data: bytes) -> int:
        """See `Port.write`; the cable takes everything."""
        self._out.send(data)
        return len(data)

    def watch_writable(self) -> None:
        """See `Port.watch_writable`; it never is not."""
        self._events.writable()

    def unsent(self) -> int:
        """See `Port.unsent`."""
        return len(self._unwritten)

    def stop(self) -> None:
        """See `Port.stop`."""
        self._in.stop()
        self._out.stop()
        self._port.stop()

    def close(self) -> None:
        """See `Port.close`."""
        self._port.close()
