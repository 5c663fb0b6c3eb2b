"""Blocking calls of drivers, in daemon threads: they may take for ever, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_daemon(work: Callable[[], T], *, abandon: Callable[[T], Any] | None = None) -> T:
    """Run a blocking call in a daemon thread and return its result.

    A thread pool would not do: the interpreter waits for a pool's threads when it exits.

    Args:
        work: The blocking call.
        abandon: What becomes of a result that comes when the waiting has been cancelled.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if outcome.cancelled():
            _drop(result)
        elif error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type]  # no error means a result

    def _drop(result: T | None) -> None:
        if result is not None and abandon is not None:
            # Dropping may block as well, so it must not happen in the loop.
            threading.Thread(target=abandon, args=(result,), daemon=True, name="framelink-drop").start()

    def body() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as fault:  # noqa: BLE001 - whatever it is, it belongs to the waiting task
            error = fault
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the loop has been closed meanwhile
            _drop(result)

    threading.Thread(target=body, daemon=True, name="framelink-call").start()
    return await outcome
