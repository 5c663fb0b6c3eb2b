"""`framelink ports`, `monitor`, `send` and `request`: what happens on one line."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelink import wire
from framelink.cli import options, output
from framelink.cli.running import run_until_stopped
from framelink.errors import FormatError, PayloadError
from framelink.wire import Frame, FrameFormat

if TYPE_CHECKING:
    from framelink.device import AsyncLink
    from framelink.link import PortInfo, StateChange
    from framelink.message import Schema

Fields = dict[str, object]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--schema", metavar="SCHEMA.toml", help="What the payloads mean, to show fields by name."),
]


@dataclass(frozen=True)
class _Line:
    """How to open a line, from a command's options."""

    url: str
    baudrate: int
    format: FrameFormat
    connect_timeout: float | None

    @asynccontextmanager
    async def opened(self, *, talkative: bool = False) -> AsyncIterator[AsyncLink]:
        """Open the line for a block, waiting for it to be there; tell on stderr what becomes of it."""
        from framelink.device import AsyncLink

        link = AsyncLink(self.url, baudrate=self.baudrate, format=self.format)
        if talkative:
            link.watch(_say_state)
        link.start()
        try:
            await link.wait_connected(self.connect_timeout)
            yield link
        finally:
            await link.close()


def _line(
    url: str, baudrate: int, format: Path | None, connect_timeout: float, schema: Schema | None = None
) -> _Line:
    """Return the line; its frames are those of the format file, else of the schema, else the default ones."""
    known = schema.frame_format if schema is not None and format is None else options.load_format(format)
    return _Line(url, baudrate, known, connect_timeout or None)


def _schema(path: Path | None) -> Schema | None:
    from framelink.message import Schema

    return None if path is None else Schema.load(path)


def _say_state(change: StateChange) -> None:
    reason = f": {change.reason}" if change.reason else ""
    output.say(f"{change.state.value}{reason}")


def ports(*, json: options.Json = False) -> None:
    """List the serial ports of this computer.

    Example: framelink ports
    """
    from framelink.link import ports as list_ports

    found = list_ports()
    if json:
        output.write("".join(output.json_line(vars(one)) for one in found))
    elif found:
        _print_table(found)
    else:
        output.say("no serial ports; plug a device in, or try `framelink sim` for simulated ones")


def monitor(
    url: options.Url,
    *,
    json: options.Json = False,
    schema: SchemaFile = None,
    baudrate: options.Baudrate = options.DEFAULT_BAUDRATE,
    format: options.FormatFile = None,
    connect_timeout: options.ConnectTimeout = options.CONNECT_TIMEOUT,
) -> None:
    """Print every frame as it comes, until Ctrl-C; on stderr what becomes of the line.

    Example: framelink monitor /dev/ttyUSB0 --schema weather.toml
    """
    meaning = _schema(schema)
    line = _line(url, baudrate, format, connect_timeout, meaning)
    run_until_stopped(_monitor(line, _Reader(meaning, json=json)))


async def _monitor(line: _Line, reader: _Reader) -> None:
    async with line.opened(talkative=True) as link:
        async for frame in link:
            output.write(reader.show(time.time(), frame))


def send(
    url: options.Url,
    *,
    addr: options.Addr,
    cmd: options.Cmd,
    data: options.Data = b"",
    baudrate: options.Baudrate = options.DEFAULT_BAUDRATE,
    format: options.FormatFile = None,
    connect_timeout: options.ConnectTimeout = options.CONNECT_TIMEOUT,
) -> None:
    """Send one frame and wait for nothing.

    Example: framelink send /dev/ttyUSB0 --addr 1 --cmd 0x05 --data 0000
    """
    import asyncio

    line = _line(url, baudrate, format, connect_timeout)
    frame = _sendable(addr, cmd, data, line.format)
    asyncio.run(_send(line, frame))


async def _send(line: _Line, frame: Frame) -> None:
    async with line.opened() as link:
        await link.send(frame, timeout=options.SEND_TIMEOUT)


def request(
    url: options.Url,
    message: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MESSAGE [FIELD=VALUE]…]",
            help="What to ask, by its name in the schema; values as in JSON, or plain text.",
        ),
    ] = None,
    *,
    addr: options.Addr,
    cmd: options.OptionalCmd = None,
    data: options.Data = b"",
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How long to wait for the reply after each sending."),
    ] = None,
    retries: Annotated[
        int | None,
        typer.Option(metavar="N", help="How often to ask again; what is safe to repeat is anyway."),
    ] = None,
    json: options.Json = False,
    schema: SchemaFile = None,
    baudrate: options.Baudrate = options.DEFAULT_BAUDRATE,
    format: options.FormatFile = None,
    connect_timeout: options.ConnectTimeout = options.CONNECT_TIMEOUT,
) -> None:
    """Ask a device, by number and bytes or by name and fields, and print its reply.

    Example: framelink request /dev/ttyUSB0 --addr 1 --cmd 0x01 --data 68690a

    Example: framelink request /dev/ttyUSB0 --addr 1 --schema motor.toml jog steps=5
    """
    import asyncio

    meaning = _schema(schema)
    question = _Question(addr, _command(cmd, data, message or []), meaning, timeout, retries)
    line = _line(url, baudrate, format, connect_timeout, meaning)
    question.require_possible(line.format)
    reply = asyncio.run(question.ask(line))
    output.write(_Reader(meaning, json=json).show(time.time(), reply))


def _command(cmd: int | None, data: bytes, words: Sequence[str]) -> tuple[int, bytes] | tuple[str, Fields]:
    """Return what to ask: a number and bytes, or a name and fields."""
    if (cmd is None) == (not words):
        raise typer.BadParameter("say what to ask: either --cmd and --data, or MESSAGE and its FIELD=VALUE")
    if cmd is not None:
        return cmd, data
    if data:
        raise typer.BadParameter("--data goes with --cmd; a MESSAGE has fields: FIELD=VALUE")
    name, *fields = words
    return name, dict(_field(one) for one in fields)


def _field(text: str) -> tuple[str, object]:
    """Read FIELD=VALUE; the value is JSON, or the text that it is."""
    import msgspec

    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"write a field as FIELD=VALUE, not {text!r}")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name, value


@dataclass(frozen=True)
class _Question:
    """A request, from a command's options; bytes without a schema are sent once, unless told otherwise."""

    addr: int
    command: tuple[int, bytes] | tuple[str, Fields]
    schema: Schema | None
    timeout: float | None
    retries: int | None

    def require_possible(self, format: FrameFormat) -> None:
        """Say what is wrong with it before the line is opened."""
        from framelink.device.asking import asking_for
        from framelink.message import STANDARD

        schema = STANDARD if self.schema is None else self.schema
        with _wrong_usage():
            asking = asking_for(schema, self.addr, *self.command, sequenced=schema.sequenced)
            asking.exchange(
                options.REPLY_TIMEOUT if self.timeout is None else self.timeout, self.retries or 0
            )
            wire.encode(asking.frame, format)

    async def ask(self, line: _Line) -> Frame:
        """Ask it and return the reply."""
        async with line.opened() as link:
            match self.command:
                case (int() as cmd, bytes() as data) if self.schema is None:
                    return await self._ask_once(link, Frame(self.addr, cmd, data))
            total = None if self.timeout is None else self.timeout * (1 + (self.retries or 0))
            device = link.device(self.addr, self.schema)
            return await device.answer(*self.command, timeout=total, retries=self.retries)

    async def _ask_once(self, link: AsyncLink, frame: Frame) -> Frame:
        """Ask what no schema explains: once, unless told otherwise."""
        from framelink.device import request as request_reply

        timeout = options.REPLY_TIMEOUT if self.timeout is None else self.timeout
        return await request_reply(link, frame, timeout=timeout, retries=self.retries or 0)


def _sendable(addr: int, cmd: int, data: bytes, format: FrameFormat) -> Frame:
    """Return the frame, once it is known that the format can carry it."""
    frame = Frame(addr, cmd, data)
    with _wrong_usage():
        wire.encode(frame, format)
    return frame


@contextmanager
def _wrong_usage() -> Iterator[None]:
    """Make values that cannot be on the wire wrong usage."""
    try:
        yield
    except (FormatError, PayloadError) as error:
        raise typer.BadParameter(str(error)) from None


class _Reader:
    """Shows frames: the standard commands by name, and the messages of a schema if there is one."""

    def __init__(self, schema: Schema | None, *, json: bool) -> None:
        from framelink.message import STANDARD

        self._schema = STANDARD if schema is None else schema
        self._units = _units_of(self._schema.describe())
        self.show = self._json if json else self._text

    def _json(self, at: float, frame: Frame) -> str:
        return output.json_line({"time": round(at, 6), **output.frame_dict(frame), **self._meaning(frame)})

    def _text(self, at: float, frame: Frame) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(at)) + f".{int(at % 1 * 1_000):03}"
        said = output.one_line("  ".join(self._words(frame)))
        return f"{clock}  {output.frame_text(frame)}{said and '  ' + said}\n"

    def _meaning(self, frame: Frame) -> dict[str, Any]:
        """Return what JSON shows of a frame's meaning, empty if it has none."""
        from framelink.message import Message, Undecodable

        match self._schema.decode(frame):
            case Message(name=name, kind=kind, fields=fields):
                shown = {key: one.hex() if isinstance(one, bytes) else one for key, one in fields.items()}
                return {"message": name, "kind": kind, "fields": shown}
            case Undecodable(reason=reason):
                return {"undecodable": reason}
        return {}

    def _words(self, frame: Frame) -> list[str]:
        """Return what people are shown of a frame's meaning."""
        meaning = self._meaning(frame)
        if "fields" not in meaning:
            return [f"undecodable: {meaning['undecodable']}"] if meaning else []
        name = meaning["message"]
        fields = (
            f"{field}={value}{self._units.get((name, field), '')}"
            for field, value in meaning["fields"].items()
        )
        return [name, *fields]


def _units_of(described: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return (message, field) → the unit with a space before it, of a schema's description."""
    parts = ("request", "reply", "fields")
    messages = (*described["commands"], *described["events"])
    fields = ((one["name"], field) for one in messages for part in parts for field in one.get(part, ()))
    return {(name, field["name"]): f" {field['unit']}" for name, field in fields if "unit" in field}


def _print_table(found: Sequence[PortInfo]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, header_style="bold")
    for heading in ("device", "description", "url"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(one.device, one.description, one.url)
    with console.capture() as text:
        console.print(table)
    output.write(text.get())
