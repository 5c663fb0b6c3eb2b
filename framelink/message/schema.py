"""Schema: what a device's frames mean, read from a TOML file."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from framelink.errors import PayloadError, SchemaError
from framelink.message.document import CommandEntry, Document, ParameterEntry, parse
from framelink.message.fields import PARAMETER_TYPES, Field, Value
from framelink.message.files import read_schema, read_standard
from framelink.message.layout import Layout
from framelink.message.rules import require_name, require_valid
from framelink.message.values import shown
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


class Schema:
    """A device's messages; make one with `load` or `parse`."""

    def __init__(self, document: Document, source: str, standard: Document | None = None) -> None:
        self._source = source
        self._device = document.device
        known = standard.command if standard else []
        self._standard = {one.name for one in known}
        self._commands = [*known, *document.command]
        self._events = document.event
        self.parameters = _parameters(document.parameter, source)
        self._by_cmd: dict[int, _Spec] = {}
        self._by_name: dict[tuple[str, Kind], _Spec] = {}
        self._reply_cmds: dict[int, int] = {}
        for command in self._commands:
            self._add_command(command)
        for event in document.event:
            self._add(event.id, event.name, "event", event.fields)

    @classmethod
    def load(cls, path: str | Path) -> Schema:
        """Read a schema file.

        Raises:
            OSError: The file cannot be read.
            SchemaError: It does not describe a device; the message names the file and the key.
        """
        return cls.parse(read_schema(path), source=str(path))

    @classmethod
    def parse(cls, text: str, *, source: str = "schema") -> Schema:
        """Read a schema from TOML text; errors begin with `source`.

        Raises:
            SchemaError: It does not describe a device.
        """
        document = parse(text, source)
        return cls(document, source, _STANDARD if document.device.standard else None)

    @property
    def name(self) -> str:
        """The device's name."""
        return self._device.name

    @property
    def device_type(self) -> int:
        """The number by which the device identifies itself, 0 if it has none."""
        return self._device.type

    @property
    def description(self) -> str:
        """The device in words."""
        return self._device.description

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
            FormatError: The address is none.
        """
        kinds: tuple[Kind, ...] = ("request", "event") if kind is None else (kind,)
        spec = next((self._by_name[name, one] for one in kinds if (name, one) in self._by_name), None)
        if spec is None:
            known = ", ".join(sorted({name for name, one in self._by_name if one in kinds}))
            raise PayloadError(f"{self.name} has no message {shown(name)}; it has: {known or 'none'}")
        try:
            return Frame(addr, spec.cmd, spec.layout.pack(fields or {}))
        except PayloadError as error:
            raise PayloadError(f"{name}: {error}") from None

    def reply_cmd(self, cmd: int) -> int | None:
        """Return the command that answers a command, None for an event or a reply, which nothing answers."""
        if cmd in self._reply_cmds:
            return self._reply_cmds[cmd]
        return None if cmd in self._by_cmd or cmd & REPLY else cmd | REPLY

    def describe(self) -> dict[str, Any]:
        """Return the schema as JSON shows it."""
        return {
            "name": self.name,
            "type": self.device_type,
            "description": self.description,
            "commands": [
                {
                    "id": one.id,
                    "reply_id": self._reply_cmds[one.id],
                    "name": one.name,
                    "description": one.description,
                    "request": self._by_name[one.name, "request"].layout.describe(),
                    "reply": self._by_name[one.name, "reply"].layout.describe(),
                }
                for one in self._commands
            ],
            "events": [
                {
                    "id": one.id,
                    "name": one.name,
                    "description": one.description,
                    "fields": self._by_name[one.name, "event"].layout.describe(),
                }
                for one in self._events
            ],
            "parameters": [one.describe() for one in self.parameters.values()],
        }

    def _add_command(self, command: CommandEntry) -> None:
        reply_cmd = command.id | REPLY if command.reply_id is None else command.reply_id
        if command.reply_id is None and command.id & REPLY:
            where = f"{self._source}: {command.name}"
            raise SchemaError(f"{where}: id 0x{command.id:02X} has bit 7 set, so reply_id is needed")
        self._reply_cmds[command.id] = reply_cmd
        self._add(command.id, command.name, "request", command.request)
        self._add(reply_cmd, command.name, "reply", command.reply)

    def _add(self, cmd: int, name: str, kind: Kind, fields: list[Field]) -> None:
        require_name(name, f"{self._source}: {kind if kind == 'event' else 'command'} {name!r}")
        where = f"{self._source}: {name}"
        if (name, kind) in self._by_name:
            raise SchemaError(f"{where}: two messages have the same name{self._way_out(name)}")
        holder = self._by_cmd.get(cmd)
        is_own_request = holder is not None and (holder.name, holder.kind, kind) == (name, "request", "reply")
        if holder is not None and not is_own_request:
            raise SchemaError(f"{where}: id 0x{cmd:02X} is {holder.name} already{self._way_out(holder.name)}")
        layout = Layout(
            tuple(fields),
            order=self._device.byte_order,
            max_data=self._device.max_data,
            parameters=self.parameters,
            where=where,
        )
        self._by_cmd[cmd] = self._by_name[name, kind] = _Spec(cmd, name, kind, layout)

    def _way_out(self, name: str) -> str:
        """Return what an error adds if a message of that name stands in everybody's way."""
        return (
            " (standard = false in [device] leaves the standard commands out)"
            if name in self._standard
            else ""
        )


def _parameters(entries: list[ParameterEntry], source: str) -> dict[int, Field]:
    parameters: dict[int, Field] = {}
    for one in entries:
        where = f"{source}: parameter {one.name!r}"
        require_valid(one, where)
        if one.type in PARAMETER_TYPES:
            raise SchemaError(f"{where}: type {one.type} is for the fields of commands")
        if one.id in parameters:
            raise SchemaError(f"{where}: id {one.id} is {parameters[one.id].name} already")
        if any(one.name == other.name for other in parameters.values()):
            raise SchemaError(f"{where}: another parameter has that name")
        parameters[one.id] = one
    return parameters


_STANDARD = parse(read_standard(), "standard.toml")

STANDARD = Schema(_STANDARD, "standard.toml")
"""What every framelink device knows; every schema extends it unless it says otherwise."""
