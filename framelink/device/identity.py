"""What a device says that it is."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, overload

from framelink.device.requester import DEFAULT_TIMEOUT, FrameLine, request
from framelink.errors import RequestError
from framelink.link import Link
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


@overload
def identify(link: Link, addr: int, *, timeout: float = ..., retries: int = ...) -> Identity: ...


@overload
def identify(
    link: FrameLine, addr: int, *, timeout: float = ..., retries: int = ...
) -> Coroutine[Any, Any, Identity]: ...


def identify(
    link: Link | FrameLine, addr: int, *, timeout: float = DEFAULT_TIMEOUT, retries: int = 0
) -> Identity | Coroutine[Any, Any, Identity]:
    """Ask a device what it is; to be awaited if the link is an `AsyncLink`.

    Args:
        link: The link, connected or on its way there.
        addr: The device's address.
        timeout: As of `request`.
        retries: As of `request`.

    Raises:
        RequestError: No reply, a negative one, or one that identifies nothing.
        LinkError: The request could not be sent.
    """
    if isinstance(link, Link):
        return link.call(lambda inner: _identify(inner, addr, timeout, retries))
    return _identify(link, addr, timeout, retries)


async def _identify(link: FrameLine, addr: int, timeout: float, retries: int) -> Identity:
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
