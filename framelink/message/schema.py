"""Schema: what a device's frames mean, read from a TOML file."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from framelink.errors import PayloadError, SchemaError
from framelink.message.fields import Field, Value
from framelink.message.layout import Layout
from framelink.wire import REPLY, Frame

Kind = Literal["request", "reply", "event"]


class RefusalCode(enum.IntEnum):
    """Why a device refuses a command, as in its negative reply."""

    UNKNOWN_COMMAND = 1
    BAD_LENGTH = 2
    BAD_VALUE = 3
    BUSY = 4
    NOT_PERMITTED = 5
    FAILED = 6


@dataclass(frozen=True)
class Message:
    """A frame whose payload is understood.

    Attributes:
        frame: The frame.
        name: The message's name in the schema.
        kind: Whether it is a request, a reply or an event.
        fields: Field name → value.
    """

    frame: Frame
    name: str
    kind: Kind
    fields: Mapping[str, Value]


@dataclass(frozen=True)
class Undecodable:
    """A frame whose payload does not fit its schema.

    Attributes:
        frame: The frame.
        reason: What does not fit.
    """

    frame: Frame
    reason: str


@dataclass(frozen=True)
class _Spec:
    """One direction of a message: what stands in its frames."""

    cmd: int
    name: str
    kind: Kind
    layout: Layout


class _Device(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    type: int = 0
    description: str = ""
    byte_order: Literal["little", "big"] = "little"


class _Command(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    name: str
    description: str = ""
    request: list[Field] = []
    reply: list[Field] = []


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    name: str
    description: str = ""
    fields: list[Field] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    device: _Device
    command: list[_Command] = []
    event: list[_Event] = []
    parameter: list[dict[str, Any]] = []


class Schema:
    """A device's messages; make one with `load` or `parse`."""

    def __init__(self, file: _File, source: str, standard: _File | None = None) -> None:
        self._source = source
        self._file = file
        self.parameters = dict(self._read_parameters())
        commands = [*(standard.command if standard else ()), *file.command]
        self._commands = commands
        self._by_cmd: dict[int, _Spec] = {}
        for command in commands:
            self._add(command.id, command.name, "request", command.request)
            self._add(command.id, command.name, "reply", command.reply)
        for event in file.event:
            self._add(event.id, event.name, "event", event.fields)
        self._by_name = {(spec.name, spec.kind): spec for spec in self._by_cmd.values()}
        if len(self._by_name) < len(self._by_cmd):
            raise SchemaError(f"{source}: two messages have the same name")

    @classmethod
    def load(cls, path: str | Path) -> Schema:
        """Read a schema file.

        Raises:
            OSError: The file cannot be read.
            SchemaError: It does not describe a device; the message names the file and the key.
        """
        try:
            text = Path(path).read_text("utf-8")
        except UnicodeDecodeError:
            raise SchemaError(f"{path}: not a TOML file: not UTF-8 text") from None
        return cls.parse(text, source=str(path))

    @classmethod
    def parse(cls, text: str, *, source: str = "schema") -> Schema:
        """Read a schema from TOML text; errors begin with `source`.

        Raises:
            SchemaError: It does not describe a device.
        """
        return cls(_read(text, source), source, _STANDARD_FILE)

    @property
    def name(self) -> str:
        """The device's name."""
        return self._file.device.name

    @property
    def device_type(self) -> int:
        """The number by which the device identifies itself, 0 if it has none."""
        return self._file.device.type

    @property
    def description(self) -> str:
        """The device in words."""
        return self._file.device.description

    def decode(self, frame: Frame) -> Message | Undecodable | None:
        """Return what a frame means: Undecodable if its payload does not fit, None for an unknown command."""
        spec = self._by_cmd.get(frame.cmd)
        if spec is None:
            return None
        try:
            return Message(frame, spec.name, spec.kind, spec.layout.unpack(frame.data))
        except PayloadError as error:
            return Undecodable(frame, f"{spec.name}: {error}")

    def encode(
        self, addr: int, name: str, fields: Mapping[str, object] | None = None, *, kind: Kind | None = None
    ) -> Frame:
        """Return the frame of a message.

        Args:
            addr: The device's address.
            name: The message's name.
            fields: Field name → value.
            kind: Which of the message's frames; by default the request, or the event.

        Raises:
            PayloadError: There is no such message, or a field is missing, unknown or not allowed.
        """
        kinds: tuple[Kind, ...] = ("request", "event") if kind is None else (kind,)
        spec = next((self._by_name[name, one] for one in kinds if (name, one) in self._by_name), None)
        if spec is None:
            known = sorted({spec.name for spec in self._by_cmd.values() if spec.kind in kinds})
            raise PayloadError(f"{self.name} has no message {name!r}; it has: {', '.join(known)}")
        try:
            return Frame(addr, spec.cmd, spec.layout.pack(fields or {}))
        except PayloadError as error:
            raise PayloadError(f"{name}: {error}") from None

    def describe(self) -> dict[str, Any]:
        """Return the schema as JSON shows it."""
        return {
            "name": self.name,
            "type": self.device_type,
            "description": self.description,
            "commands": [
                {
                    "id": one.id,
                    "name": one.name,
                    "description": one.description,
                    "request": self._by_cmd[one.id].layout.describe(),
                    "reply": self._by_cmd[one.id | REPLY].layout.describe(),
                }
                for one in self._commands
            ],
            "events": [
                {
                    "id": one.id,
                    "name": one.name,
                    "description": one.description,
                    "fields": self._by_cmd[one.id].layout.describe(),
                }
                for one in self._file.event
            ],
            "parameters": [{"id": number, **one.describe()} for number, one in self.parameters.items()],
        }

    def _read_parameters(self) -> Iterator[tuple[int, Field]]:
        seen: set[int] = set()
        for entry in self._file.parameter:
            number = entry.get("id")
            if type(number) is not int or not 0 <= number <= 0xFF or number in seen:
                where = f"{self._source}: parameter"
                raise SchemaError(f"{where}: id must be a new number from 0 to 255, not {number!r}")
            seen.add(number)
            field = _converted(
                {key: value for key, value in entry.items() if key != "id"}, Field, self._source
            )
            yield number, field

    def _add(self, number: int, name: str, kind: Kind, fields: list[Field]) -> None:
        where = f"{self._source}: {name}"
        if not 0 <= number < REPLY:
            raise SchemaError(f"{where}: id must be 0 to {REPLY - 1}, not {number}")
        cmd = number | REPLY if kind == "reply" else number
        if cmd in self._by_cmd:
            raise SchemaError(f"{where}: id 0x{number:02X} is {self._by_cmd[cmd].name} already")
        layout = Layout(
            tuple(fields), order=self._file.device.byte_order, parameters=self.parameters, where=where
        )
        self._by_cmd[cmd] = _Spec(cmd, name, kind, layout)


def _read(text: str, source: str) -> _File:
    try:
        file: _File = _converted(tomllib.loads(text), _File, source)
    except tomllib.TOMLDecodeError as error:
        raise SchemaError(f"{source}: not a TOML file: {error}") from None
    return file


def _converted(value: Any, kind: type[Any], source: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise SchemaError(f"{source}: {str(error).replace('$.', '')}") from None


_STANDARD_FILE = _read(
    files("framelink.message").joinpath("standard.toml").read_text("utf-8"), "standard.toml"
)

STANDARD = Schema(_STANDARD_FILE, "standard.toml")
"""What every framelink device knows; every schema extends it."""
