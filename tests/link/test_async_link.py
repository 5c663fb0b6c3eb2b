"""AsyncLink on a real line, and what happens when it breaks."""

from __future__ import annotations

import asyncio
import math
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from framelink.errors import FormatError, LinkClosed, LinkDown, LinkFull, LinkOpenError, LinkTimeout
from framelink.link import (
    AsyncLink,
    Lane,
    LinkState,
    Port,
    StateChange,
    async_link,
    connect,
    inbox,
    lane,
    receiving,
    sending,
)
from framelink.link.connector import Connector
from framelink.link.descriptor_port import DescriptorPort
from framelink.link.serial_port import SerialPort
from framelink.wire import Frame, FrameFormat, encode
from tests.link.helpers import (
    CLOSE_LIMIT,
    FRAME,
    OTHER,
    HeldPort,
    ScriptedOpener,
    closes_in_time,
    fill,
    until,
    until_true,
)
from tests.support.pty_device import DEADLINE, Echo, PtyDevice


async def test_frames_go_both_ways_and_are_counted(device: PtyDevice) -> None:
    """What the host sends the device hears, and the other way round; the figures say so."""
    async with connect(str(device.path)) as link:
        await link.send(FRAME)
        assert await asyncio.to_thread(device.read, 12) == encode(FRAME)
        device.write(b"\xff" + encode(OTHER))
        assert await link.receive(DEADLINE) == OTHER
        stats = link.stats
        assert (stats.frames_sent, stats.frames_received) == (1, 1)
        assert (stats.bytes_sent, stats.bytes_received) == (12, 15)
        assert (stats.connects, stats.reconnects) == (1, 0)
        assert stats.last_frame_at is not None
        assert stats.last_frame_at <= time.monotonic()
        assert link.ledger.noise["noise"] == 1
        assert link.low_latency is False
        assert "connected" in repr(link)
    assert link.low_latency is None


async def test_a_link_speaks_the_format_that_it_is_given(device: PtyDevice) -> None:
    """Sending and receiving use the device's variant."""
    variant = FrameFormat(header=b"~", tail=b"", check="sum8")
    async with connect(str(device.path), format=variant) as link:
        await link.send(FRAME)
        wire = encode(FRAME, variant)
        assert await asyncio.to_thread(device.read, len(wire)) == wire
        device.write(wire)
        assert await link.receive(DEADLINE) == FRAME
        assert link.format is variant


async def test_iteration_ends_when_the_link_is_closed(device: PtyDevice) -> None:
    """All that was received is read first."""
    async with connect(str(device.path)) as link:
        device.write(encode(FRAME) + encode(OTHER))
        seen = []
        async for frame in link:
            seen.append(frame)
            if len(seen) == 2:
                await link.close()
    assert seen == [FRAME, OTHER]
    with pytest.raises(LinkClosed, match="is closed"):
        await link.receive()


async def test_the_states_of_a_life_are_told_in_order(device: PtyDevice) -> None:
    """From CONNECTING through a loss to CLOSED, each with the state before it."""
    link = connect(str(device.path))
    assert link.state is LinkState.INITIAL
    changes: list[StateChange] = []
    link.watch(changes.append)
    async with link:
        device.unplug()
        await until(link, LinkState.LOST)
        device.plug()
        await link.wait_connected(DEADLINE)
    names = [change.state.value for change in changes]
    assert names == [
        "connecting", "connected", "lost", "connecting", "connected", "disconnecting", "closed",
    ]  # fmt: skip
    assert [change.previous for change in changes][1:] == [change.state for change in changes][:-1]
    assert changes[2].reason
    assert link.stats.reconnects == 1


async def test_no_intact_frame_is_lost_when_the_cable_is_pulled(device: PtyDevice) -> None:
    """Frames before, even inside one that was cut, and frames after arrive; the cut one is noise."""
    outer = encode(Frame(1, 0x21, encode(OTHER)))
    async with connect(str(device.path)) as link:
        device.write(encode(FRAME) + outer[:-3])
        assert await link.receive(DEADLINE) == FRAME
        device.unplug()
        assert await link.receive(DEADLINE) == OTHER
        device.plug()
        await link.wait_connected(DEADLINE)
        device.write(encode(FRAME))
        assert await link.receive(DEADLINE) == FRAME
        ledger = link.ledger
        assert ledger.delivered + ledger.noise_bytes == ledger.received
        assert ledger.noise["timeout"] == 1


@pytest.mark.parametrize(
    ("url", "baudrate", "message"),
    [
        ("/dev/null", 115_200, "is no serial port"),
        ("/tmp", 115_200, "is no serial port"),
        ("nonsense://x", 115_200, "protocol 'nonsense' not known"),
        ("socket://nowhere", 115_200, "socket://nowhere cannot be opened"),
        ("usb:xyz", 115_200, "write it as usb:VID:PID"),
        ("loop://", 0, "baudrate must be a whole number above 0, not 0"),
        ("loop://", -9600, "baudrate must be"),
        ("loop://", 2**31, "baudrate must be a whole number above 0, not 2147483648; at most 2147483647"),
        ("loop://", "115200", "baudrate must be a whole number above 0, not '115200'"),
        ("loop://", None, "baudrate must be"),
        ("loop://", 9600.0, "baudrate must be"),
        ("", 115_200, "the URL is empty"),
        (" ", 115_200, "the URL is empty"),
        ("rfc2217://host:99999", 115_200, "write it as rfc2217://HOST:PORT"),
        ("socket://:7000", 115_200, "write it as socket://HOST:PORT"),
    ],
)
async def test_what_waiting_will_not_mend_raises_at_once(url: str, baudrate: Any, message: str) -> None:
    """Bad URLs, bad rates and things that are no ports are told at once, with the reason."""
    before = time.monotonic()
    with pytest.raises(LinkOpenError, match=message):
        async with connect(url, baudrate=baudrate):
            pass
    assert time.monotonic() - before < CLOSE_LIMIT


async def test_a_number_that_is_too_large_for_a_driver_is_no_passing_fault() -> None:
    """Whatever the limit is that the driver has."""
    with pytest.raises(LinkOpenError, match="scripted cannot be opened: signed integer is greater"):
        async with connect(ScriptedOpener(OverflowError("signed integer is greater than maximum"))):
            pass


@pytest.mark.parametrize("url", [None, 5, b"/dev/ttyUSB0"])
async def test_what_is_no_line_is_a_type_error(url: Any) -> None:
    """It says what a line may be."""
    with pytest.raises(TypeError, match="a link opens a URL, a path, or an object with"):
        connect(url)


async def test_a_path_object_is_a_line(device: PtyDevice) -> None:
    """As everywhere in Python."""
    async with connect(device.path) as link:
        assert link.url == str(device.path)


@pytest.mark.parametrize("timeout", [math.nan, "1"])
async def test_a_timeout_that_is_no_time_is_refused(device: PtyDevice, timeout: Any) -> None:
    """Before anything is waited for."""
    with pytest.raises(FormatError, match="timeout must be a number of seconds"):
        connect(device.path, connect_timeout=timeout)
    async with connect(device.path) as link:
        with pytest.raises(FormatError, match="timeout must be a number of seconds"):
            await link.receive(timeout)


async def test_an_endless_timeout_is_one(device: PtyDevice) -> None:
    """Infinity waits as None does."""
    async with connect(device.path, connect_timeout=math.inf) as link:
        waiting = asyncio.create_task(link.receive(math.inf))
        device.write(encode(FRAME))
        assert await waiting == FRAME


async def test_a_path_that_never_appears_times_out_with_the_reason(tmp_path: Path) -> None:
    """The message says what stood in the way; a closed link then takes no more."""
    link = connect(str(tmp_path / "none"), connect_timeout=0.2)
    with pytest.raises(LinkTimeout, match=r"not connected within 0\.2 s: .*does not exist"):
        async with link:
            pass
    assert link.state is LinkState.CLOSED
    with pytest.raises(LinkClosed):
        await link.send(FRAME)
    with pytest.raises(LinkClosed, match="make a new link"):
        link.start()


async def test_a_device_that_appears_later_is_connected(tmp_path: Path) -> None:
    """A link that was started connects when its line is there."""
    link = AsyncLink(str(tmp_path / "dev"))
    link.start()
    with PtyDevice(tmp_path):
        await link.wait_connected(DEADLINE)
        await closes_in_time(link)


async def test_a_busy_port_is_waited_for(device: PtyDevice) -> None:
    """The second to open is told that it is in use, and gets it when the first has gone."""
    async with connect(str(device.path)):
        second = connect(str(device.path), connect_timeout=0.2)
        with pytest.raises(LinkTimeout, match="is open in this program already; close it first"):
            await second.__aenter__()
        third = AsyncLink(str(device.path))
        third.start()
    await third.wait_connected(DEADLINE)
    await third.close()


async def test_no_permission_raises_at_once_and_says_what_to_do() -> None:
    """The message names the group."""
    with pytest.raises(LinkOpenError, match=r"no permission to open scripted; add yourself to its group"):
        async with connect(ScriptedOpener(PermissionError(13, "Permission denied"))):
            pass


async def test_no_permission_after_replugging_is_waited_out(device: PtyDevice) -> None:
    """Systems set a device's permissions a moment after it appears."""
    opener = ScriptedOpener(str(device.path), PermissionError(13, "Permission denied"), str(device.path))
    async with connect(opener) as link:
        device.unplug()
        await until(link, LinkState.LOST)
        device.plug()
        await link.wait_connected(DEADLINE)
        assert opener.script == [str(device.path)]


async def test_a_connection_is_steady_if_it_lasted_or_brought_a_frame(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next tries come less and less often."""
    was_steady: asyncio.Queue[bool] = asyncio.Queue()

    async def keep_open(connector: Connector, serve: Callable[[Port], Awaitable[bool]]) -> None:
        while True:
            port = await connector._open()
            was_steady.put_nowait(await serve(port))
            device.plug()

    monkeypatch.setattr(Connector, "keep_open", keep_open)
    async with connect(device.path) as link:
        device.unplug()
        assert await was_steady.get() is False
        await link.wait_connected(DEADLINE)
        device.write(encode(FRAME))
        await link.receive(DEADLINE)
        device.unplug()
        assert await was_steady.get() is True
        await link.wait_connected(DEADLINE)
        monkeypatch.setattr(async_link, "STEADY_AFTER", 0.0)
        device.unplug()
        assert await was_steady.get() is True


async def test_closing_does_not_wait_for_a_driver_that_hangs_in_open() -> None:
    """The port that comes after all is closed."""
    hang = threading.Event()
    opener = ScriptedOpener(hang)
    link = AsyncLink(opener)
    link.start()
    await asyncio.to_thread(opener.opened.wait, DEADLINE)
    await closes_in_time(link)
    hang.set()
    assert await asyncio.to_thread(opener.closed.wait, DEADLINE)


async def test_closing_does_not_wait_for_a_driver_that_hangs_in_close(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread goes on waiting; the program does not."""
    hang = threading.Event()
    monkeypatch.setattr(SerialPort, "close", lambda _self: hang.wait(DEADLINE))
    link = connect(str(device.path))
    await link.__aenter__()
    await closes_in_time(link)
    hang.set()


async def test_a_driver_that_hangs_in_close_leaves_no_task_behind(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The link is closed while the line that it lost is still being given back."""
    hang, closing = threading.Event(), threading.Event()

    def close(_self: SerialPort) -> None:
        closing.set()
        hang.wait(DEADLINE)

    monkeypatch.setattr(SerialPort, "close", close)
    async with connect(device.path) as link:
        device.unplug()
        await asyncio.to_thread(closing.wait, DEADLINE)
        before = asyncio.all_tasks()
        await closes_in_time(link)
        assert asyncio.all_tasks() <= before
        assert len(asyncio.all_tasks()) == 1
    hang.set()


async def test_a_port_whose_closing_fails_is_gone_all_the_same(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is opened again."""
    original = SerialPort.close

    def close(self: SerialPort) -> None:
        original(self)
        raise RuntimeError("a driver's own fault")

    monkeypatch.setattr(SerialPort, "close", close)
    async with connect(device.path) as link:
        device.unplug()
        await until(link, LinkState.LOST)
        device.plug()
        await link.wait_connected(DEADLINE)


async def test_closing_that_is_cancelled_closes_all_the_same(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever closes need not wait for the end of it."""
    monkeypatch.setattr(sending, "DRAIN_TIMEOUT", DEADLINE)
    async with connect(device.path) as link:
        await fill(link)
        closing = asyncio.create_task(link.close())
        await asyncio.sleep(0)
        closing.cancel()
        await until(link, LinkState.CLOSED)
        with pytest.raises(asyncio.CancelledError):
            await closing
        async with connect(device.path, connect_timeout=DEADLINE):
            pass


async def test_a_link_whose_task_is_cancelled_is_closed(device: PtyDevice) -> None:
    """As at the end of asyncio.run: the port is given back."""
    link = connect(device.path)
    await link.__aenter__()
    assert link._task is not None
    link._task.cancel()
    await until(link, LinkState.CLOSED)
    with pytest.raises(LinkClosed):
        await link.receive()
    async with connect(device.path, connect_timeout=DEADLINE):
        pass


async def test_a_port_that_fails_in_an_odd_way_closes_the_link(caplog: pytest.LogCaptureFixture) -> None:
    """A fault in an opener's own port is told, and nobody waits for ever."""
    link = AsyncLink(HeldPort(start_fault=RuntimeError("odd")))
    link.start()
    with pytest.raises(LinkClosed):
        await link.wait_connected(DEADLINE)
    assert "closed by a fault of its own" in caplog.text


async def test_bytes_that_the_driver_has_not_sent_at_closing_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is lost is visible."""
    monkeypatch.setattr(sending, "DRAIN_TIMEOUT", 0.01)
    async with connect(HeldPort()) as link:
        await link.send(FRAME)
        assert link.stats.tx_cut == 0
    assert link.stats.tx_cut == 7


async def test_what_was_sent_before_closing_arrives(device: PtyDevice) -> None:
    """The device may hear it later."""
    async with connect(device.path) as link:
        for n in range(40):
            await link.send(Frame(1, 2, bytes([n]) * 200))
        assert link.stats.frames_sent == 40
    wanted = b"".join(encode(Frame(1, 2, bytes([n]) * 200)) for n in range(40))
    assert device.read(len(wanted)) == wanted
    assert (link.stats.tx_discarded, link.stats.tx_cut) == (0, 0)


async def test_what_waits_to_be_sent_when_closing_begins_is_sent(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing waits for a device that reads."""
    monkeypatch.setattr(sending, "DRAIN_TIMEOUT", DEADLINE)
    async with connect(device.path) as link:
        taken = await fill(link)
        assert link.stats.frames_sent < taken
        wanted = b"".join(encode(Frame(1, 2, bytes([n & 0xFF]) * 200)) for n in range(taken))
        reading = asyncio.create_task(asyncio.to_thread(device.read, len(wanted)))
    assert await reading == wanted
    assert (link.stats.frames_sent, link.stats.tx_discarded) == (taken, 0)


async def test_a_link_can_be_closed_before_and_just_after_it_was_started(tmp_path: Path) -> None:
    """And again after that."""
    unborn = AsyncLink(str(tmp_path / "none"))
    await closes_in_time(unborn)
    newborn = AsyncLink(str(tmp_path / "none"))
    newborn.start()
    await closes_in_time(newborn)
    await closes_in_time(newborn)


async def test_two_tasks_may_close_at_once(device: PtyDevice) -> None:
    """Both come back."""
    async with connect(str(device.path)) as link:
        await asyncio.gather(closes_in_time(link), closes_in_time(link))


async def test_unplugging_while_closing_does_not_hang(device: PtyDevice) -> None:
    """Frames still waited to be sent."""
    async with connect(str(device.path)) as link:
        await fill(link)
        closing = asyncio.create_task(closes_in_time(link))
        await until(link, LinkState.DISCONNECTING)
        device.unplug()
        await closing


async def test_a_full_transmit_queue_refuses_and_then_keeps_the_order(device: PtyDevice) -> None:
    """Nothing is taken that cannot be kept; what was taken goes out whole and in order."""
    async with connect(str(device.path)) as link:
        taken = await fill(link)
        last = Frame(1, 3, bytes(200))
        assert link.stats.tx_refused == 1
        with pytest.raises(LinkTimeout, match=r"not sent within 0\.05 s"):
            await link.send(last, timeout=0.05)
        late = asyncio.create_task(link.send(last, timeout=DEADLINE))
        wanted = b"".join(encode(Frame(1, 2, bytes([n & 0xFF]) * 200)) for n in range(taken))
        assert await asyncio.to_thread(device.read, len(wanted)) == wanted
        await late
        assert await asyncio.to_thread(device.read, len(encode(last))) == encode(last)
        assert link.stats.frames_sent == taken + 1


async def test_the_transmit_queue_is_bounded_in_bytes(device: PtyDevice) -> None:
    """Long frames fill it by their size."""
    async with connect(device.path) as link:
        waiting = await fill(link) - link.stats.frames_sent
        size = len(encode(Frame(1, 2, bytes(200))))
        assert waiting == lane.BOUNDS[Lane.NORMAL].size // size < lane.BOUNDS[Lane.NORMAL].frames


async def test_the_transmit_queue_is_bounded_in_frames_too(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short frames fill it by their number."""
    monkeypatch.setitem(lane.BOUNDS, Lane.NORMAL, lane.Bound(5, 131_072))
    async with connect(str(device.path)) as link:
        taken = await fill(link)
        assert taken == link.stats.frames_sent + 5


async def test_frames_that_wait_when_the_line_breaks_are_discarded_and_counted(device: PtyDevice) -> None:
    """They do not come out minutes later, nor half of one."""
    async with connect(str(device.path)) as link:
        taken = await fill(link)
        sent = link.stats.frames_sent
        device.unplug()
        await until(link, LinkState.LOST)
        assert link.stats.tx_discarded == taken - sent
        device.plug()
        await link.wait_connected(DEADLINE)
        await link.send(OTHER)
        assert await asyncio.to_thread(device.read, len(encode(OTHER))) == encode(OTHER)


async def test_sending_while_the_line_is_down_fails_or_waits_as_wanted(device: PtyDevice) -> None:
    """At once without a timeout; with one, until the line is back or the time is over."""
    async with connect(str(device.path)) as link:
        device.unplug()
        await until(link, LinkState.LOST)
        with pytest.raises(LinkDown, match="not connected"):
            await link.send(FRAME)
        with pytest.raises(LinkTimeout, match="not sent within"):
            await link.send(FRAME, timeout=0.05)
        waiting = asyncio.create_task(link.send(FRAME, timeout=DEADLINE))
        device.plug()
        await waiting
        assert await asyncio.to_thread(device.read, 12) == encode(FRAME)


async def test_senders_that_wait_are_served_in_the_order_in_which_they_came(device: PtyDevice) -> None:
    """And each counts once as refused, however often it was looked after."""
    async with connect(device.path) as link:
        device.unplug()
        await until(link, LinkState.LOST)
        waiting = [asyncio.create_task(link.send(Frame(1, n), timeout=DEADLINE)) for n in range(30)]
        await until_true(lambda: link.stats.tx_refused == 30)
        waiting[7].cancel()
        device.plug()
        await asyncio.gather(*waiting[:7], *waiting[8:])
        heard = await asyncio.to_thread(device.read, 29 * 9)
        assert [heard[9 * n + 3] for n in range(29)] == [n for n in range(30) if n != 7]
        assert link.stats.tx_refused == 30


async def test_a_sender_that_finds_room_when_it_begins_to_wait_need_not(device: PtyDevice) -> None:
    """There was none a moment before, in another thread."""
    async with connect(device.path) as link:
        await link.send_in_turn(encode(FRAME), DEADLINE)
        assert await asyncio.to_thread(device.read, 12) == encode(FRAME)


async def test_a_new_frame_does_not_overtake_those_that_wait_for_room(device: PtyDevice) -> None:
    """Not even one that would still fit where the waiting one does not."""
    long, short = Frame(1, 2, bytes(200)), Frame(1, 3)
    async with connect(device.path) as link:
        taken = await fill(link)
        first = asyncio.create_task(link.send(long, timeout=DEADLINE))
        await asyncio.sleep(0)
        with pytest.raises(LinkFull):
            await link.send(short)
        second = asyncio.create_task(link.send(short, timeout=None))
        heard = await asyncio.to_thread(device.read, taken * len(encode(long)))
        await asyncio.gather(first, second)
        heard = await asyncio.to_thread(device.read, len(encode(long)) + len(encode(short)))
        assert heard == encode(long) + encode(short)


async def test_closing_ends_the_waiting_of_senders(device: PtyDevice) -> None:
    """They are told that it was closed."""
    async with connect(device.path) as link:
        device.unplug()
        await until(link, LinkState.LOST)
        waiting = asyncio.create_task(link.send(FRAME, timeout=DEADLINE))
        await asyncio.sleep(0)
        await link.close()
        with pytest.raises(LinkClosed):
            await waiting


async def test_a_write_that_finds_the_line_broken_tells_so(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frame was not sent, and the link knows that the line is lost."""
    async with connect(str(device.path)) as link:

        def broken(_self: Any, _data: bytes) -> int:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(DescriptorPort, "write", broken)
            with pytest.raises(LinkDown, match="the line broke: Input/output error"):
                await link.send(FRAME)
            await until(link, LinkState.LOST)
        await link.wait_connected(DEADLINE)


async def test_a_sender_whose_line_breaks_at_its_turn_waits_for_the_next(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its frame goes out once, whole."""
    async with connect(device.path) as link:

        def broken(_self: Any, _data: bytes) -> int:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(DescriptorPort, "write", broken)
            waiting = asyncio.create_task(link.send_in_turn(encode(FRAME), DEADLINE))
            await until(link, LinkState.LOST)
        await waiting
        await link.send(OTHER)
        wanted = encode(FRAME) + encode(OTHER)
        assert await asyncio.to_thread(device.read, len(wanted)) == wanted


async def test_an_incomplete_frame_is_given_up_after_silence(device: PtyDevice) -> None:
    """What lies inside it is delivered."""
    outer = encode(Frame(1, 0x21, encode(OTHER)))
    async with connect(str(device.path)) as link:
        device.write(outer[:-1])
        assert await link.receive(DEADLINE) == OTHER
        assert link.ledger.noise["timeout"] == 1
        assert link.ledger.pending == 0


async def test_a_host_that_stalls_does_not_take_that_for_silence(device: PtyDevice) -> None:
    """The loop stood still while the rest of the frame came in; the frame arrives."""
    async with connect(str(device.path)) as link:
        device.write(encode(FRAME)[:5])
        while link.ledger.pending < 5:
            await asyncio.sleep(0.001)
        threading.Timer(0.1, device.write, [encode(FRAME)[5:]]).start()
        threading.Event().wait(0.3)  # in the loop's own thread: nothing runs, while the rest comes in
        assert await link.receive(DEADLINE) == FRAME
        assert link.ledger.noise_bytes == 0


async def test_subscribers_see_every_frame_and_may_fail(
    device: PtyDevice, caplog: pytest.LogCaptureFixture
) -> None:
    """One that raises stops neither the others nor the link."""
    seen: list[Frame] = []

    def fail(_frame: Frame) -> None:
        raise RuntimeError("an observer's own fault")

    async with connect(str(device.path)) as link:
        link.subscribe(fail)
        stop = link.subscribe(seen.append)
        device.write(encode(FRAME))
        assert await link.receive(DEADLINE) == FRAME
        stop()
        stop()
        device.write(encode(OTHER))
        assert await link.receive(DEADLINE) == OTHER
    assert seen == [FRAME]
    assert "an observer of a link failed" in caplog.text


def test_sys_exit_in_a_callback_ends_an_asyncio_program(device: PtyDevice) -> None:
    """In the main thread it means what it says; the port is given back."""

    async def main() -> None:
        async with connect(device.path) as link:
            link.subscribe(lambda _frame: sys.exit(3))
            device.write(encode(FRAME))
            await link.receive(DEADLINE)

    with pytest.raises(SystemExit, match="3"):
        asyncio.run(main())
    asyncio.run(open_and_close(device.path))


async def open_and_close(path: Path) -> None:
    """See that a port is free."""
    async with connect(path, connect_timeout=DEADLINE):
        pass


async def test_a_slow_reader_pauses_the_line_and_loses_nothing(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receive queue stays bounded; all frames arrive in order."""
    monkeypatch.setattr(inbox, "RX_QUEUE_FRAMES", 64)
    frames = [Frame(1, 2, n.to_bytes(2, "little")) for n in range(3_000)]
    async with connect(str(device.path)) as link:
        writing = asyncio.create_task(asyncio.to_thread(device.write, b"".join(map(encode, frames))))
        assert [await link.receive(DEADLINE)] == frames[:1]
        while not link.stats.rx_paused:
            await asyncio.sleep(0.001)
        assert [await link.receive(DEADLINE) for _ in frames[1:]] == frames[1:]
        await writing
        assert link.stats.rx_unread_dropped == 0


async def test_while_nobody_reads_the_oldest_frames_go_and_are_counted(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that only sends must not stop the line."""
    monkeypatch.setattr(inbox, "RX_QUEUE_FRAMES", 10)
    async with connect(str(device.path)) as link:
        device.write(b"".join(encode(Frame(1, 2, bytes([n]))) for n in range(25)))
        while link.stats.frames_received < 25:
            await asyncio.sleep(0.001)
        assert link.stats.rx_unread_dropped == 15
        assert (await link.receive(DEADLINE)).data == bytes([15])


async def test_a_reader_that_goes_away_does_not_stop_the_line(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who received once and then only subscribes hears everything; what nobody reads is counted."""
    monkeypatch.setattr(inbox, "RX_QUEUE_FRAMES", 64)
    monkeypatch.setattr(receiving, "READER_PATIENCE", 0.05)
    frames = [Frame(1, 2, n.to_bytes(2, "little")) for n in range(3_000)]
    heard: list[Frame] = []
    async with connect(device.path) as link:
        device.write(encode(FRAME))
        assert await link.receive(DEADLINE) == FRAME
        link.subscribe(heard.append)
        await asyncio.to_thread(device.write, b"".join(map(encode, frames)))
        await until_true(lambda: len(heard) == len(frames))
        assert heard == frames
        stats = link.stats
        assert (stats.rx_paused, stats.rx_unread_dropped) == (1, len(frames) - 64)
        assert await link.receive() == frames[-64]


async def until_paused(link: AsyncLink, times: int) -> None:
    """Wait until the line was paused so many times."""
    await until_true(lambda: link.stats.rx_paused == times)


async def test_a_paused_line_that_breaks_is_lost_and_reads_again_when_it_is_back(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause hides no unplugging, and belongs to the connection that it began in."""
    monkeypatch.setattr(inbox, "RX_QUEUE_FRAMES", 8)
    monkeypatch.setattr(receiving, "READER_PATIENCE", 10 * DEADLINE)
    async with connect(device.path) as link:
        for round_ in (1, 2):
            link.take()
            device.write(encode(FRAME) * 16)
            await until_paused(link, round_)
            device.unplug()
            await until(link, LinkState.LOST)
            device.plug()
            await link.wait_connected(DEADLINE)


async def test_receive_times_out(device: PtyDevice) -> None:
    """With a message that says how long it waited."""
    async with connect(str(device.path)) as link:
        with pytest.raises(LinkTimeout, match=r"no frame within 0\.01 s"):
            await link.receive(timeout=0.01)


async def test_two_links_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    """Many requests on two lines at once all come back to where they were sent."""
    with PtyDevice(tmp_path, "a") as a, PtyDevice(tmp_path, "b") as b, Echo(a), Echo(b):
        async with connect(str(a.path)) as first, connect(str(b.path)) as second:

            async def talk(link: AsyncLink, addr: int) -> None:
                for n in range(100):
                    await link.send(Frame(addr, 2, bytes([n])))
                    assert await link.receive(DEADLINE) == Frame(addr, 2, bytes([n]))

            await asyncio.gather(talk(first, 1), talk(second, 2))
