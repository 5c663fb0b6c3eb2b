"""BYTES ⇄ FRAMES.  Pure: no I/O, no clock, no threads.  SPEC.md states the rules."""

from framelink.wire.check import CHECK_NAMES
from framelink.wire.codec import encode
from framelink.wire.format import DEFAULT_FORMAT, FrameFormat
from framelink.wire.frame import BROADCAST, HOST, REPLY, Frame
from framelink.wire.idle import idle_gap
from framelink.wire.ledger import REASONS, Ledger, Reason
from framelink.wire.receiver import Receiver
from framelink.wire.state import State

__all__ = [
    "BROADCAST",
    "CHECK_NAMES",
    "DEFAULT_FORMAT",
    "HOST",
    "REASONS",
    "REPLY",
    "Frame",
    "FrameFormat",
    "Ledger",
    "Reason",
    "Receiver",
    "State",
    "encode",
    "idle_gap",
]
