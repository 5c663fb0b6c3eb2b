"""Where a transfer stands, and what it took."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass


class TransferPhase(enum.Enum):
    """Where a transfer stands."""

    OPENING = "opening"
    MOVING = "moving"
    CLOSING = "closing"
    DONE = "done"
    FAILED = "failed"


OVER = (TransferPhase.DONE, TransferPhase.FAILED)
"""The phases in which nothing is sent any more."""


@dataclass
class TransferStats:
    """What a transfer took.

    Attributes:
        blocks: Blocks that were sent, or asked for, repeated ones included.
        repeated: Those of them that were sent, or asked for, again.
        silences: Waits for an answer that ended without one.
        reopened: How often the file was opened again: after an unplugged line or a reboot.
        restarted: How often it was begun anew, since it had come out wrong or had changed.
        stray: Answers that belonged to nothing: late, doubled, or of an older handle.
    """

    blocks: int = 0
    repeated: int = 0
    silences: int = 0
    reopened: int = 0
    restarted: int = 0
    stray: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return them by name."""
        return dataclasses.asdict(self)
