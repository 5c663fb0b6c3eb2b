"""What a link needs of a line: how it is opened, driven and given back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


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
    """An open line, driven by an asyncio loop.

    It may have an attribute `byte_time`: seconds that a byte takes on it, for a line with a rate of its own.
    """

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
        """Tell whether received bytes may still lie between the wire and the loop."""

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


@runtime_checkable
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
