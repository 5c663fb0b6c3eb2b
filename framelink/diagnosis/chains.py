"""Chains: what stands where a len points to, if frames follow each other without a gap.

For each byte value that may begin frames, each place and way of writing a len, and each number of bytes that
a len may leave out, count how often the same byte value stands again where the frame would end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from framelink.diagnosis.capture import LENGTH_KINDS, Capture, LengthKind, spread
from framelink.diagnosis.chance import ln_chance
from framelink.wire.format import MAX_HEADER, MAX_TAIL

MAX_FIELDS = 2  # addr and cmd
MAX_CHECK = 2  # bytes
MAX_PLACE = MAX_HEADER + MAX_FIELDS  # the longest way from a frame's first byte to its len
MAX_REST = MAX_FIELDS + MAX_CHECK + MAX_TAIL  # what len may leave out behind itself
MIN_STARTS = 5  # fewer frames prove nothing
SOURCES_MAX = 128  # starts that are followed for each hypothesis; more take longer and say the same
CHAINS_MAX = 8  # the strongest that are looked into; shifted ones of the same frames are among them
LN_UNLIKELY = -14.0  # nats, about one in a million: weaker chains come about by chance


class LengthRule(NamedTuple):
    """Where a frame ends.

    Attributes:
        place: Where len stands, in bytes behind the frame's first.
        kind: How it is written.
        extra: What to add to it to get the frame's bytes; 0 where it counts the whole frame.
    """

    place: int
    kind: LengthKind
    extra: int


@dataclass(frozen=True)
class Chain:
    """A rule that leads from start to start.

    Attributes:
        rule: The rule.
        starts: The starts from which it led to another.
        ln_chance: How likely chance explains that, as a logarithm.
    """

    rule: LengthRule
    starts: Sequence[int]
    ln_chance: float


def chains(capture: Capture) -> list[Chain]:
    """Return the strongest chains, the best first."""
    found = [one for byte in capture.places for one in _chains_from(capture, byte)]
    return sorted(found, key=lambda one: one.ln_chance)[:CHAINS_MAX]


def _chains_from(capture: Capture, byte: int) -> Iterator[Chain]:
    places = capture.places[byte]
    if len(places) < MIN_STARTS:
        return
    goals = {*places, capture.size}
    sources = spread(places, SOURCES_MAX)
    rate = len(places) / capture.size
    for kind in LENGTH_KINDS:
        lengths = capture.lengths[kind]
        for place in range(1, MAX_PLACE + 1):
            reach = [(one, one + lengths[one + place]) for one in sources if one + place < len(lengths)]
            for extra in _extras(place + kind.size):
                hits = _hits(reach, extra, place + kind.size, goals)
                unlikely = ln_chance(len(reach), len(hits), rate)
                if unlikely < LN_UNLIKELY:
                    yield Chain(LengthRule(place, kind, extra), hits, unlikely)


def _extras(head: int) -> tuple[int, ...]:
    """Return what may have to be added to len: nothing, or all that is not counted."""
    return 0, *range(head, head + MAX_REST + 1)


def _hits(reach: list[tuple[int, int]], extra: int, head: int, goals: set[int]) -> list[int]:
    """Return the starts from which the rule leads to a goal, and not into the frame's own head."""
    shortest = 0 if extra else head
    return [start for start, end in reach if end + extra in goals and end - start >= shortest]
