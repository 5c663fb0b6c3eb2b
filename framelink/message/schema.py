"""Schema: what a device's frames mean, read from a TOML file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framelink.errors import PayloadError, SchemaError
from framelink.message.alarms import Alarm
from framelink.message.catalogue import Catalogue
from framelink.message.description import describe
from framelink.message.document import Document, ParameterEntry, StructEntry, parse
from framelink.message.fields import PARAMETER_TYPES, Field
from framelink.message.files import read_schema, read_standard
from framelink.message.layout import Layout
from framelink.message.lengths import legal_lengths
from framelink.message.messages import NO_SEQUENCE, Command, Kind, Message, Undecodable
from framelink.message.problems import shown
from framelink.message.rules import require_valid
from framelink.message.structs import Structs
from framelink.wire import REPLY, Frame, FrameFormat


class Schema:
    """A device's messages; make one with `load` or `parse`.

    Attributes:
        document: What stands in the file.
        format: The device's variant of the frame, with the legal payload lengths of each of its commands: for
            a host, whose receiver then gives a damaged frame up early.
        frame_format: The same without the messages' lengths: for a device, which is to refuse a bad length,
            and for whoever wants to see payloads that do not fit.
        structs: Name → struct, as the file has it.
        parameters: Number → parameter.
    """

    def __init__(self, document: Document, source: str, standard: Document | None = None) -> None:
        self.document = document
        self._device = document.device
        frame = _format(document, source)
        structs = Structs(document.struct, self._device.byte_order, source)
        self.frame_format = frame
        self.structs: Mapping[str, StructEntry] = structs.entries
        self.parameters = _parameters(document.parameter, structs, source)
        most = _max_data(document, frame)
        known = standard.command if standard else []
        self._catalogue = Catalogue(
            self._device,
            source,
            standard={one.name for one in known},
            max_data=most,
            parameters=self.parameters,
            structs=structs.parts,
        )
        for command in (*known, *document.command):
            self._catalogue.add_command(command)
        for event in document.event:
            self._catalogue.add_event(event)
        self._by_cmd, self._by_name = self._catalogue.by_cmd, self._catalogue.by_name
        self.format = _with_lengths(frame, self._catalogue, min(most, frame.largest_data))

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
    def version(self) -> int | None:
        """The version of the device's messages, None if they have none."""
        return self._device.version

    @property
    def sequenced(self) -> bool:
        """Whether the device speaks the sequenced profile."""
        return self._device.sequenced

    @property
    def commands(self) -> tuple[Command, ...]:
        """What the device can be asked, the standard commands first."""
        return tuple(one for key, one in self._catalogue.commands.items() if isinstance(key, int))

    def command(self, command: int | str) -> Command | None:
        """Return how a command is asked, by number or by name; None if the schema has none such."""
        return self._catalogue.commands.get(command)

    def is_sequenced(self, cmd: int) -> bool:
        """Tell whether requests with that command have a sequence byte in front."""
        return self._catalogue.is_sequenced(cmd)

    def layout(self, name: str, kind: Kind) -> Layout | None:
        """Return the fields of a message, resolved, with their sizes; None if the schema has none such."""
        spec = self._by_name.get((name, kind))
        return None if spec is None else spec.layout

    def alarms(self, message: Message) -> list[Alarm]:
        """Return the values of a message that are beyond the limits of their fields, none in most cases."""
        spec = self._by_name.get((message.name, message.kind))
        return [] if spec is None else spec.layout.alarms(message.fields)

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
            message: Message = spec.decode(frame)
        except PayloadError as error:
            return Undecodable(frame, f"{spec.name}: {error}")
        return message

    def encode(
        self,
        addr: int,
        name: str,
        fields: Mapping[str, object] | None = None,
        *,
        kind: Kind | None = None,
        sequence: int = NO_SEQUENCE,
    ) -> Frame:
        """Return the frame of a message.

        Args:
            addr: The device's address.
            name: The message's name.
            fields: Field name → value.
            kind: Which of the message's frames; by default the request, or the event.
            sequence: Its sequence byte, for requests and replies of the sequenced profile.

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
            return spec.encode(addr, fields or {}, sequence)
        except PayloadError as error:
            raise PayloadError(f"{name}: {error}") from None

    def reply_cmd(self, cmd: int) -> int | None:
        """Return the command that answers a command, None for an event or a reply, which nothing answers."""
        known = self._catalogue.commands.get(cmd)
        if known is not None:
            return known.reply_cmd
        return None if cmd in self._by_cmd or cmd & REPLY else cmd | REPLY

    def describe(self) -> dict[str, Any]:
        """Return the schema as JSON shows it."""
        return describe(
            self._device,
            self._catalogue,
            events=self.document.event,
            structs=self.structs,
            parameters=self.parameters,
        )


def _format(document: Document, source: str) -> FrameFormat:
    try:
        return FrameFormat.from_mapping(document.frame)
    except RecursionError:  # of a value that is to be shown
        raise SchemaError(f"{source}: frame: nested too deeply") from None
    except ValueError as error:  # a FormatError, or a number too long to be shown
        raise SchemaError(f"{source}: frame: {error}") from None


def _max_data(document: Document, format: FrameFormat) -> int:
    """Return the largest payload; without a `[frame]` the device's own word stands for a format file's."""
    given = document.device.max_data
    if given is None:
        return format.largest_data
    return min(given, format.largest_data) if document.frame else given


def _with_lengths(format: FrameFormat, catalogue: Catalogue, most: int) -> FrameFormat:
    """Return the format with the legal lengths of each command; those that the file gives stand."""
    known = legal_lengths(catalogue.lengths(), most) if "cmd" in format.fields else {}
    largest = None if most == format.largest_data else most
    return dataclasses.replace(
        format,
        max_data=format.max_data if largest is None else largest,
        legal_lengths={**known, **format.legal_lengths},
    )


def _parameters(entries: list[ParameterEntry], structs: Structs, source: str) -> dict[int, Field]:
    parameters: dict[int, Field] = {}
    for one in entries:
        where = f"{source}: parameter {one.name!r}"
        require_valid(one, where, structs.entries)
        if one.type in PARAMETER_TYPES:
            raise SchemaError(f"{where}: type {one.type} is for the fields of commands")
        if one.may_lack:
            raise SchemaError(f"{where}: optional and since are for the fields of messages")
        if one.id in parameters:
            raise SchemaError(f"{where}: id {one.id} is {parameters[one.id].name} already")
        if any(one.name == other.name for other in parameters.values()):
            raise SchemaError(f"{where}: another parameter has that name")
        parameters[one.id] = one
    return parameters


_STANDARD = parse(read_standard(), "standard.toml")

STANDARD = Schema(_STANDARD, "standard.toml")
"""What every framelink device knows; every schema extends it unless it says otherwise."""
