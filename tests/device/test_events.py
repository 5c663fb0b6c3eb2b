"""What a device says by itself, as a stream."""

from __future__ import annotations

import asyncio
import gc

import pytest

from framelink.device import AsyncDevice
from framelink.device.events import EVENTS_KEPT
from framelink.errors import LinkClosed, LinkTimeout, PayloadError
from framelink.message import Schema
from framelink.wire import Frame
from tests.support.fake_line import FakeLine

COUNTER = Schema.parse(
    """
    [device]
    name = "counter"
    standard = false
    [[event]]
    id = 0x20
    name = "count"
    fields = [{ name = "n", type = "u16" }]
    """
)


def counted(number: int) -> Frame:
    """Return an event."""
    return COUNTER.encode(1, "count", {"n": number})


async def test_nobody_who_reads_slowly_costs_memory() -> None:
    """The oldest events go, and are counted."""
    line = FakeLine()
    device = AsyncDevice(line, 1, COUNTER)
    events = device.events("count")
    for number in range(EVENTS_KEPT + 3):
        line.deliver(counted(number))
    assert (await events.receive()).fields == {"n": 3}
    assert device.stats.events_dropped == 3


async def test_an_event_that_does_not_fit_is_counted() -> None:
    """It is no reason to end the stream."""
    line = FakeLine()
    device = AsyncDevice(line, 1, COUNTER)
    events = device.events()
    line.deliver(Frame(1, 0x20, b"\x01"))
    line.deliver(Frame(1, 0x33))
    line.deliver(counted(5))
    assert (await events.receive()).fields == {"n": 5}
    assert device.stats.events_undecodable == 1


async def test_a_wait_for_an_event_may_be_bounded() -> None:
    """Its error says what did not come."""
    with pytest.raises(LinkTimeout, match=r"no count within 0\.01 s"):
        await AsyncDevice(FakeLine(), 1, COUNTER).events("count").receive(timeout=0.01)


async def test_what_had_come_can_be_read_after_the_end() -> None:
    """Whether the link was closed, before or after, or the stream."""
    line = FakeLine()
    device = AsyncDevice(line, 1, COUNTER)
    mine, other = device.events(), device.events()
    line.deliver(counted(1))
    mine.close()
    line.deliver(counted(2))
    assert [event.fields["n"] async for event in mine] == [1]
    line.close()
    assert [event.fields["n"] async for event in other] == [1, 2]
    with pytest.raises(LinkClosed, match="no more events"):
        await device.events().receive()


async def test_a_forgotten_stream_takes_no_more() -> None:
    """Nothing but the caller keeps it."""
    line = FakeLine()
    device = AsyncDevice(line, 1, COUNTER)
    device.events()
    gc.collect()
    for number in range(EVENTS_KEPT + 1):
        line.deliver(counted(number))
    assert device.stats.events_dropped == 0


async def test_two_readers_get_each_event() -> None:
    """Streams do not take from each other."""
    line = FakeLine()
    device = AsyncDevice(line, 1, COUNTER)
    streams = device.events(), device.events("count")
    asyncio.get_running_loop().call_soon(line.deliver, counted(9))
    assert [(await one.receive()).fields["n"] for one in streams] == [9, 9]


async def test_only_events_that_there_are_can_be_wanted() -> None:
    """The error names them; without a schema there are frames."""
    with pytest.raises(PayloadError, match="counter has no event 'cuont'; it has: count"):
        AsyncDevice(FakeLine(), 1, COUNTER).events("cuont")
    with pytest.raises(PayloadError, match="iterate over the link for frames"):
        AsyncDevice(FakeLine(), 1).events()
