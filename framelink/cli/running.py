"""Commands that run until they are stopped: Ctrl-C and SIGTERM end them cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run the work until it ends, or until a signal cancels it; its cleaning-up is done either way.

    A second signal, should the cleaning-up take too long, ends the program at once.
    """
    with contextlib.suppress(KeyboardInterrupt):  # where the loop cannot have signal handlers, Ctrl-C is this
        asyncio.run(_until_signalled(work))


async def _until_signalled(work: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        _forget_signals(loop)
        task.cancel()

    with contextlib.suppress(NotImplementedError):
        for one in SIGNALS:
            loop.add_signal_handler(one, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
    finally:
        _forget_signals(loop)


def _forget_signals(loop: asyncio.AbstractEventLoop) -> None:
    with contextlib.suppress(NotImplementedError):
        for one in SIGNALS:
            loop.remove_signal_handler(one)
