"""Device: the same conversation for scripts and notebooks, blocking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Self, overload

from framelink.device.async_device import AsyncDevice
from framelink.device.events import AsyncEvents
from framelink.device.introduction import Identity
from framelink.device.stats import DeviceStats
from framelink.device.transfer_files import Source, Target
from framelink.device.transfers import FileInfo, Progress, Transferred
from framelink.errors import LinkClosed
from framelink.link import AsyncLink, Link
from framelink.message import Message, Schema
from framelink.wire import Frame


class Device:
    """One device on a blocking link; `link.device(addr, schema)` makes one.  Use it from any thread.

    Arguments and attributes as of `AsyncDevice`, which does the work in the link's background thread.

    Raises:
        FormatError: As of `AsyncDevice`.
        LinkClosed: The link is closed.
    """

    def __init__(
        self, link: Link, addr: int, schema: Schema | None = None, *, sequenced: bool | None = None
    ) -> None:
        async def made(inner: AsyncLink) -> AsyncDevice:
            return AsyncDevice(inner, addr, schema, sequenced=sequenced)

        self._link = link
        self._device = link.call(made)
        self.addr = self._device.addr
        self.schema = self._device.schema
        self.call = Calls(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(0x{self.addr:02X}, {self.schema.name})"

    @property
    def stats(self) -> DeviceStats:
        """How requests to it have fared."""
        return self._device.stats

    @property
    def is_sequenced(self) -> bool:
        """Whether commands 0x20 to 0x5F are asked in the sequenced profile."""
        return self._device.is_sequenced

    @overload
    def request(
        self,
        command: str,
        fields: Mapping[str, object] | None = None,
        /,
        *,
        timeout: float | None = ...,
        retries: int | None = ...,
    ) -> Message: ...

    @overload
    def request(
        self, command: int, data: bytes = b"", /, *, timeout: float | None = ..., retries: int | None = ...
    ) -> Frame: ...

    def request(
        self,
        command: int | str,
        payload: Mapping[str, object] | bytes | None = None,
        /,
        *,
        timeout: float | None = None,
        retries: int | None = None,
    ) -> Message | Frame:
        """Ask the device and return its reply, see `AsyncDevice.request`."""
        ask = self._device.ask
        return self._link.call(lambda _inner: ask(command, payload, timeout=timeout, retries=retries))

    def identify(self) -> Identity:
        """Ask the device what it is, see `AsyncDevice.identify`."""
        return self._link.call(lambda _inner: self._device.identify())

    def on_reboot(self, callback: Callable[[Identity], None]) -> Callable[[], None]:
        """Have it told, in the background thread, of reboots, see `AsyncDevice.on_reboot`."""
        return self._device.on_reboot(callback)

    def events(self, name: str | None = None) -> Events:
        """Return the device's events from now on, to be iterated over, see `AsyncDevice.events`."""

        async def made(_inner: AsyncLink) -> AsyncEvents:
            return self._device.events(name)

        return Events(self._link, self._link.call(made))

    @overload
    def broadcast(self, command: str, fields: Mapping[str, object] | None = None, /) -> None: ...

    @overload
    def broadcast(self, command: int, data: bytes = b"", /) -> None: ...

    def broadcast(self, command: int | str, payload: Mapping[str, object] | bytes | None = None, /) -> None:
        """Send a command to all devices on the line, see `AsyncDevice.broadcast`."""
        self._link.call(lambda _inner: self._device.tell_all(command, payload))

    def put(self, name: str, source: Source, *, progress: Progress | None = None) -> Transferred:
        """Send the device a file, see `framelink.device.put`."""
        return self._link.call(lambda _inner: self._device.put(name, source, progress=progress))

    def get(
        self, name: str, target: Target | None = None, *, progress: Progress | None = None
    ) -> Transferred:
        """Fetch a file from the device, see `framelink.device.get`."""
        return self._link.call(lambda _inner: self._device.get(name, target, progress=progress))

    def files(self) -> list[FileInfo]:
        """Return what files the device has, see `framelink.device.files`."""
        return self._link.call(lambda _inner: self._device.files())


class Calls:
    """The commands of a device's schema as methods: `device.call.NAME(field=value)`."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Callable[..., Message]:
        if self._device.schema.command(name) is None:
            raise AttributeError(f"{self._device.schema.name} has no command {name!r}")

        def call(**fields: object) -> Message:
            return self._device.request(name, fields)

        return call

    def __dir__(self) -> list[str]:
        return [one.name for one in self._device.schema.commands]


class Events:
    """The events of one device, blocking; see `AsyncEvents`."""

    def __init__(self, link: Link, events: AsyncEvents) -> None:
        self._link = link
        self._events = events

    def receive(self, timeout: float | None = None) -> Message:
        """Return the next event, see `AsyncEvents.receive`."""
        try:
            return self._link.call(lambda _inner: self._events.receive(timeout))
        except LinkClosed:
            left = self._events.left()
            if left is None:
                raise
            return left

    def close(self) -> None:
        """Take no more events; those in the queue can still be read."""

        async def close(_inner: AsyncLink) -> None:
            self._events.close()

        with suppress(LinkClosed):  # then there are none anyway
            self._link.call(close)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        try:
            return self.receive()
        except LinkClosed:
            raise StopIteration from None
