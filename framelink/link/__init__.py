"""Moves bytes over real lines: opened by URL, opened again when they break; knows frames, no messages."""

from framelink.link.async_link import AsyncLink, connect
from framelink.link.interface import Port, PortEvents, PortOpener
from framelink.link.life import LinkState, StateChange
from framelink.link.port import LineSettings, PortInfo, ports
from framelink.link.stats import LinkStats
from framelink.link.sync_link import Link, open  # noqa: A004 - as io.open is called

__all__ = [
    "AsyncLink",
    "LineSettings",
    "Link",
    "LinkState",
    "LinkStats",
    "Port",
    "PortEvents",
    "PortInfo",
    "PortOpener",
    "StateChange",
    "connect",
    "open",
    "ports",
]
