"""An asyncio link in a thread of its own: calls from other threads, and an end that always comes."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Coroutine
from queue import SimpleQueue
from typing import Any, TypeVar

from framelink.errors import LinkClosed
from framelink.link.async_link import AsyncLink

T = TypeVar("T")
JOIN_TIMEOUT = 1.0  # seconds to wait for the thread to end; it goes on by itself if a callback keeps it

_log = logging.getLogger("framelink.link")


class Background:
    """Runs a link's loop.  It knows nothing of its owner, so that a forgotten owner can be collected."""

    def __init__(self, link: AsyncLink) -> None:
        self._link = link
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        self._calling = threading.Lock()
        self._calls: set[concurrent.futures.Future[Any]] = set()
        self._takes_calls = True
        self._ended = threading.Event()  # Thread.join is not to be trusted after a Ctrl-C in it
        self.is_ending = False
        """Whether it was told to end, or did."""
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"framelink {link.url}")
        self._thread.start()
        self.ident = self._thread.ident

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and return its result.

        Raises:
            LinkClosed: The loop has ended, or did before the coroutine.
            RuntimeError: This is the loop's own thread.
        """
        try:
            future = self._submit(work)
        except BaseException:
            work.close()
            raise
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            work.close()
            raise self._closed() from None
        except BaseException:
            future.cancel()
            raise
        finally:
            self._calls.discard(future)

    def _submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        self.refuse_own_thread()
        with self._calling, contextlib.suppress(RuntimeError):  # a loop that is closed
            if self._takes_calls and self._thread.is_alive():  # in a forked child it is not
                future = asyncio.run_coroutine_threadsafe(work, self._loop)
                self._calls.add(future)
                return future
        raise self._closed()

    def _closed(self) -> LinkClosed:
        return LinkClosed(f"{self._link.url} is closed")

    def refuse_own_thread(self) -> None:
        """Raise RuntimeError in a callback: the loop would wait for itself, for ever."""
        if threading.get_ident() == self.ident:
            raise RuntimeError("a callback of a link must not wait for it; do that in another thread")

    def stop(self) -> None:
        """Have the link closed and the thread ended, without waiting for that."""
        self.is_ending = True
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._ending.set)

    def join(self) -> None:
        """Wait for the thread to end, so long as it is reasonable."""
        if self._thread.is_alive() and self._ended.wait(JOIN_TIMEOUT):
            self._thread.join()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # cancels what is left at the end
                runner.run(self._serve())
        except BaseException:  # noqa: BLE001 - nobody else would hear of it
            _log.exception("the background thread of %s ended", self._link)
        finally:
            for call in self._refuse_calls():  # those that the loop did not come to any more
                call.cancel()
            self.is_ending = True
            self._ended.set()

    async def _serve(self) -> None:
        try:
            await self._ending.wait()
        finally:
            await self._link.close()
            self._refuse_calls()  # what was accepted before becomes a task, and is cancelled with the others

    def _refuse_calls(self) -> tuple[concurrent.futures.Future[Any], ...]:
        """Take no more calls; return those that are under way."""
        with self._calling:
            self._takes_calls = False
            return tuple(self._calls)


class Bell:
    """Wakes the threads that wait for frames."""

    def __init__(self) -> None:
        self._waiting = 0
        self._counting = threading.Lock()
        self._rings: SimpleQueue[None] = SimpleQueue()  # a third of a Condition's time
        self.wait = self._rings.get

    def count(self, change: int) -> None:
        """Have one more or one less thread waked."""
        with self._counting:
            self._waiting += change

    def ring(self) -> None:
        """Ring once for every thread that waits; one that hears a stale ring looks, and waits again."""
        for _ in range(self._waiting):
            self._rings.put(None)
