"""The cases of the smaller schemas: the sequenced profile, and a device with habits of its own."""

from __future__ import annotations

from struct import pack

from tools.schema_cases import TOO_LONG, TOO_SHORT, Case, Cases, wrong

SEQUENCED = Cases(
    [
        Case("move", b"\x07" + pack("<hH", -100, 50), {"steps": -100, "speed": 50}, sequence=7),
        Case("move", b"\x00" + pack("<h", 1), {"steps": 1}, sequence=0),
        Case("move", b"\xff" + pack("<i", -70000), {"position": -70000}, "reply", sequence=255),
        Case("stop", b"\x01", {}, sequence=1),
        Case("stop", b"\x01", {}, "reply", sequence=1),
        Case("read", b"\x02\x03\x04\x05", {"which": [3, 4, 5]}, sequence=2),
        Case("read", b"\x02" + pack("<BHH", 2, 256, 1), {"values": [256, 1]}, "reply", sequence=2),
        Case("moved", pack("<i", 9), {"position": 9}, "event"),
        Case("get", b"\x01", {"parameter": "pace"}),
        Case("set", b"\x01" + pack("<H", 300), {"parameter": "pace", "value": 300}, "reply"),
        Case(
            "refusal",
            b"\x20\x04\x07turning",
            {"refused": 0x20, "code": "busy", "text": "turning"},
            "reply",
            sequence=7,
        ),
    ],
    [
        wrong("move", b"\x07\x01", TOO_SHORT),
        wrong("move", b"\x07" + pack("<hHB", 1, 2, 3), TOO_LONG),
        wrong("move", b"\x07" + pack("<hB", 1, 2), "part of an optional field"),
        wrong("move", b"\x07" + pack("<iB", 1, 2), TOO_LONG, "reply"),
        wrong("stop", b"\x01\x02", TOO_LONG),
        wrong("stop", b"", "no sequence byte"),
        wrong("read", b"\x02" + pack("<BHHB", 2, 256, 1, 9), TOO_LONG, "reply"),
        wrong("read", b"\x02" + pack("<BH", 2, 256), "fewer items than the number before them says", "reply"),
        wrong("moved", pack("<i", 9) + b"\0", TOO_LONG, "event"),
        wrong("set", b"\x01" + pack("<HB", 300, 0), TOO_LONG),
    ],
    [
        ("move", "request", {"speed": 1}, "a field is missing"),
        ("read", "reply", {"values": [1] * 127}, "more than a frame carries"),
    ],
)

PAIRS = [{"left": 0x0102, "right": 0x0102}, {"left": 0, "right": 65535}]
VARIANT = Cases(
    [
        Case("start", pack(">I", 1) + pack("<I", 1), {"time": 1, "little": 1}),
        Case(
            "start",
            pack(">H", 2) + b"\x01\x02\x02\x01\x00\x00\xff\xff" + pack(">H", 3300),
            {"pairs": PAIRS, "voltage": 3.3},
            "reply",
        ),
        Case("start", pack(">HH", 0, 1), {"pairs": [], "voltage": 0.001}, "reply"),
        Case(
            "echo",
            pack(">H", 260) + bytes(range(256)) + b"\1\2\3\4",
            {"blob": bytes(range(256)) + b"\1\2\3\4"},
            "reply",
        ),
        Case(
            "alarm",
            pack(">HH", 258, 0x8001),
            {"reason": "door", "bits": {"lowest": True, "highest": True}},
            "event",
        ),
        Case(
            "alarm",
            pack(">HH", 1, 0x8000),
            {"reason": "heat", "bits": {"lowest": False, "highest": True}},
            "event",
        ),
    ],
    [
        wrong("start", pack(">I", 1) + b"\0\0\0", TOO_SHORT),
        wrong("start", pack(">HIH", 2, 1, 3300), "fewer items than the number before them says", "reply"),
        wrong("start", pack(">II", 1, 1) + b"\0", TOO_LONG),
        wrong("echo", pack(">H", 2) + b"\1\2\3", TOO_LONG, "reply"),
        wrong("alarm", b"\0", TOO_SHORT, "event"),
    ],
    [
        ("start", "request", {"time": -1, "little": 1}, "below the type's range"),
        ("alarm", "event", {"reason": "flood", "bits": {"lowest": True, "highest": True}}, "no such label"),
    ],
)
