"""Functions that tell whether a payload's values are ones that the schema allows to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from framelink.codegen.c_code import fail_if
from framelink.codegen.c_symbols import BitField, Record, Symbols
from framelink.codegen.c_text import INDENT, function, number_literal
from framelink.codegen.model import limits_of
from framelink.message import Field
from framelink.message.fields import INTEGERS, NUMBERS
from framelink.message.parts import Part
from framelink.message.values import reader_of_one

_CALL = "_is_allowed"
_LARGEST = 1e38  # near the largest float; a limit above it is none where a double is a float


def raw_limits(field: Field) -> tuple[int, int]:
    """Return the smallest and the largest number on the wire that is allowed for a whole number."""
    if field.type == "bool":
        return 0, 1
    if field.enum:
        return min(field.enum.values()), max(field.enum.values())
    first, last = INTEGERS[field.type]
    if field.min is None and field.max is None:
        return first, last
    low, high = limits_of(field)
    read = reader_of_one(field, {})
    ends = sorted(round((one - field.offset) / field.scale) for one in (low, high))
    nearest = [min(max(one, first), last) for one in ends]  # may be a step outside of the limits
    allowed = [low <= read(one) <= high for one in nearest]
    return nearest[0] + (not allowed[0]), nearest[1] - (not allowed[1])


class Limits:
    """The functions for some of a schema's structs: those in which a value may be wrong.

    Args:
        symbols: The names of everything.
    """

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        self._limited: set[str] = set()
        self.lines: list[str] = []
        for bits in symbols.bit_fields.values():
            self._add(bits.name, self._bits(bits))
        for record in symbols.structs.values():
            self._add(record.name, self._body(record))
        for payload in symbols.payloads:
            if payload.kind == "request":
                record = symbols.record(payload)
                self._add(record.name, self._body(record))

    def check(self, record: Record, value: str) -> str:
        """Return the call that tells whether a value is allowed; empty if every one is."""
        return f"{record.name}{_CALL}({value})" if record.name in self._limited else ""

    def _add(self, name: str, body: list[str]) -> None:
        if body:
            self._limited.add(name)
            head = f"static inline FL_MUST_CHECK bool {name}{_CALL}(const {name} *from)"
            self.lines += function(head, [*body, "return true;"])

    def _body(self, record: Record) -> list[str]:
        return [line for part in record.parts for line in self._field(record, part)]

    def _field(self, record: Record, part: Part) -> list[str]:
        own = record.members[part.field.name]
        many = part.field.count is not None
        target = f"from->{own.value}[n]" if many else f"from->{own.value}"
        problems = list(self._problems(part, target))
        if own.has and not many:
            problems = [f"from->{own.has} && ({one})" for one in problems]
        lines = [line for one in problems for line in fail_if(one)]
        if many and lines:
            count = f"from->{own.count}" if own.count else str(part.field.count)
            return [f"for (size_t n = 0; n < {count}; n++) {{", *(INDENT + one for one in lines), "}"]
        return lines

    def _problems(self, part: Part, target: str) -> Iterable[str]:
        """Return conditions, one of which a value that is not allowed fulfils."""
        field = part.field
        if part.members or field.bits:
            kind = self._symbols.structs[field.type] if part.members else self._symbols.bit_field(part)
            return [f"!{kind.name}{_CALL}(&{target})"] if kind.name in self._limited else []
        if field.enum:
            return _no_label(
                self._symbols.enum(field.name, field.enum).constants, target, *INTEGERS[field.type]
            )
        if field.type not in NUMBERS or (field.min is None and field.max is None):
            return []
        return _outside(field, target) if field.is_whole else _real_outside(field, target)

    def _bits(self, bits: BitField) -> list[str]:
        lines: list[str] = []
        for one in bits.part.field.bits:
            if one.name and one.enum:
                labels = self._symbols.enum(one.name, one.enum).constants
                for problem in _no_label(labels, f"from->{bits.members[one.name]}", 0, (1 << one.width) - 1):
                    lines += fail_if(problem)
        return lines


def _no_label(constants: Mapping[str, int], target: str, first: int, last: int) -> list[str]:
    """Return the conditions of a number without a label, of a type from `first` to `last`."""
    names = sorted(constants, key=lambda name: constants[name])
    low, high = constants[names[0]], constants[names[-1]]
    if high - low + 1 > len(names):
        return [" && ".join(f"{target} != {one}" for one in names)]
    below = [f"{target} < {names[0]}"] if low > first else []
    return [*below, *([f"{target} > {names[-1]}"] if high < last else [])]


def _outside(field: Field, target: str) -> list[str]:
    """Return the conditions of a whole number that is not allowed."""
    (low, high), (first, last) = raw_limits(field), INTEGERS[field.type]
    below = [f"{target} < {number_literal(low)}"] if low > first else []
    return [*below, *([f"{target} > {number_literal(high)}"] if high < last else [])]


def _real_outside(field: Field, target: str) -> list[str]:
    """Return the conditions of a real number that is not allowed, or is no number."""
    signs = {">=": field.min, "<=": field.max} if field.scale > 0 else {"<=": field.min, ">=": field.max}
    ends = {sign: (end - field.offset) / field.scale for sign, end in signs.items() if end is not None}
    suffix = "F" if field.type == "f32" else ""
    return [f"!({target} {sign} {end!r}{suffix})" for sign, end in ends.items() if abs(end) < _LARGEST]
