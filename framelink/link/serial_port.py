"""What ports over a pyserial line have in common; the line comes open, so nothing here imports pyserial."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Any

from framelink.link.interface import PortEvents

_in_use: set[str] = set()
"""The devices that this process has open, by their real paths."""


def is_ours(device: str) -> bool:
    """Tell whether this very process has the device open."""
    return os.path.realpath(device) in _in_use


class SerialPort:
    """An open pyserial line; subclasses drive it.

    Args:
        line: The line.
        byte_time: Seconds that a byte takes on it, see `Port`.
    """

    def __init__(self, line: Any, byte_time: float = 0.0) -> None:
        self._line = line
        self.byte_time = byte_time
        self._device = os.path.realpath(str(line.port))
        _in_use.add(self._device)
        self.low_latency = _set_low_latency(line)
        self._loop: asyncio.AbstractEventLoop
        self._events: PortEvents

    def _queued(self) -> int:
        """Return the bytes in the driver's transmit buffer; 0 for lines that cannot tell."""
        try:
            return int(self._line.out_waiting)
        except (AttributeError, OSError):
            return 0

    def unsent(self) -> int:
        """See `Port.unsent`."""
        return self._queued()

    def waiting(self) -> bool:
        """See `Port.waiting`."""
        try:
            return bool(self._line.in_waiting)
        except Exception:  # noqa: BLE001 - a broken line has nothing waiting; its reader tells the rest
            return False

    def close(self) -> None:
        """See `Port.close`."""
        with contextlib.suppress(Exception):
            if self._queued():  # nobody took them while the link drained; closing would wait 30 s for it
                self._line.reset_output_buffer()
        connection = getattr(self._line, "_socket", None)
        with contextlib.suppress(Exception):
            self._line.close()
        if connection is not None:
            connection.close()  # pyserial forgets to when the other end has hung up first
        _in_use.discard(self._device)


def _set_low_latency(line: Any) -> bool:
    """Ask the driver not to hold bytes back (FTDI's does for up to 16 ms); tell whether it agreed."""
    try:
        line.set_low_latency_mode(True)
    except Exception:  # noqa: BLE001 - most lines have no such mode, and say so in many ways
        return False
    return True
