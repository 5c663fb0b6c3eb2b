"""What a device says that it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from framelink.device.requester import DEFAULT_TIMEOUT, FrameLine, request
from framelink.errors import RequestError
from framelink.message import STANDARD, Message


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


async def identify(
    link: FrameLine, addr: int, *, timeout: float = DEFAULT_TIMEOUT, retries: int = 0
) -> Identity:
    """Ask a device what it is.

    Args:
        link: The link, connected or on its way there.
        addr: The device's address.
        timeout: As of `request`.
        retries: As of `request`.

    Raises:
        RequestError: No reply, a negative one, or one that identifies nothing.
        LinkError: The request could not be sent.
    """
    reply = await request(link, STANDARD.encode(addr, "identify"), timeout=timeout, retries=retries)
    message = STANDARD.decode(reply)
    if not isinstance(message, Message):
        raise RequestError(f"address 0x{addr:02X} answered identify with a payload that is none: {reply}")
    fields: Any = message.fields
    return Identity(
        protocol=fields["protocol"],
        boots=fields["boots"],
        device_type=fields["type"],
        firmware=".".join(map(str, fields["firmware"])),
        name=fields["name"],
    )
