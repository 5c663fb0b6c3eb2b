"""Asking a device what it is, on any link."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, overload

from framelink.device.introduction import Identity, identity_in
from framelink.device.requester import DEFAULT_TIMEOUT, request
from framelink.device.station import FrameLine, station_of
from framelink.link import Link
from framelink.message import STANDARD

__all__ = ["Identity", "identify", "identity_in"]


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
    identity = identity_in(reply)
    station_of(link, addr).learn(identity)
    return identity
