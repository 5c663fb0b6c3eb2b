"""Values: from what a construct reads to a field's value, and back to what it writes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from framelink.errors import PayloadError
from framelink.message.fields import LARGEST_F64, NUMBERS, Field, Value

Reader = Callable[[Any], Any]
Writer = Callable[[object], Any]

_SHOWN_LETTERS = 60  # of a value that is refused; an error is one line


def reader_of(field: Field) -> Callable[[Any], Value]:
    """Return what makes the value of what the construct read."""
    one = _one_reader(field)
    return one if field.count is None else lambda raw: [one(each) for each in raw]


def writer_of(field: Field) -> Writer:
    """Return what makes what the construct writes of a value.

    It raises PayloadError for a value that is not allowed; the message says what is.
    """
    one, count = _one_writer(field), field.count
    if count is None:
        return one

    def write(value: object) -> list[Any]:
        if not isinstance(value, list) or len(value) != count:
            raise PayloadError(f"must be a list of {count} numbers, not {shown(value)}")
        return [one(each) for each in value]

    return write


def range_of(field: Field) -> tuple[float, float]:
    """Return the smallest and the largest value that the field's type can hold, both finite."""
    scaled = _one_reader(field)
    low, high = sorted(scaled(end) for end in NUMBERS[field.type])
    return max(low, -LARGEST_F64), min(high, LARGEST_F64)


def shown(value: object) -> str:
    """Return a value as an error shows it, whatever it is."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - an integer of too many digits, a list in itself: whatever a caller has
        return f"this {type(value).__name__}"
    return text if len(text) <= _SHOWN_LETTERS else f"{text[:_SHOWN_LETTERS]}…"


def _one_reader(field: Field) -> Reader:
    if field.enum:
        labels = {number: label for label, number in field.enum.items()}
        return lambda raw: labels.get(raw, raw)  # a newer device may know more
    if field.is_scaled:
        return _scaled_reader(field)
    readers: dict[str, Reader] = {"bool": bool, "string": _text}
    return readers.get(field.type, _as_it_is)


def _scaled_reader(field: Field) -> Reader:
    scale, offset = field.scale, field.offset
    if not field.is_whole:
        return lambda raw: raw * scale + offset
    # A whole number × scale + offset has no more decimals than they have: 3 × 0.1 reads 0.3.
    digits = max(_decimals(scale), _decimals(offset))
    return lambda raw: round(raw * scale + offset, digits)


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).as_tuple().exponent
    assert isinstance(exponent, int)  # the number is finite
    return max(0, -exponent)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _as_it_is(raw: Any) -> Any:
    return raw


def _one_writer(field: Field) -> Writer:
    if field.enum:
        return _label_writer(field)
    if field.type in NUMBERS:
        return _number_writer(field)
    return {"bool": _raw_bool, "bytes": _raw_bytes, "string": _raw_text}[field.type]


def _label_writer(field: Field) -> Writer:
    numbers, allowed = dict(field.enum), set(field.enum.values())

    def write(value: object) -> int:
        if isinstance(value, str) and value in numbers:
            return numbers[value]
        if isinstance(value, int) and value in allowed:
            return value
        raise PayloadError(f"must be one of {', '.join(numbers)}, not {shown(value)}")

    return write


def _number_writer(field: Field) -> Writer:
    low, high = _limits(field)
    allowed = f"{low:.10g} to {high:.10g}{field.unit and ' ' + field.unit}"
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
