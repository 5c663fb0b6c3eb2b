"""AsyncLink on real lines: ptys, sockets, RFC 2217, and what happens when they break."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import serial
import serial.rfc2217
from serial.tools import list_ports, list_ports_common
from serial.urlhandler import protocol_loop

from framelink.errors import LinkClosed, LinkDown, LinkFull, LinkOpenError, LinkTimeout
from framelink.link import AsyncLink, LinkState, StateChange, connect, inbox, port, ports, transmitter
from framelink.wire import Frame, FrameFormat, encode
from tests.support.pty_device import DEADLINE, Echo, PtyDevice

FRAME = Frame(0x01, 0x10, b"\x01\x02\x03")
OTHER = Frame(0x02, 0x20, b"other")
CLOSE_LIMIT = 1.0
"""Seconds that closing may take, whatever the line does."""


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PtyDevice]:
    """A device on a pty."""
    with PtyDevice(tmp_path) as one:
        yield one


async def until(link: AsyncLink, state: LinkState) -> StateChange:
    """Wait until the link gets into a state."""
    reached: asyncio.Future[StateChange] = asyncio.get_running_loop().create_future()

    def look(change: StateChange) -> None:
        if change.state is state and not reached.done():
            reached.set_result(change)

    stop = link.watch(look)
    try:
        return await asyncio.wait_for(reached, DEADLINE)
    finally:
        stop()


async def closes_in_time(link: AsyncLink) -> None:
    """Close the link and hold it to its promise."""
    before = time.monotonic()
    await link.close()
    assert time.monotonic() - before < CLOSE_LIMIT
    assert link.state is LinkState.CLOSED


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


async def test_a_device_is_found_again_under_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A usb: URL follows the device to whatever name the system gives it."""
    plugged: list[Any] = []
    monkeypatch.setattr(list_ports, "comports", lambda: plugged)

    def info(path: Path) -> Any:
        entry = list_ports_common.ListPortInfo(str(path))
        entry.vid, entry.pid, entry.serial_number = 0x10C4, 0xEA60, "A1"
        return entry

    with PtyDevice(tmp_path, "ttyUSB0") as first:
        plugged[:] = [info(first.path)]
        assert [one.url for one in ports()] == ["usb:10c4:ea60:A1"]
        async with connect("usb:10c4:ea60:A1") as link:
            first.unplug()
            plugged.clear()
            await until(link, LinkState.LOST)
            with PtyDevice(tmp_path, "ttyUSB7") as second:
                plugged[:] = [info(second.path)]
                await link.wait_connected(DEADLINE)
                second.write(encode(FRAME))
                assert await link.receive(DEADLINE) == FRAME


async def test_ports_without_usb_have_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """A built-in port is listed by its device alone."""
    entry = list_ports_common.ListPortInfo("/dev/ttyS0")
    monkeypatch.setattr(list_ports, "comports", lambda: [entry])
    assert [(one.device, one.url, one.description) for one in ports()] == [("/dev/ttyS0", "", "")]


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
    ],
)
async def test_what_waiting_will_not_mend_raises_at_once(url: str, baudrate: int, message: str) -> None:
    """Bad URLs, bad rates and things that are no ports are told at once, with the reason."""
    before = time.monotonic()
    with pytest.raises(LinkOpenError, match=message):
        async with connect(url, baudrate=baudrate):
            pass
    assert time.monotonic() - before < CLOSE_LIMIT


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
        with pytest.raises(LinkTimeout, match="is in use by another program"):
            await second.__aenter__()
        third = AsyncLink(str(device.path))
        third.start()
    await third.wait_connected(DEADLINE)
    await third.close()


class ScriptedOpener:
    """Opens what a test says, in the order in which it says it: errors are raised, URLs opened."""

    url = "scripted"

    def __init__(self, *script: Exception | str | threading.Event) -> None:
        self.script = list(script)
        self.opened = threading.Event()
        self.closed = threading.Event()

    def open(self) -> Any:
        """Do the next thing of the script; the last one again and again."""
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, threading.Event):
            self.opened.set()
            step.wait(DEADLINE)
            return self
        return port.SerialOpener(step, 115_200).open()

    def close(self) -> None:
        """Note that an abandoned port was closed."""
        self.closed.set()


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
    monkeypatch.setattr(port._SerialPort, "close", lambda _self: hang.wait(DEADLINE))
    link = connect(str(device.path))
    await link.__aenter__()
    await closes_in_time(link)
    hang.set()


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


async def fill(link: AsyncLink) -> int:
    """Send until the transmit queue is full; return how many frames were taken."""
    taken = 0
    try:
        while True:
            await link.send(Frame(1, 2, bytes([taken & 0xFF]) * 200))
            taken += 1
    except LinkFull:
        return taken


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


async def test_the_transmit_queue_is_bounded_in_frames_too(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short frames fill it by their number."""
    monkeypatch.setattr(transmitter, "TX_QUEUE_FRAMES", 5)
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


async def test_a_write_that_finds_the_line_broken_tells_so(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frame was not sent, and the link knows that the line is lost."""
    async with connect(str(device.path)) as link:

        def broken(_self: Any, _data: bytes) -> int:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(port._DescriptorPort, "write", broken)
            with pytest.raises(LinkDown, match="the line broke: Input/output error"):
                await link.send(FRAME)
            await until(link, LinkState.LOST)
        await link.wait_connected(DEADLINE)


async def test_an_incomplete_frame_is_given_up_after_silence(device: PtyDevice) -> None:
    """What lies inside it is delivered."""
    outer = encode(Frame(1, 0x21, encode(OTHER)))
    async with connect(str(device.path)) as link:
        device.write(outer[:-1])
        assert await link.receive(DEADLINE) == OTHER
        assert link.ledger.noise["timeout"] == 1
        assert link.ledger.pending == 0


async def test_a_frame_that_pauses_in_the_middle_is_not_given_up(device: PtyDevice) -> None:
    """Bytes that keep coming put the end off."""
    async with connect(str(device.path)) as link:
        for byte in encode(FRAME):
            device.write(bytes([byte]))
            await asyncio.sleep(0.02)
        assert await link.receive(DEADLINE) == FRAME
        assert link.ledger.noise_bytes == 0


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


async def test_receive_times_out(device: PtyDevice) -> None:
    """With a message that says how long it waited."""
    async with connect(str(device.path)) as link:
        with pytest.raises(LinkTimeout, match=r"no frame within 0\.01 s"):
            await link.receive(timeout=0.01)


async def test_a_socket_is_a_line_and_is_connected_again() -> None:
    """socket:// frames go both ways; a server that hangs up is called again."""
    callers: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_server(lambda r, w: callers.put_nowait((r, w)), "127.0.0.1", 0)
    number = server.sockets[0].getsockname()[1]
    async with connect(f"socket://127.0.0.1:{number}") as link:
        reader, writer = await callers.get()
        await link.send(FRAME)
        assert await reader.readexactly(12) == encode(FRAME)
        writer.close()
        await writer.wait_closed()
        await until(link, LinkState.LOST)
        _reader, writer = await asyncio.wait_for(callers.get(), DEADLINE)
        writer.write(encode(OTHER))
        assert await link.receive(DEADLINE) == OTHER
    writer.close()
    server.close()


async def test_loop_gives_back_what_is_sent() -> None:
    """A line without a file descriptor works through threads."""
    async with connect("loop://") as link:
        for n in range(50):
            await link.send(Frame(1, 2, bytes([n]) * 200), timeout=DEADLINE)
            assert (await link.receive(DEADLINE)).data == bytes([n]) * 200
        await closes_in_time(link)


async def test_a_line_without_a_descriptor_that_breaks_is_opened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its reading thread, or its writing one, tells."""
    loop_line = protocol_loop.Serial
    for method in ("read", "write"):
        async with connect("loop://") as link:
            original = getattr(loop_line, method)

            def broken(_self: Any, _what: Any) -> bytes:
                raise serial.SerialException("gone")

            monkeypatch.setattr(loop_line, method, broken)
            await link.send(FRAME)
            change = await until(link, LinkState.LOST)
            assert "gone" in change.reason
            monkeypatch.setattr(loop_line, method, original)
            await link.wait_connected(DEADLINE)


async def test_a_line_without_a_descriptor_bounds_what_its_thread_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the driver does not take bytes, the queue fills and refuses; then it drains."""
    go = threading.Event()
    loop_line = protocol_loop.Serial
    original = loop_line.write

    def slow(self: Any, data: bytes) -> int:
        go.wait(DEADLINE)
        return original(self, data) or 0

    monkeypatch.setattr(loop_line, "write", slow)
    async with connect("loop://") as link:
        taken = await fill(link)
        go.set()
        for n in range(taken):
            assert (await link.receive(DEADLINE)).data[0] == n & 0xFF


class Rfc2217Server:
    """A real RFC 2217 server for one caller, in front of a line that gives back what it is sent."""

    def __init__(self) -> None:
        self._line: Any = serial.serial_for_url("loop://", timeout=0.05)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._socket.getsockname()[1]}?ign_set_control"
        self._done = False
        self._threads = [threading.Thread(target=self._serve)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._done = True
        for thread in self._threads:
            thread.join(DEADLINE)
        self._line.close()
        self._socket.close()

    def _serve(self) -> None:
        self._caller, _address = self._socket.accept()
        connection: Any = self
        self._manager = serial.rfc2217.PortManager(self._line, connection)
        self._threads.append(threading.Thread(target=self._forward))
        self._threads[1].start()
        with self._caller:
            while data := self._caller.recv(1024):
                self._line.write(b"".join(self._manager.filter(data)))
            self._done = True
            self._threads[1].join(DEADLINE)

    def _forward(self) -> None:
        while not self._done:
            data = self._line.read(self._line.in_waiting or 1)
            if data:
                self.write(b"".join(self._manager.escape(data)))

    def write(self, data: bytes) -> None:
        """Send to the caller; the manager calls it too."""
        self._caller.sendall(data)


async def test_rfc2217_carries_frames() -> None:
    """Against pyserial's own server side, with bytes that telnet must escape."""
    with Rfc2217Server() as server:
        async with connect(server.url) as link:
            escaped = Frame(0xFF, 0xFF, b"\xff\xff\x00")
            await link.send(escaped)
            assert await link.receive(DEADLINE) == escaped
            await closes_in_time(link)


async def test_two_links_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    """Many requests on two lines at once all come back to where they were sent."""
    with PtyDevice(tmp_path, "a") as a, PtyDevice(tmp_path, "b") as b, Echo(a), Echo(b):
        async with connect(str(a.path)) as first, connect(str(b.path)) as second:

            async def talk(link: AsyncLink, addr: int) -> None:
                for n in range(100):
                    await link.send(Frame(addr, 2, bytes([n])))
                    assert await link.receive(DEADLINE) == Frame(addr, 2, bytes([n]))

            await asyncio.gather(talk(first, 1), talk(second, 2))
