"""Structs: the fields that a schema's own types are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framelink.errors import SchemaError
from framelink.message.document import StructEntry
from framelink.message.fields import PARAMETER_TYPES, TYPES, Field, Order
from framelink.message.parts import Part, resolve
from framelink.message.rules import require_name, require_valid

MAX_DEPTH = 16  # structs within structs; each is a call deeper when a payload is read, and nobody nests five


class Structs:
    """Resolves the structs of a schema.

    Args:
        entries: As they stand in the file, in any order.
        order: The device's byte order.
        source: The file's name, for errors.

    Raises:
        SchemaError: One of them cannot be.
    """

    def __init__(self, entries: Sequence[StructEntry], order: Order, source: str) -> None:
        self._order = order
        self._source = source
        self.entries: dict[str, StructEntry] = {}
        self.parts: dict[str, tuple[Part, ...]] = {}
        for one in entries:
            self._add(one)
        for one in entries:
            self._resolve(one.name, ())

    def _add(self, entry: StructEntry) -> None:
        where = f"{self._source}: struct {entry.name!r}"
        require_name(entry.name, where)
        if entry.name in TYPES:
            raise SchemaError(f"{where}: {entry.name} is a type of its own; give the struct another name")
        if entry.name in self.entries:
            raise SchemaError(f"{where}: another struct has that name")
        if not entry.fields:
            raise SchemaError(f"{where}: fields must be one or more")
        self.entries[entry.name] = entry

    def _resolve(self, name: str, outer: tuple[str, ...]) -> None:
        if name in self.parts:
            return
        where, path = f"{self._source}: struct {name!r}", (*outer, name)
        if name in outer:
            raise SchemaError(f"{where}: it would contain itself ({' → '.join(path)})")
        if len(path) > MAX_DEPTH:
            raise SchemaError(f"{where}: at most {MAX_DEPTH} structs may be within each other")
        fields = self.entries[name].fields
        require_other_names(fields, where)
        for one in fields:
            _require_member(one, f"{where}, field {one.name!r}", self.entries)
            if one.type in self.entries:
                self._resolve(one.type, path)
        self.parts[name] = tuple(resolve(one, self._order, self.parts) for one in fields)


def require_other_names(fields: Sequence[Field], where: str) -> None:
    """Check that no field has the name of another.

    Raises:
        SchemaError: One has; the message begins with `where`.
    """
    if len({one.name for one in fields}) < len(fields):
        raise SchemaError(f"{where}: two fields have the same name")


def _require_member(field: Field, where: str, structs: Mapping[str, StructEntry]) -> None:
    require_valid(field, where, structs)
    if field.may_lack:
        raise SchemaError(f"{where}: optional and since are for the fields of messages")
    if field.type in PARAMETER_TYPES:
        raise SchemaError(f"{where}: type {field.type} is for the fields of messages")
    if field.is_rest:
        key = "count" if field.count == "rest" else "size"
        raise SchemaError(f'{where}: {key} must be a number, "u8" or "u16": only a message may take the rest')
