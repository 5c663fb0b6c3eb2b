"""What everything of a schema is called in C."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

from framelink.codegen.model import Payload, events_of, own_commands, payloads_of, structs_of
from framelink.codegen.names import member, prefix, upper, word
from framelink.codegen.words import Names
from framelink.message import Field, Kind, Schema
from framelink.message.parts import Part, resolve

_VERBS: Final = ("get", "put", "read", "write", "unpack", "pack", "is_allowed", "to_units", "from_units")
"""What is done with a struct, behind its name."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Member:
    """What belongs to a field in its struct.

    Attributes:
        value: The value, or values.
        count: How many values there are.
        has: Whether there is a value at all.
        capacity: The constant that says how many values there may be.
    """

    value: str
    count: str
    has: str
    capacity: str


@dataclass(frozen=True)
class Record:
    """A struct of the schema, or the fields of one direction of a message.

    Attributes:
        name: Its type.
        about: What it is, for people.
        parts: Its fields.
        members: Field → its members.
        size: The constant with its bytes, if they are always as many.
    """

    name: str
    about: str
    parts: tuple[Part, ...]
    members: Mapping[str, Member]
    size: str

    @property
    def is_flat(self) -> bool:
        """Whether it always takes the same bytes."""
        return not any(one.step or one.field.may_lack for one in self.parts)

    @property
    def least(self) -> int:
        """The fewest bytes that all its fields take."""
        return sum(one.least for one in self.parts)


@dataclass(frozen=True)
class Ids:
    """The constants of a schema's numbers, and these.

    Attributes:
        commands: Of commands and replies.
        events: Of events.
        parameters: Of parameters, in the schema's order.
        of: Name and kind of a message → its constant.
    """

    commands: Mapping[str, int]
    events: Mapping[str, int]
    parameters: Mapping[str, int]
    of: Mapping[tuple[str, Kind], str]


@dataclass(frozen=True)
class Choice:
    """An enum: its name, and its constants → their numbers."""

    name: str
    constants: Mapping[str, int]


@dataclass(frozen=True)
class BitField:
    """A number that is made of bits: its type, its field, and part → member."""

    name: str
    part: Part
    members: Mapping[str, str]


class Symbols:
    """The names of a schema's header; each is given once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.prefix = prefix(schema.name)
        self._types = Names()
        self._constants = Names()
        self.guard, self.max_data, self.device, self.type = map(
            self.constant, ("h", "max_data", "device", "type")
        )
        self.commands = own_commands(schema)
        self.events = events_of(schema)
        self.payloads = [*payloads_of(schema, self.commands), *self.events]
        self._members: dict[str, tuple[Part, ...]] = {}
        self.structs = {
            one.name: self._struct(one.name, one.description, one.fields) for one in structs_of(schema)
        }
        self._records = {(one.name, one.kind): self._payload(one) for one in self.payloads}
        self.parameters = tuple(self._part(one) for one in schema.document.parameter)

    def constant(self, *texts: str) -> str:
        """Return a new constant's name."""
        return self._constants.unique(upper(self.prefix, *texts))

    def type_name(self, *texts: str) -> str:
        """Return a new type's or function's name, behind which the verbs are free."""
        name = self._types.unique("_".join(map(word, (self.prefix, *texts))))
        for verb in _VERBS:
            self._types.unique(f"{name}_{verb}")
        return name

    def record(self, payload: Payload) -> Record:
        """Return the struct of one direction of a message."""
        return self._records[payload.name, payload.kind]

    @property
    def all_records(self) -> list[Record]:
        """All structs, each behind those that it is made of; a message without fields has none."""
        return [*self.structs.values(), *(one for one in self._records.values() if one.parts)]

    @cached_property
    def ids(self) -> Ids:
        """The numbers of commands and replies, events, and parameters."""
        kinds = {"request": "cmd", "reply": "reply", "event": "event"}
        numbers = [(self.constant(kinds[one.kind], one.name), one) for one in self.payloads]
        return Ids(
            {name: one.cmd for name, one in numbers if one.kind != "event"},
            {name: one.cmd for name, one in numbers if one.kind == "event"},
            {self.constant("parameter", one.name): one.id for one in self.schema.document.parameter},
            {(one.name, one.kind): name for name, one in numbers},
        )

    def enum(self, name: str, enum: Mapping[str, int]) -> Choice:
        """Return the enum of a field, or of some bits, of that name."""
        return self.enums[name, tuple(enum.items())]

    def bit_field(self, part: Part) -> BitField:
        """Return the type of a field that is made of bits."""
        return self.bit_fields[_bits_key(part)]

    @cached_property
    def enums(self) -> dict[tuple[str, tuple[tuple[str, int], ...]], Choice]:
        """Everything that has labels."""
        uses = [(owner, name, (name, tuple(enum.items()))) for owner, name, enum in self._all_enums()]
        return {key: self._choice(name, dict(key[1])) for key, name in _shared(uses).items()}

    @cached_property
    def bit_fields(self) -> dict[Hashable, BitField]:
        """Everything that is made of bits."""
        parts = {_bits_key(one): one for _owner, one in self._all_parts() if one.field.bits}
        uses = [(owner, one.field.name, _bits_key(one)) for owner, one in self._all_parts() if one.field.bits]
        return {key: self._bit_field(name, parts[key]) for key, name in _shared(uses).items()}

    @cached_property
    def scaled(self) -> list[tuple[str, Field]]:
        """A name for each way from numbers on the wire to values, and one of its fields."""
        fields = {
            _scale_key(one.field): one.field for _owner, one in self._all_parts() if one.field.is_scaled
        }
        uses = [
            (owner, one.field.name, _scale_key(one.field))
            for owner, one in self._all_parts()
            if one.field.is_scaled
        ]
        return [(self.type_name(name), fields[key]) for key, name in _shared(uses).items()]

    def _part(self, field: Field) -> Part:
        return resolve(field, self.schema.document.device.byte_order, self._members)

    def _struct(self, name: str, description: str, fields: Sequence[Field]) -> Record:
        parts = self._members[name] = tuple(map(self._part, fields))
        return Record(
            self.type_name(name),
            description,
            parts,
            self._members_of(name, fields),
            self.constant(name, "size"),
        )

    def _payload(self, payload: Payload) -> Record:
        parts = tuple(map(self._part, payload.fields))
        about = f"{payload.kind.capitalize()} {payload.name}"
        about = f"{about}: {payload.description}" if payload.description else about
        owner = f"{payload.name}_{payload.kind}"
        return Record(
            self.type_name(owner),
            about,
            parts,
            self._members_of(owner, payload.fields),
            self.constant(owner, "size"),
        )

    def _members_of(self, owner: str, fields: Sequence[Field]) -> dict[str, Member]:
        names = Names()
        values = {one.name: names.unique(member(one.name)) for one in fields}
        return {
            one.name: Member(
                values[one.name],
                names.unique(f"{word(one.name)}_count") if isinstance(one.count, str) else "",
                names.unique(f"has_{word(one.name)}") if one.may_lack else "",
                self.constant(owner, one.name, "capacity") if isinstance(one.count, str) else "",
            )
            for one in fields
        }

    def _choice(self, name: str, enum: Mapping[str, int]) -> Choice:
        constants = {self.constant(name, label): number for label, number in enum.items()}
        return Choice(self.type_name(name), constants)

    def _bit_field(self, name: str, part: Part) -> BitField:
        names = Names()
        members = {one.name: names.unique(member(one.name)) for one in part.field.bits if one.name}
        return BitField(self.type_name(name), part, members)

    def _all_parts(self) -> Iterator[tuple[str, Part]]:
        """Yield every field, and the name of what it belongs to."""
        for name, record in self.structs.items():
            yield from ((name, one) for one in record.parts)
        for payload in self.payloads:
            yield from ((f"{payload.name}_{payload.kind}", one) for one in self.record(payload).parts)
        yield from (("parameter", one) for one in self.parameters)

    def _all_enums(self) -> Iterator[tuple[str, str, dict[str, int]]]:
        for owner, part in self._all_parts():
            if part.field.enum:
                yield owner, part.field.name, part.field.enum
            for bit in part.field.bits:
                if bit.enum and bit.name:
                    yield owner, bit.name, bit.enum


def _shared(uses: Iterable[tuple[str, str, Key]]) -> dict[Key, str]:
    """Return a name for each key: the field's alone where all fields of that name have the same key.

    Args:
        uses: Owner, field and key of each use.
    """
    first: dict[str, dict[Key, str]] = {}
    for owner, name, key in uses:
        first.setdefault(name, {}).setdefault(key, owner)
    return {
        key: name if len(keys) == 1 else f"{owner}_{name}"
        for name, keys in first.items()
        for key, owner in keys.items()
    }


def _bits_key(part: Part) -> Hashable:
    field = part.field
    return field.name, field.type, part.order, repr(field.bits)


def _scale_key(field: Field) -> Hashable:
    return field.name, field.type, field.scale, field.offset
