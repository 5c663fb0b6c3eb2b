"""Virtual serial ports in memory: no operating system between host and device."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Protocol

from firmware_sim.ports import BACKLOG_BYTES, OnBytes


class _Events(Protocol):
    """What a link wants to be told; see `framelink.link.PortEvents`."""

    @property
    def received(self) -> Callable[[bytes], None]: ...

    @property
    def lost(self) -> Callable[[str], None]: ...


class MemoryPort:
    """The device's end; give a link the port in place of a URL, with `opener`."""

    def __init__(self, name: str = "port") -> None:
        self.url = f"memory:{name}"
        self.dropped = 0
        self._on_bytes: OnBytes = lambda _data: None
        self._plugged = False
        self._host: _HostEnd | None = None

    @property
    def opener(self) -> MemoryOpener:
        """What a link takes in place of a URL."""
        return MemoryOpener(self)

    async def open(self, on_bytes: OnBytes) -> None:
        """Make the port."""
        self._on_bytes = on_bytes
        await self.replug()

    async def replug(self) -> None:
        """Bring the port back."""
        self._plugged = True

    def write(self, data: bytes) -> None:
        """Send bytes to the host."""
        if self._host is None or not self._host.take(data):
            self.dropped += len(data)

    def unplug(self) -> None:
        """Take the port away."""
        self._plugged = False
        host, self._host = self._host, None
        if host is not None:
            host.break_off("unplugged")

    def close(self) -> None:
        """Take the port away for good."""
        self.unplug()

    def plug_in(self, host: _HostEnd) -> None:
        """Connect a host.

        Raises:
            OSError: The port is not there, or has a host.
        """
        if not self._plugged:
            raise OSError(errno.ENOENT, f"{self.url} is not plugged in")
        if self._host is not None:
            raise OSError(errno.EBUSY, f"{self.url} is in use")
        self._host = host

    def pull_out(self, host: _HostEnd) -> None:
        """Disconnect a host."""
        if self._host is host:
            self._host = None

    def received(self, data: bytes) -> None:
        """Take bytes from the host; those that were under way when the cable was pulled are lost."""
        if self._plugged:
            self._on_bytes(data)


class MemoryOpener:
    """Opens the host's end; a `framelink.link.PortOpener`."""

    def __init__(self, port: MemoryPort) -> None:
        self._port = port

    @property
    def url(self) -> str:
        """The port's name."""
        return self._port.url

    def open(self) -> _HostEnd:
        """Open the host's end.

        Raises:
            OSError: The port is not there, or has a host.
        """
        host = _HostEnd(self._port)
        self._port.plug_in(host)
        return host


class _HostEnd:
    """The host's end; a `framelink.link.Port`."""

    low_latency = True

    def __init__(self, port: MemoryPort) -> None:
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._events: _Events
        self._backlog = bytearray()
        self._paused = False

    def start(self, loop: asyncio.AbstractEventLoop, events: _Events) -> None:
        self._loop, self._events = loop, events
        self.resume()

    def take(self, data: bytes) -> bool:
        """Take bytes from the device; False if there is no room."""
        if len(self._backlog) + len(data) > BACKLOG_BYTES:
            return False
        self._backlog += data
        self._hand_over_soon()
        return True

    def _hand_over_soon(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        if self._loop is not None and self._backlog and not self._paused:
            data = bytes(self._backlog)
            self._backlog.clear()
            self._events.received(data)

    def break_off(self, reason: str) -> None:
        """Tell the link that the port has gone."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._events.lost, reason)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._hand_over_soon()

    def waiting(self) -> bool:
        return bool(self._backlog)

    def write(self, data: bytes) -> int:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._port.received, data)
        return len(data)

    def watch_writable(self) -> None:
        """Do nothing: `write` always takes all."""

    def unsent(self) -> int:
        return 0

    def stop(self) -> None:
        self._loop = None

    def close(self) -> None:
        self._port.pull_out(self)
