"""Keeping a line open, without waiting: how long it would wait is what is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from framelink.errors import LinkOpenError
from framelink.link.connector import BACKOFF_FIRST, BACKOFF_JITTER, BACKOFF_MAX, Connector
from tests.link.helpers import HeldPort, ScriptedOpener

ABSENT = FileNotFoundError(2, "No such file or directory")
ROUNDS = 10


async def waits_of(opener: Any, serve: Callable[[Any], bool], rounds: int = ROUNDS) -> list[float]:
    """Return for how long a connector would wait, in its first rounds."""
    waits: list[float] = []
    services = 0

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == rounds:
            raise asyncio.CancelledError

    async def serve_it(port: Any) -> bool:
        nonlocal services
        services += 1
        assert services <= rounds, "it does not wait"
        return serve(port)

    with pytest.raises(asyncio.CancelledError):
        await Connector(opener, sleep).keep_open(serve_it)
    return waits


def assert_backoff(waits: list[float]) -> None:
    """Check that they grow from the first to the longest one, with a jitter that is none twice."""
    for n, wait in enumerate(waits):
        least = min(BACKOFF_FIRST * 2**n, BACKOFF_MAX)
        assert least <= wait <= least + BACKOFF_JITTER
    assert waits[-1] >= BACKOFF_MAX
    assert len(set(waits)) == len(waits)


async def test_a_line_that_is_not_there_is_tried_less_and_less_often() -> None:
    """From 50 ms to 2 s, with jitter."""
    assert_backoff(await waits_of(ScriptedOpener(ABSENT), lambda _port: True))


async def test_a_line_that_opens_and_breaks_at_once_is_too() -> None:
    """A connection that brought nothing counts as one that failed."""
    assert_backoff(await waits_of(HeldPort(), lambda _port: False))


async def test_a_steady_line_that_breaks_is_opened_again_soon() -> None:
    """However often that happens."""
    assert await waits_of(HeldPort(), lambda _port: True) == [BACKOFF_FIRST] * ROUNDS


async def test_a_steady_connection_ends_the_backoff() -> None:
    """The next loss begins anew."""
    steady = iter([False] * 6 + [True] + [False] * 3)
    waits = await waits_of(HeldPort(), lambda _port: next(steady))
    assert waits[6] == BACKOFF_FIRST
    assert BACKOFF_FIRST <= waits[7] <= BACKOFF_FIRST + BACKOFF_JITTER


async def test_what_waiting_will_not_mend_ends_it() -> None:
    """Without any waiting."""

    async def serve(_port: Any) -> bool:
        return True

    connector = Connector(ScriptedOpener(PermissionError(13, "Permission denied")))
    with pytest.raises(LinkOpenError, match="no permission"):
        await connector.keep_open(serve)
    assert connector.connects == 0
