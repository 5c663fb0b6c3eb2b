"""LinkStats: what a link has done so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from framelink.link.lane import LaneStats
from framelink.wire import Ledger


class SendingStats(TypedDict):
    """The figures of the sending side, see `LinkStats`."""

    frames_sent: int
    bytes_sent: int
    tx_discarded: int
    tx_refused: int
    tx_lanes: tuple[LaneStats, ...]
    tx_cut: int
    echo_discarded: int
    echo_mismatches: int


@dataclass(frozen=True)
class LinkStats:
    """A link's figures at one moment, over all its connections.

    Attributes:
        ledger: Where every received byte went.
        frames_received: Frames received.
        frames_sent: Frames handed to the line, whole.
        bytes_received: Bytes received.
        bytes_sent: Bytes handed to the line.
        connects: How often the line was opened.
        last_frame_at: When the last frame came, in seconds of the monotonic clock; None before the first.
        low_latency: Whether the driver is in low-latency mode; None while not connected.
        tx_discarded: Frames that waited to be sent when the line broke or the link was closed.
        tx_refused: Frames that found the line down or the transmit queue full; those whose senders waited may
            have been sent later.
        tx_lanes: The same and more of each lane, see `Lane`.
        tx_cut: Bytes handed to the line that the driver had not sent when the link was closed.
        echo_discarded: Bytes of our own echo that were discarded, on a half-duplex line that has it.
        echo_mismatches: Frames whose echo did not come as they were sent: collisions, or a line without echo.
        rx_paused: How often reading was paused because the receive queue was full.
        rx_unread_dropped: Received frames dropped because nobody read from the full receive queue.
    """

    ledger: Ledger
    frames_received: int
    frames_sent: int
    bytes_received: int
    bytes_sent: int
    connects: int
    last_frame_at: float | None
    low_latency: bool | None
    tx_discarded: int
    tx_refused: int
    tx_lanes: tuple[LaneStats, ...]
    tx_cut: int
    echo_discarded: int
    echo_mismatches: int
    rx_paused: int
    rx_unread_dropped: int

    @property
    def reconnects(self) -> int:
        """How often the line was opened again after it had been lost."""
        return max(self.connects - 1, 0)
