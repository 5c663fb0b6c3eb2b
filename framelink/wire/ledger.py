"""Ledger: where every received byte went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Reason = Literal["noise", "length", "tail", "check", "timeout"]

REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why a byte is noise: it begins no header, or the candidate that it begins was rejected, and for what."""


@dataclass(frozen=True)
class Ledger:
    """A receiver's account at one moment; delivered + noise + pending = received, always.

    Attributes:
        received: Bytes fed.
        delivered: Bytes of delivered frames.
        noise: Reason → bytes that belong to no frame.  A rejected candidate puts just its first byte under
            its reason (the others get another chance), so these also count the rejected candidates.
        pending: Bytes of the candidate that is still possible.
        frames: Frames delivered.
    """

    received: int
    delivered: int
    noise: Mapping[Reason, int]
    pending: int
    frames: int

    @property
    def noise_bytes(self) -> int:
        """Bytes that belong to no frame, whatever the reason."""
        return sum(self.noise.values())

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON shows, under the attributes' names."""
        return {
            "received": self.received,
            "delivered": self.delivered,
            "noise": dict(self.noise),
            "pending": self.pending,
            "frames": self.frames,
        }
