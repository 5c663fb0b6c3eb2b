"""The thread of a link's loop, and how others get something done there."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any


class LoopThread:
    """The loop that a link lives in, once it is started."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop
        self._ident = 0

    def enter(self) -> None:
        """Live in the running loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._ident = threading.get_ident()

    def run(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do something in the loop, from whichever thread this is."""
        if threading.get_ident() == self._ident:
            work(*arguments)
        else:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the link with it
                self._loop.call_soon_threadsafe(work, *arguments)
