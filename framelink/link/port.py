"""Opening lines and listing them: the only module that imports pyserial."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import urlsplit

import serial
from serial.rs485 import RS485Settings
from serial.tools import list_ports

from framelink.errors import LinkOpenError
from framelink.link.descriptor_port import DescriptorPort
from framelink.link.faults import TransientLinkError, is_busy
from framelink.link.half_duplex import HalfDuplex
from framelink.link.interface import Port, PortOpener
from framelink.link.serial_port import is_ours
from framelink.link.thread_port import ThreadPort

MAX_BAUDRATE = 2**31 - 1  # drivers take a signed 32-bit number
NETWORK_SCHEMES = ("socket://", "rfc2217://")

# A peer that lost its power says nothing, so a host that only listens has to ask: it notices within
# 10 + 3 × 5 s.  Soon enough to be of use, and rare enough for a mobile line.
KEEPALIVE_IDLE = 10  # seconds of silence before the first question
KEEPALIVE_INTERVAL = 5  # seconds between questions
KEEPALIVE_COUNT = 3  # unanswered questions after which the peer is gone
UNACKNOWLEDGED_MAX = (
    KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_COUNT
)  # seconds; the same for what is sent


class LineSettings(TypedDict, total=False):
    """How a line is driven besides its baud rate; pyserial's names, values and defaults.

    Attributes:
        bytesize: Data bits, 5 to 8.
        parity: "N", "E", "O", "M" or "S".
        stopbits: 1, 1.5 or 2.
        rtscts: Hardware flow control with RTS and CTS.
        dsrdtr: Hardware flow control with DSR and DTR.
        xonxoff: Software flow control; not for frames that may carry 0x11 and 0x13.
    """

    bytesize: int
    parity: str
    stopbits: float
    rtscts: bool
    dsrdtr: bool
    xonxoff: bool


@dataclass(frozen=True)
class SerialOpener:
    """Opens what a link URL names.

    Attributes:
        url: A device path, `COM3`, `usb:VID:PID[:SERIAL]`, or anything else that pyserial opens.
        baudrate: Symbols per second.
        settings: See `LineSettings`.
        rs485: Whether the driver switches an RS-485 transmitter, see `HalfDuplex.driver`.
    """

    url: str
    baudrate: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    rs485: bool = False

    def open(self) -> Port:
        """Open the line, see `PortOpener.open`."""
        if type(self.baudrate) is not int or not 0 < self.baudrate <= MAX_BAUDRATE:
            raise LinkOpenError(
                f"baudrate must be a whole number above 0, not {self.baudrate!r}; at most {MAX_BAUDRATE}"
            )
        fault: Exception | None = None
        for device in _resolve(self.url):
            try:
                return self._open(device)
            except OSError as error:  # of several devices that fit, the next may be free
                fault = error
        assert fault is not None, "_resolve returns at least one"
        raise fault

    def _open(self, device: str) -> Port:
        line = serial.serial_for_url(
            device, baudrate=self.baudrate, exclusive=True, do_not_open=True, **self.settings
        )
        if device.startswith("socket://"):
            # A new connection has no stale bytes: pyserial would flush what the other end says first.
            vars(line)["reset_input_buffer"] = lambda: None
        try:
            line.open()
        except OSError as error:
            if is_busy(error) and is_ours(device):
                raise TransientLinkError(
                    f"{self.url} is open in this program already; close it first"
                ) from error
            raise
        if self.rs485:
            _set_rs485_mode(line)
        _watch_peer(getattr(line, "_socket", None))
        kind = DescriptorPort if _loop_may_drive(line, device) else ThreadPort
        return kind(line, _byte_time(line))


def _loop_may_drive(line: Any, device: str) -> bool:
    """Tell whether the line's descriptor is all there is to it.

    Other classes of lines have none (loop://, rfc2217://), or do more than it (spy://).  On Windows, asyncio
    waits on nothing of the kind.
    """
    return os.name == "posix" and (type(line) is serial.Serial or device.startswith("socket://"))


def _byte_time(line: Any) -> float:
    """Return the seconds that a byte takes on a line; 0 for those that are no serial line of this machine."""
    if not isinstance(line, serial.Serial):
        return 0.0
    bits = 1 + line.bytesize + (line.parity != serial.PARITY_NONE) + line.stopbits
    return float(bits / line.baudrate)


def _set_rs485_mode(line: Any) -> None:
    """Have the driver switch the transmitter on for what is sent."""
    fault: Exception | None = None
    if isinstance(line, serial.Serial):
        try:
            line.rs485_mode = RS485Settings()
        except (OSError, ValueError) as error:
            fault = error
        else:
            return
    name = line.port
    line.close()
    raise LinkOpenError(
        f"{name}: the driver has no RS-485 mode; leave `driver` off if the adapter switches by itself"
    ) from fault


def _watch_peer(connection: socket.socket | None) -> None:
    """Have the system notice a peer that is gone without a word, and send small frames at once."""
    if connection is None:
        return
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE),
        ("TCP_KEEPALIVE", KEEPALIVE_IDLE),  # the same on macOS
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL),
        ("TCP_KEEPCNT", KEEPALIVE_COUNT),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MAX * 1_000),
    ):
        if hasattr(socket, name):
            with contextlib.suppress(OSError):  # a system may know the name and not the thing
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def opener_for(
    url: str | os.PathLike[str] | PortOpener,
    baudrate: int,
    settings: LineSettings,
    half_duplex: HalfDuplex | None = None,
) -> PortOpener:
    """Return what opens a line.

    Raises:
        TypeError: It is no URL, path or opener, or a setting is none.
    """
    known = LineSettings.__annotations__
    if unknown := settings.keys() - known.keys():
        raise TypeError(f"there is no setting {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    rs485 = half_duplex is not None and half_duplex.driver
    if isinstance(url, (str, os.PathLike)):
        return SerialOpener(os.fspath(url), baudrate, settings, rs485)
    if not isinstance(url, PortOpener):
        raise TypeError(f"a link opens a URL, a path, or an object with `url` and `open`, not {url!r}")
    if settings or rs485:
        raise TypeError("an opener of your own has settings of its own")
    return url


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


def _resolve(url: str) -> list[str]:
    """Return what pyserial opens for a link URL: itself, or the devices that are now behind a usb: URL."""
    if not url.strip():
        raise LinkOpenError("the URL is empty; name a device, `framelink ports` lists those there are")
    if url.startswith(NETWORK_SCHEMES):
        _require_host_and_port(url)
    if not url.startswith("usb:"):
        return [url]
    vid, pid, serial_number = _usb_parts(url)
    devices = [
        str(one.device)
        for one in list_ports.comports()
        if (one.vid, one.pid) == (vid, pid) and serial_number in ("", one.serial_number)
    ]
    if not devices:
        raise TransientLinkError(f"no device {url} is plugged in; `framelink ports` lists those that are")
    return devices


def _require_host_and_port(url: str) -> None:
    scheme = url.partition("://")[0]
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname and parts.port)
    except ValueError:  # a port that is no number, or too large
        complete = False
    if not complete:
        raise LinkOpenError(f"{url} cannot be opened: write it as {scheme}://HOST:PORT, PORT 1 to 65535")


def _usb_parts(url: str) -> tuple[int, int, str]:
    parts = url.split(":", 3)
    try:
        vid, pid = int(parts[1], 16), int(parts[2], 16)
    except (IndexError, ValueError):
        raise LinkOpenError(
            f"{url}: write it as usb:VID:PID or usb:VID:PID:SERIAL, VID and PID in hex"
        ) from None
    return vid, pid, parts[3] if len(parts) > 3 else ""
