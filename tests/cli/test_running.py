"""Work that runs until it is stopped."""

from __future__ import annotations

import asyncio
import signal

import pytest

from framelink.cli.running import SIGNALS, run_until_stopped


def test_work_that_ends_by_itself_just_ends() -> None:
    """And its exception is the caller's."""
    done: list[str] = []

    async def work() -> None:
        done.append("work")

    async def fail() -> None:
        raise ValueError("of its own")

    run_until_stopped(work())
    assert done == ["work"]
    with pytest.raises(ValueError, match="of its own"):
        run_until_stopped(fail())


@pytest.mark.parametrize("which", SIGNALS)
def test_a_signal_ends_it_with_its_cleaning_up_done(which: signal.Signals) -> None:
    """Ctrl-C and SIGTERM alike, without an exception; afterwards they mean what they meant before."""
    steps: list[str] = []
    before = signal.getsignal(which)

    async def work() -> None:
        try:
            signal.raise_signal(which)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    run_until_stopped(work())
    assert steps == ["cleaned up"]
    assert signal.getsignal(which) == before


def test_a_second_ctrl_c_cuts_the_cleaning_up_short() -> None:
    """Whoever presses twice does not want to wait."""
    steps: list[str] = []

    async def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            steps.append("cleaning up")
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
            steps.append("never")

    run_until_stopped(work())
    assert steps == ["cleaning up"]


def test_work_that_is_cancelled_by_others_says_so() -> None:
    """Only a signal is a clean stop."""

    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_until_stopped(work())
