"""What tools/make_schema_vectors.py makes vectors of: fields, and their payloads by hand."""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Case:
    """A message and its payload.

    Attributes:
        message: The message's name.
        data: Its payload, the sequence byte included.
        fields: What the payload says.
        kind: Which of the message's frames.
        sequence: The payload's sequence byte.
        way: `both`, or `decode` where packing the fields gives another payload.
        why: What is wrong with a payload that says nothing.
    """

    message: str
    data: bytes
    fields: dict[str, Any]
    kind: str = "request"
    sequence: int | None = None
    way: str = "both"
    why: str = ""


class Cases(NamedTuple):
    """The cases of a schema.

    Attributes:
        good: Payloads, and what they say.
        undecodable: Payloads that say nothing.
        refused: Message, kind, and fields that have no payload, and why.
    """

    good: list[Case]
    undecodable: list[Case]
    refused: list[tuple[str, str, dict[str, Any], str]]


def wrong(message: str, data: bytes, why: str, kind: str = "request") -> Case:
    """Return a payload that says nothing."""
    return Case(message, data, {}, kind, why=why)


NUMBERS = "<BHIQbhiqfdB"
LARGEST = (2**8 - 1, 2**16 - 1, 2**32 - 1, 2**64 - 1, 2**7 - 1, 2**15 - 1, 2**31 - 1, 2**63 - 1)
SMALLEST = (0, 0, 0, 0, -(2**7), -(2**15), -(2**31), -(2**63))
BIGGEST_FLOATS = ((2 - 2**-23) * 2.0**127, 1.7976931348623157e308)


def numbers(*values: float) -> dict[str, Any]:
    """Return the fields of `numbers`."""
    return dict(zip("abcdefghijk", values, strict=True))


def number_cases() -> list[Case]:
    """Return the ends and the middle of every type's range."""
    rows = (
        (1, 2, 3, 4, -1, -2, -3, -4, 1.5, -2.25, True),
        (*LARGEST, *BIGGEST_FLOATS, True),
        (*SMALLEST, *(-one for one in BIGGEST_FLOATS), False),
        (0, 256, 65536, 2**53 + 1, 0, 255, -65536, -(2**53) - 1, 0.0, 2.0**-1074, False),
    )
    return [
        *(Case("numbers", pack(NUMBERS, *row), numbers(*row)) for row in rows),
        Case("numbers", pack("<d", 2.5), {"sum": 2.5}, "reply"),
        Case("numbers", pack(NUMBERS, *rows[0][:-1], 7), numbers(*rows[0]), way="decode"),  # true is not 0
    ]


SCALED = {"temperature": 21.5, "pressure": 1013.25, "ratio": 3.5, "distance": 12000.0, "percent": 99}
COLD = {"temperature": -40.0, "pressure": 900.0, "ratio": 1.0, "distance": 0.0, "percent": 0}
BEYOND = {"temperature": -3276.8, "pressure": 1555.35, "ratio": -1.0, "distance": 1000.0, "percent": 200}
CHOICES = {"colour": "deep_blue", "direction": "back", "leds": ["on", "off", "blink"], "doors": [True, False]}
ARRAYS = {"three": [1, 2, 515], "some": [-1, 65536], "wide": [9], "levels": [-0.5, 63.5], "rest": [0.5, -8.0]}
NO_ITEMS = {"three": [0, 0, 0], "some": [], "wide": [], "levels": [0.0, 0.5], "rest": []}
TEXTS = {
    "code": "AB-12",
    "title": "Größe",
    "key": b"\x00\xff\x80\x0a",
    "blob": b"\x01\x02\x03",
    "note": "né\n",
}
NO_TEXTS = {"code": "", "title": "", "key": b"\0\0\0\0", "blob": b"", "note": ""}
ANSWER = {"answer": b"\x55\xaa", "raw": b"\r\n"}
FLAGS: dict[str, dict[str, Any]] = {
    "status": {"ready": True, "fault": False, "state": "done", "level": 3},
    "wide": {"low": 0xABC, "flag": True, "high": 0x1234},
    "turned": {"first": True, "number": 0x155},
    "huge": {"low": 0x12_3456_789A, "flag": True, "high": 0x7F_FFFF},
}
NO_FLAGS = {
    "status": {"ready": False, "fault": True, "state": "idle", "level": 0},
    "wide": {"low": 0, "flag": False, "high": 0xFFFF},
    "turned": {"first": False, "number": 0},
    "huge": {"low": 0, "flag": False, "high": 1},
}
STATUS_DONE = 0b11_10_00_0_1
TURNED_BITS = 0x155 << 1 | 1
HUGE = 0x7F_FFFF << 41 | 1 << 40 | 0x12_3456_789A
WIDE = 0x1234 << 16 | 1 << 15 | 0xABC


def value_cases() -> list[Case]:
    """Return scaled numbers, labels, arrays and texts."""
    choices = pack("<Bh3B2B", 200, -1, 1, 0, 2, 1, 0)
    unknown = {**CHOICES, "colour": 77, "leds": ["on", 9, "off"]}
    arrays = pack("<3HB2iHB2b2f", 1, 2, 515, 2, -1, 65536, 1, 9, -1, 127, 0.5, -8.0)
    title, note = "Größe".encode(), "né\n".encode()
    texts = pack("<6sB7s4sH3s4s", b"AB-12\0", 7, title, b"\x00\xff\x80\x0a", 3, b"\x01\x02\x03", note)
    no_text = {**NO_TEXTS, "code": "ABCDEF"}
    return [
        Case("scaled", pack("<hHfIB", 215, 11325, 1.25, 12, 99), SCALED),
        Case("scaled", pack("<hHfIB", -400, 0, 0.0, 0, 0), COLD),
        Case("scaled", pack("<hHfIB", -32768, 65535, -1.0, 1, 200), BEYOND, way="decode"),  # a device may
        Case("scaled", b"\x01", {"done": True}, "reply"),
        Case("choices", choices, CHOICES),
        Case("choices", pack("<Bh3B2B", 77, -1, 1, 9, 0, 1, 0), unknown, way="decode"),
        Case("choices", b"", {}, "reply"),
        Case("arrays", arrays, ARRAYS),
        Case("arrays", pack("<3HBH2b", 0, 0, 0, 0, 0, 0, 1), NO_ITEMS),
        Case("texts", texts, TEXTS),
        Case("texts", pack("<6sB4sH", b"", 0, b"", 0), NO_TEXTS),
        Case("texts", pack("<6sB4sH", b"ABCDEF", 0, b"", 0), no_text),
        Case(
            "texts",
            pack("<6sB4sHB", b"A", 0, b"", 0, 0xFF),
            {**NO_TEXTS, "code": "A", "note": "�"},
            way="decode",
        ),
        Case("texts", pack("<6sB4sH", b"A\0BCDE", 0, b"", 0), {**NO_TEXTS, "code": "A"}, way="decode"),
        Case("texts", pack("<B2s2s", 2, b"\x55\xaa", b"\r\n"), ANSWER, "reply"),
    ]


def flags(status: int, wide: int, turned: int, huge: int) -> bytes:
    """Return the payload of `flags`, of which one number is turned."""
    return pack("<BI", status, wide) + pack(">H", turned) + pack("<Q", huge)


def flag_cases() -> list[Case]:
    """Return numbers made of bits; those that are reserved are not looked at."""
    unknown = {**FLAGS, "status": {**FLAGS["status"], "state": 3}}
    return [
        Case("flags", flags(STATUS_DONE, WIDE, TURNED_BITS, HUGE), FLAGS),
        Case("flags", flags(0b10, 0xFFFF << 16, 0, 1 << 41), NO_FLAGS),
        Case(
            "flags",
            flags(STATUS_DONE | 0b1100, WIDE | 0x7000, TURNED_BITS | 0xF800, HUGE),
            FLAGS,
            way="decode",
        ),
        Case("flags", flags(STATUS_DONE | 0x10, WIDE, TURNED_BITS, HUGE), unknown, way="decode"),
    ]


AXIS = {
    "target": {"x": 1.0, "y": -2.5},
    "mode": "move",
    "flags": {"homed": True, "speed": "rapid", "slot": 2},
    "history": [7, 65535],
}
AXIS_BYTES = pack("<2hBB2H", 10, -25, 2, 0b10_11_000_1, 7, 65535)
OTHER_AXIS = {
    "target": {"x": 0.0, "y": 3276.7},
    "mode": "off",
    "flags": {"homed": False, "speed": "slow", "slot": 0},
    "history": [0, 0],
}
OTHER_AXIS_BYTES = pack("<2hBB2H", 0, 32767, 0, 0, 0, 0)
NESTED = {
    "origin": {"x": -3276.8, "y": 0.1},
    "corners": [{"x": 0.0, "y": 0.0}, {"x": 10.0, "y": 20.0}],
    "axes": [AXIS, OTHER_AXIS],
    "labels": [{"number": 1, "text": "left"}, {"number": 2, "text": ""}],
    "path": [{"x": 0.1, "y": 0.2}],
}
BARE = {"origin": {"x": 0.0, "y": 0.0}, "corners": NESTED["corners"], "axes": [], "labels": [], "path": []}
CORNERS = pack("<4h", 0, 0, 100, 200)
NESTED_BYTES = b"".join(
    (
        pack("<2h", -32768, 1) + CORNERS,
        b"\x02" + AXIS_BYTES + OTHER_AXIS_BYTES,
        b"\x02" + b"\x01\x04left" + b"\x02\x00",
        pack("<2h", 1, 2),
    )
)
TURNED = {
    "plain": 0x0102,
    "word": 0x0102,
    "real": 1.5,
    "long": -2,
    "many": [1, 0x01020304],
    "choice": "many",
    "row": [1, 2],
}
TURNED_BYTES = pack("<H", 0x0102) + pack(">HfqIIH3H", 0x0102, 1.5, -2, 1, 0x01020304, 0x0102, 2, 1, 2)
ODDS = {
    "pins": [{"on": True, "level": 5}, {"on": False, "level": 0}],
    "words": ["one", "four"],
    "lines": ["", "é"],
    "key": "large",
    "energy": 123456.789,
    "drift": -1.5,
    "angle": 0.75,
}
ODDS_BYTES = b"".join(
    (
        bytes((0b1011, 0)) + b"one\0four" + b"\x02\x00\x02" + "é".encode(),
        pack("<QQqd", 0xFFFFFFFFFFFF, 123456789, -23, 3.0),
    )
)
SWITCH = {"class": 1, "int": -1, "default": True, "import": "while", "self": 2, "data": 3, "end": 4}


def shape_cases() -> list[Case]:
    """Return structs, byte orders, names, and fields that a payload may lack."""
    grown = {"base": 1, "extra": 515, "place": {"x": 0.5, "y": -0.5}, "tag": "new"}
    some = {name: grown[name] for name in ("base", "extra", "place")}
    whole = pack("<BHhh", 1, 515, 5, -5)
    return [
        Case("nested", NESTED_BYTES, NESTED),
        Case("nested", pack("<2h", 0, 0) + CORNERS + b"\0\0", BARE),
        Case("turned", TURNED_BYTES, TURNED),
        Case("grown", b"\x01", {"base": 1}),
        Case("grown", pack("<BH", 1, 515), {"base": 1, "extra": 515}),
        Case("grown", pack("<BHB", 1, 515, 9), {"base": 1, "extra": 515}, way="decode"),  # from a newer host
        Case("grown", b"\x01", {"base": 1}, "reply"),
        Case("grown", pack("<BH", 1, 515), {"base": 1, "extra": 515}, "reply"),
        Case("grown", whole, some, "reply"),
        Case("grown", whole + b"new", grown, "reply"),
        Case("nothing", b"", {}),
        Case("nothing", b"", {}, "reply"),
        Case("nothing", b"\x01\x02", {}, "reply", way="decode"),  # from a newer device
        Case("switch", pack("<Bb5B", 1, -1, 1, 2, 2, 3, 4), SWITCH),
        Case("odds", ODDS_BYTES, ODDS),
        Case("switch", b"\x07", {"return": 7}, "reply"),
        Case(
            "report",
            pack("<IB", 123456789, 96) + AXIS_BYTES,
            {"uptime": 123456789, "load": 96, "axis": AXIS},
            "event",
        ),
        Case("log", b"\x02hot", {"level": "error", "text": "hot"}, "event"),
        Case("log", b"\x00", {"level": "debug", "text": ""}, "event"),
    ]


PARAMETERS: tuple[tuple[str, int, Any, bytes], ...] = (
    ("setpoint", 1, -6000, pack("<h", -6000)),
    ("gain", 2, 0.25, pack("<f", 0.25)),
    ("mode", 3, "automatic", b"\x01"),
    ("title", 200, "Größe", "Größe".encode()),
    ("limit", 201, 12.3, pack("<H", 123)),
    ("home", 202, {"x": 1.0, "y": -0.1}, pack("<2h", 10, -1)),
    ("gains", 203, [1, 65535], pack("<2H", 1, 65535)),
    ("options", 204, {"loud": True, "colour": "blue"}, b"\x03"),
)


def parameter_cases() -> list[Case]:
    """Return the standard commands that read and change parameters, and a refusal."""
    return [
        *(Case("get", bytes([number]), {"parameter": name}) for name, number, _value, _data in PARAMETERS),
        *(
            Case(message, bytes([number]) + data, {"parameter": name, "value": value}, kind)
            for name, number, value, data in PARAMETERS
            for message, kind in (("set", "request"), ("set", "reply"), ("get", "reply"))
        ),
        Case(
            "refusal", b"\x11\x03too hot", {"refused": 0x11, "code": "bad_value", "text": "too hot"}, "reply"
        ),
    ]


TOO_SHORT, TOO_LONG = "too short", "too long"
EVERYTHING = Cases(
    [*number_cases(), *value_cases(), *flag_cases(), *shape_cases(), *parameter_cases()],
    [
        wrong("numbers", pack(NUMBERS, *(*SMALLEST, 0.0, 0.0, 0))[:-1], TOO_SHORT),
        wrong("numbers", b"", TOO_SHORT),
        wrong("scaled", b"", TOO_SHORT, "reply"),
        wrong("arrays", pack("<3HB2i", 1, 2, 3, 3, 1, 2), "fewer items than the number before them says"),
        wrong("arrays", pack("<3HBH2bB", 0, 0, 0, 0, 0, 0, 0, 1), "part of an item"),
        wrong("arrays", pack("<3HBH", 0, 0, 0, 0, 65535), "fewer items than the number before them says"),
        wrong(
            "texts", pack("<6sB4sH", b"", 0, b"", 9) + b"12345678", "fewer bytes than the number before says"
        ),
        wrong("texts", pack("<6sB", b"", 200) + b"x" * 60, "fewer bytes than the number before says"),
        wrong("nested", pack("<2h", 0, 0) + CORNERS + b"\x01" + AXIS_BYTES[:-1], TOO_SHORT),
        wrong("nested", pack("<2h", 0, 0) + CORNERS + b"\0\x01\x01\x05left", TOO_SHORT),
        wrong("nested", pack("<2h", 0, 0) + CORNERS + b"\0\0\x01\x02\x03", "part of an item"),
        wrong("grown", pack("<BB", 1, 2), "part of an optional field"),
        wrong("grown", pack("<BHhB", 1, 515, 5, 1), "part of an optional field", "reply"),
        wrong("report", b"\x01\x02\x03", TOO_SHORT, "event"),
        wrong("get", b"\x63", "no such parameter"),
        wrong("set", b"\x01\x02", TOO_SHORT),
        wrong("set", b"", TOO_SHORT),
    ],
    [
        ("numbers", "request", numbers(256, 2, 3, 4, 0, 0, 0, 0, 0.0, 0.0, 0), "above the type's range"),
        ("numbers", "request", numbers(0, 2, 3, 4, -129, 0, 0, 0, 0.0, 0.0, 0), "below the type's range"),
        (
            "numbers",
            "request",
            numbers(0, 2, 3, 2**64, 0, 0, 0, 0, 0.0, 0.0, 0),
            "above the type's range",
        ),
        ("numbers", "request", numbers(0.5, 2, 3, 4, 0, 0, 0, 0, 0.0, 0.0, 0), "no whole number"),
        ("numbers", "request", numbers(0, 2, 3, 4, 0, 0, 0, 0, 1e39, 0.0, 0), "above the type's range"),
        ("numbers", "request", numbers(0, 2, 3, 4, 0, 0, 0, 0, 0.0, 0.0, 2), "neither true nor false"),
        ("scaled", "request", {**SCALED, "temperature": 125.1}, "above max"),
        ("scaled", "request", {**SCALED, "percent": 101}, "above max"),
        ("scaled", "request", {**SCALED, "pressure": 899.0}, "below what the type can hold"),
        ("choices", "request", {**CHOICES, "colour": "green-ish"}, "no such label"),
        ("choices", "request", {**CHOICES, "leds": ["on", "off"]}, "too few items"),
        ("arrays", "request", {**ARRAYS, "some": [2**31]}, "above the type's range"),
        ("arrays", "request", {**ARRAYS, "three": [1, 2, 3, 4]}, "too many items"),
        ("arrays", "request", {**ARRAYS, "wide": [1] * 300}, "more than a frame carries"),
        ("texts", "request", {**TEXTS, "code": "1234567"}, "too long"),
        ("texts", "request", {**TEXTS, "code": "A\0B"}, "would end at its zero"),
        ("texts", "request", {**TEXTS, "key": b"\x01"}, "too short"),
        ("texts", "request", {**TEXTS, "title": 7}, "no text"),
        ("flags", "request", {**FLAGS, "turned": {"first": True, "number": 1024}}, "more than the bits hold"),
        ("flags", "request", {**FLAGS, "turned": {"first": True}}, "a bit field's part is missing"),
        ("nested", "request", {**NESTED, "origin": {"x": 1.0}}, "a struct's field is missing"),
        ("nested", "request", {**NESTED, "origin": {"x": 1.0, "y": 99999.0}}, "above the type's range"),
        ("grown", "request", {}, "a field is missing"),
        ("grown", "reply", {"base": 1, "place": {"x": 0.5, "y": -0.5}}, "a field before another is missing"),
        ("odds", "request", {**ODDS, "words": ["one", "seven"]}, "too long"),
        (
            "odds",
            "request",
            {**ODDS, "pins": [{"on": True, "level": 8}, {"on": True, "level": 0}]},
            "too large",
        ),
        ("set", "request", {"parameter": "home", "value": {"x": 1.0}}, "a struct's field is missing"),
        ("log", "event", {"level": "info"}, "a field is missing"),
        ("log", "event", {"level": "info", "text": "", "more": 1}, "a field is unknown"),
    ],
)
