"""Pieces: fields of a payload that come together, and the constructs that read and write them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import construct

from framelink.errors import PayloadError
from framelink.message.composite import reader_of, writer_of
from framelink.message.fields import Field, Value
from framelink.message.parts import PREFIXES, Part
from framelink.message.problems import placed
from framelink.message.source import EndOfPayloadError, Source

_ENDED = (EndOfPayloadError, construct.StreamError, struct.error)


class Piece(Protocol):
    """Fields that a payload has all or none of."""

    names: list[str]
    may_lack: bool

    def read(self, source: Source) -> dict[str, Value]:
        """Return the values that stand next in a payload.

        Raises:
            PayloadError: The payload ends within them, or they are none.
        """

    def write(self, values: Mapping[str, object]) -> bytes:
        """Return the bytes of its values, which are there among others.

        Raises:
            PayloadError: A value is not allowed.
        """


def pieces_of(parts: Sequence[Part], parameters: Mapping[int, Field]) -> list[Piece]:
    """Return the pieces of a payload: what it must have, then each field that it may lack."""
    found: list[Piece] = []
    for some in _together(parts):
        is_rest = some[0].field.count == "rest"
        found.append(_Rest(some[0], parameters) if is_rest else _Group(some, parameters))
    return found


def _together(parts: Sequence[Part]) -> Iterator[list[Part]]:
    group: list[Part] = []
    for one in parts:
        if one.field.may_lack or one.field.count == "rest":
            if group:
                yield group
            yield [one]
            group = []
        else:
            group.append(one)
    if group:
        yield group


class _Group:
    """Fields, one behind the other."""

    def __init__(self, parts: Sequence[Part], parameters: Mapping[int, Field]) -> None:
        self._parts = parts
        self.names = [one.field.name for one in parts]
        self.may_lack = parts[0].field.may_lack
        self._readers = [(one.field.name, reader_of(one, parameters)) for one in parts]
        self._writers = [(one.field.name, writer_of(one, parameters)) for one in parts]

    @cached_property
    def _compiled(self) -> Any:  # at first use: what is never asked costs nothing when a program begins
        return construct.Struct(*[one.field.name / one.construct for one in self._parts]).compile()

    def read(self, source: Source) -> dict[str, Value]:
        start = source.at
        try:
            raw = self._compiled.parse_stream(source)
        except _ENDED:
            raise _ends_within(self._parts, Source(source.data, start)) from None
        return {name: read(raw[name]) for name, read in self._readers}

    def write(self, values: Mapping[str, object]) -> bytes:
        raw = {}
        for name, write in self._writers:
            try:
                raw[name] = write(values[name])
            except PayloadError as error:
                raise placed(name, error) from None
        built: bytes = self._compiled.build(raw)
        return built


class _Rest:
    """A field that is as many values as the payload has left.

    A construct of all would take a value that is cut short for none, so each is read by itself.
    """

    def __init__(self, part: Part, parameters: Mapping[int, Field]) -> None:
        self.names: list[str] = [part.field.name]
        self.may_lack = part.field.may_lack
        self._part = part
        self._read_one = reader_of(part.item, parameters)
        self._write = writer_of(part, parameters)

    @cached_property
    def _one(self) -> Any:
        return construct.Struct("one" / self._part.item.construct).compile()

    def read(self, source: Source) -> dict[str, Value]:
        values, name = [], self.names[0]
        while not source.is_empty:
            start = source.at
            try:
                values.append(self._read_one(self._one.parse_stream(source)["one"]))
            except _ENDED:
                place = _end_within(self._part.item, Source(source.data, start))
                raise _cut_short(f"{name}[{len(values)}]{place}", source) from None
        return {name: values}

    def write(self, values: Mapping[str, object]) -> bytes:
        name = self.names[0]
        try:
            raw = self._write(values[name])
        except PayloadError as error:
            raise placed(name, error) from None
        return b"".join(self._one.build({"one": one}) for one in raw)


def _ends_within(parts: Sequence[Part], source: Source) -> PayloadError:
    """Return the problem of a payload that ends within some fields."""
    for one in parts:
        place = _end_within(one, source)
        if place is not None:
            return _cut_short(f"{one.field.name}{place}", source)
    raise AssertionError("it does not end there")


def _cut_short(place: str, source: Source) -> PayloadError:
    return PayloadError(f"{place} is cut short: the payload ends after {len(source.data)} bytes")


def _end_within(part: Part, source: Source) -> str | None:
    """Return the place in a part at which the payload ends, None if it does not."""
    try:
        for place, one in _inner(part, source):
            found = _end_within(one, source)
            if found is not None:
                return f"{place}{found}"
        if part.field.count is None and not part.members:
            part.construct.parse_stream(source)
    except _ENDED:
        return ""
    return None


def _inner(part: Part, source: Source) -> Iterator[tuple[str, Part]]:
    """Yield what a part is made of, and its places in it."""
    count = part.field.count
    if count is None:
        yield from ((f".{one.field.name}", one) for one in part.members)
        return
    if isinstance(count, str):
        count = int.from_bytes(source.read(PREFIXES[count]), part.order)
    yield from ((f"[{at}]", part.item) for at in range(count))
