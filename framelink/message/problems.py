"""Problems: what an error about a value has in it, in one line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from framelink.errors import PayloadError

_SHOWN_LETTERS = 60  # of a value that is refused; an error is one line


def shown(value: object) -> str:
    """Return a value as an error shows it, whatever it is."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - an integer of too many digits, a list in itself: whatever a caller has
        return f"this {type(value).__name__}"
    return text if len(text) <= _SHOWN_LETTERS else f"{text[:_SHOWN_LETTERS]}…"


def placed(place: str, error: PayloadError) -> PayloadError:
    """Return a problem within a value as one of what holds it: `a`, `.x must be 1` → `a.x must be 1`."""
    problem = str(error)
    return PayloadError(f"{place}{problem}" if problem[0] in ".[" else f"{place} {problem}")


def require_parts(value: object, names: Collection[str]) -> Mapping[str, Any]:
    """Return a value that has just the parts of these names.

    Raises:
        PayloadError: It has not.
    """
    if isinstance(value, Mapping) and len(value) == len(names) and all(name in value for name in names):
        return value
    raise PayloadError(f"must be a mapping of {', '.join(names)}, not {shown(value)}")
