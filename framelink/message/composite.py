"""Lists and structs: from what a construct reads of a part to its value, and back to what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from framelink.errors import PayloadError
from framelink.message.fields import NUMBERS, Field
from framelink.message.parts import Part
from framelink.message.problems import placed, require_parts, shown
from framelink.message.values import Reader, Writer, as_it_is, reader_of_one, writer_of_one

_MOST: Final = {"u8": 0xFF, "u16": 0xFFFF}


def reader_of(part: Part, parameters: Mapping[int, Field]) -> Reader:
    """Return what makes a part's value of what its construct read."""
    if part.field.count is not None:
        one = reader_of(part.item, parameters)
        return list if one is as_it_is else lambda raw: [one(each) for each in raw]
    if part.members:
        members = [(one.field.name, reader_of(one, parameters)) for one in part.members]
        return lambda raw: {name: read(raw[name]) for name, read in members}
    return reader_of_one(part.field, parameters)


def writer_of(part: Part, parameters: Mapping[int, Field]) -> Writer:
    """Return what makes what a part's construct writes of its value.

    It raises PayloadError for a value that is not allowed; the message says what is, behind the place in the
    value.
    """
    if part.field.count is not None:
        return _list_writer(part, writer_of(part.item, parameters))
    if part.members:
        return _struct_writer({one.field.name: writer_of(one, parameters) for one in part.members})
    return writer_of_one(part.field, parameters)


def _list_writer(part: Part, one: Writer) -> Writer:
    count = part.field.count
    allowed = f"must be a list of {_count_text(part.field)}"

    def write(value: object) -> list[Any]:
        if not isinstance(value, (list, tuple)) or not _is_count(len(value), count):
            raise PayloadError(f"{allowed}, not {shown(value)}")
        return [_written(f"[{at}]", one, each) for at, each in enumerate(value)]

    return write


def _is_count(length: int, count: int | str | None) -> bool:
    return length == count if isinstance(count, int) else length <= _MOST.get(count or "", length)


def _count_text(field: Field) -> str:
    what = "numbers" if field.type in NUMBERS and not (field.enum or field.bits) else "values"
    if isinstance(field.count, int):
        return f"{field.count} {what}"
    return f"at most {_MOST[field.count]} {what}" if field.count in _MOST else what


def _struct_writer(members: Mapping[str, Writer]) -> Writer:
    def write(value: object) -> dict[str, Any]:
        parts = require_parts(value, members)
        return {name: _written(f".{name}", one, parts[name]) for name, one in members.items()}

    return write


def _written(place: str, write: Writer, value: object) -> Any:
    try:
        return write(value)
    except PayloadError as error:
        raise placed(place, error) from None
