"""The choice among formats that decode the same frames: rules, and what they leave open, in words.

Bytes alone do not always tell.  Each rule says which reading is the likelier, and each is told to the user.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import NamedTuple

from framelink.diagnosis.candidates import NAMES, named
from framelink.diagnosis.capture import Capture
from framelink.diagnosis.chains import MAX_FIELDS
from framelink.diagnosis.evidence import Evidence, judge
from framelink.wire import REPLY, FrameFormat
from framelink.wire.format import Field

SMALL_NUMBERS = bytes(range(0x20))
"""What stands behind a header and is always one of these is rather an address or a command than a mark."""

FEW = 0.5  # a field's values repeat: in twice as many frames as it has values, or more often
MANY = 5  # values: few devices are on a line, but several may report with one command
CLEARLY_FEWER = 1 / 3  # addresses are at most a third as many as commands, where that decides
PAIRED = 0.5  # the share of a column's values that come with bit 7 and without, where requests and replies do


def choose(capture: Capture, ranked: Sequence[Evidence]) -> Evidence:
    """Return the likeliest of the formats that explain a capture equally well.

    Args:
        capture: The capture.
        ranked: What convinces, the best first; at least one.
    """
    best = _with_shorter_header(capture, _with_fields_behind(ranked))
    return judge(capture, dataclasses.replace(best.format, fields=fields_told(best).fields))


# --- Fields behind a len that counts the frame -------------------------------------------------------------


def _with_fields_behind(ranked: Sequence[Evidence]) -> Evidence:
    best = ranked[0]
    family = [one for one in ranked if _differ_in_fields_alone(one, best)]
    wanted = _fields_behind(best)
    return min(family, key=lambda one: abs(_behind(one.format) - wanted))


def _differ_in_fields_alone(one: Evidence, best: Evidence) -> bool:
    same = dataclasses.replace(one.format, fields=best.format.fields) == best.format
    before = _before(one.format) == _before(best.format)
    return same and before and one.offsets == best.offsets


def _before(format: FrameFormat) -> int:
    return format.fields.index("len")


def _behind(format: FrameFormat) -> int:
    return len(format.fields) - 1 - _before(format)


def _fields_behind(best: Evidence) -> int:
    """Return how many of the bytes behind len are fields: those whose values repeat, as fields' do.

    If not even the bytes before len repeat, this tells nothing, and both addr and cmd are taken to exist.
    """
    before, room = _before(best.format), MAX_FIELDS - _before(best.format)
    first = len(best.format.header)
    if not all(_repeats(best.column(first + place)) for place in range(before)):
        return room
    behind = first + before + best.format.length_size
    return sum(1 for _ in takewhile(_repeats, (best.column(behind + place) for place in range(room))))


def _repeats(values: Sequence[int]) -> bool:
    return len(set(values)) <= FEW * len(values)


# --- The header's end -------------------------------------------------------------------------------------


def _with_shorter_header(capture: Capture, best: Evidence) -> Evidence:
    """Return the format with the header's last bytes as fields or half of len, if they rather are that."""
    for _ in range(MAX_FIELDS):
        shorter = shortened(best.format)
        if shorter is None:
            break
        other = judge(capture, shorter)
        if other.payloads != best.payloads:
            break
        best = other
    return best


def shortened(format: FrameFormat) -> FrameFormat | None:
    """Return the format with the header's last byte as what it may be else; None if it is surely a mark.

    Small numbers are addresses and commands rather than marks, and a zero before len is its high byte.
    """
    header, last = format.header[:-1], format.header[-1:]
    if not header or last not in SMALL_NUMBERS:
        return None
    if last == b"\0" and format.fields[0] == "len" and format.length_size == 1:
        return dataclasses.replace(format, header=header, length_size=2, length_order="big")
    if len(format.fields) > MAX_FIELDS:
        return None
    return dataclasses.replace(format, header=header, fields=named(_before(format) + 1, _behind(format)))


# --- Which field is which ---------------------------------------------------------------------------------


class Told(NamedTuple):
    """Which field is which.

    Attributes:
        fields: The fields in the order of the wire.
        doubt: Why they may be otherwise; empty if the bytes tell.
    """

    fields: tuple[Field, ...]
    doubt: str


def fields_told(best: Evidence) -> Told:
    """Return the fields of a format by their likeliest names."""
    fields, columns = best.format.fields, _columns(best)
    if len(columns) == MAX_FIELDS:
        for rule in _ORDER_RULES:
            if said := rule(*columns):
                addr_first, doubt = said
                return Told(_renamed(fields, NAMES if addr_first else NAMES[::-1]), doubt)
        return Told(_renamed(fields, NAMES), "nothing tells addr from cmd; addr is taken to come first")
    if len(columns) == 1:
        steady = len(set(columns[0])) == 1
        doubt = (
            f"there is one field beside len; its value {'never changes' if steady else 'changes'}, so it is"
            f" taken for {NAMES[not steady]}"
        )
        return Told(_renamed(fields, NAMES[not steady :]), doubt)
    return Told(fields, "")


def _renamed(fields: Sequence[Field], names: Sequence[Field]) -> tuple[Field, ...]:
    left = iter(names)
    return tuple(one if one == "len" else next(left) for one in fields)


def _columns(best: Evidence) -> list[list[int]]:
    """Return the values of the fields that are not len, in wire order."""
    format, at, columns = best.format, len(best.format.header), []
    for one in format.fields:
        if one == "len":
            at += format.length_size
        else:
            columns.append(best.column(at))
            at += 1
    return columns


def _by_replies(first: list[int], second: list[int]) -> tuple[bool, str] | None:
    """Commands come in pairs: the request's, and the same with bit 7 set."""
    paired = [_paired_share(one) >= PAIRED for one in (first, second)]
    if paired[0] == paired[1]:
        return None
    return paired[1], ""


def _paired_share(values: Sequence[int]) -> float:
    distinct = set(values)
    return sum(value ^ REPLY in distinct for value in distinct) / max(len(distinct), 1)


def _by_number(first: list[int], second: list[int]) -> tuple[bool, str] | None:
    """There are fewer devices than commands."""
    numbers = len(set(first)), len(set(second))
    if max(numbers) < MANY or min(numbers) > CLEARLY_FEWER * max(numbers):
        return None
    doubt = "addr and cmd are told apart by their numbers of values alone:"
    return numbers[0] < numbers[1], f"{doubt} {min(numbers)} addresses, {max(numbers)} commands"


_OrderRule = Callable[[list[int], list[int]], tuple[bool, str] | None]
_ORDER_RULES: tuple[_OrderRule, ...] = (_by_replies, _by_number)
