"""Requests on a line in memory: matching, retries, turns, faults of the line."""

from __future__ import annotations

import asyncio

import pytest

from framelink.device import request, requester
from framelink.errors import FormatError, LinkClosed, LinkDown, LinkTimeout, RequestRefused, RequestTimeout
from framelink.link import Lane
from framelink.wire import Frame
from tests.support.fake_line import FakeLine, answering, refusing

PATIENT = 30.0
"""Seconds that no test waits for: something must happen before."""
BRIEF = 0.01
"""Seconds that tests of timeouts wait for nothing."""


async def test_the_reply_is_returned() -> None:
    """A request that the device answers gives the device's frame."""
    line = FakeLine(answering(b"\x2a"))
    assert await request(line, Frame(3, 0x20), timeout=PATIENT) == Frame(3, 0xA0, b"\x2a")
    assert line.bounds == [PATIENT]


async def test_a_refusal_is_raised() -> None:
    """A request that the device refuses raises with its reason."""
    with pytest.raises(RequestRefused, match="busy"):
        await request(FakeLine(refusing(4)), Frame(3, 0x20), timeout=PATIENT)


async def test_silence_is_a_timeout() -> None:
    """A device that never answers costs one sending and one timeout."""
    line = FakeLine()
    with pytest.raises(RequestTimeout, match="sent once"):
        await request(line, Frame(3, 0x20), timeout=BRIEF)
    assert len(line.sent) == 1


async def test_a_lost_request_is_sent_again() -> None:
    """A device that hears the third sending only is heard, with two retries."""
    line = FakeLine()
    line.device = lambda frame: answering(b"ok")(frame) if len(line.sent) == 3 else []
    assert (await request(line, Frame(3, 0x20), timeout=BRIEF * 20, retries=2)).data == b"ok"
    assert len(line.sent) == 3


async def test_other_traffic_is_no_reply() -> None:
    """Events and other devices' replies pass by."""
    line = FakeLine(lambda _frame: [Frame(3, 0x21, b"event"), Frame(4, 0xA0), Frame(3, 0xA0, b"mine")])
    assert (await request(line, Frame(3, 0x20), timeout=PATIENT)).data == b"mine"


async def test_nothing_stays_subscribed() -> None:
    """However a request ends, it leaves no callback on the link."""
    line = FakeLine()
    with pytest.raises(RequestTimeout):
        await request(line, Frame(3, 0x20), timeout=BRIEF)
    waiting = asyncio.create_task(request(line, Frame(3, 0x20), timeout=PATIENT))
    await asyncio.sleep(0)
    assert line.subscribers
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not line.subscribers


async def test_requests_to_one_address_take_turns() -> None:
    """A second request to a device waits for the first reply; another device need not wait."""
    line = FakeLine()
    first = asyncio.create_task(request(line, Frame(3, 0x20, b"1"), timeout=PATIENT))
    second = asyncio.create_task(request(line, Frame(3, 0x21, b"2"), timeout=PATIENT))
    other = asyncio.create_task(request(line, Frame(4, 0x20, b"3"), timeout=PATIENT))
    for _turn in range(5):
        await asyncio.sleep(0)
    assert [frame.data for frame in line.sent] == [b"1", b"3"]
    line.device = answering()
    line.deliver(Frame(3, 0xA0))
    line.deliver(Frame(4, 0xA0))
    await asyncio.gather(first, second, other)
    assert [frame.data for frame in line.sent] == [b"1", b"3", b"2"]


async def test_a_line_that_comes_back_gets_the_next_attempt() -> None:
    """A fault of the line that may pass uses an attempt up, not the request."""
    line = FakeLine(answering(b"back"), faults=[LinkDown("down"), LinkTimeout("still down")])
    assert (await request(line, Frame(3, 0x20), timeout=PATIENT, retries=2)).data == b"back"


async def test_the_last_attempts_fault_is_raised() -> None:
    """A request that never got onto the line says why, not that the device is silent."""
    line = FakeLine(faults=[LinkDown("the line is down")])
    with pytest.raises(LinkDown, match="the line is down"):
        await request(line, Frame(3, 0x20), timeout=PATIENT)


async def test_a_closed_link_ends_the_request_at_once() -> None:
    """A fault that does not pass is raised without further attempts."""
    line = FakeLine(faults=[LinkClosed("closed")])
    with pytest.raises(LinkClosed):
        await request(line, Frame(3, 0x20), timeout=PATIENT, retries=5)
    assert not line.sent


async def settle() -> None:
    """Let all tasks go as far as they can."""
    for _turn in range(5):
        await asyncio.sleep(0)


async def give_up(line: FakeLine, frame: Frame) -> None:
    """Send a request and do not wait for its reply, which may come late."""
    waiting = asyncio.create_task(request(line, frame, timeout=PATIENT))
    await settle()
    waiting.cancel()
    await asyncio.wait([waiting])


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Late replies are waited for without end."""
    monkeypatch.setattr(requester, "LATE_MAX", PATIENT)


@pytest.mark.usefixtures("endless")
@pytest.mark.parametrize("late", [Frame(3, 0xA0, b"one"), Frame(3, 0xFF, b"\x20\x04")])
async def test_a_late_reply_is_not_the_next_requests(late: Frame) -> None:
    """It passes before the next one is sent, if that could take it for its own."""
    line = FakeLine()
    await give_up(line, Frame(3, 0x20, b"1"))
    second = asyncio.create_task(request(line, Frame(3, 0x20, b"2"), timeout=PATIENT))
    await settle()
    line.deliver(Frame(3, 0x21, b"event"))
    await settle()
    assert [frame.data for frame in line.sent] == [b"1"]
    line.device = answering(b"two")
    line.deliver(late)
    assert (await second).data == b"two"


@pytest.mark.usefixtures("endless")
async def test_the_late_replies_of_retries_pass_too() -> None:
    """One reply may come for each sending."""
    line = FakeLine(lambda _frame: [Frame(3, 0xA0, b"one")] if len(line.sent) == 3 else [])
    await request(line, Frame(3, 0x20, b"1"), timeout=BRIEF, retries=2)
    line.device = answering(b"two")
    second = asyncio.create_task(request(line, Frame(3, 0x20, b"2"), timeout=PATIENT))
    for _late in range(2):
        await settle()
        assert len(line.sent) == 3
        line.deliver(Frame(3, 0xA0, b"one"))
    assert (await second).data == b"two"


@pytest.mark.usefixtures("endless")
@pytest.mark.parametrize("other", [Frame(3, 0x20, b"1"), Frame(3, 0x21, b"2"), Frame(4, 0x20, b"2")])
async def test_only_what_could_be_confused_waits(other: Frame) -> None:
    """The same request, another command and another address do not."""
    line = FakeLine()
    await give_up(line, Frame(3, 0x20, b"1"))
    line.device = answering(b"two")
    assert (await request(line, other, timeout=PATIENT)).data == b"two"


async def test_late_replies_are_waited_for_within_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may never come; and what was waited for once is done with."""
    monkeypatch.setattr(requester, "LATE_MAX", BRIEF)
    line = FakeLine()
    await give_up(line, Frame(3, 0x20, b"1"))
    line.device = answering(b"two")
    assert (await request(line, Frame(3, 0x20, b"2"), timeout=PATIENT)).data == b"two"
    monkeypatch.setattr(requester, "LATE_MAX", PATIENT)
    assert (await request(line, Frame(3, 0x20, b"3"), timeout=PATIENT)).data == b"two"


async def test_closing_the_link_ends_a_request_that_waits() -> None:
    """At once, not when its time is over."""
    line = FakeLine()
    waiting = asyncio.create_task(request(line, Frame(3, 0x20), timeout=PATIENT, retries=5))
    await settle()
    line.close()
    with pytest.raises(LinkClosed, match="closed before address 0x03 answered"):
        await waiting
    assert len(line.sent) == 1
    assert not line.subscribers
    assert not line.watchers


@pytest.mark.usefixtures("endless")
async def test_closing_the_link_ends_the_waiting_for_late_replies() -> None:
    """Nothing is sent any more."""
    line = FakeLine()
    await give_up(line, Frame(3, 0x20, b"1"))
    waiting = asyncio.create_task(request(line, Frame(3, 0x20, b"2"), timeout=PATIENT))
    await settle()
    line.close()
    with pytest.raises(LinkClosed):
        await waiting
    assert len(line.sent) == 1


async def test_a_reply_that_comes_while_the_request_is_being_sent_counts() -> None:
    """A device may be quicker than the one who sends."""

    class QuickLine(FakeLine):
        async def send(self, frame: Frame, timeout: float | None = 0.0, *, lane: Lane = Lane.NORMAL) -> None:
            await super().send(frame, timeout, lane=lane)
            self.deliver(Frame(frame.addr, frame.cmd | 0x80, b"quick"))

    line = QuickLine()
    assert (await request(line, Frame(3, 0x20), timeout=PATIENT)).data == b"quick"


async def test_misuse_sends_nothing() -> None:
    """A request that cannot have a reply is refused before the line is touched."""
    line = FakeLine()
    with pytest.raises(FormatError, match="broadcast"):
        await request(line, Frame(0xFF, 0x20))
    assert not line.bounds
