"""Listening at one baud rate after the other, on real ptys and sockets."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from firmware_sim import Scenario, Simulation
from framelink.diagnosis import listening
from framelink.diagnosis.detect import Undetected, Verdict
from framelink.diagnosis.listening import SILENT_RATES, Heard, detect_on, listen
from framelink.errors import LinkError, LinkTimeout
from framelink.link import Port, PortOpener
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, encode
from tests.support.pty_device import DEADLINE, PtyDevice

LONG = DEADLINE
"""Seconds that a listening may last which ends early."""


def speech(format: FrameFormat = DEFAULT_FORMAT, frames: int = 40) -> bytes:
    """Return what a device says."""
    rng = random.Random(5)
    return b"".join(
        encode(Frame(1, 0x20 + n % 3, rng.randbytes(rng.randrange(20))), format) for n in range(frames)
    )


@pytest.fixture
def enough(monkeypatch: pytest.MonkeyPatch) -> int:
    """What one speech has, so that the listening ends with it."""
    size = len(speech())
    monkeypatch.setattr(listening, "ENOUGH", size)
    return size


def garbled(data: bytes) -> bytes:
    """Return bytes as a wrong baud rate makes them."""
    return random.Random(9).randbytes(len(data))


def when_opened(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], None]) -> None:
    """Have something done each time that the line has been opened; what was said before is discarded then."""
    left = iter(steps)
    real = listening._opened

    async def opened(opener: PortOpener) -> Port:
        port = await real(opener)
        next(left, lambda: None)()
        return port

    monkeypatch.setattr(listening, "_opened", opened)


async def test_the_rate_whose_bytes_make_sense_is_picked(
    tmp_path: Path, enough: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are told of as well."""
    told: list[Heard] = []
    with PtyDevice(tmp_path) as device:
        said = [garbled(speech()), garbled(speech()), speech()]
        when_opened(monkeypatch, *(partial(device.write, words) for words in said))
        heard = await detect_on(str(device.path), [9_600, 19_200, 57_600, 4_800], LONG, told.append)
    assert isinstance(heard, Heard)
    assert heard.baudrate == 57_600
    assert isinstance(heard.outcome, Verdict)
    assert heard.outcome.format == DEFAULT_FORMAT
    assert [(one.baudrate, one.makes_sense) for one in told] == [
        (9_600, False),
        (19_200, False),
        (57_600, True),
    ]


async def test_a_simulated_device_is_detected() -> None:
    """It reports by itself."""
    scenario = '[[port]]\nname = "dev"\n[[port.device]]\nmodel = "weather"\naddr = 1\nperiod = 10\n'
    async with Simulation(Scenario.parse(scenario)) as simulation:
        heard = await detect_on(simulation.urls["dev"], [115_200], 1.0, lambda _heard: None)
    assert isinstance(heard, Heard)
    assert heard.makes_sense


async def test_silence_ends_the_search_early(tmp_path: Path) -> None:
    """A wrong rate gives bytes, too, so silence at some rates is silence."""
    told: list[Heard] = []
    with PtyDevice(tmp_path) as device:
        outcome = await detect_on(str(device.path), range(1_200, 20_000, 1_200), 0.01, told.append)
    assert len(told) == SILENT_RATES
    assert isinstance(outcome, Undetected)
    assert "nothing was heard" in outcome.reason


async def test_bytes_that_make_no_sense_anywhere_are_said_to(
    tmp_path: Path, enough: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what else to try."""
    with PtyDevice(tmp_path) as device:
        when_opened(monkeypatch, *[partial(device.write, garbled(speech()))] * 2)
        outcome = await detect_on(str(device.path), [9_600, 4_800], LONG, lambda _heard: None)
    assert isinstance(outcome, Undetected)
    assert "9600, 4800 baud nothing made sense" in outcome.reason


async def test_a_line_without_rates_is_listened_to_once() -> None:
    """A socket has no baud rate."""
    told: list[Heard] = []
    outcome = await detect_on("loop://", [9_600, 4_800], 0.01, told.append)
    assert len(told) == 1
    assert isinstance(outcome, Undetected)


async def test_a_line_that_breaks_ends_the_listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long before its time is over."""
    with PtyDevice(tmp_path) as device:
        when_opened(monkeypatch, device.unplug)
        async with asyncio.timeout(LONG / 2):
            assert await listen(str(device.path), 9_600, LONG) == b""


async def test_a_line_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    """As links do."""
    with pytest.raises(LinkError, match="does not exist"):
        await listen(str(tmp_path / "none"), 9_600, 0.1)


async def test_a_driver_that_does_not_return_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever."""
    monkeypatch.setattr(listening, "OPEN_TIMEOUT", 0.01)

    async def hang(*_given: object, **_named: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(listening, "in_daemon", hang)
    with pytest.raises(LinkTimeout, match="did not open"):
        await listen("/dev/ttyUSB0", 9_600, 0.1)
