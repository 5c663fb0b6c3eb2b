"""Alarms: values beyond the limits that their fields have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from framelink.message.fields import Field, Limits, Value
from framelink.message.parts import Part

Level = Literal["lolo", "low", "high", "hihi"]


class Alarm(NamedTuple):
    """A value that is beyond a limit.

    Attributes:
        field: Which value, such as `motors[2].current`.
        level: The limit's name; of two that it is beyond, the outer one.
        value: The value.
        limit: The limit.
    """

    field: str
    level: Level
    value: float
    limit: float


Watch = Callable[[str, Any], Iterator[Alarm]]
"""A function of a value's place and the value, that yields its alarms."""


def watches_of(parts: Iterable[Part]) -> dict[str, Watch]:
    """Return field → what watches it, for those that have limits in them."""
    return {one.field.name: watch for one in parts if (watch := _watch_of(one)) is not None}


def alarms_of(watches: Mapping[str, Watch], fields: Mapping[str, Value]) -> list[Alarm]:
    """Return the alarms of a message's fields."""
    return [alarm for name, watch in watches.items() if name in fields for alarm in watch(name, fields[name])]


def _watch_of(part: Part) -> Watch | None:
    if part.field.count is not None:
        one = _watch_of(part.item)
        return None if one is None else _list_watch(one)
    if part.members:
        members = watches_of(part.members)
        return _struct_watch(members) if members else None
    return None if part.field.limits is None else _limit_watch(part.field)


def _list_watch(one: Watch) -> Watch:
    def watch(place: str, values: Sequence[Any]) -> Iterator[Alarm]:
        for at, value in enumerate(values):
            yield from one(f"{place}[{at}]", value)

    return watch


def _struct_watch(members: Mapping[str, Watch]) -> Watch:
    def watch(place: str, values: Mapping[str, Any]) -> Iterator[Alarm]:
        for name, one in members.items():
            yield from one(f"{place}.{name}", values[name])

    return watch


def _limit_watch(field: Field) -> Watch:
    limits = field.limits or Limits()
    below, above = _given(limits, ("lolo", "low")), _given(limits, ("hihi", "high"))

    def watch(place: str, value: float) -> Iterator[Alarm]:
        for level, limit in below:
            if value < limit:
                yield Alarm(place, level, value, limit)
                return
        for level, limit in above:
            if value > limit:
                yield Alarm(place, level, value, limit)
                return

    return watch


def _given(limits: Limits, levels: Iterable[Level]) -> list[tuple[Level, float]]:
    return [(level, limit) for level in levels if (limit := getattr(limits, level)) is not None]
