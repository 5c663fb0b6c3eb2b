"""Document: what stands in a schema file, from TOML text to records."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal

import msgspec

from framelink.errors import SchemaError
from framelink.message.fields import Field

Byte = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
TwoBytes = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]


class DeviceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[device]`: what is true of all its messages.

    Attributes:
        name: What it is called.
        type: The number by which it identifies itself.
        description: For people.
        byte_order: Of all its numbers.
        standard: Whether it knows the standard commands.
        max_data: The largest payload that its frames carry, as in its frame format.
    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    type: TwoBytes = 0
    description: str = ""
    byte_order: Literal["little", "big"] = "little"
    standard: bool = True
    max_data: TwoBytes = 0xFF


class CommandEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[command]]`: a request and its reply; `reply_id` is None for the id with bit 7 set."""

    id: Byte
    reply_id: Byte | None = None
    name: str
    description: str = ""
    request: list[Field] = []
    reply: list[Field] = []


class EventEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[event]]`: what the device says by itself."""

    id: Byte
    name: str
    description: str = ""
    fields: list[Field] = []


class ParameterEntry(Field, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`[[parameter]]`: what get and set address by its number, and the field that its value is."""

    id: Byte


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A schema file."""

    device: DeviceEntry
    command: list[CommandEntry] = []
    event: list[EventEntry] = []
    parameter: list[ParameterEntry] = []


def parse(text: str, source: str) -> Document:
    """Return what stands in a schema file's text.

    Raises:
        SchemaError: It is no TOML, or has unknown keys or values of the wrong type.
    """
    try:
        return msgspec.convert(_tables(text, source), Document)
    except msgspec.ValidationError as error:
        raise SchemaError(f"{source}: {str(error).replace('$.', '')}") from None


def _tables(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SchemaError(f"{source}: not a TOML file: nested too deeply") from None
    except ValueError as error:  # a TOMLDecodeError, or a number too long for int()
        raise SchemaError(f"{source}: not a TOML file: {error}") from None
