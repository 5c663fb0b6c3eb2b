"""AsyncDevice: a conversation with one device, for asyncio programs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import overload

from framelink.device.asking import Asking, asking_for
from framelink.device.events import AsyncEvents
from framelink.device.introduction import Identity, identity_in
from framelink.device.requester import Drive
from framelink.device.station import FrameLine, switchboard_of
from framelink.device.stats import DeviceStats
from framelink.device.transfer_files import Source, Target
from framelink.device.transfers import FileInfo, Progress, TransferLine, Transferred, files, get, put
from framelink.errors import FormatError, LinkClosed, LinkError, RequestError, RequestRefused, RequestTimeout
from framelink.link.life import ENDING
from framelink.message import SEQUENCED_COMMANDS, STANDARD, Message, Schema, Undecodable
from framelink.wire import BROADCAST, Frame

BROADCAST_TIMEOUT = 1.0  # seconds that a broadcast waits for line and room
LOOK = 1.0  # seconds for a device to say what it is where nothing hangs on that; the next one waits for it

TIMEOUT_LEFT = 0.001  # seconds that a request has at least when its device was asked what it is

_log = logging.getLogger("framelink.device")


class AsyncDevice:
    """One device on a link; `link.device(addr, schema)` makes one, at no cost and as often as you like.

    Requests to one device take turns; devices of one link are asked side by side, on a half-duplex line one
    by one. What is known of the device (numbers, round trips, reboots, stats) belongs to link and address.

    Args:
        link: The link, connected or on its way there.
        addr: The device's address.
        schema: Its messages; without it, requests by number and the standard commands.
        sequenced: Without a schema, whether the device speaks the sequenced profile; None means what it said
            when it identified itself.

    Attributes:
        addr: Its address.
        schema: Its messages.
        call: Requests as method calls: `await device.call.NAME(field=value)`.

    Raises:
        FormatError: There cannot be a device at that address, or the schema says otherwise than `sequenced`.
    """

    def __init__(
        self, link: TransferLine, addr: int, schema: Schema | None = None, *, sequenced: bool | None = None
    ) -> None:
        if type(addr) is not int or not 0 <= addr < BROADCAST:  # 0 where frames have no address
            raise FormatError(f"a device's address is 0x01 to 0xFE, not {addr!r}")
        if schema is not None and sequenced is not None and sequenced != schema.sequenced:
            raise FormatError(f"the schema {schema.name} says sequenced = {str(schema.sequenced).lower()}")
        self.addr = addr
        self.schema = STANDARD if schema is None else schema
        self.call = AsyncCalls(self)
        self._link = link
        self._sequenced = sequenced if schema is None else schema.sequenced
        self._knows_identify = schema is not None and schema.document.device.standard
        board = switchboard_of(link)
        board.listen()
        self._station = board.station(addr)
        self._station.watchers.add(self)
        self._check: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(0x{self.addr:02X}, {self.schema.name})"

    @property
    def stats(self) -> DeviceStats:
        """How requests to it have fared."""
        return self._station.stats

    @property
    def is_sequenced(self) -> bool:
        """Whether commands 0x20 to 0x5F are asked in the sequenced profile."""
        if self._sequenced is not None:
            return self._sequenced
        return self._station.identity is not None and self._station.identity.is_sequenced

    # --- Requests -----------------------------------------------------------------------------------------

    @overload
    async def request(
        self,
        command: str,
        fields: Mapping[str, object] | None = None,
        /,
        *,
        timeout: float | None = ...,
        retries: int | None = ...,
    ) -> Message: ...

    @overload
    async def request(
        self, command: int, data: bytes = b"", /, *, timeout: float | None = ..., retries: int | None = ...
    ) -> Frame: ...

    async def request(
        self,
        command: int | str,
        payload: Mapping[str, object] | bytes | None = None,
        /,
        *,
        timeout: float | None = None,
        retries: int | None = None,
    ) -> Message | Frame:
        """Ask the device, by name and fields, or by number and bytes; return its reply in the same manner.

        A request that may be repeated (its schema says so, or the device speaks the sequenced profile) is
        sent again, until it is answered or its time is over, as soon as the reply is overdue by what was
        measured of the device.  Any other is sent once.

        Args:
            command: The command's name, or its number.
            payload: Its fields by name, or the bytes of its data; a sequence byte is added, and taken away.
            timeout: Seconds for all of it, once it has its turn.  None means 5 s, or 1 s if it is sent once;
                longer for commands whose schema gives the device more time, and where the device has to be
                asked first what it is.
            retries: How often it may be sent again.  None means as often as there is time for, or never;
                given for a command that may not be repeated, the device may act more than once.

        Raises:
            PayloadError: The schema has no such command, or the fields do not fit.
            FormatError: Nothing answers that number, or an argument is out of range.
            RequestTimeout: No reply in time, all retries included.
            RequestRefused: The device answered with a negative reply; it has `code` and `text`.
            RequestError: The reply does not fit the schema, or the device does not speak the profile that it
                asks.
            LinkError: The request could not be sent.
        """
        return await self.ask(command, payload, timeout=timeout, retries=retries)

    async def ask(
        self,
        command: int | str,
        payload: Mapping[str, object] | bytes | None = None,
        *,
        timeout: float | None = None,
        retries: int | None = None,
    ) -> Message | Frame:
        """Do as `request` does, for those who do not know yet whether they have a name or a number."""
        asking = self._asking(command, payload)
        reply = await self._answer(asking, timeout, retries)
        if isinstance(command, str):
            return self._message_in(reply)
        return reply._replace(data=reply.data[1:]) if asking.is_sequenced else reply

    async def answer(
        self,
        command: int | str,
        payload: Mapping[str, object] | bytes | None = None,
        *,
        timeout: float | None = None,
        retries: int | None = None,
    ) -> Frame:
        """Ask as `request` does, and return the reply as it came, whether it fits the schema or not."""
        return await self._answer(self._asking(command, payload), timeout, retries)

    def _asking(self, command: int | str, payload: Mapping[str, object] | bytes | None) -> Asking:
        return asking_for(self.schema, self.addr, command, payload, sequenced=self.is_sequenced)

    def _message_in(self, reply: Frame) -> Message:
        message = self.schema.decode(reply)
        if isinstance(message, Message):
            return message
        reason = message.reason if isinstance(message, Undecodable) else "the schema has no such reply"
        raise RequestError(f"address 0x{self.addr:02X} answered what does not fit its schema: {reason}")

    async def _answer(self, asking: Asking, timeout: float | None, retries: int | None) -> Frame:
        async with self._station.turn:
            timeout = await self._introduce(asking, timeout)
            number = self._station.next_number() if asking.is_sequenced else None
            try:
                return await self._drive(asking, timeout, retries, number)
            except RequestRefused:
                raise
            except RequestTimeout:
                self._station.doubt()
                raise
            except BaseException:
                self._station.is_due = True  # it may have this number as its last
                raise

    async def _drive(
        self, asking: Asking, timeout: float | None, retries: int | None, number: int | None = None
    ) -> Frame:
        """Carry a request out; whoever calls it has the turn."""
        station = self._station
        patience, allowed = asking.plan(station.trips, station.size_of(asking.frame), timeout, retries)
        exchange = asking.exchange(patience.total, allowed, number)
        is_typical = asking.device_time is None
        drive = Drive(self._link, station, exchange, patience, lane=asking.lane, is_typical=is_typical)
        return await drive.run()

    # --- What it is, and whether it has rebooted ----------------------------------------------------------

    async def identify(self) -> Identity:
        """Ask the device what it is.

        Raises:
            RequestError: No reply, a negative one, or one that identifies nothing.
            LinkError: The request could not be sent.
        """
        async with self._station.turn:
            return await self._identify(None)

    async def _identify(self, timeout: float | None) -> Identity:
        asking = asking_for(STANDARD, self.addr, "identify", sequenced=False)
        identity = identity_in(await self._drive(asking, timeout, None))
        self._station.learn(identity)
        return identity

    async def _introduce(self, asking: Asking, timeout: float | None) -> float | None:
        """Find out what the device is, if a number needs that, or if a reboot may have gone unnoticed.

        Returns:
            What is left of the timeout.
        """
        began = asyncio.get_running_loop().time()
        if self._station.is_due:
            if asking.is_sequenced:
                await self._identify(timeout)
            elif self._watches:
                await self._look(LOOK if timeout is None else min(LOOK, timeout / 2))
        self._require_profile(asking)
        spent = asyncio.get_running_loop().time() - began
        return None if timeout is None else max(timeout - spent, min(timeout, TIMEOUT_LEFT))

    async def _look(self, timeout: float = LOOK) -> None:
        """Ask the device what it is, if it will say so soon; whoever calls it has the turn."""
        try:
            await self._identify(timeout)
        except LinkClosed:
            raise
        except (RequestTimeout, LinkError) as fault:
            _log.debug("0x%02X: %s", self.addr, fault)
        except RequestError:
            self._station.is_due = False  # it does not know the command: no reason to ask again

    @property
    def _watches(self) -> bool:
        return self._knows_identify or self._station.identity is not None

    def _require_profile(self, asking: Asking) -> None:
        """Check that the device is asked in the profile that it speaks, once it said which.

        Raises:
            RequestError: It is not.
        """
        identity = self._station.identity
        if identity is None or asking.frame.cmd not in SEQUENCED_COMMANDS:
            return
        if identity.is_sequenced != asking.is_sequenced:
            speaks, says = ("the", "no") if identity.is_sequenced else ("no", "a")
            raise RequestError(
                f"address 0x{self.addr:02X} speaks {speaks} sequenced profile (protocol version"
                f" {identity.protocol}), and is asked with {says} sequence byte:"
                f" set sequenced = {str(identity.is_sequenced).lower()} in its schema, or update its firmware"
            )

    def on_reboot(self, callback: Callable[[Identity], None]) -> Callable[[], None]:
        """Have it told, in the loop, when the device has rebooted; the returned function ends that.

        It is asked what it is before the first request, after its line came back, and after a request that
        had no reply, or only after many repeats; without a schema, once `identify` was called.  Another boot
        counter means a reboot.
        """

        def tell(identity: Identity) -> None:
            _log.debug("%r has rebooted", self)  # so long as it is wanted, the device must not be collected
            callback(identity)

        return self._station.reboots.add(tell)

    def in_doubt(self) -> None:
        """Be told that the device may have rebooted: look, in the background."""
        if self._watches and (self._check is None or self._check.done()):
            self._check = asyncio.get_running_loop().create_task(self._look_in_turn())

    async def _look_in_turn(self) -> None:
        with contextlib.suppress(LinkClosed):
            async with self._station.turn:
                if self._station.is_due:
                    await self._look()

    # --- Events, broadcasts, files ------------------------------------------------------------------------

    def events(self, name: str | None = None) -> AsyncEvents:
        """Return the device's events from now on, to be iterated over; see `AsyncEvents`.

        Args:
            name: The event wanted; None for all.

        Raises:
            PayloadError: The schema has no such event, or none at all.
        """
        events = AsyncEvents(self._station, self.schema, name)
        if self._link.state in ENDING:
            events.closed()
        return events

    @overload
    async def broadcast(self, command: str, fields: Mapping[str, object] | None = None, /) -> None: ...

    @overload
    async def broadcast(self, command: int, data: bytes = b"", /) -> None: ...

    async def broadcast(
        self, command: int | str, payload: Mapping[str, object] | bytes | None = None, /
    ) -> None:
        """Send a command to all devices on the line; none answers.  Arguments as of `request`.

        Raises:
            PayloadError, FormatError: As `request` does.
            LinkError: It could not be sent.
        """
        await self.tell_all(command, payload)

    async def tell_all(self, command: int | str, payload: Mapping[str, object] | bytes | None = None) -> None:
        """Do as `broadcast` does, for those who do not know yet whether they have a name or a number."""
        asking = asking_for(self.schema, BROADCAST, command, payload, sequenced=self.is_sequenced)
        await send_to_all(self._link, asking)

    async def put(self, name: str, source: Source, *, progress: Progress | None = None) -> Transferred:
        """Send the device a file, see `framelink.device.put`."""
        return await put(self._link, self.addr, name, source, progress=progress)

    async def get(
        self, name: str, target: Target | None = None, *, progress: Progress | None = None
    ) -> Transferred:
        """Fetch a file from the device, see `framelink.device.get`."""
        return await get(self._link, self.addr, name, target, progress=progress)

    async def files(self) -> list[FileInfo]:
        """Return what files the device has, see `framelink.device.files`."""
        return await files(self._link, self.addr)


async def send_to_all(link: FrameLine, asking: Asking) -> None:
    """Send a broadcast; on a half-duplex line when no reply is awaited, which it would collide with."""
    async with switchboard_of(link).line_turn or contextlib.nullcontext():
        await link.send(asking.frame, BROADCAST_TIMEOUT, lane=asking.lane)


class AsyncCalls:
    """The commands of a device's schema as methods: `await device.call.NAME(field=value)`."""

    def __init__(self, device: AsyncDevice) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Message]]:
        if self._device.schema.command(name) is None:
            raise AttributeError(f"{self._device.schema.name} has no command {name!r}")

        def call(**fields: object) -> Awaitable[Message]:
            return self._device.request(name, fields)

        return call

    def __dir__(self) -> list[str]:
        return [one.name for one in self._device.schema.commands]
