"""A line without a file descriptor to wait on: one thread waits for bytes, another writes them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from framelink.link.interface import PortEvents
from framelink.link.serial_port import SerialPort

THREAD_QUEUE_BYTES = 16_384  # handed to the writing thread at most: about what a kernel's buffer takes
RFC2217_QUEUE_BYTES = 65_536  # read ahead by pyserial's thread at most: about what a kernel's buffer holds


class ThreadPort(SerialPort):
    """A `Port` over a line's blocking `read` and `write`."""

    def __init__(self, line: Any, byte_time: float = 0.0) -> None:
        super().__init__(line, byte_time)
        self._outgoing: deque[bytes] = deque()
        self._outgoing_bytes = 0
        self._room_wanted = False
        self._changed = threading.Condition()
        self._may_read = threading.Event()
        self._paused = False
        self._looked = False
        self._stopped = False
        self._bound_read_ahead(RFC2217_QUEUE_BYTES)

    def _bound_read_ahead(self, size: int) -> None:
        """Bound what a reading thread of pyserial's own (rfc2217) holds: then TCP slows the sender."""
        read_ahead = getattr(self._line, "_read_buffer", None)
        if read_ahead is not None:
            with read_ahead.not_full:
                read_ahead.maxsize = size
                read_ahead.not_full.notify_all()

    def start(self, loop: asyncio.AbstractEventLoop, events: PortEvents) -> None:
        """See `Port.start`."""
        self._loop, self._events = loop, events
        self._may_read.set()
        for work in (self._read_on, self._write_on):
            threading.Thread(target=work, daemon=True, name=f"framelink{work.__name__}").start()

    def resume(self) -> None:
        """See `Port.resume`."""
        self._paused = False
        self._may_read.set()

    def pause(self) -> None:
        """See `Port.pause`."""
        self._paused = True
        self._may_read.clear()

    def waiting(self) -> bool:
        """See `Port.waiting`."""
        # Bytes may be in the hands of a thread that this process gave no time while it stalled.  So the
        # first look after bytes tells nothing; before the next, a whole idle gap later, the threads ran.
        looked_before, self._looked = self._looked, True
        return not looked_before or super().waiting()

    def _read_on(self) -> None:
        while self._may_read.wait() and not self._stopped:
            try:
                chunk = self._line.read(1)
                chunk += self._line.read(self._line.in_waiting) if chunk else b""
            except Exception as error:  # noqa: BLE001 - whatever a driver raises, the line is gone
                self._tell(self._lost, str(error))
                return
            if chunk:
                self._may_read.clear()  # until the loop has taken it: a busy loop must not pile chunks up
                self._tell(self._received, bytes(chunk))

    def _write_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._outgoing or self._stopped)
                if self._stopped:
                    return
                data = self._outgoing[0]
            try:
                self._line.write(data)
            except Exception as error:  # noqa: BLE001 - as above
                self._tell(self._lost, str(error))
                return
            with self._changed:
                self._outgoing.popleft()
                self._outgoing_bytes -= len(data)
                wanted, self._room_wanted = self._room_wanted, False
            if wanted:
                self._tell(self._room)

    def _tell(self, what: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            self._loop.call_soon_threadsafe(what, *arguments)

    def _received(self, chunk: bytes) -> None:
        if self._stopped:
            return
        self._looked = False
        self._events.received(chunk)
        if not self._paused:
            self._may_read.set()

    def _lost(self, reason: str) -> None:
        if not self._stopped:
            self._events.lost(reason)

    def _room(self) -> None:
        if not self._stopped:
            self._events.writable()

    def write(self, data: bytes) -> int:
        """See `Port.write`."""
        with self._changed:
            room = THREAD_QUEUE_BYTES - self._outgoing_bytes
            taken = data[: max(room, 0)]
            if taken:
                self._outgoing.append(taken)
                self._outgoing_bytes += len(taken)
                self._changed.notify_all()
        return len(taken)

    def watch_writable(self) -> None:
        """See `Port.watch_writable`."""
        with self._changed:
            self._room_wanted = True
            if self._outgoing:
                return
            self._room_wanted = False
        self._loop.call_soon(self._room)

    def unsent(self) -> int:
        """See `Port.unsent`."""
        return self._outgoing_bytes + super().unsent()

    def stop(self) -> None:
        """See `Port.stop`."""
        self._stopped = True
        self._may_read.set()
        self._bound_read_ahead(sys.maxsize)  # else pyserial's thread would wait for room, and closing for it
        with self._changed:
            self._changed.notify_all()
        for cancel in ("cancel_read", "cancel_write"):
            with contextlib.suppress(Exception):  # not every kind of line has them; closing wakes those
                getattr(self._line, cancel)()
