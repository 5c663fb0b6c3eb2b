"""When an incomplete frame is given up, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from framelink.link.observers import Waiters
from framelink.link.receiving import Reception
from framelink.wire import DEFAULT_FORMAT, Frame, encode, idle_gap
from tests.support import virtual_time

FRAME = Frame(1, 0x10, b"\x01\x02\x03")
WIRE = encode(FRAME)
BAUDRATE = 115_200
GAP = idle_gap(BAUDRATE)


def reception(waiting: Callable[[], bool] = lambda: False) -> Reception:
    """Return a reception on the running loop, whose port says whether bytes wait in the system's buffer."""
    made = Reception(DEFAULT_FORMAT, BAUDRATE, lambda work: work(), Waiters())
    port: Any = SimpleNamespace(waiting=waiting)
    made.attach(asyncio.get_running_loop(), port)
    return made


@pytest.mark.parametrize("pause", [0.4 * GAP, 0.99 * GAP])
def test_a_frame_that_pauses_in_the_middle_is_not_given_up(pause: float) -> None:
    """Bytes that keep coming put the end off."""

    async def receive() -> Reception:
        made = reception()
        for byte in WIRE:
            made.received(bytes([byte]))
            await asyncio.sleep(pause)
        return made

    made = virtual_time.run(receive())
    assert made.inbox.take() == FRAME
    assert made.ledger.noise_bytes == 0


def test_an_incomplete_frame_is_given_up_after_the_gap_and_not_before() -> None:
    """To within a hundredth of the gap."""

    async def receive() -> tuple[int, int]:
        made = reception()
        made.received(WIRE[:6])
        await asyncio.sleep(0.99 * GAP)
        before = made.ledger.pending
        await asyncio.sleep(0.02 * GAP)
        return before, made.ledger.pending

    assert virtual_time.run(receive()) == (6, 0)


def test_bytes_in_the_systems_buffer_are_no_silence() -> None:
    """They are waited for, one gap after the other."""
    answers = [True, True, True]

    async def receive() -> Reception:
        made = reception(answers.pop)
        made.received(WIRE[:6])
        await asyncio.sleep(3.5 * GAP)
        made.received(WIRE[6:])
        return made

    assert virtual_time.run(receive()).inbox.take() == FRAME
    assert answers == []
