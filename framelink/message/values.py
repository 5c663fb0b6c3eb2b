"""Values: from what a construct reads to one value of a field, and back to what it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from framelink.errors import PayloadError
from framelink.message.bits import bits_reader, bits_writer
from framelink.message.fields import LARGEST_F64, NUMBERS, Field
from framelink.message.labels import label_reader, label_writer
from framelink.message.problems import shown
from framelink.message.scaling import scaled_reader

Reader = Callable[[Any], Any]
Writer = Callable[[object], Any]

_MOST_BYTES: Final = {"u8": 0xFF, "u16": 0xFFFF}  # behind a number of that type


def range_of(field: Field) -> tuple[float, float]:
    """Return the smallest and the largest value that the field's type can hold, both finite."""
    scaled = _number_reader(field)
    low, high = sorted(scaled(end) for end in NUMBERS[field.type])
    return max(low, -LARGEST_F64), min(high, LARGEST_F64)


def number_text(number: float) -> str:
    """Return a number as an error shows it."""
    return str(number) if isinstance(number, int) else f"{number:.10g}"


def reader_of_one(field: Field, parameters: Mapping[int, Field]) -> Reader:
    """Return what makes one value of a field of what the construct read; `as_it_is` if that is the value."""
    if field.enum:
        return label_reader(field.enum)
    if field.bits:
        return bits_reader(field.bits)
    if field.type == "parameter":
        return _parameter_reader(parameters)
    return _number_reader(field) if field.type in NUMBERS else _reader_of_other(field)


def writer_of_one(field: Field, parameters: Mapping[int, Field]) -> Writer:
    """Return what makes what the construct writes of one value of a field.

    It raises PayloadError for a value that is not allowed; the message says what is.
    """
    if field.enum:
        return label_writer(field.enum)
    if field.bits:
        return bits_writer(field.bits)
    if field.type == "parameter":
        return _parameter_writer(parameters)
    if field.type in NUMBERS:
        return _number_writer(field)
    return {"bool": _raw_bool, "bytes": _bytes_writer(field), "string": _text_writer(field)}[field.type]


def as_it_is(raw: Any) -> Any:
    """Return what it is given."""
    return raw


def _number_reader(field: Field) -> Reader:
    return scaled_reader(field) if field.is_scaled else as_it_is


def _reader_of_other(field: Field) -> Reader:
    text = _filled_up_text if isinstance(field.size, int) else _text
    readers: dict[str, Reader] = {"bool": bool, "string": text}
    return readers.get(field.type, as_it_is)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _filled_up_text(raw: bytes) -> str:
    return _text(raw.partition(b"\0")[0])


def _number_writer(field: Field) -> Writer:
    low, high = _limits(field)
    allowed = f"{number_text(low)} to {number_text(high)}{field.unit and ' ' + field.unit}"
    unscaled = _unscaler(field)

    def write(value: object) -> int | float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise PayloadError(f"must be a number, not {shown(value)}")
        if not low <= value <= high:  # a NaN is refused as well
            raise PayloadError(f"must be {allowed}, not {shown(value)}")
        return unscaled(value)

    return write


def _limits(field: Field) -> tuple[float, float]:
    """Return the smallest and the largest value that may be sent."""
    low, high = range_of(field)
    return (
        low if field.min is None else max(low, field.min),
        high if field.max is None else min(high, field.max),
    )


def _unscaler(field: Field) -> Callable[[int | float], int | float]:
    """Return what makes a number on the wire of a value within the limits."""
    scale, offset = field.scale, field.offset
    first, last = NUMBERS[field.type]

    def nearest(value: float) -> float:  # at the very limits, floats may round beyond them
        return min(max((value - offset) / scale, first), last)

    if not field.is_whole:
        return nearest
    return (lambda value: round(nearest(value))) if field.is_scaled else _whole


def _whole(value: float) -> int:
    if value != int(value):
        raise PayloadError(f"must be a whole number, not {shown(value)}")
    return int(value)


def _raw_bool(value: object) -> int:
    if not isinstance(value, (int, float)) or value not in (0, 1):
        raise PayloadError(f"must be true or false, not {shown(value)}")
    return int(value)


def _bytes_writer(field: Field) -> Writer:
    require = _size_rule(field)

    def write(value: object) -> bytes:
        data = _raw_bytes(value)
        if isinstance(field.size, int) and len(data) < field.size:
            raise PayloadError(f"must have {field.size} bytes, not {len(data)}")
        return require(data)

    return write


def _text_writer(field: Field) -> Writer:
    require = _size_rule(field)
    if not isinstance(field.size, int):
        return lambda value: require(_raw_text(value))
    size = field.size

    def write(value: object) -> bytes:
        data = require(_raw_text(value))
        if b"\0" in data:  # it would end there
            raise PayloadError(f"must be text without the zero character, not {shown(value)}")
        return data.ljust(size, b"\0")

    return write


def _size_rule(field: Field) -> Callable[[bytes], bytes]:
    """Return what lets only those bytes pass for which the field has room."""
    size = field.size
    most = size if isinstance(size, int) else _MOST_BYTES.get(size or "")
    at_most = "" if field.type == "bytes" and isinstance(size, int) else "at most "

    def require(data: bytes) -> bytes:
        if most is not None and len(data) > most:
            raise PayloadError(f"must have {at_most}{most} bytes, not {len(data)}")
        return data

    return require


def _raw_bytes(value: object) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        return bytes.fromhex(value)  # type: ignore[arg-type]  # a non-string is the error we report
    except (TypeError, ValueError):
        raise PayloadError(f"must be bytes, or hex text such as 01 02, not {shown(value)}") from None


def _raw_text(value: object) -> bytes:
    if not isinstance(value, str):
        raise PayloadError(f"must be text, not {shown(value)}")
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise PayloadError(f"must be text that UTF-8 can write, not {shown(value)}") from None


def _parameter_reader(parameters: Mapping[int, Field]) -> Reader:
    """Return what makes a parameter's name of its number."""
    names = {number: one.name for number, one in parameters.items()}

    def read(number: int) -> str:
        if number not in names:
            raise PayloadError(f"the device has no parameter {number}")
        return names[number]

    return read


def _parameter_writer(parameters: Mapping[int, Field]) -> Writer:
    """Return what makes a parameter's number of its name or number."""
    numbers = {one.name: number for number, one in parameters.items()}

    def write(value: object) -> int:
        if isinstance(value, str) and value in numbers:
            return numbers[value]
        if isinstance(value, int) and value in parameters:
            return value
        known = ", ".join(numbers) or "none"
        raise PayloadError(f"must be one of the device's parameters ({known}), not {shown(value)}")

    return write
