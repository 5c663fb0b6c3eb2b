"""The front door of links: `connect` for asyncio programs, `open` for scripts and notebooks."""

from __future__ import annotations

import os
from typing import Unpack

from framelink.link.async_link import DEFAULT_BAUDRATE, DEFAULT_CONNECT_TIMEOUT, AsyncLink
from framelink.link.half_duplex import HalfDuplex
from framelink.link.interface import PortOpener
from framelink.link.port import LineSettings
from framelink.link.sync_link import Link
from framelink.wire import DEFAULT_FORMAT, FrameFormat


def connect(
    url: str | os.PathLike[str] | PortOpener,
    *,
    baudrate: int = DEFAULT_BAUDRATE,
    format: FrameFormat = DEFAULT_FORMAT,
    connect_timeout: float | None = DEFAULT_CONNECT_TIMEOUT,
    half_duplex: HalfDuplex | None = None,
    **settings: Unpack[LineSettings],
) -> AsyncLink:
    """Return a link for `async with`, which connects it and closes it; arguments as of `AsyncLink`.

    Example:
        async with framelink.connect("/dev/ttyUSB0") as link:
            async for frame in link:
                print(frame)
    """
    return AsyncLink(
        url,
        baudrate=baudrate,
        format=format,
        connect_timeout=connect_timeout,
        half_duplex=half_duplex,
        **settings,
    )


def open(
    url: str | os.PathLike[str] | PortOpener,
    *,
    baudrate: int = DEFAULT_BAUDRATE,
    format: FrameFormat = DEFAULT_FORMAT,
    connect_timeout: float | None = DEFAULT_CONNECT_TIMEOUT,
    half_duplex: HalfDuplex | None = None,
    **settings: Unpack[LineSettings],
) -> Link:
    """Open a line and return its link; arguments as of `AsyncLink`.

    Raises:
        LinkTimeout: The line was not connected in time; the message says what stood in the way.
        LinkOpenError: The line cannot be opened, and waiting will not help.

    Example:
        with framelink.open("/dev/ttyUSB0") as link:
            for frame in link:
                print(frame)
    """
    return Link(
        url,
        baudrate=baudrate,
        format=format,
        connect_timeout=connect_timeout,
        half_duplex=half_duplex,
        **settings,
    )
