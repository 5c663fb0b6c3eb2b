"""Document: what stands in a schema file, from TOML text to records."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from framelink.config_files import parse_table, to_record
from framelink.errors import ConfigError, SchemaError
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
        max_data: The largest payload that its frames carry; None means what its frame format allows.
        version: Of its messages.  A device whose messages have one may be newer than its schema: what a
            payload has beyond the known fields is left alone.
        sequenced: Whether requests 0x20 to 0x5F and their replies have a sequence byte in front.
    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    type: TwoBytes = 0
    description: str = ""
    byte_order: Literal["little", "big"] = "little"
    standard: bool = True
    max_data: TwoBytes | None = None
    version: Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)] | None = None
    sequenced: bool = False


class StructEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[struct]]`: fields that other fields have as their type; the value is then a mapping."""

    name: str
    description: str = ""
    fields: list[Field] = []


class CommandEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[command]]`: a request and its reply.

    Attributes:
        id: The request's number.
        reply_id: The reply's; None for the id with bit 7 set.
        name: The message's name.
        description: For people.
        repeatable: Whether the device may be asked twice when once is meant, since that does no harm.
        timeout: Seconds that the device may take to answer; None means as long as it usually does.
        priority: Which lane of the transmit queue its requests take.
        request: The request's fields.
        reply: The reply's fields.
    """

    id: Byte
    reply_id: Byte | None = None
    name: str
    description: str = ""
    repeatable: bool = False
    timeout: Annotated[float, msgspec.Meta(gt=0)] | None = None
    priority: Literal["control", "normal", "bulk"] = "normal"
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
    """A schema file; `frame` is its variant of the frame, as in a format file."""

    device: DeviceEntry
    frame: dict[str, Any] = {}
    struct: list[StructEntry] = []
    command: list[CommandEntry] = []
    event: list[EventEntry] = []
    parameter: list[ParameterEntry] = []


def parse(text: str, source: str) -> Document:
    """Return what stands in a schema file's text.

    Raises:
        SchemaError: It is no TOML, or has unknown keys or values of the wrong type.
    """
    try:
        return to_record(parse_table(text, source), Document, source)
    except ConfigError as error:
        raise SchemaError(str(error)) from None
