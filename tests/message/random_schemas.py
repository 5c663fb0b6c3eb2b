"""Random schemas, with fields of every kind, and values that their messages may have."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from framelink.message import TYPES, Kind, Schema

Entry = dict[str, Any]

NAMES = st.sampled_from(
    ["a", "b", "c", "this", "class", "items", "io", "größe", "x_1", "data", "frame", "v0"]
)
LABELS = st.sampled_from(["off", "on", "a b", "ü", "'", "{", ""])
INTEGERS = [one for one in TYPES if one[0] in "ui" and one[1:].isdigit()]
UNSIGNED = [one for one in INTEGERS if one[0] == "u"]
FLOATS = ["f32", "f64"]
SCALES = [0.1, 0.001, 0.25, 3.0, -2.0, 1e-12, 1e6]
OFFSETS = [0.0, -40.0, 273.15, 1000.0]
EXTREMES = [5e-324, -1e-300, 1e17, -1e308, 1.7e308]
ORDERS = ["little", "big"]
PREFIXES = ["u8", "u16"]
CMD, EVENT_ID = 0x30, 0x31
MAX_DATA = 1000
HUGE = "a huge number"
STRUCTS = ["s", "t"]  # t may have s in it


def toml(value: Any) -> str:
    """Return a value as TOML writes it in a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if value == HUGE:
        return "0x" + "f" * 5000  # more digits than Python would show
    return repr(value) if type(value) in (int, float) else json.dumps(value, ensure_ascii=False)


def range_of(type_: str) -> tuple[int, int]:
    """Return the smallest and the largest integer of a type."""
    bits = int(type_[1:])
    return (0, 2**bits - 1) if type_[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@st.composite
def integers(draw: st.DrawFn) -> Entry:
    """An integer, perhaps with limits."""
    type_ = draw(st.sampled_from(INTEGERS))
    if draw(st.booleans()):
        return {"type": type_}
    low, high = sorted(draw(st.lists(st.integers(*range_of(type_)), min_size=2, max_size=2)))
    return {"type": type_, "min": float(low), "max": float(high)} if high < 2**53 > -low else {"type": type_}


@st.composite
def enums(draw: st.DrawFn, type_: str | None = None, last: int | None = None) -> Entry:
    """An integer with labels."""
    type_ = type_ or draw(st.sampled_from(INTEGERS))
    first, largest = range_of(type_) if last is None else (0, last)
    numbers = draw(st.lists(st.integers(first, largest), min_size=1, max_size=4, unique=True))
    return {"type": type_, "enum": dict(zip(draw(st.lists(LABELS, unique=True)), numbers, strict=False))}


@st.composite
def bit_fields(draw: st.DrawFn) -> Entry:
    """Parts of an unsigned integer, some of them reserved."""
    type_ = draw(st.sampled_from(UNSIGNED))
    left = int(type_[1:])
    bits: list[Entry] = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        width = draw(st.integers(1, left))
        one: Entry = {"name": name, "width": width}
        is_reserved, is_enum = draw(st.tuples(st.booleans(), st.booleans()))
        if bits and is_reserved:
            one = {"width": width}
        elif is_enum:
            one["enum"] = draw(enums(last=(1 << width) - 1))["enum"]
        bits.append(one)
        left -= width
        if not left:
            break
    return {"type": type_, "bits": bits}


def scaled(types: list[str], scales: list[float], offsets: list[float]) -> st.SearchStrategy[Entry]:
    """A number, scaled."""
    keys = {"type": st.sampled_from(types), "scale": st.sampled_from(scales)}
    return st.fixed_dictionaries(keys, optional={"offset": st.sampled_from(offsets)})


def turned(numbers: st.SearchStrategy[Entry]) -> st.SearchStrategy[Entry]:
    """These, perhaps in a byte order of their own."""
    return st.builds(
        lambda one, order: one if order is None else one | {"byte_order": order},
        numbers,
        st.sampled_from([None, None, *ORDERS]),
    )


def counted(ones: st.SearchStrategy[Entry]) -> st.SearchStrategy[Entry]:
    """Several of these."""
    counts = st.integers(1, 4) | st.sampled_from(PREFIXES)
    return st.builds(lambda one, count: one | {"count": count}, ones, counts)


def sized() -> st.SearchStrategy[Entry]:
    """Bytes and texts that say how long they are."""
    sizes = st.integers(1, 9) | st.sampled_from(PREFIXES)
    return st.fixed_dictionaries({"type": st.sampled_from(["bytes", "string"]), "size": sizes})


EXACT_NUMBERS = st.one_of(
    integers(),
    scaled([one for one in INTEGERS if "64" not in one], SCALES, OFFSETS),
    st.sampled_from([{"type": one} for one in FLOATS]),
)
EXTREME_NUMBERS = scaled([*INTEGERS, *FLOATS], SCALES + EXTREMES, OFFSETS + EXTREMES)


def ones_of(numbers: st.SearchStrategy[Entry]) -> st.SearchStrategy[Entry]:
    """Fields that are one value or several, but no struct."""
    one = st.one_of(
        turned(numbers), turned(enums()), turned(bit_fields()), st.just({"type": "bool"}), sized()
    )
    return one | counted(one)


EXACT = ones_of(EXACT_NUMBERS)
ANY = ones_of(EXACT_NUMBERS | EXTREME_NUMBERS)


def named(parts: list[Entry], names: list[str]) -> list[Entry]:
    """Return fields with names."""
    return [{"name": name, **part} for name, part in zip(names, parts, strict=False)]


@st.composite
def structs(draw: st.DrawFn, ones: st.SearchStrategy[Entry]) -> list[Entry]:
    """Two structs, one perhaps in the other."""
    found, inner = [], ones
    for name in STRUCTS:
        parts = draw(st.lists(inner, min_size=1, max_size=3))
        found.append({"name": name, "fields": named(parts, draw(st.permutations(["a", "b", "items"])))})
        inner = ones | with_structs([name])
    return found


def with_structs(names: list[str]) -> st.SearchStrategy[Entry]:
    """Fields of a struct, or several of them."""
    one = st.sampled_from([{"type": name} for name in names])
    return one | st.builds(lambda one, count: one | {"count": count}, one, st.sampled_from([1, 2, "u8"]))


RESTS = st.sampled_from(
    [[{"type": "string"}], [{"type": "bytes"}], [{"type": "parameter"}, {"type": "value"}]]
)


def rests(ones: st.SearchStrategy[Entry]) -> st.SearchStrategy[list[Entry]]:
    """What may stand at the end."""
    to_the_end = ones.filter(lambda one: "count" not in one).map(lambda one: [one | {"count": "rest"}])
    return st.just([]) | RESTS | to_the_end


@st.composite
def payloads(draw: st.DrawFn, ones: st.SearchStrategy[Entry]) -> list[Entry]:
    """The fields of a payload, the last ones perhaps optional."""
    parts = [*draw(st.lists(ones, max_size=4)), *draw(rests(ones))]
    names = draw(st.lists(NAMES, min_size=len(parts), max_size=len(parts), unique=True))
    fields = named(parts, names)
    if fields and fields[-1]["type"] != "value":
        for one in fields[draw(st.integers(0, len(fields))) :]:
            one.update(draw(st.sampled_from([{"optional": True}, {"since": 2}])))
    return fields


@st.composite
def documents(draw: st.DrawFn, ones: st.SearchStrategy[Entry]) -> Entry:
    """A schema that is valid."""
    own = draw(structs(ones))
    fields = ones | with_structs(STRUCTS)
    parameters = draw(st.lists(fields | st.just({"type": "string"}), max_size=3))
    names = draw(st.lists(NAMES, min_size=len(parameters), max_size=len(parameters), unique=True))
    command = {"id": CMD, "name": "c", "request": draw(payloads(fields)), "reply": draw(payloads(fields))}
    reply_id = draw(st.sampled_from([None, 0x32, 0xC0]))
    device = {
        "name": "x",
        "standard": draw(st.booleans()),
        "byte_order": draw(st.sampled_from(ORDERS)),
        "sequenced": draw(st.booleans()),
    }
    return {
        "device": device | draw(st.sampled_from([{}, {"version": 2}])),
        "frame": {"length_size": 2, "max_data": MAX_DATA},
        "struct": own,
        "command": [command | ({"reply_id": reply_id} if reply_id else {})],
        "event": [{"id": EVENT_ID, "name": "e", "fields": draw(payloads(fields))}],
        "parameter": [{"id": at, **one} for at, one in enumerate(named(parameters, names))],
    }


def schema_of(document: Entry) -> Schema:
    """Return the schema of a document, by way of its text."""
    return Schema.parse("\n".join(f"{key} = {toml(value)}" for key, value in document.items()))


def messages_of(document: Entry) -> list[tuple[str, Kind, list[Entry]]]:
    """Return name, kind and fields of each message of its own."""
    (command,), (event,) = document["command"], document["event"]
    return [
        ("c", "request", command["request"]),
        ("c", "reply", command["reply"]),
        ("e", "event", event["fields"]),
    ]


class Values:
    """Makes values that fields of a document may have."""

    def __init__(self, document: Entry) -> None:
        self._structs = {one["name"]: one["fields"] for one in document["struct"]}
        self._parameters: list[Entry] = document["parameter"]

    def of(self, fields: list[Entry]) -> st.SearchStrategy[Entry]:
        """Values of a payload's fields, the last optional ones perhaps missing."""
        if fields and fields[-1]["type"] == "value":
            return self._typed(fields)
        first = next(
            (at for at, one in enumerate(fields) if "optional" in one or "since" in one), len(fields)
        )
        ends = st.integers(first, len(fields))
        return ends.flatmap(lambda end: self._all(fields[:end])).map(
            lambda values: self._shown(fields, values)
        )

    def has_any(self, fields: list[Entry]) -> bool:
        """Tell whether there are such values: a value needs a parameter."""
        return bool(self._parameters) or not fields or fields[-1]["type"] != "value"

    def _all(self, fields: list[Entry]) -> st.SearchStrategy[Entry]:
        return st.fixed_dictionaries({one["name"]: self._one(one) for one in fields})

    def _typed(self, fields: list[Entry]) -> st.SearchStrategy[Entry]:
        *plain, parameter, value = fields
        return st.sampled_from(self._parameters).flatmap(
            lambda one: st.fixed_dictionaries(
                {field["name"]: self._one(field) for field in plain}
                | {parameter["name"]: st.just(one["name"]), value["name"]: self._one(one)}
            )
        )

    @staticmethod
    def _shown(fields: list[Entry], values: Entry) -> Entry:
        """Return the values without an optional last one that takes no bytes, which is as if it were not there."""
        last = fields[len(values) - 1] if values else {}
        if ("optional" in last or "since" in last) and is_rest(last) and not values[last["name"]]:
            return {name: value for name, value in values.items() if name != last["name"]}
        return values

    def _one(self, field: Entry) -> st.SearchStrategy[Any]:
        count = field.get("count")
        if count is not None:
            item = self._one({key: value for key, value in field.items() if key != "count"})
            least, most = (count, count) if isinstance(count, int) else (0, 3)
            return st.lists(item, min_size=least, max_size=most)
        if field["type"] in self._structs:
            return self._all(self._structs[field["type"]])
        return single(field)


def is_rest(field: Entry) -> bool:
    """Tell whether a field takes what is left of the payload."""
    return field.get("count") == "rest" or (field["type"] in ("bytes", "string") and "size" not in field)


def single(field: Entry) -> st.SearchStrategy[Any]:
    """A value of a field that is one, and no struct."""
    if field.get("enum"):
        return st.sampled_from(list(field["enum"]))
    if field.get("bits"):
        parts = {one["name"]: part(one) for one in field["bits"] if "name" in one}
        return st.fixed_dictionaries(parts)
    if field["type"] in INTEGERS:
        return integer_of(field)
    return other(field["type"], field.get("size"))


def other(type_: str, size: int | str | None) -> st.SearchStrategy[Any]:
    """A value of a type that is no integer."""
    if type_ in FLOATS:
        return st.floats(width=int(type_[1:]), allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]  # 32, 64
    if type_ == "bool":
        return st.booleans()
    if not isinstance(size, int):
        return st.binary(max_size=9) if type_ == "bytes" else st.text(max_size=9)
    if type_ == "bytes":
        return st.binary(min_size=size, max_size=size)
    return st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=size).filter(
        lambda text: len(text.encode()) <= size
    )


def part(bit: Entry) -> st.SearchStrategy[Any]:
    """A part of a bit field."""
    if bit.get("enum"):
        return st.sampled_from(list(bit["enum"]))
    return st.booleans() if bit["width"] == 1 else st.integers(0, (1 << bit["width"]) - 1)


def integer_of(field: Entry) -> st.SearchStrategy[Any]:
    """A number that an integer may have, as people would work it out from scale and offset."""
    low, high = range_of(field["type"])
    if "scale" not in field:
        return st.integers(int(field.get("min", low)), int(field.get("max", high)))
    scale, offset = Decimal(repr(field["scale"])), Decimal(repr(field.get("offset", 0.0)))
    return st.integers(low, high).map(lambda raw: float(raw * scale + offset))
