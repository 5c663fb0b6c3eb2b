"""Which engine does the work of the wire: C, where the extension is installed, or Python.

Both do the same, byte for byte.  Python can do all of it, and does it for every frame format but the default.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Final

PURE_VARIABLE = "FRAMELINK_PURE"
"""The environment variable that, set to 1, forces the Python engine."""


def load_native() -> ModuleType | None:
    """Return the extension module; None if it is not installed or not wanted."""
    if os.environ.get(PURE_VARIABLE, "0") not in ("", "0"):
        return None
    try:
        from framelink.wire import _native  # noqa: PLC0415 - it may be missing
    except ImportError:
        return None
    return _native


native: Final = load_native()
"""The extension module, or None."""

LANGUAGE: Final = "Python" if native is None else "C"
"""What frames of the default format are decoded and encoded in."""
