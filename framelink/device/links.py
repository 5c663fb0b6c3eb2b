"""The links that users get: those of the link floor, with devices on them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Unpack

from framelink import link as floor
from framelink.device.asking import Asking, asking_for
from framelink.device.async_device import AsyncDevice, send_to_all
from framelink.device.device import Device
from framelink.link import HalfDuplex, LineSettings, PortOpener
from framelink.link.async_link import DEFAULT_BAUDRATE, DEFAULT_CONNECT_TIMEOUT
from framelink.message import STANDARD, Schema
from framelink.wire import BROADCAST, DEFAULT_FORMAT, FrameFormat

Payload = Mapping[str, object] | bytes | None
"""A command's fields by name, for one that is named; bytes, for a number."""


class AsyncLink(floor.AsyncLink):  # noqa: D101 - its docstring is the floor's
    __doc__ = floor.AsyncLink.__doc__

    def device(
        self, addr: int, schema: Schema | None = None, *, sequenced: bool | None = None
    ) -> AsyncDevice:
        """Return the device at an address, to be asked; arguments as of `AsyncDevice`."""
        return AsyncDevice(self, addr, schema, sequenced=sequenced)

    async def broadcast(
        self, command: int | str, payload: Payload = None, *, schema: Schema | None = None
    ) -> None:
        """Send a command to all devices on the line; none answers.

        Args:
            command: The command's name, or its number.
            payload: Its fields by name, or the bytes of its data.
            schema: The devices' messages; without it the standard commands can be named.

        Raises:
            PayloadError: The schema has no such command, or the fields do not fit.
            FormatError: Nothing answers that number.
            LinkError: It could not be sent.
        """
        await send_to_all(self, _to_all(command, payload, schema))


class Link(floor.Link):  # noqa: D101 - as above
    __doc__ = floor.Link.__doc__

    def device(self, addr: int, schema: Schema | None = None, *, sequenced: bool | None = None) -> Device:
        """Return the device at an address, to be asked; arguments as of `AsyncDevice`."""
        return Device(self, addr, schema, sequenced=sequenced)

    def broadcast(self, command: int | str, payload: Payload = None, *, schema: Schema | None = None) -> None:
        """Send a command to all devices on the line, see `AsyncLink.broadcast`."""
        asking = _to_all(command, payload, schema)
        self.call(lambda link: send_to_all(link, asking))


def _to_all(command: int | str, payload: Payload, schema: Schema | None) -> Asking:
    meaning = STANDARD if schema is None else schema
    return asking_for(meaning, BROADCAST, command, payload, sequenced=meaning.sequenced)


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
            print(await link.device(1).identify())
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
            print(link.device(1).identify())
    """
    return Link(
        url,
        baudrate=baudrate,
        format=format,
        connect_timeout=connect_timeout,
        half_duplex=half_duplex,
        **settings,
    )
