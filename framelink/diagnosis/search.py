"""The search: which frame format explains a capture best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from framelink.diagnosis.candidates import from_chain, from_marks
from framelink.diagnosis.capture import Capture
from framelink.diagnosis.chains import chains
from framelink.diagnosis.evidence import Evidence, judge
from framelink.wire import FrameFormat

CANDIDATES_MAX = 400  # formats that a capture is decoded with, at most; each takes some milliseconds
LINE_ENDS = (b"\r", b"\n")

ENOUGH_SHARE = 0.5  # a checked format that explains this share of the bytes leaves no other to be sought


def search(capture: Capture) -> list[Evidence]:
    """Return the formats that chance does not explain, the one that explains most first."""
    found = _judged(capture, _chained(capture))
    if not any(one.format.check != "none" and one.share >= ENOUGH_SHARE for one in found):
        found += _judged(capture, sorted(from_marks(capture), key=lambda one: one.check == "none"))
    return sorted(found, key=_rank, reverse=True)


def _rank(one: Evidence) -> tuple[int, ...]:
    """Return what makes a format the better explanation, the weightiest first.

    A frame ends where a line ends: bytes of a tail behind a line end are the next frame's header.  Where
    formats decode the same bytes: a zero beside len is half of it, and beside a sum too; line ends are
    rather a tail than a header; and what may be tail or data is data.
    """
    format = one.format
    sizes = format.checker.size, format.length_size
    marks = not format.header.startswith(LINE_ENDS), len(format.header), -len(format.tail)
    ends_in_time = b"\n" not in format.tail[:-1]
    return ends_in_time, one.bits, one.delivered, *sizes, *marks


def _chained(capture: Capture) -> Iterator[FrameFormat]:
    for chain in chains(capture):
        yield from from_chain(capture, chain)


def _judged(capture: Capture, formats: Iterable[FrameFormat]) -> list[Evidence]:
    """Decode with each format once, and return what convinces."""
    seen: dict[FrameFormat, Evidence] = {}
    for format in formats:
        if format not in seen:
            seen[format] = judge(capture, format)
        if len(seen) >= CANDIDATES_MAX:
            break
    return [one for one in seen.values() if one.convinces]
