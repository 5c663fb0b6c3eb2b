"""Which checks agree with what stands in the bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, get_args

from framelink.wire import CHECK_NAMES
from framelink.wire.check import ByteOrder, Check, check_named

CHECKS: dict[int, list[Check]] = {
    size: [one for one in map(check_named, CHECK_NAMES) if one.size == size] for size in (0, 1, 2)
}
"""Bytes on the wire → the checks of that size."""

PROBE = 12
"""Frames that are tried first: if a check agrees with none of them, it is not tried on the others."""


class CheckRule(NamedTuple):
    """A check as frames carry it."""

    check: str
    order: ByteOrder
    covers_header: bool


class Span(NamedTuple):
    """Where a frame begins, and where the bytes that its check covers end."""

    start: int
    end: int


def agreeing(
    data: bytes, header_size: int, spans: Sequence[Span], size: int, share: float
) -> Iterator[tuple[CheckRule, list[Span]]]:
    """Yield the checks of a size that agree with at least that share of the frames, and with which.

    Args:
        data: The bytes.
        header_size: Bytes that a check may leave out at a frame's beginning.
        spans: The frames; the check stands at their ends.
        size: Bytes of the check.
        share: 0 to 1.
    """
    if size == 0:
        yield CheckRule("none", "little", covers_header=False), list(spans)
        return
    orders: tuple[ByteOrder, ...] = get_args(ByteOrder) if size > 1 else ("little",)
    for check in CHECKS[size]:
        for covers_header in (False, True):
            skip = 0 if covers_header else header_size
            probes = _agreements(data, check, skip, spans[:PROBE], orders)
            wanted = tuple(order for order in orders if probes[order])
            others = _agreements(data, check, skip, spans[PROBE:], wanted) if wanted else {}
            for order in wanted:
                good = probes[order] + others[order]
                if len(good) >= share * len(spans):
                    yield CheckRule(check.name, order, covers_header), good


def _agreements(
    data: bytes, check: Check, skip: int, spans: Sequence[Span], orders: Sequence[ByteOrder]
) -> dict[ByteOrder, list[Span]]:
    """Return byte order → the frames with which the check agrees in it."""
    good: dict[ByteOrder, list[Span]] = {order: [] for order in orders}
    for span in spans:
        value = check.compute(data[span.start + skip : span.end])
        sent = data[span.end : span.end + check.size]
        for order in orders:
            if value.to_bytes(check.size, order) == sent:
                good[order].append(span)
    return good
