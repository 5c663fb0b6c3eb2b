"""The one place where devices and hub meet: frames go to browsers, and their commands to devices."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Self
from weakref import WeakValueDictionary

from framelink.device import AsyncDevice, Identity, identify
from framelink.device.station import station_of
from framelink.errors import (
    ConfigError,
    FramelinkError,
    LinkError,
    LinkOpenError,
    RequestError,
    RequestTimeout,
)
from framelink.hub import Command, Hub, echo, plain, require_link_name
from framelink.hub.server import HubServer
from framelink.link import AsyncLink, LinkState, PortOpener, StateChange
from framelink.message import NO_SEQUENCE, STANDARD, Message, Schema, Undecodable
from framelink.message import Command as KnownCommand
from framelink.wire import BROADCAST, DEFAULT_FORMAT, HOST, Frame, FrameFormat

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
MAX_LINKS = 64  # lines of one bridge; each costs a task and its buffers
REQUEST_TIMEOUT = 1.5  # seconds for a device to answer a browser's command, repeats included
COMMAND_TIMEOUT = 4.0  # seconds for the command, its turn included; the page gives up after 5
IDENTIFY_TIMEOUT = 0.5  # seconds; asked in the background, of every address that is heard
IDENTIFY_RETRIES = 2
IDENTIFY_AGAIN = 10.0  # seconds until a device that did not answer is asked again; doubled each time
STATUS_PERIOD = 1.0  # seconds between a link's figures, while they change

_log = logging.getLogger("framelink.bridge")


@dataclass(frozen=True)
class LinkConfig:
    """One line of a bridge.

    Attributes:
        name: Its name in rooms, commands and on the page.
        url: What to open.
        baudrate: Symbols per second.
        format: The devices' variant of the frame.
        schemas: What its devices may be; with several, a device's identify reply tells which it is.
    """

    name: str
    url: str | PortOpener
    baudrate: int = 115_200
    format: FrameFormat = DEFAULT_FORMAT
    schemas: tuple[Schema, ...] = ()


@dataclass(frozen=True)
class BridgeConfig:
    """What a bridge serves, and where.

    Attributes:
        links: Its lines.
        host: The address to listen on.
        port: The port to listen on, 0 for any.
        insecure: Listen on an address that others can reach although nobody has to log in.
        allowed_hosts: Further names under which the server is known.

    Raises:
        ConfigError: There are no links or too many, or a name cannot be or stands twice.
    """

    links: tuple[LinkConfig, ...]
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    insecure: bool = False
    allowed_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.links) <= MAX_LINKS:
            raise ConfigError(
                f"a bridge has 1 to {MAX_LINKS} links, not {len(self.links)}; name a URL or a config"
            )
        names = [one.name for one in self.links]
        for name in names:
            require_link_name(name)
            if names.count(name) > 1:
                raise ConfigError(f"two links are called {name!r}; give them names of their own")


@dataclass
class _Device:
    """What the bridge knows of a device, and when to ask it what it is."""

    addr: int
    name: str = ""
    type: int = 0
    firmware: str = ""
    schema: Schema | None = None
    ask_at: float = math.inf
    wait: float = 0.0

    def is_due(self, now: float) -> bool:
        """Tell whether it should be asked now; it then is not due until `put_off`."""
        due = now >= self.ask_at
        if due:
            self.ask_at = math.inf
        return due

    def put_off(self, now: float) -> None:
        """Ask again later: it did not answer, which may have been the line's fault."""
        self.wait = max(2 * self.wait, IDENTIFY_AGAIN)
        self.ask_at = now + self.wait

    def learn(self, identity: Identity, schemas: tuple[Schema, ...]) -> None:
        """Take what it says it is."""
        self.name, self.type, self.firmware = identity.name, identity.device_type, identity.firmware
        kinds = {one.device_type: one for one in schemas}
        self.schema = kinds.get(identity.device_type, self.schema)

    def describe(self) -> dict[str, Any]:
        """Return what the page shows."""
        return {
            "addr": self.addr,
            "name": self.name,
            "type": self.type,
            "firmware": self.firmware,
            "schema": self.schema.name if self.schema else None,
        }


class Bridge:
    """Real links on one side, browsers on the other; use it as an async context manager.

    Raises:
        ConfigError: What is to be served, or where, cannot be.
    """

    def __init__(self, config: BridgeConfig) -> None:
        self._hub = Hub(epoch=secrets.token_hex(4), wall_clock=_wall_clock)
        self._lines = {one.name: _BridgedLine(one, self._hub) for one in config.links}
        self._server = HubServer(
            self._hub,
            on_command=self._carry_out,
            describe=self._describe,
            host=config.host,
            port=config.port,
            insecure=config.insecure,
            allowed_hosts=config.allowed_hosts,
        )

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._server.url

    async def __aenter__(self) -> Self:
        await self._server.start()
        for line in self._lines.values():
            line.start()
        return self

    async def serve(self) -> None:
        """Serve for as long as there is a link that is connected or may yet be.

        Raises:
            LinkOpenError: No link can be opened, and waiting will not help.
        """
        for line in self._lines.values():
            await line.closed.wait()
        raise LinkOpenError("nothing left to serve: no link can be opened")

    async def __aexit__(self, *_exc: object) -> None:
        await asyncio.gather(*[line.close() for line in self._lines.values()])
        await self._server.stop()

    def _describe(self) -> dict[str, Any]:
        schemas = {one.name: one for line in self._lines.values() for one in (STANDARD, *line.schemas)}
        return {
            "links": [line.describe() for line in self._lines.values()],
            "schemas": {name: one.describe() for name, one in schemas.items()},
        }

    async def _carry_out(self, command: Command) -> dict[str, Any]:
        line = self._lines.get(command.link)
        if line is None:
            return _failure(f"there is no link {echo(command.link)}; there are: {', '.join(self._lines)}")
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT):
                return await line.carry_out(command)
        except FramelinkError as error:
            return _failure(str(error))
        except TimeoutError:
            return _failure(f"address 0x{command.addr:02X} is busy with earlier commands; try again")


class _BridgedLine:
    """One link, the devices heard on it, and what of it the hub is told."""

    def __init__(self, config: LinkConfig, hub: Hub) -> None:
        self.schemas = config.schemas
        self._name = config.name
        self._hub = hub
        self._link = AsyncLink(config.url, baudrate=config.baudrate, format=config.format)
        self._link.watch(self._on_change)
        self._link.subscribe(self._on_frame)
        self.closed = asyncio.Event()
        self._devices: dict[int, _Device] = {}
        self._askers: dict[int, AsyncDevice] = {}
        self._turns: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()
        self._news = ""
        self._last_frame_at: int | None = None
        self._published: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to connect."""
        self._link.start()
        self._begin(self._tell_regularly())

    async def close(self) -> None:
        """Give the line back."""
        for task in tuple(self._tasks):
            task.cancel()
        await self._link.close()

    def describe(self) -> dict[str, Any]:
        """Return what the page shows of the link."""
        stats = self._link.stats
        return {
            "link": self._name,
            "url": self._link.url,
            "state": self._link.state.value,
            "reason": self._link.fault,
            "ledger": stats.ledger.as_dict(),
            "stats": {
                "frames_received": stats.frames_received,
                "frames_sent": stats.frames_sent,
                "bytes_received": stats.bytes_received,
                "bytes_sent": stats.bytes_sent,
                "reconnects": stats.reconnects,
                "low_latency": stats.low_latency,
                "last_frame_at": self._last_frame_at,
            },
            "devices": [
                {**one.describe(), "reboots": station_of(self._link, addr).tally.reboots}
                for addr, one in sorted(self._devices.items())
            ],
        }

    async def carry_out(self, command: Command) -> dict[str, Any]:
        """Send a browser's command and return the reply's payload.

        Raises:
            FramelinkError: It cannot be sent, or the device refused it or did not answer.
        """
        schema = self._schema_at(command.addr)
        frame = _frame_of(command, schema)
        if frame.addr == BROADCAST or schema.reply_cmd(frame.cmd) is None:
            await self._link.send(frame)
            return {"ok": True}
        asker, patience = self._asker(frame.addr, schema), _patience(schema.command(frame.cmd))
        async with self._turn(command):
            if command.message is not None:
                reply = await asker.answer(command.message, command.fields, timeout=patience)
            else:
                reply = await asker.answer(frame.cmd, command.data, timeout=patience)
        return {"ok": True, **self._meaning(reply), **_plain_frame(self._name, reply)}

    def _asker(self, addr: int, schema: Schema) -> AsyncDevice:
        """Return what asks the device at an address, and notices its reboots."""
        asker = self._askers.get(addr)
        if asker is None or asker.schema is not schema:
            is_first = asker is None
            asker = AsyncDevice(self._link, addr, None if schema is STANDARD else schema)
            if is_first:
                asker.on_reboot(lambda identity: self._on_reboot(addr, identity))
            self._askers[addr] = asker
        return asker

    def _on_reboot(self, addr: int, identity: Identity) -> None:
        if addr in self._devices:
            self._devices[addr].learn(identity, self.schemas)  # its firmware may be another now
        self._tell()

    def _turn(self, command: Command) -> asyncio.Lock:
        """Return a client's lock for an address: with one request each in its queue, all get turns there."""
        return self._turns.setdefault((command.client, command.addr), asyncio.Lock())

    def _schema_at(self, addr: int) -> Schema:
        device = self._devices.get(addr)
        if device is not None and device.schema is not None:
            return device.schema
        return self.schemas[0] if len(self.schemas) == 1 else STANDARD

    def _meaning(self, frame: Frame) -> dict[str, Any]:
        match self._schema_at(frame.addr).decode(frame):
            case Message(name=name, fields=fields):
                return {"message": name, "fields": plain(fields)}
            case Undecodable(reason=reason):
                return {"message": "undecodable", "fields": {"reason": reason}}
        return {}

    def _on_frame(self, frame: Frame) -> None:
        self._last_frame_at = _wall_clock()
        device = self._devices.get(frame.addr)
        if device is None and frame.addr not in (HOST, BROADCAST):
            device = self._meet(frame.addr)
        if device is not None and device.is_due(self._now()):
            self._begin(self._ask(device))
        self._hub.publish_frame(self._name, frame, **self._meaning(frame))

    def _meet(self, addr: int) -> _Device:
        """Take note of a device that was not heard before, to be asked what it is if it should know."""
        only = self.schemas[0] if len(self.schemas) == 1 else None
        device = _Device(addr, name=only.name if only else "", schema=only)
        if self.schemas:
            device.ask_at = self._now()
        self._devices[addr] = device
        self._tell()
        return device

    async def _ask(self, device: _Device) -> None:
        try:
            identity = await identify(
                self._link, device.addr, timeout=IDENTIFY_TIMEOUT, retries=IDENTIFY_RETRIES
            )
        except (RequestTimeout, LinkError) as error:
            device.put_off(self._now())
            _log.debug("%s: %s", self._name, error)
        except RequestError as error:  # it answers, and knows no identify: no reason to ask again
            _log.debug("%s: %s", self._name, error)
        else:
            device.learn(identity, self.schemas)
            self._tell()

    def _on_change(self, change: StateChange) -> None:
        if change.state is LinkState.CONNECTED:
            self._devices.clear()  # what is there now may be another device, or another firmware
        if change.state is LinkState.CLOSED:
            self.closed.set()
        self._tell()

    async def _tell_regularly(self) -> None:
        while True:
            await asyncio.sleep(STATUS_PERIOD)
            if self.describe() != self._published:
                self._tell()

    def _tell(self) -> None:
        """Give the hub the link's state and figures, and the log what has become of the link."""
        self._published = self.describe()
        self._hub.publish_link(self._name, self._published)
        news = self._link.fault or ("connected" if self._link.state is LinkState.CONNECTED else "")
        if news and news != self._news:
            self._news = news
            _log.info("%s: %s", self._name, news)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _frame_of(command: Command, schema: Schema) -> Frame:
    if command.message is not None:
        return schema.encode(command.addr, command.message, command.fields)
    assert command.cmd is not None  # the hub lets no other command pass
    number = bytes([NO_SEQUENCE] * schema.is_sequenced(command.cmd))
    return Frame(command.addr, command.cmd, number + command.data)


def _patience(command: KnownCommand | None) -> float:
    """Return the seconds for a command; a device that may take long for it gets them, the page willing."""
    needed = 0.0 if command is None else command.timeout or 0.0
    return min(max(REQUEST_TIMEOUT, needed), COMMAND_TIMEOUT)


def _plain_frame(link: str, frame: Frame) -> dict[str, Any]:
    return {"link": link, "addr": frame.addr, "cmd": frame.cmd, "data": frame.data.hex()}


def _failure(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


def _wall_clock() -> int:
    """Return the wall clock in ms."""
    return time.time_ns() // 1_000_000
