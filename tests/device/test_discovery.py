"""Finding the devices on a line: all that are there, one at a time, and soon."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from framelink.device import Identity
from framelink.device.discovery import ADDRESSES, Found, Progress, discover
from framelink.device.station import station_of
from framelink.errors import FormatError
from framelink.link import HalfDuplex, Link, connect
from framelink.message import STANDARD
from framelink.wire import Frame, Ledger, Receiver, encode
from tests.support import virtual_time
from tests.support.fake_line import FakeLine
from tests.support.rs485_bus import Rs485Bus

BITS = 10
THERE = (1, 9, 254)
TURNAROUND = 0.002
PATIENT = 0.5
"""Seconds for devices on a machine that is busy."""


def identity_of(addr: int, name: str = "") -> Identity:
    """Return what the device at an address says."""
    return Identity(protocol=1, boots=addr, device_type=7, firmware="1.2.3", name=name or f"device {addr}")


def answer_of(addr: int, name: str = "") -> Frame:
    """Return how it says it."""
    one = identity_of(addr, name)
    fields = {"protocol": 1, "boots": addr, "type": 7, "firmware": [1, 2, 3], "name": one.name}
    return STANDARD.encode(addr, "identify", fields, kind="reply")


def answers(frame: Frame) -> Iterable[Frame]:
    """Answer as the devices do that are there."""
    return [answer_of(frame.addr)] if frame.addr in THERE else []


class SlowLine(FakeLine):
    """A line in memory whose answers take the time that their bytes take, begun after `delay` seconds."""

    def __init__(self, device: Any = answers, baudrate: int = 115_200, delay: float = 0.001) -> None:
        super().__init__(device)
        self.baudrate = baudrate
        self.delay = delay
        self.low_latency: bool | None = False
        self.ledger: Ledger = Receiver().ledger
        self.free_at = 0.0
        self.overlaps = 0

    async def send(self, frame: Frame, *_timeout: Any, **_lane: Any) -> None:
        """Give the devices a frame."""
        loop = asyncio.get_running_loop()
        self.sent.append(frame)
        self.overlaps += loop.time() < self.free_at
        self.free_at = loop.time() + len(encode(frame)) * BITS / self.baudrate
        for answer in self.device(frame):
            begin = self.free_at + self.delay
            size = len(encode(answer))
            self.free_at = begin + size * BITS / self.baudrate
            for number in range(1, size):
                loop.call_at(begin + number * BITS / self.baudrate, self._hear)
            loop.call_at(self.free_at, self.deliver, answer)

    def _hear(self) -> None:
        self.ledger = replace(self.ledger, received=self.ledger.received + 1)


def scan(line: SlowLine, *arguments: Any, **options: Any) -> tuple[list[Found], float]:
    """Discover in virtual time; return what was found and how long it took."""

    async def work() -> tuple[list[Found], float]:
        found: Any = await discover(line, *arguments, **options)
        return found, asyncio.get_running_loop().time()

    return virtual_time.run(work())


def test_all_devices_are_found_by_asking_each_address_once() -> None:
    """In the order of their addresses, with what they say and how long they took to say it."""
    line = SlowLine()
    found, _seconds = scan(line)
    assert [(one.addr, one.identity, one.note) for one in found] == [
        (addr, identity_of(addr), "") for addr in THERE
    ]
    assert [frame.addr for frame in line.sent] == list(ADDRESSES)
    assert all(0.002 < one.round_trip < 0.01 for one in found)
    assert not line.subscribers


@pytest.mark.parametrize(("low_latency", "limit"), [(False, 6.0), (True, 2.5)])
def test_an_empty_line_takes_seconds(low_latency: bool, limit: float) -> None:
    """254 addresses at 115,200 baud; fewer where the adapter passes bytes on at once."""
    line = SlowLine(lambda _frame: [])
    line.low_latency = low_latency
    found, seconds = scan(line)
    assert found == []
    assert len(line.sent) == 254
    assert seconds < limit


@pytest.mark.parametrize("baudrate", [300, 9_600, 115_200])
def test_a_long_answer_is_heard_to_its_end(baudrate: int) -> None:
    """Nobody else is asked while it lasts."""
    line = SlowLine(lambda frame: [answer_of(frame.addr, "n" * 200)], baudrate)
    found, _seconds = scan(line, [1, 2, 3])
    assert [one.identity for one in found] == [identity_of(addr, "n" * 200) for addr in (1, 2, 3)]
    assert line.overlaps == 0


def test_an_answer_that_comes_too_late_counts_all_the_same() -> None:
    """It names its address."""
    found, _seconds = scan(SlowLine(delay=0.04), [1, 9])
    assert [one.addr for one in found] == [1, 9]
    assert all(one.round_trip > 0.04 for one in found)


def test_patience_can_be_asked_for() -> None:
    """On a line over a network everything takes longer."""
    line = SlowLine(delay=0.3)
    assert [one.addr for one in scan(line, [1, 9], answer_time=0.4)[0]] == [1, 9]
    assert line.overlaps == 0


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (Frame(1, 0xFF, b"\x02\x01"), "it does not know identify"),
        (Frame(1, 0x82, b"\x01"), "its answer to identify is none of ours"),
    ],
)
def test_a_device_that_does_not_say_what_it_is_is_there(answer: Frame, note: str) -> None:
    """It speaks our frames and something else in them."""
    found, _seconds = scan(SlowLine(lambda _frame: [answer]), [1])
    assert [(one.addr, one.identity, one.note) for one in found] == [(1, None, note)]


@pytest.mark.parametrize("answer", [Frame(1, 0xFF, b"\x03\x01"), Frame(1, 0x83, b"\x01"), Frame(2, 0x82)])
def test_other_frames_are_no_answer(answer: Frame) -> None:
    """Other commands' replies, and addresses that were not asked."""
    assert scan(SlowLine(lambda _frame: [answer]), [1])[0] == []


def test_passes_find_what_a_bad_line_hid() -> None:
    """Only who has not answered is asked again."""
    lost = {9: 2, 254: 1}

    def device(frame: Frame) -> Iterable[Frame]:
        lost[frame.addr] = lost.get(frame.addr, 0) - 1
        return answers(frame) if lost[frame.addr] < 0 else []

    line = SlowLine(device)
    found, _seconds = scan(line, THERE, passes=3)
    assert [one.addr for one in found] == list(THERE)
    assert [frame.addr for frame in line.sent] == [1, 9, 254, 9, 254, 9]


def test_progress_is_told_after_each_address() -> None:
    """With how much is still to come."""
    steps: list[Progress] = []
    scan(SlowLine(), [1, 2], passes=2, progress=steps.append)
    assert steps == [Progress(1, 4, 1), Progress(2, 4, 1), Progress(3, 3, 1)]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ([[0]], {}, "addresses 1 to 254, not 0"),
        ([[255]], {}, "addresses 1 to 254, not 255"),
        ([], {"passes": 0}, "passes must be 1 to 20"),
        ([], {"passes": 21}, "passes must be 1 to 20"),
        ([], {"answer_time": -1.0}, "answer_time must be 0 seconds or more"),
        ([], {"answer_time": float("inf")}, "answer_time must be 0 seconds or more"),
        ([], {"answer_time": float("nan")}, "answer_time must be 0 seconds or more"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments: Any, options: Any, message: str) -> None:
    """Before anything is sent."""
    line = SlowLine()
    with pytest.raises(FormatError, match=message):
        scan(line, *arguments, **options)
    assert not line.sent


def test_what_is_found_is_known_from_then_on() -> None:
    """A later scan notices that a device has rebooted in between."""

    async def work() -> int:
        line = SlowLine()
        await discover(line, [9])
        line.device = lambda frame: [
            STANDARD.encode(
                frame.addr,
                "identify",
                {"protocol": 1, "boots": 77, "type": 7, "firmware": [1, 2, 3], "name": ""},
                kind="reply",
            )
        ]
        await discover(line, [9])
        return station_of(line, 9).tally.reboots

    assert virtual_time.run(work()) == 1


async def test_no_two_talk_at_the_same_time_on_a_bus() -> None:
    """Devices on two wires with echo: a scan meets no collision."""
    wires = HalfDuplex(turnaround=TURNAROUND, echo=True)
    async with (
        Rs485Bus(THERE, gap=TURNAROUND, answer=answers) as bus,
        connect(bus.path, half_duplex=wires) as link,
    ):
        found = await discover(link, [*THERE, 2, 253], answer_time=PATIENT)
        assert [one.addr for one in found] == list(THERE)
        assert (bus.overlaps, bus.hasty) == (0, 0)
        assert link.ledger.noise_bytes == 0


async def test_a_blocking_link_discovers_too() -> None:
    """By the same code, in its background thread."""

    def blocking(path: str) -> list[Found]:
        with Link(path) as link:
            return discover(link, [8, 9], answer_time=PATIENT)

    async with Rs485Bus(THERE, answer=answers, echo=False) as bus:
        found = await asyncio.to_thread(blocking, bus.path)
    assert [one.identity for one in found] == [identity_of(9)]
