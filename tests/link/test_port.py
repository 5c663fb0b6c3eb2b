"""The kinds of lines that a URL names: USB devices, sockets, RFC 2217 servers, lines that threads drive."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import pytest
import serial
from serial.tools import list_ports, list_ports_common
from serial.urlhandler import protocol_loop

from framelink.errors import LinkOpenError, LinkTimeout
from framelink.link import AsyncLink, LineSettings, LinkState, PortEvents, connect, inbox, ports
from framelink.link.descriptor_port import DescriptorPort
from framelink.link.port import KEEPALIVE_COUNT, KEEPALIVE_IDLE, KEEPALIVE_INTERVAL
from framelink.link.thread_port import RFC2217_QUEUE_BYTES, ThreadPort
from framelink.wire import Frame, encode
from tests.link.helpers import FRAME, OTHER, closes_in_time, fill, until, until_true
from tests.link.rfc2217_server import Rfc2217Server
from tests.support.pty_device import DEADLINE, PtyDevice

PURGE = b"\xff\xfa\x2c\x0c"
"""IAC SB COM-PORT-OPTION PURGE-DATA: the server is to throw away what it has."""


def usb_info(device: PtyDevice, serial_number: str) -> Any:
    """Return what the system tells of a USB device at that path."""
    entry = list_ports_common.ListPortInfo(str(device.path))
    entry.vid, entry.pid, entry.serial_number = 0x10C4, 0xEA60, serial_number
    return entry


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is plugged in, as the system tells."""
    infos: list[Any] = []
    monkeypatch.setattr(list_ports, "comports", lambda: infos)
    return infos


async def test_a_device_is_found_again_under_another_name(tmp_path: Path, plugged: list[Any]) -> None:
    """A usb: URL follows the device to whatever name the system gives it."""
    with PtyDevice(tmp_path, "ttyUSB0") as first:
        plugged[:] = [usb_info(first, "A1")]
        assert [one.url for one in ports()] == ["usb:10c4:ea60:A1"]
        async with connect("usb:10c4:ea60:A1") as link:
            first.unplug()
            plugged.clear()
            await until(link, LinkState.LOST)
            with PtyDevice(tmp_path, "ttyUSB7") as second:
                plugged[:] = [usb_info(second, "A1")]
                await link.wait_connected(DEADLINE)
                second.write(encode(FRAME))
                assert await link.receive(DEADLINE) == FRAME


async def test_of_two_equal_devices_the_serial_number_tells(tmp_path: Path, plugged: list[Any]) -> None:
    """Or else the first that is free is taken."""
    with PtyDevice(tmp_path, "a") as first, PtyDevice(tmp_path, "b") as second:
        plugged[:] = [usb_info(first, "A"), usb_info(second, "B")]
        async with connect("usb:10c4:ea60:B") as link:
            second.write(encode(OTHER))
            assert await link.receive(DEADLINE) == OTHER
        async with connect("usb:10c4:ea60") as link, connect("usb:10c4:ea60") as another:
            first.write(encode(FRAME))
            second.write(encode(OTHER))
            assert await link.receive(DEADLINE) == FRAME
            assert await another.receive(DEADLINE) == OTHER
            with pytest.raises(LinkTimeout, match="usb:10c4:ea60 is open in this program already"):
                async with connect("usb:10c4:ea60", connect_timeout=0.1):
                    pass


async def test_ports_without_usb_have_no_url(plugged: list[Any]) -> None:
    """A built-in port is listed by its device alone."""
    plugged[:] = [list_ports_common.ListPortInfo("/dev/ttyS0")]
    assert [(one.device, one.url, one.description) for one in ports()] == [("/dev/ttyS0", "", "")]


async def test_low_latency_mode_is_set_where_the_driver_has_one(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the link says so."""
    asked: list[bool] = []
    monkeypatch.setattr(serial.Serial, "set_low_latency_mode", lambda _self, on: asked.append(on))
    async with connect(device.path) as link:
        assert link.low_latency is True
        assert link.stats.low_latency is True
    assert asked == [True]


async def test_a_lines_settings_are_pyserials(device: PtyDevice) -> None:
    """Parity, stop bits and flow control reach the driver."""
    settings = LineSettings(bytesize=7, parity="E", stopbits=2, rtscts=True, dsrdtr=False, xonxoff=False)
    async with connect(device.path, **settings) as link:
        port: Any = link._port
        assert {name: getattr(port._line, name) for name in settings} == settings


async def test_settings_that_cannot_be_are_refused() -> None:
    """A wrong name at once, a wrong value when the line is opened."""
    with pytest.raises(TypeError, match="there is no setting speed; there are bytesize, parity"):
        connect("loop://", speed=1)  # type: ignore[call-arg]
    with pytest.raises(LinkOpenError, match="Not a valid parity: 'X'"):
        async with connect("loop://", parity="X"):
            pass


class StuckLine:
    """A line whose driver waits in `close` for bytes that nobody takes."""

    port = "stuck"

    def __init__(self) -> None:
        self.out_waiting = 5
        self.is_closed = False
        self._reader, self._writer = socket.socketpair()

    def fileno(self) -> int:
        """Return a descriptor that can be waited on."""
        return self._reader.fileno()

    def reset_output_buffer(self) -> None:
        """Throw the bytes away."""
        self.out_waiting = 0

    def close(self) -> None:
        """Close, if nothing stands in the way."""
        assert self.out_waiting == 0, "closing waits for 30 s"
        self._reader.close()
        self._writer.close()
        self.is_closed = True


def test_bytes_that_nobody_takes_are_thrown_away_before_closing() -> None:
    """Drivers wait for them in close, for 30 s on Linux."""
    line = StuckLine()
    DescriptorPort(line).close()
    assert line.is_closed


async def test_a_socket_is_a_line_and_is_connected_again() -> None:
    """socket:// frames go both ways; a server that hangs up is called again, and the old socket closed."""
    callers: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_server(lambda r, w: callers.put_nowait((r, w)), "127.0.0.1", 0)
    number = server.sockets[0].getsockname()[1]
    async with connect(f"socket://127.0.0.1:{number}") as link:
        first = connection_of(link)
        reader, writer = await callers.get()
        await link.send(FRAME)
        assert await reader.readexactly(12) == encode(FRAME)
        abort_on_close = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, abort_on_close)
        writer.close()
        await writer.wait_closed()
        await until(link, LinkState.LOST)
        _reader, writer = await asyncio.wait_for(callers.get(), DEADLINE)
        writer.write(encode(OTHER))
        assert await link.receive(DEADLINE) == OTHER
        assert first.fileno() == -1
    writer.close()
    server.close()


def connection_of(link: AsyncLink) -> socket.socket:
    """Return the socket under a link."""
    port: Any = link._port
    connection: socket.socket = port._line._socket
    return connection


async def test_a_peer_that_is_gone_without_a_word_is_noticed() -> None:
    """The system asks it from time to time; small frames go out at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with connect(f"socket://127.0.0.1:{server.getsockname()[1]}") as link:
            ask = connection_of(link).getsockopt
            assert ask(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert ask(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            assert [ask(socket.IPPROTO_TCP, one) for one in options] == [
                KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT, 25_000,
            ]  # fmt: skip


async def test_loop_gives_back_what_is_sent() -> None:
    """A line without a file descriptor works through threads."""
    async with connect("loop://") as link:
        for n in range(50):
            await link.send(Frame(1, 2, bytes([n]) * 200), timeout=DEADLINE)
            assert (await link.receive(DEADLINE)).data == bytes([n]) * 200
        await closes_in_time(link)


async def test_a_spy_sees_the_traffic(device: PtyDevice, tmp_path: Path) -> None:
    """A line that is more than its descriptor is read and written through its own methods."""
    log = tmp_path / "log"
    async with connect(f"spy://{device.path}?file={log}") as link:
        await link.send(FRAME)
        assert await asyncio.to_thread(device.read, 12) == encode(FRAME)
        device.write(encode(OTHER))
        assert await link.receive(DEADLINE) == OTHER
        port: Any = link._port
        port._line.formatter.output.close()
    assert "TX   0000  55 AA 01 10" in log.read_text()
    assert "RX   0000  AA 02 20" in log.read_text()


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


class ReadCounter:
    """A line that always has bytes, and counts how often it was read."""

    port = "counter"
    in_waiting = 0

    def __init__(self) -> None:
        self.reads = 0
        self.was_read = threading.Condition()

    def read(self, _size: int) -> bytes:
        """Return a byte."""
        with self.was_read:
            self.reads += 1
            self.was_read.notify_all()
        return b"x"

    def is_read_more_often(self, reads: int) -> bool:
        """Tell whether it is read more often than that, given a moment."""
        with self.was_read:
            return self.was_read.wait_for(lambda: self.reads > reads, 0.02)

    def close(self) -> None:
        """Do nothing."""


async def test_a_busy_loop_has_one_chunk_of_a_thread_to_take_at_most() -> None:
    """The thread reads on when the loop has taken what it read before."""
    line = ReadCounter()
    port = ThreadPort(line)
    overtaken: list[bool] = []
    taken = asyncio.Event()

    def received(_chunk: bytes) -> None:
        reads = 2 * len(overtaken) + 2  # one for the first byte of each chunk, one for the others
        overtaken.append(line.is_read_more_often(reads))
        if len(overtaken) == 3:
            port.pause()
            taken.set()

    port.start(asyncio.get_running_loop(), PortEvents(received, lambda: None, lambda _reason: None))
    await taken.wait()
    port.stop()
    assert overtaken == [False] * 3


async def test_the_first_look_at_a_threads_line_tells_nothing() -> None:
    """Its thread may hold bytes that the stalled process gave it no time to hand over."""
    line = ReadCounter()
    port = ThreadPort(line)
    port._events = PortEvents(lambda _chunk: None, lambda: None, lambda _reason: None)
    assert [port.waiting(), port.waiting()] == [True, False]
    port._received(b"x")
    assert [port.waiting(), port.waiting()] == [True, False]
    line.in_waiting = 1
    assert port.waiting()


async def test_an_intact_frame_survives_a_stalled_host_on_rfc2217(device: PtyDevice) -> None:
    """Its second half is in the hands of pyserial's thread when the idle gap seems to be over."""
    with Rfc2217Server(device) as server:
        async with connect(f"{server.url}?ign_set_control") as link:
            held, look = threading.Event(), threading.Event()
            port: Any = link._port
            put, waiting = port._line._read_buffer.put, port.waiting

            def hold(byte: bytes) -> None:
                held.set()
                look.wait(DEADLINE)
                put(byte)

            def looked() -> bool:
                answer: bool = waiting()
                look.set()
                return answer

            device.write(encode(FRAME)[:5])
            await until_true(lambda: link.ledger.pending == 5)
            port._line._read_buffer.put, port.waiting = hold, looked
            device.write(encode(FRAME)[5:])
            await asyncio.to_thread(held.wait, DEADLINE)
            assert await link.receive(DEADLINE) == FRAME
            assert link.ledger.noise_bytes == 0


async def test_rfc2217_carries_frames_and_is_connected_again(device: PtyDevice) -> None:
    """Against pyserial's own server side, with bytes that telnet must escape."""
    escaped = Frame(0xFF, 0xFF, b"\xff\xff\x00")
    with Rfc2217Server(device) as server:
        async with connect(server.url) as link:
            for _ in range(2):
                await link.send(escaped)
                assert await asyncio.to_thread(device.read, 12) == encode(escaped)
                device.write(encode(escaped))
                assert await link.receive(DEADLINE) == escaped
                server.hang_up()
                await until(link, LinkState.LOST)
                await link.wait_connected(DEADLINE)
            assert link.stats.reconnects == 2


async def test_rfc2217_sends_all_before_it_closes(device: PtyDevice) -> None:
    """And never asks the server to throw away what it has."""
    frames = [Frame(1, 2, bytes([n]) * 200) for n in range(20)]
    with Rfc2217Server(device) as server:
        async with connect(server.url) as link:
            server.heard.clear()
            for frame in frames:
                await link.send(frame)
            await closes_in_time(link)
        wanted = b"".join(map(encode, frames))
        assert await asyncio.to_thread(device.read, len(wanted)) == wanted
        assert PURGE not in server.heard


async def test_rfc2217_reads_no_more_ahead_than_it_may(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the line is paused, pyserial's thread stops too; closing wakes it."""
    monkeypatch.setattr(inbox, "RX_QUEUE_FRAMES", 16)
    with Rfc2217Server(device) as server:
        async with connect(f"{server.url}?ign_set_control") as link:
            link.take()
            flood = threading.Thread(target=server.write, args=[encode(Frame(1, 2, bytes(200))) * 2_000])
            flood.start()
            port: Any = link._port
            read_ahead = port._line._read_buffer
            await until_true(lambda: link.stats.rx_paused)
            await until_true(lambda: read_ahead.qsize() >= RFC2217_QUEUE_BYTES)
            assert read_ahead.full()
            reader = port._line._thread
            await closes_in_time(link)
            await asyncio.to_thread(reader.join, DEADLINE)
            assert not reader.is_alive()
            await asyncio.to_thread(flood.join, DEADLINE)
            assert not flood.is_alive()
