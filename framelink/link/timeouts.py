"""Timeouts as callers give them."""

from __future__ import annotations

import threading
from typing import Any

from framelink.errors import FormatError


def bounded(timeout: Any) -> float | None:
    """Return a timeout that can be waited for: the system's longest one for those beyond it.

    Raises:
        FormatError: It is no number of seconds.
    """
    if timeout is None:
        return None
    if not isinstance(timeout, (int, float)) or timeout != timeout:  # noqa: PLR0124 - NaN is no time to wait
        raise FormatError(f"timeout must be a number of seconds, or None to wait for ever, not {timeout!r}")
    return min(float(timeout), threading.TIMEOUT_MAX)
