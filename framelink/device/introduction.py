"""Identity: what a device says that it is.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from framelink.errors import RequestError
from framelink.message import STANDARD, Message
from framelink.wire import Frame

SEQUENCED_PROTOCOL = 2
"""The protocol version from which on a device answers a repeated request without acting twice."""


@dataclass(frozen=True)
class Identity:
    """A device's answer to `identify`.

    Attributes:
        protocol: Protocol version.
        boots: How often the device has started.
        device_type: Its type, which a schema may have as well.
        firmware: Its firmware's version, such as "1.0.2".
        name: What it calls itself.
    """

    protocol: int
    boots: int
    device_type: int
    firmware: str
    name: str

    @property
    def is_sequenced(self) -> bool:
        """Whether it speaks the sequenced profile."""
        return self.protocol >= SEQUENCED_PROTOCOL


def identity_in(reply: Frame) -> Identity:
    """Return what a reply to `identify` says.

    Raises:
        RequestError: It says nothing.
    """
    message = STANDARD.decode(reply)
    if not isinstance(message, Message):
        raise RequestError(
            f"address 0x{reply.addr:02X} answered identify with a payload that is none: {reply}"
        )
    fields: Any = message.fields
    return Identity(
        protocol=fields["protocol"],
        boots=fields["boots"],
        device_type=fields["type"],
        firmware=".".join(map(str, fields["firmware"])),
        name=fields["name"],
    )
