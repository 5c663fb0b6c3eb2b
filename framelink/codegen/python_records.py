"""The classes of a generated Python module, in an order in which each is behind what it is made of."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from framelink.codegen.model import Payload, events_of, own_commands, payloads_of, shape_of, structs_of
from framelink.codegen.python_types import Part, bit_parts, dataclass_text, part_of
from framelink.codegen.words import Names, camel
from framelink.message import Field, Schema

_OWN_NAMES = frozenset(
    {"Any", "AsyncDevice", "AsyncIterator", "ClassVar", "Device", "Frame", "Iterator", "KIND", "Literal"}
    | {
        "MESSAGE",
        "Mapping",
        "Message",
        "SCHEMA",
        "Schema",
        "TYPE_CHECKING",
        "Undecodable",
        "Kind",
        "TypeAlias",
    }
)
"""What a generated module has besides its classes."""


@dataclass
class Records:
    """The classes of one module.

    Attributes:
        schema: The schema.
        names: Gives each its name.
        texts: Their sources.
        structs: Struct → class.
        payloads: Name and kind of a message → class.
        parts: Class → its fields.
        parameters: Parameter → its value, as the field `value` of a message.
    """

    schema: Schema
    names: Names = field(default_factory=lambda: Names((*keyword.kwlist, *_OWN_NAMES)))
    texts: list[str] = field(default_factory=list)
    structs: dict[str, str] = field(default_factory=dict)
    payloads: dict[tuple[str, str], str] = field(default_factory=dict)
    parts: dict[str, list[Part]] = field(default_factory=dict)
    parameters: dict[str, Part] = field(default_factory=dict)

    def add(self, wanted: str, about: str, fields: Iterable[Field], message: tuple[str, str] | None) -> str:
        """Add a class, and those of its bit fields before it; return its name."""
        name = self.names.unique(wanted)
        self.parts[name] = [self._part(name, one) for one in fields]
        self.texts.append(dataclass_text(name, about, self.parts[name], message))
        return name

    def add_parameters(self) -> None:
        """Add what the parameters' values are."""
        for one in self.schema.parameters.values():
            part = self._part("Parameter", one)
            self.parameters[one.name] = replace(part, key="value", name="value")

    def _part(self, owner: str, one: Field) -> Part:
        known = [each.name for each in self.schema.parameters.values()]
        record = self._bits(owner, one) if shape_of(one) == "bits" else ""
        return part_of(one, record, self.structs, known)

    def _bits(self, owner: str, one: Field) -> str:
        name = self.names.unique(owner + camel(one.name))
        about = one.description or f"The bits of {one.name}"
        self.texts.append(dataclass_text(name, about, bit_parts(one.bits), None))
        return name


def records_of(schema: Schema) -> Records:
    """Return the classes of a schema's own structs and messages."""
    records = Records(schema)
    for one in structs_of(schema):
        about = one.description or f"The struct {one.name}"
        records.structs[one.name] = records.add(camel(one.name), about, one.fields, None)
    for payload in (*payloads_of(schema, own_commands(schema)), *events_of(schema)):
        message = (payload.name, payload.kind)
        wanted = camel(f"{payload.name}_{payload.kind}")
        records.payloads[message] = records.add(wanted, _about(payload), payload.fields, message)
    records.add_parameters()
    return records


def _about(payload: Payload) -> str:
    what = {"request": "The request", "reply": "The reply to", "event": "The event"}[payload.kind]
    return f"{what} {payload.name}" + (f": {payload.description}" if payload.description else "")
