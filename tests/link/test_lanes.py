"""Lanes: what overtakes what on its way to the line, and by how much bulk may delay the rest."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framelink.errors import LinkFull
from framelink.link import Lane, Link, connect, lane
from framelink.link.pace import BULK_LEAD, Pace
from framelink.link.sending import Sending
from framelink.link.transmitter import TransmitEvents, Transmitter
from framelink.wire import Frame, Receiver, encode
from tests.link.helpers import until_true
from tests.link.uart import LateLoop, Uart
from tests.support import virtual_time
from tests.support.pty_device import DEADLINE, PtyDevice

BAUDRATES = [115_200, 921_600]
BITS = 10
TIMERS_LATE = 0.001
"""Seconds: what asyncio's timers are late on a machine with nothing else to do."""
ROUNDING = 1e-5


def bulk_frame(size: int) -> bytes:
    """Return a frame of a file."""
    return encode(Frame(1, 0x71, bytes(size)))


CONTROL = encode(Frame(1, 0x20, b"stop"))


async def sending_on(port: Any, baudrate: int, late: float = TIMERS_LATE) -> Sending:
    """Return the sending side of a link on a port."""
    sending = Sending(lambda work, *arguments: work(*arguments), pytest.fail)
    sending.attach(LateLoop(late), port, baudrate)  # type: ignore[arg-type]
    return sending


async def send_bulk(sending: Sending, size: int, seconds: float) -> None:
    """Send a file for so long, each frame as soon as there is room."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        await sending.wait(bulk_frame(size), Lane.BULK, None)


@pytest.mark.parametrize("size", [0, 55, 255])
@pytest.mark.parametrize("baudrate", BAUDRATES)
def test_a_control_frame_waits_for_the_bulk_frame_under_way_and_no_other(baudrate: int, size: int) -> None:
    """However much bulk waits; and for the lead with which that frame was handed over."""
    byte_time = BITS / baudrate

    async def work() -> list[float]:
        port = Uart(byte_time)
        sending = await sending_on(port, baudrate)
        bulk = asyncio.create_task(send_bulk(sending, size, 1.0))
        waits = []
        for turn in range(50):
            await asyncio.sleep(0.007 + turn * 0.0001)
            assert sending.transmitter.lanes[Lane.BULK].waiting > 10
            sending.transmitter.offer(CONTROL, Lane.CONTROL)
            stop = next(one for one in reversed(port.log) if one.data == CONTROL)
            assert stop.written == asyncio.get_running_loop().time()
            waits.append(stop.begins - stop.written)
        bulk.cancel()
        return waits

    waits = virtual_time.run(work())
    assert max(waits) <= BULK_LEAD + len(bulk_frame(size)) * byte_time + ROUNDING


@pytest.mark.parametrize("size", [0, 55, 255])
@pytest.mark.parametrize("baudrate", BAUDRATES)
def test_bulk_keeps_the_wire_busy(baudrate: int, size: int) -> None:
    """Although it is handed over frame by frame, by timers that are late."""

    async def work() -> float:
        port = Uart(BITS / baudrate)
        await send_bulk(await sending_on(port, baudrate), size, 1.0)
        return port.busy

    assert virtual_time.run(work()) >= 0.99


def test_bulk_on_a_line_without_a_rate_goes_as_fast_as_it_is_taken() -> None:
    """A network's buffers tell when they are full."""

    async def work() -> int:
        port = Uart(0.0)
        sending = await sending_on(port, 9_600)
        for _frame in range(1_000):
            sending.transmitter.offer(bulk_frame(255), Lane.BULK)
        return len(port.log)

    assert virtual_time.run(work()) == 1_000


def test_bulk_waits_for_a_driver_that_has_more_to_send_than_its_rate_explains() -> None:
    """Such as one that the other side's flow control holds up."""

    async def work() -> tuple[int, int]:
        port = Uart(BITS / 115_200)
        port.unsent = lambda: 500  # type: ignore[method-assign]
        sending = await sending_on(port, 115_200)
        sending.transmitter.offer(bulk_frame(9), Lane.BULK)
        await asyncio.sleep(1.0)
        held_up = len(port.log)
        port.unsent = lambda: 0  # type: ignore[method-assign]
        await asyncio.sleep(1.0)
        return held_up, len(port.log)

    assert virtual_time.run(work()) == (0, 1)


class PickyPort:
    """A port that takes as many bytes as a test says."""

    def __init__(self, byte_time: float) -> None:
        self.byte_time = byte_time
        self.room = 0
        self.heard = b""

    def write(self, data: bytes) -> int:
        """Take what there is room for."""
        taken = data[: self.room]
        self.room -= len(taken)
        self.heard += taken
        return len(taken)

    def unsent(self) -> int:
        """Tell nothing."""
        return 0


STEPS = st.lists(
    st.one_of(st.sampled_from(Lane), st.integers(1, 40), st.floats(0.0, 0.01)), min_size=1, max_size=60
)


@settings(deadline=None)  # machines may be busy
@given(STEPS, st.sampled_from([0.0, BITS / 115_200]))
def test_frames_go_out_whole_and_in_the_order_of_their_lanes(steps: list[Any], byte_time: float) -> None:
    """Whatever the line takes and whenever: within a lane as they came, and none while a higher one waits."""
    clock, port = [0.0], PickyPort(byte_time)
    transmitter = Transmitter(TransmitEvents(lambda: None, lambda _due: None, pytest.fail))
    transmitter.attach(port, Pace(byte_time), lambda: clock[0])  # type: ignore[arg-type]
    number = itertools.count()
    offered: list[Frame] = []
    for step in steps:
        match step:
            case Lane():
                offered.append(Frame(step, next(number) & 0x7F, bytes(3)))
                transmitter.offer(encode(offered[-1]), step)
            case int():
                port.room += step
                transmitter.pump()
            case float():
                clock[0] += step
                transmitter.pump()
    port.room = 100_000
    while not transmitter.idle:
        clock[0] += 1.0
        transmitter.pump()
    heard = Receiver().feed(port.heard)
    assert b"".join(map(encode, heard)) == port.heard
    for one in Lane:
        assert [frame for frame in heard if frame.addr == one] == [
            frame for frame in offered if frame.addr == one
        ]
    assert transmitter.bytes_sent == len(port.heard)
    assert sum(stats.frames_sent for stats in transmitter.lanes) == len(offered)


def test_what_waits_goes_by_lane() -> None:
    """Control first, bulk last; but for the frame that was begun."""
    port = PickyPort(0.0)
    transmitter = Transmitter(TransmitEvents(lambda: None, lambda _due: None, pytest.fail))
    transmitter.attach(port, Pace(0.0), lambda: 0.0)  # type: ignore[arg-type]
    port.room = 1
    for one, name in ((Lane.BULK, b"begun"), (Lane.BULK, b"b"), (Lane.NORMAL, b"n"), (Lane.CONTROL, b"c")):
        transmitter.offer(name, one)
    port.room = 100
    transmitter.pump()
    assert port.heard == b"beguncnb"


@pytest.mark.parametrize("one", Lane)
def test_each_lane_is_bounded_in_frames_and_in_bytes(one: Lane) -> None:
    """A lane that is full refuses, and counts it; the others have room."""
    transmitter = Transmitter(TransmitEvents(lambda: None, lambda _due: None, pytest.fail))
    transmitter.attach(PickyPort(0.0), Pace(0.0), lambda: 0.0)  # type: ignore[arg-type]
    bound = lane.BOUNDS[one]
    for size, room in ((1, bound.frames), (bound.size // 4, 4)):
        for _frame in range(room):
            transmitter.offer(bytes(size), one)
        with pytest.raises(LinkFull, match="transmit queue is full"):
            transmitter.offer(bytes(size), one)
        for other in set(Lane) - {one}:
            assert transmitter.has_room(b"x", other)
        transmitter.detach()
        transmitter.attach(PickyPort(0.0), Pace(0.0), lambda: 0.0)  # type: ignore[arg-type]
    stats = transmitter.lanes[one]
    assert (stats.refused, stats.discarded, stats.waiting) == (2, bound.frames + 4, 0)


async def test_a_control_frame_passes_queued_bulk_on_a_real_line(device: PtyDevice) -> None:
    """It is heard long before the last of the bulk."""
    stop = Frame(1, 0x20, b"stop")
    async with connect(device.path, baudrate=9_600) as link:
        for number in range(20):
            await link.send(Frame(1, 0x71, bytes([number]) * 50), lane=Lane.BULK)
        await link.send(stop, lane=Lane.CONTROL)
        receiver, heard = Receiver(), [Frame(0, 0)]
        while stop not in heard:
            heard += receiver.feed(await asyncio.to_thread(device.read, 1))
        assert len(heard) < 10
        assert link.stats.tx_lanes[Lane.CONTROL].frames_sent == 1
        assert link.stats.tx_lanes[Lane.BULK].waiting > 5


async def test_senders_that_wait_go_by_lane(device: PtyDevice) -> None:
    """In each lane in the order in which they came."""
    async with connect(device.path) as link:
        device.unplug()
        await until_true(lambda: link.state.value != "connected")
        senders = [
            asyncio.create_task(link.send(Frame(one, n), timeout=DEADLINE, lane=one))
            for n in range(3)
            for one in reversed(Lane)
        ]
        await until_true(lambda: link.stats.tx_refused == len(senders))
        device.plug()
        await asyncio.gather(*senders)
        heard = Receiver().feed(await asyncio.to_thread(device.read, 9 * len(senders)))
        assert heard == [Frame(one, n) for one in Lane for n in range(3)]


def test_bulk_from_another_thread_wakes_the_loop(tmp_path: Path) -> None:
    """The blocking link's frames are handed over by its background thread when their time has come."""
    with PtyDevice(tmp_path) as device, Link(device.path) as link:
        frames = [Frame(1, 0x71, bytes([n]) * 100) for n in range(10)]
        for frame in frames:
            link.send(frame, lane=Lane.BULK)
        wire = b"".join(map(encode, frames))
        assert device.read(len(wire)) == wire
        assert (link.baudrate, link.half_duplex) == (115_200, None)
