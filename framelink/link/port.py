"""Open lines: the only module that knows pyserial.

A `Port` is an open line, driven by an asyncio loop.  Where there is a file descriptor to wait on, the loop
does; where there is none, a thread waits in a blocking read.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import serial
from serial.tools import list_ports

from framelink.errors import LinkOpenError
from framelink.link.faults import TransientLinkError

READ_SIZE = 65_536  # bytes a read; more than any kernel's serial buffer holds
THREAD_QUEUE_BYTES = 16_384  # handed to the writing thread at most: about what a kernel's buffer takes


@dataclass(frozen=True)
class PortEvents:
    """What a port tells, always in the loop.

    Attributes:
        received: Bytes came in.
        writable: There is room to write again.
        lost: The line broke, and why; nothing more will come.
    """

    received: Callable[[bytes], None]
    writable: Callable[[], None]
    lost: Callable[[str], None]


class Port(Protocol):
    """An open line."""

    @property
    def low_latency(self) -> bool:
        """Whether the driver was put into low-latency mode."""

    def start(self, loop: asyncio.AbstractEventLoop, events: PortEvents) -> None:
        """Begin to read."""

    def pause(self) -> None:
        """Stop reading; what comes stays in the system's buffer."""

    def resume(self) -> None:
        """Read on."""

    def waiting(self) -> bool:
        """Tell whether bytes lie in the system's buffer."""

    def write(self, data: bytes) -> int:
        """Hand over what there is room for, without blocking, from any thread.

        Returns:
            The number of bytes taken.

        Raises:
            OSError: The line broke.
        """

    def watch_writable(self) -> None:
        """Have `writable` called once when there is room again; in the loop."""

    def unsent(self) -> int:
        """Return the bytes that were taken and are not on the wire yet, as far as the system tells."""

    def stop(self) -> None:
        """Stop telling anything; in the loop."""

    def close(self) -> None:
        """Give the line back; may block, so not in the loop."""


class PortOpener(Protocol):
    """Something that opens a line; blocking."""

    @property
    def url(self) -> str:
        """The line's name, for messages."""

    def open(self) -> Port:
        """Open the line.

        Raises:
            LinkOpenError: It cannot be opened, and waiting will not help.
            OSError: It cannot be opened just now.
        """


@dataclass(frozen=True)
class SerialOpener:
    """Opens what a link URL names.

    Attributes:
        url: A device path, `COM3`, `usb:VID:PID[:SERIAL]`, or anything else that pyserial opens.
        baudrate: Symbols per second.
    """

    url: str
    baudrate: int

    def open(self) -> Port:
        """Open the line, see `PortOpener.open`."""
        if type(self.baudrate) is not int or self.baudrate <= 0:
            raise LinkOpenError(f"baudrate must be a whole number above 0, not {self.baudrate!r}")
        line = serial.serial_for_url(
            _resolve(self.url), baudrate=self.baudrate, exclusive=True, do_not_open=True
        )
        if self.url.startswith("socket://"):
            # A new connection has no stale bytes: pyserial would flush what the other end says first.
            vars(line)["reset_input_buffer"] = lambda: None
        line.open()
        return _DescriptorPort(line) if _has_descriptor(line) else _ThreadPort(line)


@dataclass(frozen=True)
class PortInfo:
    """A serial port of this machine.

    Attributes:
        device: The path or name to open.
        description: What the system says it is.
        url: A URL that finds the same device under any name, empty if it is not on USB.
        manufacturer: USB manufacturer, may be empty.
        serial_number: USB serial number, may be empty.
    """

    device: str
    description: str
    url: str
    manufacturer: str
    serial_number: str


def ports() -> list[PortInfo]:
    """Return the serial ports of this machine, in the order of their names."""
    return [
        PortInfo(
            device=one.device,
            description=one.description if one.description != "n/a" else "",
            url=_usb_url(one),
            manufacturer=one.manufacturer or "",
            serial_number=one.serial_number or "",
        )
        for one in sorted(list_ports.comports())
    ]


def _usb_url(info: Any) -> str:
    if info.vid is None:
        return ""
    serial_number = f":{info.serial_number}" if info.serial_number else ""
    return f"usb:{info.vid:04x}:{info.pid:04x}{serial_number}"


def _resolve(url: str) -> str:
    """Return what pyserial opens for a link URL: itself, or the device that is now behind a usb: URL."""
    if not url.startswith("usb:"):
        return url
    vid, pid, serial_number = _usb_parts(url)
    for one in list_ports.comports():
        if (one.vid, one.pid) == (vid, pid) and serial_number in ("", one.serial_number):
            return str(one.device)
    raise TransientLinkError(f"no device {url} is plugged in; `framelink ports` lists those that are")


def _usb_parts(url: str) -> tuple[int, int, str]:
    parts = url.split(":", 3)
    try:
        vid, pid = int(parts[1], 16), int(parts[2], 16)
    except (IndexError, ValueError):
        raise LinkOpenError(
            f"{url}: write it as usb:VID:PID or usb:VID:PID:SERIAL, VID and PID in hex"
        ) from None
    return vid, pid, parts[3] if len(parts) > 3 else ""


def _has_descriptor(line: Any) -> bool:
    """Tell whether a loop can wait on the line; on Windows, asyncio waits on nothing of the kind."""
    try:
        return os.name == "posix" and line.fileno() >= 0
    except OSError:  # io.UnsupportedOperation: loop:// and rfc2217:// have none
        return False


class _SerialPort:
    """What both kinds of port have in common."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self.low_latency = _set_low_latency(line)
        self._loop: asyncio.AbstractEventLoop
        self._events: PortEvents

    def unsent(self) -> int:
        try:
            return int(self._line.out_waiting)
        except (AttributeError, OSError):  # not every kind of line can tell
            return 0

    def waiting(self) -> bool:
        try:
            return bool(self._line.in_waiting)
        except Exception:  # noqa: BLE001 - a broken line has nothing waiting; its reader tells the rest
            return False

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._line.reset_output_buffer()  # else closing may wait 30 s for bytes that nobody takes
        connection = getattr(self._line, "_socket", None)
        with contextlib.suppress(Exception):
            self._line.close()
        if connection is not None:
            connection.close()  # pyserial forgets to when the other end has hung up first


def _set_low_latency(line: Any) -> bool:
    """Ask the driver not to hold bytes back (FTDI's does for up to 16 ms); tell whether it agreed."""
    try:
        line.set_low_latency_mode(True)
    except Exception:  # noqa: BLE001 - most lines have no such mode, and say so in many ways
        return False
    return True


class _DescriptorPort(_SerialPort):
    """A line with a file descriptor: the loop waits on it."""

    def __init__(self, line: Any) -> None:
        super().__init__(line)
        self._fd: int = line.fileno()
        os.set_blocking(self._fd, False)

    def start(self, loop: asyncio.AbstractEventLoop, events: PortEvents) -> None:
        self._loop, self._events = loop, events
        self.resume()

    def resume(self) -> None:
        self._loop.add_reader(self._fd, self._read)

    def pause(self) -> None:
        self._loop.remove_reader(self._fd)

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
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    def watch_writable(self) -> None:
        self._loop.add_writer(self._fd, self._room)

    def _room(self) -> None:
        self._loop.remove_writer(self._fd)
        self._events.writable()

    def stop(self) -> None:
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)


class _ThreadPort(_SerialPort):
    """A line without a file descriptor: one thread waits for bytes, another writes them."""

    def __init__(self, line: Any) -> None:
        super().__init__(line)
        self._outgoing: deque[bytes] = deque()
        self._outgoing_bytes = 0
        self._room_wanted = False
        self._changed = threading.Condition()
        self._reading = threading.Event()
        self._stopped = False

    def start(self, loop: asyncio.AbstractEventLoop, events: PortEvents) -> None:
        self._loop, self._events = loop, events
        self._reading.set()
        for work in (self._read_on, self._write_on):
            threading.Thread(target=work, daemon=True, name=f"framelink{work.__name__}").start()

    def resume(self) -> None:
        self._reading.set()

    def pause(self) -> None:
        self._reading.clear()

    def _read_on(self) -> None:
        while not self._stopped:
            self._reading.wait()
            try:
                chunk = self._line.read(1)
                chunk += self._line.read(self._line.in_waiting) if chunk else b""
            except Exception as error:  # noqa: BLE001 - whatever a driver raises, the line is gone
                self._tell(self._lost, str(error))
                return
            if chunk:
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
        if not self._stopped:
            self._events.received(chunk)

    def _lost(self, reason: str) -> None:
        if not self._stopped:
            self._events.lost(reason)

    def _room(self) -> None:
        if not self._stopped:
            self._events.writable()

    def write(self, data: bytes) -> int:
        with self._changed:
            room = THREAD_QUEUE_BYTES - self._outgoing_bytes
            taken = data[: max(room, 0)]
            if taken:
                self._outgoing.append(taken)
                self._outgoing_bytes += len(taken)
                self._changed.notify_all()
        return len(taken)

    def watch_writable(self) -> None:
        with self._changed:
            self._room_wanted = True
            if self._outgoing:
                return
            self._room_wanted = False
        self._loop.call_soon(self._room)

    def unsent(self) -> int:
        return self._outgoing_bytes + super().unsent()

    def stop(self) -> None:
        self._stopped = True
        self._reading.set()
        with self._changed:
            self._changed.notify_all()
        for cancel in ("cancel_read", "cancel_write"):
            with contextlib.suppress(Exception):  # not every kind of line has them; closing wakes those
                getattr(self._line, cancel)()
