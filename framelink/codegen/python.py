"""A Python module of a schema: typed messages, and a typed client of the device."""

from __future__ import annotations

from framelink.codegen.python_client import clients
from framelink.codegen.python_records import Records, records_of
from framelink.codegen.python_schema import toml_of
from framelink.codegen.python_types import docline
from framelink.codegen.words import quoted
from framelink.message import Schema

_HEAD = '''\
"""{title}

Made by `framelink codegen python`: change the schema, not this file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from framelink.message import Kind, Schema, Undecodable
from framelink.wire import Frame

if TYPE_CHECKING:
    from framelink.device import AsyncDevice, Device
'''

_PAYLOAD = '''\
class _Payload:
    """What all messages can do."""

    __slots__ = ()
    MESSAGE: ClassVar[str]
    KIND: ClassVar[Kind]

    def to_fields(self) -> dict[str, Any]:
        """Return it as framelink has it."""
        raise NotImplementedError

    def frame(self, addr: int, sequence: int = 0) -> Frame:
        """Return the frame that carries it; what a field may not hold is a framelink.errors.PayloadError."""
        return SCHEMA.encode(addr, self.MESSAGE, self.to_fields(), kind=self.KIND, sequence=sequence)
'''

_DECODE = '''\
def decode(frame: Frame) -> Message | Undecodable | None:
    """Return what a frame says; None if it is none of the messages above."""
    message = SCHEMA.decode(frame)
    if message is None or isinstance(message, Undecodable):
        return message
    kind = _KINDS.get((message.name, message.kind))
    return kind.from_fields(message.fields) if kind else None
'''


def generate(schema: Schema) -> str:
    """Return the source of a Python module for a device."""
    records = records_of(schema)
    parts = [
        _HEAD.format(title=docline(f"{schema.name}: {schema.description or 'its messages'}, typed.")),
        f"{_schema(schema)}\n",
        _PAYLOAD,
        *records.texts,
        *_union(records),
        *clients(records),
    ]
    return "\n\n".join(parts).rstrip("\n") + "\n"


def _schema(schema: Schema) -> str:
    """Return the definition of the schema that the module carries with it."""
    return f'SCHEMA = Schema.parse(\n    r"""\n{toml_of(schema)}""",\n    source={quoted(schema.name)},\n)'


def _union(records: Records) -> list[str]:
    """Return the type of all messages, and what tells them apart."""
    names = list(records.payloads.values())
    if not names:
        return []
    union = "Message: TypeAlias = (\n    " + "\n    | ".join(names) + "\n)"
    table = [
        f"    ({quoted(name)}, {quoted(kind)}): {one}," for (name, kind), one in records.payloads.items()
    ]
    kinds = "\n".join(["_KINDS: dict[tuple[str, str], type[Message]] = {", *table, "}"])
    return [f"{union}\n\n{kinds}\n", _DECODE]
