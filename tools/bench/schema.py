"""How fast payloads become messages, beside cantools with equal ones and construct with the same fields."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from framelink.message import Message, Schema
from framelink.wire import Frame
from tools.bench.rounds import Row, medians

CMD = 0x20
LABELS = ("off", "on", "fault")
CAN_SIZES = (8, 12, 16, 20, 24, 32, 48, 64)  # of the payloads of CAN and CAN FD; fields fill them up to such
CONSTRUCTS = {"i16": "Int16sl", "u16": "Int16ul", "u8": "Int8ul"}


@dataclass(frozen=True)
class Kind:
    """A kind of field.

    Attributes:
        type: As a schema names it.
        code: As `struct` does.
        scale: Value = number on the wire × scale.
        has_labels: Whether its numbers have labels.
    """

    type: str
    code: str
    scale: float = 1
    has_labels: bool = False

    @property
    def bits(self) -> int:
        """Bits on the wire."""
        return int(self.type[1:])


TENTHS = Kind("i16", "h", 0.1)
THOUSANDTHS = Kind("u16", "H", 0.001)
WHOLE = Kind("i16", "h")
BYTE = Kind("u8", "B")
STATE = Kind("u8", "B", has_labels=True)
MESSAGES = {
    "8 B, 5 fields": [TENTHS, THOUSANDTHS, BYTE, STATE, WHOLE],
    "20 B, 11 fields": [TENTHS] * 4 + [THOUSANDTHS] * 2 + [STATE, BYTE] + [WHOLE] * 3,
    "64 B, 34 fields": [TENTHS] * 12 + [THOUSANDTHS] * 4 + [STATE, BYTE] * 2 + [WHOLE] * 14,
}


def run(*, quick: bool = False) -> list[Row]:
    """Return all rows."""
    rounds, count = (3, 200) if quick else (11, 2_000)
    return [row for name, kinds in MESSAGES.items() for row in _decoding(name, kinds, count, rounds)]


def _decoding(name: str, kinds: list[Kind], count: int, rounds: int) -> list[Row]:
    data = _payload(kinds)
    makers = {"framelink": _framelink, "cantools": _cantools, "construct compiled, raw numbers": _construct}
    decoders = {who: make(kinds, data) for who, make in makers.items()}
    _require_equal(kinds, {who: decode() for who, decode in decoders.items()})
    spent = medians({who: partial(_often, one, count) for who, one in decoders.items()}, rounds=rounds)
    own = spent["framelink"]
    return [
        {
            "bench": f"decode with schema, {name}",
            "name": who,
            "ns/message": round(seconds / count * 1e9),
            "framelink is faster": round(seconds / own, 2),
        }
        for who, seconds in spent.items()
    ]


def _often(decode: Callable[[], object], count: int) -> None:
    for _ in range(count):
        decode()


def _payload(kinds: list[Kind]) -> bytes:
    numbers = [1 if one.has_labels else 100 + at for at, one in enumerate(kinds)]
    packed = struct.pack("<" + "".join(one.code for one in kinds), *numbers)
    if len(packed) not in CAN_SIZES:
        raise AssertionError(f"CAN has no payload of {len(packed)} bytes")
    return packed


def _framelink(kinds: list[Kind], data: bytes) -> Callable[[], Any]:
    """Return what makes a Message of a frame."""
    fields = ", ".join(_field(f"f{at}", one) for at, one in enumerate(kinds))
    text = f'device = {{ name = "x" }}\nevent = [{{ id = {CMD}, name = "e", fields = [{fields}] }}]'
    return partial(Schema.parse(text).decode, Frame(1, CMD, data))


def _field(name: str, kind: Kind) -> str:
    labels = ", ".join(f"{label} = {number}" for number, label in enumerate(LABELS))
    enum = f", enum = {{ {labels} }}" if kind.has_labels else ""
    scale = f", scale = {kind.scale}" if kind.scale != 1 else ""
    return f'{{ name = "{name}", type = "{kind.type}"{scale}{enum} }}'


def _cantools(kinds: list[Kind], data: bytes) -> Callable[[], Any]:
    """Return what decodes a CAN frame by its id, as one who reads a bus does."""
    import cantools

    signals, labels, place = [], [], 0
    for at, one in enumerate(kinds):
        sign = "-" if one.type[0] == "i" else "+"
        signals.append(f' SG_ f{at} : {place}|{one.bits}@1{sign} ({one.scale},0) [0|0] "" A')
        if one.has_labels:
            known = " ".join(f'{number} "{label}"' for number, label in enumerate(LABELS))
            labels.append(f"VAL_ {CMD} f{at} {known} ;")
        place += one.bits
    lines = ['VERSION ""', "BU_: A", f"BO_ {CMD} e: {len(data)} A", *signals, "", *labels, ""]
    return partial(cantools.database.load_string("\n".join(lines), "dbc").decode_message, CMD, data)


def _construct(kinds: list[Kind], data: bytes) -> Callable[[], Any]:
    """Return what reads the numbers, without scale and labels."""
    import construct

    fields = [f"f{at}" / getattr(construct, CONSTRUCTS[one.type]) for at, one in enumerate(kinds)]
    return partial(construct.Struct(*fields).compile().parse, data)


def _require_equal(kinds: list[Kind], found: dict[str, Any]) -> None:
    """Check that all have read the same; construct the numbers that the others have scaled."""
    message, theirs, raw = found.values()
    assert isinstance(message, Message)
    ours: Any = message.fields
    for at, one in enumerate(kinds):
        name = f"f{at}"
        values = (ours[name], theirs[name])
        number: float = raw[name] * one.scale
        same = [str(value) == LABELS[raw[name]] for value in values] if one.has_labels else None
        if not all(same or [math.isclose(value, number) for value in values]):
            raise AssertionError(f"{name} is {values[0]}, {values[1]} and {number}")
