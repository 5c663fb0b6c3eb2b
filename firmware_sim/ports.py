"""VirtualPort: what every kind of virtual serial port can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

BACKLOG_BYTES = 65_536  # kept for a host that reads slowly; beyond it, bytes are lost as on a real line
READ_SIZE = 65_536

OnBytes = Callable[[bytes], None]


class VirtualPort(Protocol):
    """The device's end of a line."""

    @property
    def dropped(self) -> int:
        """Bytes lost because the host did not read them."""

    @property
    def url(self) -> str:
        """What the host opens."""

    async def open(self, on_bytes: OnBytes) -> None:
        """Make the port; bytes from the host are told in the loop."""

    def write(self, data: bytes) -> None:
        """Send bytes to the host; lost if it is not there."""

    def unplug(self) -> None:
        """Take the port away, as when the cable is pulled."""

    async def replug(self) -> None:
        """Bring the port back under the same name."""

    def close(self) -> None:
        """Take the port away for good and clean up."""
