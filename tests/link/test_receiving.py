"""The receiving side, with a clock that a test moves."""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections.abc import Callable
from typing import Any

from framelink.link.observers import Waiters
from framelink.link.receiving import Reception
from framelink.wire import DEFAULT_FORMAT, Frame, encode
from tests.link.helpers import FRAME, OTHER
from tests.support.pty_device import DEADLINE

GAP = 0.05  # at any usual baud rate
OUTER = Frame(1, 0x21, encode(OTHER))
CUT, REST = encode(OUTER)[:-2], encode(OUTER)[-2:]
"""A frame that carries another one, but for its last two bytes."""


class ManualLoop:
    """The part of a loop that keeps time; `pass_time` is its clock."""

    def __init__(self) -> None:
        self._now = 100.0
        self._timers: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []

    def time(self) -> float:
        """Return the time."""
        return self._now

    def call_at(self, when: float, callback: Callable[..., None], *arguments: Any) -> Any:
        """Have something done at a time."""
        heapq.heappush(self._timers, (when, callback, arguments))
        return asyncio.TimerHandle(when, callback, arguments, asyncio.get_running_loop())

    def pass_time(self, seconds: float, *, stalled: bool = False) -> None:
        """Do what falls due in that time; after all of it if the loop was stalled."""
        end = self._now + seconds
        self._now = end if stalled else self._now
        while self._timers and self._timers[0][0] <= end:
            when, callback, arguments = heapq.heappop(self._timers)
            self._now = max(self._now, when)
            callback(*arguments)
            if stalled:
                break
        self._now = end


class QuietPort:
    """A port that says what a test wants about bytes under way."""

    def __init__(self) -> None:
        self.answers: list[bool] = []

    def waiting(self) -> bool:
        """Say whether bytes are under way; none, when nothing else was wanted."""
        return self.answers.pop(0) if self.answers else False


def reception() -> tuple[Reception, ManualLoop, QuietPort]:
    """Return a receiving side that has half a frame, with its clock and its port."""
    loop, port = ManualLoop(), QuietPort()
    side = Reception(DEFAULT_FORMAT, 115_200, lambda work, *arguments: work(*arguments), Waiters())
    side.attach(loop, port)  # type: ignore[arg-type]  # as much of both as it needs
    side.received(CUT)
    return side, loop, port


async def test_silence_for_the_idle_gap_gives_a_frame_up() -> None:
    """Not a moment earlier; what lies inside it is delivered."""
    side, loop, _port = reception()
    loop.pass_time(GAP * 0.99)
    assert side.inbox.take() is None
    loop.pass_time(GAP * 0.02)
    assert side.inbox.take() == OTHER
    assert side.ledger.pending == 0


async def test_bytes_put_the_end_off_by_a_whole_gap() -> None:
    """It is counted from the last byte."""
    side, loop, _port = reception()
    loop.pass_time(GAP * 0.9)
    side.received(REST[:1])
    loop.pass_time(GAP * 0.95)
    assert side.ledger.pending
    loop.pass_time(GAP * 0.1)
    assert side.inbox.take() == OTHER


async def test_bytes_under_way_are_no_silence() -> None:
    """The operating system's buffer must have been empty too."""
    side, loop, port = reception()
    port.answers = [True, True]
    loop.pass_time(GAP * 2.5)
    assert side.inbox.take() is None
    loop.pass_time(GAP)
    assert side.inbox.take() == OTHER


async def test_a_stalled_loop_heard_nothing_and_listens_for_another_gap() -> None:
    """A timer that comes late proves no silence."""
    side, loop, _port = reception()
    loop.pass_time(GAP * 1.6, stalled=True)
    assert side.inbox.take() is None
    side.received(REST)
    assert side.inbox.take() == OUTER


async def test_the_ledger_adds_up_whoever_reads_it_when() -> None:
    """A thread that looks while bytes are counted waits until they are."""
    side, _loop, _port = reception()
    read, feed = threading.Event(), side._receiver.feed
    ledgers = []

    def look() -> None:
        ledgers.append(side.ledger)
        read.set()

    def slow_feed(chunk: bytes | bytearray | memoryview) -> list[Frame]:
        looking.start()
        read.wait(0.05)  # what must not happen, so it is given a moment to
        return feed(chunk)

    looking = threading.Thread(target=look)
    before = side.ledger.received
    side._receiver.feed = slow_feed  # type: ignore[method-assign]
    side.received(encode(FRAME))
    looking.join(DEADLINE)
    assert ledgers[0].received == before + len(encode(FRAME))
