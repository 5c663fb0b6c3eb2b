"""Candidates: the frame formats that may explain a capture, to be judged by what they decode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from framelink.diagnosis.agreement import CheckRule, Span, agreeing
from framelink.diagnosis.capture import CONSTANT, LENGTH_KINDS, Capture, LengthKind, column, common, spread
from framelink.diagnosis.chains import MAX_CHECK, MAX_FIELDS, MIN_STARTS, Chain
from framelink.wire import FrameFormat
from framelink.wire.format import MAX_HEADER, MAX_TAIL, Field

TRIED_MAX = 24  # frames on which checks are tried
CHAIN_SHARE = 0.4  # of the frames of a chain, the share with which a check must agree; few of them are false
MARK_SHARE = 0.25  # the same of all that begins with a mark: payloads hold it too
FIRST_BYTES = 12  # of frames with gaps: the most common bytes, as which a header may begin
FOLLOWS = 0.5  # share of a mark's places at which the next byte is the same, so that it may belong to it
TAIL_SEEN = 0.35  # share of what begins with a mark that ends in the same byte, so that this may be a tail
SPAN_MAX = 4_096  # bytes; frames with gaps between them are searched up to this length, for the time's sake


NAMES: tuple[Field, ...] = ("addr", "cmd")


class Shape(NamedTuple):
    """All of a frame format but its check and tail.

    Attributes:
        header: The header.
        before: Fields before len.
        kind: How len is written.
        counts_frame: Whether it counts the frame, else the data.
    """

    header: bytes
    before: int
    kind: LengthKind
    counts_frame: bool

    @property
    def place(self) -> int:
        """Where len stands in a frame."""
        return len(self.header) + self.before

    @property
    def spare(self) -> range:
        """How many fields may stand behind len."""
        return range(MAX_FIELDS - self.before + 1)

    def format(self, behind: int, check: CheckRule, tail: bytes) -> FrameFormat:
        """Return the format with so many fields behind len, this check and this tail."""
        return FrameFormat(
            header=self.header,
            tail=tail,
            fields=named(self.before, behind),
            length_size=self.kind.size,
            length_order=self.kind.order,
            length_counts="frame" if self.counts_frame else "data",
            check=check.check,
            check_order=check.order,
            check_covers_header=check.covers_header,
        )


def named(before: int, behind: int) -> tuple[Field, ...]:
    """Return fields by their places alone: addr before cmd, and a single one is cmd."""
    names = NAMES[MAX_FIELDS - before - behind :]
    return *names[:before], "len", *names[before:]


# --- Frames that follow each other without a gap ----------------------------------------------------------


def from_chain(capture: Capture, chain: Chain) -> Iterator[FrameFormat]:
    """Yield the formats that a chain allows.

    A chain tells how far it is from frame to frame, and so not with which of the constant bytes between two
    payloads a frame begins; each is a candidate.
    """
    place, kind, extra = chain.rule
    constant = {
        at: byte
        for at in range(-MAX_HEADER, place)
        for byte, share in [common(column(capture.data, chain.starts, at))]
        if share >= CONSTANT
    }
    for first in range(-MAX_HEADER, place):
        for size in range(1, MAX_HEADER + 1):
            header = bytes(constant[at] for at in range(first, first + size) if at in constant)
            before = place - first - size
            if len(header) == size and 0 <= before <= MAX_FIELDS:
                starts = [
                    one + first
                    for one in chain.starts
                    if capture.data.startswith(header, max(one + first, 0))
                ]
                shape = Shape(header, before, kind, counts_frame=extra == 0)
                yield from _of_chain(capture, shape, [one for one in starts if one >= 0], extra)


def _of_chain(capture: Capture, shape: Shape, starts: Sequence[int], extra: int) -> Iterator[FrameFormat]:
    lengths = capture.lengths[shape.kind]
    reach = [Span(one, one + lengths[one + shape.place] + extra) for one in starts]
    frames = spread(_different(capture.data, reach), TRIED_MAX)
    if len(frames) < MIN_STARTS:
        return
    ends = [one.end for one in frames]
    for tail in _tails(capture.data, ends):
        for size in (0, 1, 2):
            room = extra - shape.place - shape.kind.size - size - len(tail)
            behinds = [one for one in shape.spare if shape.counts_frame or one == room]
            if not behinds:
                continue
            spans = [Span(start, end - len(tail) - size) for start, end in frames]
            for check, _good in agreeing(capture.data, len(shape.header), spans, size, CHAIN_SHARE):
                for behind in behinds:
                    yield shape.format(behind, check, tail)


def _tails(data: bytes, ends: Sequence[int]) -> list[bytes]:
    """Return the tails that frames may have: none, and what is constant before their ends."""
    seen = (common(column(data, ends, -size)) for size in range(1, MAX_TAIL + 1))
    constant = [byte for byte, _share in takewhile(lambda one: one[1] >= CONSTANT, seen)]
    return [bytes(reversed(constant[:size])) for size in range(len(constant) + 1)]


# --- Frames with gaps between them ------------------------------------------------------------------------


def from_marks(capture: Capture) -> Iterator[FrameFormat]:
    """Yield the formats whose check or tail agrees at many of the places where their header stands."""
    for header in _marks(capture):
        starts = spread(capture.offsets(header), 2 * TRIED_MAX)
        if len(starts) < MIN_STARTS:
            continue
        for before in range(MAX_FIELDS + 1):
            for kind in LENGTH_KINDS:
                yield from _counting_data(capture, Shape(header, before, kind, counts_frame=False), starts)
                yield from _counting_frame(capture, Shape(header, before, kind, counts_frame=True), starts)


def _marks(capture: Capture) -> Iterator[bytes]:
    """Yield what may be a header: common bytes, and those with what mostly follows them."""
    counts = Counter({byte: len(places) for byte, places in capture.places.items()})
    del counts[0]  # a line at rest, or empty data; nobody begins a frame with it
    for first, _count in counts.most_common(FIRST_BYTES):
        mark = bytes([first])
        while len(mark) <= MAX_HEADER:
            yield mark
            byte, share = common(column(capture.data, capture.offsets(mark), len(mark)))
            if share < FOLLOWS:
                break
            mark += bytes([byte])


def _reach(capture: Capture, shape: Shape, starts: Sequence[int], extra: int) -> list[Span]:
    """Return from each start to where len points, where that is within reach."""
    lengths, place = capture.lengths[shape.kind], shape.place
    spans = [Span(one, one + lengths[one + place] + extra) for one in starts if one + place < len(lengths)]
    shortest = place + shape.kind.size
    near = [one for one in spans if shortest <= one.end - one.start <= SPAN_MAX and one.end <= capture.size]
    return _different(capture.data, near)


def _different(data: bytes, spans: Sequence[Span]) -> list[Span]:
    """Return one frame of each content: the same bytes again prove nothing, zeros agree with most checks."""
    return list({data[one.start : one.end + MAX_CHECK]: one for one in spans}.values())


def _counting_data(capture: Capture, shape: Shape, starts: Sequence[int]) -> Iterator[FrameFormat]:
    for behind in shape.spare:
        spans = _reach(capture, shape, starts, shape.place + shape.kind.size + behind)
        if len(spans) < max(MIN_STARTS, MARK_SHARE * len(starts)):
            continue
        for size in (0, 1, 2):
            for check, good in agreeing(capture.data, len(shape.header), spans, size, MARK_SHARE):
                for tail in _tails_behind(capture.data, [one.end + size for one in good]):
                    if size or tail.strip(b"\0"):
                        yield shape.format(behind, check, tail)


def _tails_behind(data: bytes, ends: Sequence[int]) -> list[bytes]:
    """Return the tails that may stand from these offsets on; a wrong start has no say if most are right."""
    seen = (common(column(data, ends, place)) for place in range(MAX_TAIL))
    constant = bytes(byte for byte, _share in takewhile(lambda one: one[1] >= FOLLOWS, seen))
    return [constant[:size] for size in range(len(constant) + 1)]


def _counting_frame(capture: Capture, shape: Shape, starts: Sequence[int]) -> Iterator[FrameFormat]:
    reach = _reach(capture, shape, starts, 0)
    if len(reach) < max(MIN_STARTS, MARK_SHARE * len(starts)):
        return
    for tail in _tails_before(capture.data, [one.end for one in reach]):
        for size in (0, 1, 2):
            spans = [Span(one.start, one.end - len(tail) - size) for one in reach]
            if not (size or tail.strip(b"\0")):
                continue
            for check, _good in agreeing(capture.data, len(shape.header), spans, size, MARK_SHARE):
                for behind in shape.spare:
                    yield shape.format(behind, check, tail)


def _tails_before(data: bytes, ends: Sequence[int]) -> list[bytes]:
    """Return the tails that may stand before these offsets, of which many are wrong."""
    seen = (common(column(data, ends, -size)) for size in range(1, MAX_TAIL + 1))
    constant = [byte for byte, _share in takewhile(lambda one: one[1] >= TAIL_SEEN, seen)]
    return [bytes(reversed(constant[:size])) for size in range(len(constant) + 1)]
