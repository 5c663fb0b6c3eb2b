"""A link's life: its states, which of them may follow which, and what observers are told."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class LinkState(enum.Enum):
    """Where a link stands."""

    INITIAL = "initial"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    DISCONNECTING = "disconnecting"
    CLOSED = "closed"


ENDING = (LinkState.DISCONNECTING, LinkState.CLOSED)
"""The states in which a link takes and gives nothing any more."""

TRANSITIONS = {
    LinkState.INITIAL: {LinkState.CONNECTING, LinkState.CLOSED},
    LinkState.CONNECTING: {LinkState.CONNECTED, LinkState.DISCONNECTING, LinkState.CLOSED},
    LinkState.CONNECTED: {LinkState.LOST, LinkState.DISCONNECTING},
    LinkState.LOST: {LinkState.CONNECTING, LinkState.DISCONNECTING},
    LinkState.DISCONNECTING: {LinkState.CLOSED},
    LinkState.CLOSED: set(),
}
"""State → the states that may follow it.  CONNECTING → CLOSED is a fault that waiting will not mend."""


@dataclass(frozen=True)
class StateChange:
    """One step of a link's life.

    Attributes:
        previous: The state before.
        state: The state now.
        reason: Why, in words; empty where there is nothing to tell.
        at: When, in seconds of the monotonic clock.
    """

    previous: LinkState
    state: LinkState
    reason: str
    at: float
