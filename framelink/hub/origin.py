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
        return host.lower() == "localhost"


def browser_host(listens_on: str) -> str:
    """Return how a browser on this machine names a server that listens on that host, as a URL has it.

    A server that listens on all addresses (0.0.0.0, ::) has none of that name.
    """
    try:
        address = ipaddress.ip_address(listens_on)
    except ValueError:
        return listens_on
    if address.version == 6:
        return "[::1]" if address.is_unspecified else f"[{address}]"
    return "127.0.0.1" if address.is_unspecified else str(address)


def host_allowed(host_header: str, *, listens_on: str, allowed: Collection[str] = ()) -> bool:
    """Tell whether a request for that Host is meant for us.

    A page of another site can make a name of its own point to this machine (DNS rebinding); its requests
    then carry that name.  An address in numbers cannot be rebound, nor can localhost.

    Args:
        host_header: The request's Host.
        listens_on: The host that the server listens on.
        allowed: Further names under which the server is known.
    """
    name = _hostname(f"//{host_header}")
    if name is None:
        return False
    known = {one.lower() for one in (*LOOPBACK_NAMES, listens_on, *allowed)}
    return name in known or (not is_loopback(listens_on) and _is_address(name))


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
