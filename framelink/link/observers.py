"""Observers: who wants to be told of something, and waiters, who want to go on when it happens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
_log = logging.getLogger("framelink.link")


class Observers(Generic[T]):
    """Callbacks that are told of each event."""

    def __init__(self) -> None:
        self._callbacks: tuple[Callable[[T], None], ...] = ()

    def add(self, callback: Callable[[T], None]) -> Callable[[], None]:
        """Have the callback told; return a function that ends it."""
        self._callbacks += (callback,)

        def remove() -> None:
            remaining = list(self._callbacks)
            with contextlib.suppress(ValueError):
                remaining.remove(callback)
            self._callbacks = tuple(remaining)

        return remove

    def clear(self) -> None:
        """Let go of them all."""
        self._callbacks = ()

    def tell(self, event: T) -> None:
        """Call them all; an observer's fault is its own and must not stop the link.

        Neither may `sys.exit`, which in a background thread would end that thread alone and in silence.
        """
        for callback in self._callbacks:
            try:
                callback(event)
            except BaseException as fault:  # whatever it is, it is not ours
                if not isinstance(fault, Exception) and _in_main_thread():
                    raise  # the program is to end
                _log.exception("an observer of a link failed")


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class Waiters:
    """Tasks that wait until something happens that may concern them; then they look for themselves.

    They go on in the order in which they came.
    """

    def __init__(self) -> None:
        self._futures: dict[asyncio.Future[None], None] = {}

    async def wait(self) -> None:
        """Wait for the next `wake`."""
        future = asyncio.get_running_loop().create_future()
        self._futures[future] = None
        try:
            await future
        finally:
            del self._futures[future]

    def wake(self) -> None:
        """Let all who wait now go on."""
        for future in self._futures:
            if not future.done():
                future.set_result(None)
