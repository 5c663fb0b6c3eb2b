"""Moves bytes over real lines: opened by URL, opened again when they break; knows frames, no messages."""

from framelink.link.async_link import AsyncLink
from framelink.link.half_duplex import HalfDuplex
from framelink.link.interface import Port, PortEvents, PortOpener
from framelink.link.lane import Lane, LaneStats
from framelink.link.life import LinkState, StateChange
from framelink.link.opening import connect, open  # noqa: A004 - as io.open is called
from framelink.link.port import LineSettings, PortInfo, ports
from framelink.link.stats import LinkStats
from framelink.link.sync_link import Link

__all__ = [
    "AsyncLink",
    "HalfDuplex",
    "Lane",
    "LaneStats",
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
