"""What frames mean: messages, what cannot be decoded, and how commands are asked."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from framelink.message.fields import Value
from framelink.wire import Frame

Kind = Literal["request", "reply", "event"]
Priority = Literal["control", "normal", "bulk"]

SEQUENCED_COMMANDS = range(0x20, 0x60)
"""The commands that a device of the sequenced profile answers with a sequence byte."""
NO_SEQUENCE = 0
"""The sequence byte of a request that is acted on whenever it comes, and not remembered."""


REFUSAL = 0x7F
"""The command that a negative reply replies to, by its number."""


class RefusalCode(enum.IntEnum):
    """Why a device refuses a command, as in its negative reply."""

    UNKNOWN_COMMAND = 1
    BAD_LENGTH = 2
    BAD_VALUE = 3
    BUSY = 4
    NOT_PERMITTED = 5
    FAILED = 6


class Message(msgspec.Struct, frozen=True):  # made in a quarter of a dataclass's time, for every frame
    """A frame whose payload is understood.

    Attributes:
        frame: The frame.
        name: The message's name in the schema.
        kind: Whether it is a request, a reply or an event.
        fields: Field name → value.
        sequence: Its sequence byte, None if it has none.
    """

    frame: Frame
    name: str
    kind: Kind
    fields: Mapping[str, Value]
    sequence: int | None = None


@dataclass(frozen=True)
class Undecodable:
    """A frame whose payload does not fit its schema.

    Attributes:
        frame: The frame.
        reason: What does not fit.
    """

    frame: Frame
    reason: str


@dataclass(frozen=True)
class Command:
    """How a command of a device is asked.

    Attributes:
        id: The request's command.
        reply_cmd: The reply's command.
        name: The name of request and reply.
        description: For people.
        repeatable: Whether the device may be asked twice when once is meant.
        timeout: Seconds that the device may take to answer; None means as long as it usually does.
        priority: Which lane of the transmit queue its requests take.
        sequenced: Whether request and reply have a sequence byte in front.
    """

    id: int
    reply_cmd: int
    name: str
    description: str
    repeatable: bool
    timeout: float | None
    priority: Priority
    sequenced: bool
