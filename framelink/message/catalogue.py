"""Catalogue: the messages of a device, by their frames' commands and by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from framelink.errors import PayloadError, SchemaError
from framelink.message.document import CommandEntry, DeviceEntry, EventEntry
from framelink.message.fast import Decode, fast_decoder, is_fast
from framelink.message.fields import Field
from framelink.message.layout import Layout
from framelink.message.lengths import Lengths, union
from framelink.message.messages import REFUSAL, SEQUENCED_COMMANDS, Command, Kind, Message
from framelink.message.parts import Part
from framelink.message.problems import shown
from framelink.message.rules import require_name
from framelink.wire import REPLY, Frame

SEQUENCE_SIZE = 1  # bytes in front of a payload


@dataclass(frozen=True)
class Spec:
    """One direction of a message: what stands in its frames."""

    cmd: int
    name: str
    kind: Kind
    layout: Layout
    sequenced: bool
    refuses: Callable[[int], bool] | None = None  # for a refusal: whether it is of a sequenced command

    @cached_property
    def decode(self) -> Decode:
        """What makes a message of a frame; it raises PayloadError if the payload is none."""
        layout = self.layout
        if layout.is_typed or self.refuses is not None or not is_fast(layout.parts):
            return self._decode
        return fast_decoder(
            self.name,
            self.kind,
            layout.parts,
            layout.parameters,
            sequenced=self.sequenced,
            others=self._decode,
        )

    def _decode(self, frame: Frame) -> Message:
        data, sequence = frame.data, None
        if (at := self._sequence_place(data)) is not None:
            if at >= len(data):
                raise PayloadError(f"payload must have a sequence byte as byte {at}, not {len(data)} bytes")
            data, sequence = data[:at] + data[at + 1 :], data[at]
        return Message(frame, self.name, self.kind, self.layout.unpack(data), sequence)

    def encode(self, addr: int, fields: Mapping[str, object], sequence: int) -> Frame:
        """Return the message's frame; the sequence byte matters if the message has one."""
        data = self.layout.pack(fields)
        if (at := self._sequence_place(data)) is not None:
            data = data[:at] + bytes([sequence]) + data[at:]
        return Frame(addr, self.cmd, data)

    def _sequence_place(self, data: bytes) -> int | None:
        """Return where the sequence byte stands: in a refusal, behind the refused command and the code."""
        if self.refuses is not None:
            return 2 if data and self.refuses(data[0]) else None
        return 0 if self.sequenced else None


class Catalogue:
    """Knows all messages of a device.

    Args:
        device: The device.
        source: The file's name, for errors.
        standard: The names of the commands that do not stand in the file.
        max_data: The largest payload that a frame carries.
        parameters: Number → parameter.
        structs: Struct → its fields.
    """

    def __init__(
        self,
        device: DeviceEntry,
        source: str,
        *,
        standard: Collection[str],
        max_data: int,
        parameters: Mapping[int, Field],
        structs: Mapping[str, tuple[Part, ...]],
    ) -> None:
        self._device = device
        self._source = source
        self._standard = standard
        self._max_data = max_data
        self._parameters = parameters
        self._structs = structs
        self.by_cmd: dict[int, Spec] = {}
        self.by_name: dict[tuple[str, Kind], Spec] = {}
        self.commands: dict[int | str, Command] = {}

    def add_command(self, entry: CommandEntry) -> None:
        """Take a command in.

        Raises:
            SchemaError: It cannot be, or not beside the others.
        """
        reply_cmd = entry.id | REPLY if entry.reply_id is None else entry.reply_id
        self._require_ids(entry)
        self.commands[entry.id] = self.commands[entry.name] = Command(
            entry.id,
            reply_cmd,
            entry.name,
            entry.description,
            entry.repeatable,
            entry.timeout,
            entry.priority,
            self.is_sequenced(entry.id),
        )
        self._add(entry.id, entry.name, "request", entry.request, sequenced=self.is_sequenced(entry.id))
        self._add(reply_cmd, entry.name, "reply", entry.reply, sequenced=self.is_sequenced(entry.id))

    def add_event(self, entry: EventEntry) -> None:
        """Take an event in.

        Raises:
            SchemaError: It cannot be, or not beside the others.
        """
        self._add(entry.id, entry.name, "event", entry.fields, sequenced=False)

    def is_sequenced(self, cmd: int) -> bool:
        """Tell whether requests with that command have a sequence byte in front."""
        return self._device.sequenced and cmd in SEQUENCED_COMMANDS

    def lengths(self) -> Iterator[tuple[int, Lengths]]:
        """Yield command and legal lengths of each kind of frame, the sequence byte counted."""
        for spec in self.by_name.values():
            own = spec.layout.lengths
            if spec.refuses is not None:
                yield spec.cmd, union((own, own.after(SEQUENCE_SIZE)))
            else:
                yield spec.cmd, own.after(SEQUENCE_SIZE) if spec.sequenced else own

    def _require_ids(self, entry: CommandEntry) -> None:
        where = f"{self._source}: {entry.name}"
        if entry.reply_id is None and entry.id & REPLY:
            raise SchemaError(f"{where}: id 0x{entry.id:02X} has bit 7 set, so reply_id is needed")
        is_own = entry.name not in self._standard
        if self._device.sequenced and is_own and entry.id not in SEQUENCED_COMMANDS:
            raise SchemaError(f"{where}: id must be 0x20 to 0x5F in a sequenced device, not 0x{entry.id:02X}")

    def _add(self, cmd: int, name: str, kind: Kind, fields: Sequence[Field], *, sequenced: bool) -> None:
        require_name(name, f"{self._source}: {kind if kind == 'event' else 'command'} {name!r}")
        where = f"{self._source}: {name}"
        if (name, kind) in self.by_name:
            raise SchemaError(f"{where}: two messages have the same name{self._way_out(name)}")
        holder = self.by_cmd.get(cmd)
        is_own_request = holder is not None and (holder.name, holder.kind, kind) == (name, "request", "reply")
        if holder is not None and not is_own_request:
            raise SchemaError(f"{where}: id 0x{cmd:02X} is {holder.name} already{self._way_out(holder.name)}")
        self._require_versions(fields, where)
        layout = Layout(
            tuple(fields),
            order=self._device.byte_order,
            max_data=self._max_data - SEQUENCE_SIZE * sequenced,
            parameters=self._parameters,
            where=where,
            structs=self._structs,
            is_open=self._device.version is not None,
        )
        is_refusal = cmd == REFUSAL | REPLY and name in self._standard and self._device.sequenced
        refuses = self.is_sequenced if is_refusal else None
        self.by_cmd[cmd] = self.by_name[name, kind] = Spec(cmd, name, kind, layout, sequenced, refuses)

    def _require_versions(self, fields: Sequence[Field], where: str) -> None:
        version = self._device.version
        for one in fields:
            if version is not None and one.since > version:
                problem = f"since must be 1 to {version} (version in [device]), not {shown(one.since)}"
                raise SchemaError(f"{where}, field {one.name!r}: {problem}")

    def _way_out(self, name: str) -> str:
        """Return what an error adds if a message of that name stands in everybody's way."""
        return (
            " (standard = false in [device] leaves the standard commands out)"
            if name in self._standard
            else ""
        )
