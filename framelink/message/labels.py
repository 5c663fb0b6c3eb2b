"""Labels: values that stand for numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from framelink.errors import PayloadError
from framelink.message.problems import shown


def labels_of(enum: Mapping[str, int]) -> dict[int, str]:
    """Return number → label."""
    return {number: label for label, number in enum.items()}


def label_reader(enum: Mapping[str, int]) -> Callable[[Any], Any]:
    """Return what makes the label of a number; a number without one stays: a newer device may know more."""
    labels = labels_of(enum)
    return lambda raw: labels.get(raw, raw)


def label_writer(enum: Mapping[str, int]) -> Callable[[object], int]:
    """Return what makes the number of a label, or lets one pass that has a label."""
    numbers, allowed = dict(enum), set(enum.values())

    def write(value: object) -> int:
        if isinstance(value, str) and value in numbers:
            return numbers[value]
        if isinstance(value, int) and value in allowed:
            return value
        raise PayloadError(f"must be one of {', '.join(numbers)}, not {shown(value)}")

    return write
