"""Lengths: how many bytes a payload may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import gcd

from framelink.message.parts import Part

MAX_LISTED = 1024  # lengths; a frame with a wider len has a list of 65,536 for each open-ended command

MAX_CACHED = 256  # lists of lengths, which a process with many schemas has in common

Run = tuple[int, int]
"""The smallest length, and the step from one to the next; 0 if there is no next."""


@dataclass(frozen=True)
class Lengths:
    """The legal lengths of a payload.

    Attributes:
        runs: All of them, as runs.
    """

    runs: tuple[Run, ...]

    @property
    def least(self) -> int:
        """The smallest one."""
        return min(first for first, _step in self.runs)

    def __contains__(self, size: int) -> bool:
        return any(_is_in(size, first, step) for first, step in self.runs)

    def __str__(self) -> str:
        texts = [_text(first, step) for first, step in self.runs]
        return " or ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)

    def after(self, size: int) -> Lengths:
        """Return the lengths with so many bytes more."""
        return Lengths(tuple((first + size, step) for first, step in self.runs))

    def up_to(self, most: int) -> frozenset[int]:
        """Return all that are not above a bound."""
        return frozenset[int]().union(*(_run(first, step, most) for first, step in self.runs))


def lengths_of(parts: Iterable[Part], *, is_open: bool) -> Lengths:
    """Return the lengths of a payload of these fields, which may end before each that it may lack.

    Args:
        parts: The fields.
        is_open: Whether more may follow that nobody here knows.
    """
    first = step = 0
    runs: list[Run] = []
    for part in parts:
        if part.field.may_lack:
            runs.append((first, step))
        first, step = first + part.least, gcd(step, part.step)
    return _merged((*runs, (first, 1 if is_open else step)))


def union(lengths: Iterable[Lengths]) -> Lengths:
    """Return the lengths that at least one has."""
    return _merged(run for one in lengths for run in one.runs)


def legal_lengths(lengths: Iterable[tuple[int, Lengths]], most: int) -> Mapping[int, frozenset[int]]:
    """Return command → its legal lengths, for commands that do not take all lengths.

    Args:
        lengths: Command and lengths of each kind of frame; several may have the same command.
        most: The largest payload.
    """
    found: dict[int, list[Lengths]] = {}
    for cmd, one in lengths:
        found.setdefault(cmd, []).append(one)
    sets = {cmd: _listed(union(some).runs, most) for cmd, some in found.items()}
    return {cmd: one for cmd, one in sets.items() if one is not None}


def _merged(runs: Iterable[Run]) -> Lengths:
    """Return the lengths of all runs, without those that an open end has in it."""
    some = sorted(set(runs))
    ends = [first for first, step in some if step == 1]
    return Lengths(tuple(run for run in some if not ends or run[0] < ends[0] or run == (ends[0], 1)))


@lru_cache(MAX_CACHED)  # many commands have the same, of some KiB each
def _listed(runs: tuple[Run, ...], most: int) -> frozenset[int] | None:
    """Return the lengths, None if they are all there are, or too many to list."""
    if most > MAX_LISTED and any(step for _first, step in runs):
        return None
    found = Lengths(runs).up_to(most)
    return found if len(found) <= most else None


def _is_in(size: int, first: int, step: int) -> bool:
    return size == first or (step > 0 and size > first and (size - first) % step == 0)


def _run(first: int, step: int, most: int) -> Iterable[int]:
    return range(first, most + 1, step) if step else range(first, min(first, most) + 1)


def _text(first: int, step: int) -> str:
    if step == 0:
        return str(first)
    if (first, step) == (0, 1):
        return "any number of"
    return f"at least {first}" if step == 1 else f"{first}, {first + step}, {first + 2 * step} …"
