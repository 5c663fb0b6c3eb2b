"""Devices on a link: asked until they answer, and noticed when they reboot; their events and files."""

from framelink.device.async_device import AsyncDevice
from framelink.device.device import Device
from framelink.device.discovery import Found, discover
from framelink.device.events import AsyncEvents
from framelink.device.exchange import Exchange, Phase
from framelink.device.identity import Identity, identify
from framelink.device.links import AsyncLink, Link, connect, open  # noqa: A004 - as io.open is called
from framelink.device.polling import Plan, Poll, Polled, poll
from framelink.device.requester import DEFAULT_TIMEOUT, FrameLine, request
from framelink.device.stats import DeviceStats
from framelink.device.transfer_state import TransferStats
from framelink.device.transfers import FileInfo, Transferred, files, get, put

__all__ = [
    "DEFAULT_TIMEOUT",
    "AsyncDevice",
    "AsyncEvents",
    "AsyncLink",
    "Device",
    "DeviceStats",
    "Exchange",
    "FileInfo",
    "Found",
    "FrameLine",
    "Identity",
    "Link",
    "Phase",
    "Plan",
    "Poll",
    "Polled",
    "TransferStats",
    "Transferred",
    "connect",
    "discover",
    "files",
    "get",
    "identify",
    "open",
    "poll",
    "put",
    "request",
]
