"""The WebSocket's messages: one JSON envelope both ways, checked when it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

MAX_ROOMS = 64  # patterns a message; a page needs a handful, and each costs work for every room
MAX_ID = 100  # characters of a command's id
MAX_ECHO = 80  # characters of a client's own words in an answer; enough to know them again
MAX_REASON = 500  # characters that say what went wrong; the longest list of a schema's names fits


class Since(msgspec.Struct, frozen=True):
    """Where a client's knowledge ends."""

    epoch: str
    offset: int


class _Hello(msgspec.Struct, frozen=True):
    client: str = ""
    version: str = ""


class _Rooms(msgspec.Struct, frozen=True):
    rooms: list[str]
    since: Since | None = None


class _Order(msgspec.Struct, frozen=True):
    id: str | int
    link: str
    addr: int
    cmd: int | None = None
    data: str = ""
    message: str | None = None
    fields: dict[str, Any] = {}


class Handshake(msgspec.Struct, frozen=True, tag="handshake", tag_field="type"):
    """A client tells who it is."""

    payload: _Hello = _Hello()
    timestamp: float = 0


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe", tag_field="type"):
    """A client wants rooms."""

    payload: _Rooms
    timestamp: float = 0


class Unsubscribe(msgspec.Struct, frozen=True, tag="unsubscribe", tag_field="type"):
    """A client no longer wants rooms."""

    payload: _Rooms
    timestamp: float = 0


class CommandMessage(msgspec.Struct, frozen=True, tag="command", tag_field="type"):
    """A client wants something of a device."""

    payload: _Order
    timestamp: float = 0


class Heartbeat(msgspec.Struct, frozen=True, tag="HEARTBEAT", tag_field="type"):
    """A client is alive."""

    seq: int
    payload: dict[str, Any] = {}
    timestamp: float = 0


ClientMessage: TypeAlias = Handshake | Subscribe | Unsubscribe | CommandMessage | Heartbeat

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Problem:
    """What is wrong with a client's message.

    Attributes:
        code: For programs.
        message: For people.
    """

    code: str
    message: str


@dataclass(frozen=True)
class Command:
    """What a client wants of a device.

    Attributes:
        id: The client's own name for it, repeated in the reply.
        link: The link's name.
        addr: The device's address.
        cmd: The command, None if `message` names one of the schema.
        data: The payload of `cmd`.
        message: A message's name in the device's schema.
        fields: The message's fields.
        client: The session that wants it.
    """

    id: str | int
    link: str
    addr: int
    cmd: int | None
    data: bytes
    message: str | None
    fields: dict[str, Any]
    client: str = ""


def decode_client(raw: str | bytes) -> ClientMessage | Problem:
    """Return what a client says, or what is wrong with it."""
    try:
        return _decoder.decode(raw)
    except msgspec.ValidationError as error:
        return Problem("bad_message", str(error).replace("$.", ""))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Problem("bad_json", "a message must be one JSON object: type, payload, timestamp")


def command_of(message: CommandMessage, client: str) -> Command | Problem:
    """Return the command of a client's message, or what is wrong with it."""
    order = message.payload
    if len(str(order.id)) > MAX_ID:
        return Problem("bad_command", f"id may have at most {MAX_ID} characters")
    if not 0 <= order.addr <= 0xFF:
        return Problem("bad_command", f"addr must be 0 to 255, not {order.addr}")
    if (order.cmd is None) == (order.message is None):
        return Problem("bad_command", "give either cmd and data, or message and fields")
    if order.cmd is not None and not 0 <= order.cmd <= 0xFF:
        return Problem("bad_command", f"cmd must be 0 to 255, not {order.cmd}")
    try:
        data = bytes.fromhex(order.data)
    except ValueError:
        return Problem("bad_command", "data must be pairs of hex digits such as 010203")
    return Command(order.id, order.link, order.addr, order.cmd, data, order.message, order.fields, client)


def envelope(type_: str, payload: dict[str, Any], timestamp: int, **more: Any) -> bytes:
    """Return a message to a client.

    Args:
        type_: Its type.
        payload: Its payload; bytes in it become hex text.
        timestamp: Wall clock in ms.
        more: What else the envelope carries, such as a heartbeat's `seq`.
    """
    return _encoder.encode({"type": type_, "payload": payload, "timestamp": timestamp, **more})


def echo(words: str) -> str:
    """Return a client's own words as an answer repeats them: quoted, and cut where they are long."""
    return shortened(repr(words), MAX_ECHO)


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters; what was cut off is an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message's fields as JSON can carry them: bytes as hex text."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
