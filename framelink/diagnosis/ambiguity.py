"""What the bytes leave open about a chosen frame format, in words: one rule for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from framelink.diagnosis.capture import Capture
from framelink.diagnosis.choice import fields_told
from framelink.diagnosis.evidence import Evidence, judge
from framelink.wire.format import MAX_HEADER


def ambiguities(best: Evidence, ranked: Sequence[Evidence]) -> tuple[str, ...]:
    """Return a sentence for everything that the bytes leave open.

    Args:
        best: The chosen format.
        ranked: All that convinced.
    """
    return tuple(sentence for rule in _RULES for sentence in rule(best, ranked))


_Rule = Callable[[Evidence, Sequence[Evidence]], Iterator[str]]


def _unchecked(best: Evidence, _ranked: Sequence[Evidence]) -> Iterator[str]:
    if best.format.check == "none":
        yield "no check agrees with the bytes, so damaged frames cannot be told from intact ones"


def _one_length(best: Evidence, _ranked: Sequence[Evidence]) -> Iterator[str]:
    if len({len(one.data) for one in best.frames}) == 1:
        yield "all frames have the same length; frames of other lengths would show what len counts"


def _data_begin(best: Evidence, _ranked: Sequence[Evidence]) -> Iterator[str]:
    if best.format.length_counts == "frame":
        yield (
            "len counts the whole frame, so nothing shows where the data begin: a byte behind len is taken"
            " for a field if its values repeat"
        )


def _names_of_fields(best: Evidence, _ranked: Sequence[Evidence]) -> Iterator[str]:
    if doubt := fields_told(best).doubt:
        yield doubt


def _zero_in_len(best: Evidence, _ranked: Sequence[Evidence]) -> Iterator[str]:
    format = best.format
    if format.length_size == 2 and max(len(one.data) for one in best.frames) + format.length_bias <= 0xFF:
        yield "the high byte of len was always 0; it may be a field beside a len of one byte"


def _field_in_header(best: Evidence, _ranked: Sequence[Evidence]) -> Iterator[str]:
    format, size = best.format, len(best.format.header)
    values = set(best.column(size))
    if format.fields[0] == "len" or len(values) != 1 or size == MAX_HEADER:
        return
    byte = bytes(values)
    longer = dataclasses.replace(format, header=format.header + byte, fields=format.fields[1:])
    if judge(Capture(best.data), longer).payloads == best.payloads:
        yield f"the {byte.hex().upper()} behind the header is always the same; it may belong to the header"


def _other_check(best: Evidence, ranked: Sequence[Evidence]) -> Iterator[str]:
    own = _check(best)
    others = {_check(one) for one in ranked if one.payloads == best.payloads} - {own}
    if others:
        yield f"other checks agree with all frames as well: {', '.join(sorted(others))}"


def _check(one: Evidence) -> str:
    format = one.format
    order = f", {format.check_order}" if format.checker.size > 1 else ""
    return f"{format.check}{order}{' with the header' if format.check_covers_header else ''}"


def _other_beginning(best: Evidence, ranked: Sequence[Evidence]) -> Iterator[str]:
    own = set(best.payloads)
    for one in ranked:
        format = one.format
        same = format.check == best.format.check and set(one.payloads) <= own
        if same and one.offsets[0] not in best.offsets and len(one.frames) >= len(best.frames) - 1:
            yield (
                f"header {format.header.hex(' ').upper()} with tail {format.tail.hex(' ').upper() or 'none'}"
                " explains all frames but one as well; a capture with pauses would tell"
            )
            return


_RULES: tuple[_Rule, ...] = (
    _unchecked,
    _one_length,
    _data_begin,
    _names_of_fields,
    _zero_in_len,
    _field_in_header,
    _other_check,
    _other_beginning,
)
