"""The Python engine and the C core side by side, whichever of them framelink itself uses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from framelink.wire import Frame, Receiver, encode
from framelink.wire.codec import python_encode
from framelink.wire.engine import PURE_VARIABLE, native
from framelink.wire.frame import PythonFrame
from framelink.wire.python_engine import PythonEngine
from framelink.wire.receiver import Views


class PythonReceiver(PythonEngine, Views):
    """A Receiver whose frames Python finds."""


RECEIVERS: dict[str, type[Any]] = {"Python": PythonReceiver}
"""Language → a class with the face of Receiver."""
ENCODERS: dict[str, Callable[..., bytes]] = {"Python": python_encode}
"""Language → a function with the face of encode."""
FRAMES: dict[str, type[Any]] = {"Python": PythonFrame}
"""Language → a class with the face of Frame."""

if native is not None:
    RECEIVERS["C"], ENCODERS["C"], FRAMES["C"] = Receiver, encode, Frame


def run_python(code: str, *, pure: bool = False) -> str:
    """Run code in a process of its own, in which Python does all the work if it is to be pure; return its output."""
    environment = {**os.environ, PURE_VARIABLE: str(int(pure))}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
