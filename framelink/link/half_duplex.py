"""Half duplex: lines on which only one may talk at a time, as on RS-485's two wires."""

from __future__ import annotations

from dataclasses import dataclass

from framelink.errors import FormatError

MAX_TURNAROUND = 1.0  # seconds; a device that needs longer to let go of the line is not waited for


@dataclass(frozen=True)
class HalfDuplex:
    """How a half-duplex line is driven.

    Attributes:
        turnaround: Seconds of silence between the last byte on the line, whoever sent it, and our next frame:
            what devices need to let go of the line.
        echo: Whether we hear what we send: adapters whose receiver is always on.
        driver: Whether the serial driver switches the transmitter on and off (Linux's RS-485 mode); many
            adapters do it by themselves.

    Raises:
        FormatError: The turn-round time is none.
    """

    turnaround: float = 0.0
    echo: bool = False
    driver: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.turnaround <= MAX_TURNAROUND:
            raise FormatError(f"turnaround must be 0 to {MAX_TURNAROUND:g} seconds, not {self.turnaround!r}")
