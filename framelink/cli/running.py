"""Commands that run until they are stopped: Ctrl-C and SIGTERM end them cleanly."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run the work until it ends, or until a signal cancels it; its cleaning-up is done either way.

    A second signal, should the cleaning-up take too long, ends the program at once.
    """
    import asyncio

    with contextlib.suppress(KeyboardInterrupt):  # where the loop cannot have signal handlers, Ctrl-C is this
        asyncio.run(_until_signalled(work))


async def _until_signalled(work: Coroutine[Any, Any, None]) -> None:
    import asyncio

    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    previous = {one: signal.getsignal(one) or signal.SIG_DFL for one in SIGNALS}
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        give_back()
        task.cancel()

    def give_back() -> None:
        with contextlib.suppress(NotImplementedError):
            for one, handler in previous.items():
                if loop.remove_signal_handler(one):
                    signal.signal(one, handler)

    with contextlib.suppress(NotImplementedError):
        for one in SIGNALS:
            loop.add_signal_handler(one, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
    finally:
        give_back()
