"""A line with a file descriptor: the loop waits on it, and nothing polls."""

from __future__ import annotations

import asyncio
import os
import select
from typing import Any

from framelink.link.interface import PortEvents
from framelink.link.serial_port import SerialPort

READ_SIZE = 65_536  # bytes a read; more than any kernel's serial buffer holds


class DescriptorPort(SerialPort):
    """A `Port` over a line's file descriptor."""

    def __init__(self, line: Any, byte_time: float = 0.0) -> None:
        super().__init__(line, byte_time)
        self._fd: int = line.fileno()
        self._hang_up: Any = None
        os.set_blocking(self._fd, False)

    def start(self, loop: asyncio.AbstractEventLoop, events: PortEvents) -> None:
        """See `Port.start`."""
        self._loop, self._events = loop, events
        self.resume()

    def resume(self) -> None:
        """See `Port.resume`."""
        self._end_hang_up_watch()
        self._loop.add_reader(self._fd, self._read)

    def pause(self) -> None:
        """See `Port.pause`."""
        self._loop.remove_reader(self._fd)
        if self._hang_up is None and hasattr(select, "epoll"):  # elsewhere it is noticed when reading goes on
            self._hang_up = select.epoll(1)
            self._hang_up.register(self._fd, 0)  # no event but those that cannot be masked: the line's end
            self._loop.add_reader(self._hang_up, self.resume)  # what is left is read, and then its end

    def _end_hang_up_watch(self) -> None:
        if self._hang_up is not None:
            self._loop.remove_reader(self._hang_up)
            self._hang_up.close()
            self._hang_up = None

    def _read(self) -> None:
        try:
            chunk = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._events.lost(error.strerror or str(error))
            return
        if chunk:
            self._events.received(chunk)
        else:  # readable, and nothing there: how an unplugged adapter or a closed socket looks
            self._events.lost("the line was closed at the other end")

    def write(self, data: bytes) -> int:
        """See `Port.write`."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    def watch_writable(self) -> None:
        """See `Port.watch_writable`."""
        self._loop.add_writer(self._fd, self._room)

    def _room(self) -> None:
        self._loop.remove_writer(self._fd)
        self._events.writable()

    def stop(self) -> None:
        """See `Port.stop`."""
        self._end_hang_up_watch()
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
