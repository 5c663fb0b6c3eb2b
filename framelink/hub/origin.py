"""Which web pages may talk to the server: no other site's, and none under a rebound name."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server that listens on that host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_allowed(host_header: str, *, listens_on: str, allowed: Collection[str] = ()) -> bool:
    """Tell whether a request for that Host is meant for us.

    A page of another site can make a name of its own point to this machine (DNS rebinding); its requests
    then carry that name.  An address in numbers cannot be rebound.

    Args:
        host_header: The request's Host.
        listens_on: The host that the server listens on.
        allowed: Further names under which the server is known.
    """
    name = _hostname(f"//{host_header}")
    if name is None:
        return False
    if name in allowed or name == listens_on:
        return True
    return name in LOOPBACK_NAMES if is_loopback(listens_on) else _is_address(name)


def origin_allowed(origin: str | None, host_header: str) -> bool:
    """Tell whether a page of that Origin may talk to us: our own, or none (programs send none)."""
    if origin is None:
        return True
    try:
        return urlsplit(origin).scheme in ("http", "https") and urlsplit(origin).netloc == host_header
    except ValueError:
        return False


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
