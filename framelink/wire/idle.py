"""How long a line must be silent before an incomplete frame is given up."""

from __future__ import annotations

MIN_IDLE_GAP = 0.050  # seconds; USB adapters hold bytes back for up to 16 ms, and hosts stall for tens
LONGEST_BYTE_BITS = 12  # start, 8 data, parity, 2 stop
IDLE_BYTES = 4  # silence of four byte times is no pause between two bytes of one frame


def idle_gap(baudrate: int) -> float:
    """Return the idle gap in seconds: max(50 ms, 4 longest byte times).

    Args:
        baudrate: Symbols per second, greater than 0.
    """
    return max(MIN_IDLE_GAP, IDLE_BYTES * LONGEST_BYTE_BITS / baudrate)
