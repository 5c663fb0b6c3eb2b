"""Generated C: the same values are the same bytes as in Python, and what Python refuses is refused."""

from __future__ import annotations

import contextlib
import ctypes
import math
import random
import struct
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from firmware_sim.toolchain import HOST, build
from framelink.codegen.c import generate
from framelink.codegen.c_symbols import Symbols
from framelink.codegen.model import Payload
from framelink.errors import PayloadError, ToolchainError
from framelink.message import STANDARD, Kind, Schema
from framelink.message.fields import INTEGERS
from tests.codegen.c_library import SOURCE, Library
from tests.codegen.vectors import COUNTS, NAMES, load, schema_named

BUILT_IN = {one.name for one in STANDARD.commands}
"""The messages that the C core brings, which are in no header."""
RANDOM = 200
"""Payloads of each message, for each of which Python and C must agree."""
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")


@pytest.fixture(scope="module", params=NAMES)
def library(request: pytest.FixtureRequest) -> Library:
    """The header of each schema of the vectors, compiled."""
    return Library(schema_named(request.param))


def own_cases(library: Library, kind: str) -> list[tuple[str, Kind, bytes, dict[str, Any]]]:
    """Return message, kind, payload without sequence byte, and all, of the cases of the device's own messages."""
    name = library.symbols.schema.name
    found = []
    for one in load(name)[kind]:
        payload = next(
            (p for p in library.symbols.payloads if (p.name, p.kind) == (one["message"], one["kind"])), None
        )
        data = bytes.fromhex(one["data"])
        if payload is None or (payload.sequenced and not data):  # the core's, and refused by the core
            continue
        found.append((one["message"], one["kind"], data[payload.sequenced :], one))
    return found


def built_in(name: str, kind: str) -> int:
    """Return how many cases are of messages that are in no header."""
    return sum(one["message"] in BUILT_IN for one in load(name)[kind])


def test_c_reads_and_writes_the_vectors(library: Library) -> None:
    """Every vector of a message of the device's own."""
    name = library.symbols.schema.name
    cases = own_cases(library, "vectors")
    assert len(cases) == COUNTS[name]["vectors"] - built_in(name, "vectors")
    for message, kind, data, case in cases:
        assert library.unpack(message, kind, data) == case["fields"]
        if case.get("way") != "decode":
            assert library.pack(message, kind, case["fields"]) == data


def test_c_refuses_payloads_that_say_nothing(library: Library) -> None:
    """What is too short, too long or cut within a field."""
    name = library.symbols.schema.name
    cases = own_cases(library, "undecodable")
    unnumbered = (
        sum(not one["data"] for one in load(name)["undecodable"]) if library.symbols.schema.sequenced else 0
    )
    assert len(cases) == COUNTS[name]["undecodable"] - built_in(name, "undecodable") - unnumbered
    for message, kind, data, _case in cases:
        assert library.unpack(message, kind, data) is None


def payloads(library: Library, seed: int) -> Iterator[tuple[str, Kind, bytes]]:
    """Yield payloads of every message that may be right: those of the vectors, changed, and any bytes."""
    dice = random.Random(seed)
    known: dict[tuple[str, Kind], list[bytes]] = {}
    for message, kind, data, _case in own_cases(library, "vectors"):
        known.setdefault((message, kind), []).append(data)
    for one in library.symbols.payloads:
        for _ in range(RANDOM):
            data = dice.choice(known.get((one.name, one.kind), [b""]))
            yield one.name, one.kind, _changed(data, dice)


def _changed(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data if dice.random() < 0.8 else dice.randbytes(dice.randrange(60)))
    for _ in range(dice.randrange(3) if changed else 0):
        changed[dice.randrange(len(changed))] = dice.choice([0, 1, 2, 255, dice.randrange(256)])
    end = dice.choice([len(changed), len(changed), dice.randrange(len(changed) + 1)])
    return bytes(changed[:end]) + dice.randbytes(dice.choice([0, 0, 1, 3]))


def test_c_and_python_agree_on_any_payload(library: Library) -> None:
    """On whether it is one, on its values, and on the payload that those have."""
    taken = 0
    for name, kind, data in payloads(library, seed=4):
        layout = library.symbols.schema.layout(name, kind)
        assert layout is not None
        found = library.unpack(name, kind, data)
        try:
            values = layout.unpack(data)
        except PayloadError:
            assert found is None, (name, kind, data.hex())
            continue
        assert repr(found) == repr(values)  # so that what is no number is the same, too
        taken += 1
        with contextlib.suppress(PayloadError):  # a device may say what a host may not
            expected = layout.pack(values)
            assert library.pack(name, kind, values) == expected
            assert kind != "request" or library.allows(name, data)
    assert taken >= RANDOM * len(library.symbols.payloads) // 5


def test_c_never_touches_a_byte_beside_what_it_is_given(library: Library) -> None:
    """Payloads whole, cut, longer and random, under the address and the undefined-behaviour sanitizer."""
    symbols = library.symbols
    generated = {"device.h": generate(symbols.schema), "messages.h": _messages(symbols)}
    program = build(
        HOST, [SOURCE.with_name("c_memory.c")], flags=SANITIZERS, generated=generated, name="memory"
    )
    places = {(one.name, one.kind): at for at, one in enumerate(_with_fields(symbols))}
    cases = list(payloads(library, seed=5))
    for name, kind, data, _case in own_cases(library, "vectors"):
        cases += [(name, kind, data[:size]) for size in range(len(data) + 1)]
        cases.append((name, kind, data + b"\x01"))
    cases = [one for one in cases if one[:2] in places]
    lines = "".join(f"{places[name, kind]} {data.hex()}\n" for name, kind, data in cases)
    done = subprocess.run(
        [str(program)], input=lines, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr[:500]) == (0, "")
    expected = [library.unpack(*one) is not None for one in cases]
    assert [one == "taken" for one in done.stdout.split()] == expected
    assert 0 < sum(expected) < len(expected)


def _with_fields(symbols: Symbols) -> list[Payload]:
    return [one for one in symbols.payloads if one.fields]


def _messages(symbols: Symbols) -> str:
    """Return C with a table of all messages that have fields."""
    names = [symbols.record(one).name for one in _with_fields(symbols)]
    lines = [
        '#include "device.h"',
        "typedef struct message {",
        "size_t size;",
        "bool (*unpack)(void *to, const uint8_t *data, size_t size);",
        "bool (*pack)(const void *from, uint8_t *to, size_t room, size_t *size);",
        "} message;",
    ]
    for one in names:
        lines += [
            f"static bool u_{one}(void *t, const uint8_t *d, size_t s) {{ return {one}_unpack(t, d, s); }}",
            f"static bool p_{one}(const void *f, uint8_t *t, size_t r, size_t *s)",
            f"{{ return {one}_pack(f, t, r, s); }}",
        ]
    rows = [f"{{sizeof({one}), u_{one}, p_{one}}}," for one in names]
    return "\n".join([*lines, "static const message messages[] = {", *rows, "};", ""])


@pytest.mark.parametrize(
    ("message", "data", "changed"),
    [
        (
            "scaled",
            "d7003d2c0000a03f0c00000063",
            "e3043d2c0000a03f0c00000063",
        ),  # above max, of a scaled number
        ("scaled", "70fe3d2c0000a03f0c00000063", "6ffe3d2c0000a03f0c00000063"),  # below min
        ("scaled", "d7003d2c0000a03f0c00000064", "d7003d2c0000a03f0c00000065"),  # above max
        ("choices", "c8ffff0100020100", "c9ffff0100020100"),  # between labels
        ("choices", "c8ffff0100020100", "c8feff0100020100"),  # below the first
        ("choices", "c801000100020100", "c802000100020100"),  # above the last
        ("choices", "c8ffff0102000100", "c8ffff0103000100"),  # in an array
        ("flags", "20" + "00" * 14, "30" + "00" * 14),  # in some bits
        (
            "nested",
            "00" * 12 + "01" + "00" * 4 + "0231" + "00" * 5,
            "00" * 12 + "01" + "00" * 4 + "0331" + "00" * 5,
        ),
        (
            "nested",
            "00" * 12 + "01" + "00" * 4 + "0231" + "00" * 5,
            "00" * 12 + "01" + "00" * 4 + "0221" + "00" * 5,
        ),
    ],
)
def test_a_request_with_a_value_that_is_not_allowed_is_told(message: str, data: str, changed: str) -> None:
    """A payload that is right but for that; the same with the last value that is allowed is."""
    library = Library(schema_named("everything"))
    assert library.allows(message, bytes.fromhex(data))
    assert not library.allows(message, bytes.fromhex(changed))


@pytest.mark.parametrize(
    ("field", "allowed", "others"),
    [
        ('type = "f32", min = 0.1, max = 2', [0.1, 2], [0.09, 2.1, math.nan, math.inf]),
        ('type = "f32", scale = -2, offset = 1, min = -1', [1, -9], [1.1, math.nan]),
        ('type = "f64", max = 1e300', [1e300, 1e301], []),
        ('type = "f64", min = -1', [-1, 1e301], [-1.1, -math.inf, math.nan]),
    ],
)
def test_a_real_number_may_be_limited(field: str, allowed: list[float], others: list[float]) -> None:
    """What is no number is not within the limits; a limit that is no float on AVR is none."""
    text = f'[device]\nname = "d"\n[[command]]\nid = 32\nname = "a"\nrequest = [{{ name = "x", {field} }}]\n'
    library, code = Library(Schema.parse(text)), "<f" if "f32" in field else "<d"
    assert all(library.allows("a", struct.pack(code, one)) for one in allowed)
    assert not any(library.allows("a", struct.pack(code, one)) for one in others)


SMALL = """
[device]
name = "small"
[[command]]
id = 0x20
name = "put"
request = [
    { name = "values", type = "u16", count = "u8" },
    { name = "more", type = "u8", optional = true },
    { name = "most", type = "string", optional = true },
]
reply = [{ name = "real", type = "f64" }, { name = "turned", type = "f64", byte_order = "big" }]
[[command]]
id = 0x21
name = "long"
request = [{ name = "a", type = "bytes", size = "u8" }, { name = "b", type = "string", size = "u16" }]
reply = [{ name = "c", type = "bytes", size = "u16", byte_order = "big" }]
[[event]]
id = 0x30
name = "scaled"
fields = [
    { name = "a", type = "i8", scale = -0.3, offset = 7 },
    { name = "b", type = "u16", scale = 0.001 },
    { name = "c", type = "u64", scale = 0.5 },
    { name = "d", type = "i64", scale = 2 },
    { name = "e", type = "i16", scale = 1e-35 },
]
"""


@pytest.fixture(scope="module")
def small() -> Library:
    """A header with little room."""
    return Library(Schema.parse(SMALL), ["-DSMALL_MAX_DATA=12"])


def test_c_packs_nothing_that_does_not_fit(small: Library) -> None:
    """More values than there is room for, or a smaller payload than they need."""
    assert small.pack("put", "request", {"values": [1, 2]}, room=5) == bytes.fromhex("02 0100 0200")
    assert small.pack("put", "request", {"values": [1, 2]}, room=4) is None
    assert small.pack("put", "request", {"values": [0] * 5}) is not None
    assert small.pack("put", "request", {"values": [0] * 6}) is None
    assert small.unpack("put", "request", bytes([5, *range(10)])) is not None
    assert small.unpack("put", "request", bytes([6, *range(12)])) is None


def test_c_packs_no_optional_field_behind_a_missing_one(small: Library) -> None:
    """The payload would say something else."""
    assert small.pack("put", "request", {"values": [], "more": 7}) == b"\0\x07"
    assert small.pack("put", "request", {"values": [], "more": 7, "most": "x"}) == b"\0\x07x"
    assert small.pack("put", "request", {"values": [], "most": "x"}) is None


def test_c_packs_no_more_bytes_than_the_number_before_them_can_say(small: Library) -> None:
    """A payload of them would be of another length than it says."""
    most, room = b"x" * 0xFFFF, 70_000
    assert small.pack("long", "request", {"a": most[:255], "b": most.decode()}, room) is not None
    assert small.pack("long", "request", {"a": most[:256], "b": ""}, room) is None
    assert small.pack("long", "request", {"a": b"", "b": (most + b"x").decode()}, room) is None
    assert small.pack("long", "reply", {"c": most}, room) == b"\xff\xff" + most
    assert small.pack("long", "reply", {"c": most + b"x"}, room) is None


def test_the_room_for_values_is_never_none() -> None:
    """A limit with which a field could have no value at all does not compile."""
    with pytest.raises(ToolchainError, match="SMALL_MAX_DATA must be 4 or more"):
        Library(Schema.parse(SMALL), ["-DSMALL_MAX_DATA=3"])


def test_numbers_on_the_wire_and_values_are_each_others_nearest(small: Library) -> None:
    """There and back for every number, or for those near the ends; beyond the ends, the ends."""
    for name, field in small.symbols.scaled:
        to, back = getattr(small.c, f"{name}_to_units_"), getattr(small.c, f"{name}_from_units_")
        low, high = INTEGERS[field.type]
        exact = min(high, 1 << 53)  # a double keeps no more
        near = [*range(max(low, -300), 300), *(one for one in (-exact, exact - 1, exact) if low <= one)]
        for raw in range(low, high + 1) if field.type == "i8" else near:
            value = raw * field.scale + field.offset
            near_enough = 1e-6 * (abs(raw * field.scale) + abs(field.offset))
            assert to(raw) == pytest.approx(value, rel=0, abs=near_enough)
            assert back(to(raw)) == raw
        ends = sorted((low, high), key=lambda raw: raw * field.scale)
        assert [back(-math.inf), back(math.inf)] == ends
        assert back(math.nan) == low


REALS = [
    0.0,
    -0.0,
    1.5,
    -1 / 3,
    1e300,
    -1e300,
    1e-300,
    3.4028235677973366e38,
    3.4028235677973362e38,
    math.inf,
    -math.inf,
]


def test_an_f64_is_the_nearest_float_where_a_double_is_one() -> None:
    """As on AVR: against this computer's own conversion, for special, tiny and random numbers."""
    library, dice = Library(Schema.parse(SMALL), short_double=True), random.Random(6)
    tiny = [
        struct.unpack("<f", struct.pack("<I", bits))[0] for bits in (1, 2, 3, 0x7FFFFF, 0x800000, 0x800001)
    ]
    halves = [one * factor for one in tiny for factor in (0.5, 0.75, 1.25, 1.5, -2.5)]
    bits = [dice.getrandbits(64) for _ in range(2_000)]
    near = [dice.uniform(-1, 1) * 2.0 ** dice.randrange(-155, 130) for _ in range(2_000)]
    for value in [
        *REALS,
        *tiny,
        *halves,
        *near,
        *(struct.unpack("<d", one.to_bytes(8, "little"))[0] for one in bits),
    ]:
        data = struct.pack("<d", value) + struct.pack(">d", value)
        nearest = ctypes.c_float(value).value
        found = library.unpack("put", "reply", data)
        assert repr(found) == repr({"real": nearest, "turned": nearest}), value.hex()
        if not math.isnan(value):
            packed = library.pack("put", "reply", {"real": nearest, "turned": nearest})
            assert packed == struct.pack("<d", nearest) + struct.pack(">d", nearest)
