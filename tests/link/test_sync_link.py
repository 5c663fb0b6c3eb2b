"""Link: the blocking face, from any thread."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import framelink
from framelink.errors import LinkClosed, LinkDown, LinkOpenError, LinkTimeout
from framelink.link import LinkState, StateChange
from framelink.wire import Frame, encode
from tests.support.pty_device import DEADLINE, Echo, PtyDevice

FRAME = Frame(0x01, 0x10, b"\x01\x02\x03")


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PtyDevice]:
    """A device on a pty."""
    with PtyDevice(tmp_path) as one:
        yield one


def test_frames_go_both_ways(device: PtyDevice) -> None:
    """Five lines of a script."""
    with Echo(device), framelink.open(str(device.path)) as link:
        link.send(FRAME)
        for frame in link:
            assert frame == FRAME
            break
        assert link.state is LinkState.CONNECTED
        assert link.stats.frames_received == link.ledger.frames == 1
        assert link.low_latency is False
        assert link.url == str(device.path)
        assert link.format is framelink.DEFAULT_FORMAT
        assert "connected" in repr(link)


def test_a_link_that_cannot_be_opened_raises_and_leaves_no_thread(tmp_path: Path) -> None:
    """Both for what waiting will not mend and for what did not come in time."""
    before = threading.active_count()
    with pytest.raises(LinkOpenError):
        framelink.open("nonsense://")
    with pytest.raises(LinkTimeout):
        framelink.open(str(tmp_path / "none"), connect_timeout=0.1)
    assert threading.active_count() <= before


def test_receive_times_out(device: PtyDevice) -> None:
    """And goes on working after it."""
    with framelink.open(str(device.path)) as link:
        with pytest.raises(LinkTimeout, match=r"no frame within 0\.01 s"):
            link.receive(timeout=0.01)
        device.write(encode(FRAME))
        assert link.receive(DEADLINE) == FRAME


def test_a_link_survives_unplugging(device: PtyDevice) -> None:
    """Waiting goes on through it; sending waits if told to."""
    seen: list[Frame] = []
    lost, back = threading.Event(), threading.Event()
    with framelink.open(str(device.path)) as link:

        def look(change: StateChange) -> None:
            {LinkState.LOST: lost, LinkState.CONNECTED: back}.get(change.state, threading.Event()).set()

        link.watch(look)
        link.subscribe(seen.append)
        device.unplug()
        assert lost.wait(DEADLINE)
        with pytest.raises(LinkDown):
            link.send(FRAME)
        threading.Timer(0.05, device.plug).start()
        link.send(FRAME, timeout=DEADLINE)
        assert back.is_set()
        assert device.read(12) == encode(FRAME)
        link.wait_connected(DEADLINE)
        device.write(encode(FRAME))
        assert link.receive(DEADLINE) == FRAME
    assert seen == [FRAME]


def test_closing_wakes_a_thread_that_waits_for_a_frame(device: PtyDevice) -> None:
    """Iteration ends, receive raises."""
    ended = threading.Event()
    with framelink.open(str(device.path)) as link:

        def wait() -> None:
            assert list(link) == []
            with pytest.raises(LinkClosed):
                link.receive()
            ended.set()

        thread = threading.Thread(target=wait)
        thread.start()
        link.close()
        assert ended.wait(DEADLINE)
        thread.join(DEADLINE)
    with pytest.raises(LinkClosed):
        link.send(FRAME)
    with pytest.raises(LinkClosed):
        link.wait_connected()


def test_closing_from_a_callback_does_not_lock_up(device: PtyDevice) -> None:
    """A callback runs in the background thread, which cannot wait for itself: it is told so."""
    told: list[Exception] = []
    with framelink.open(str(device.path)) as link:
        done = threading.Event()

        def close(_frame: Frame) -> None:
            try:
                link.close()
            except RuntimeError as error:
                told.append(error)
            done.set()

        link.subscribe(close)
        device.write(encode(FRAME))
        assert done.wait(DEADLINE)
    assert "callback" in str(told[0])


def test_ctrl_c_interrupts_waiting(device: PtyDevice) -> None:
    """A signal's exception comes out of receive, and the link still closes."""
    with framelink.open(str(device.path)) as link:
        main = threading.main_thread().ident
        assert main == threading.get_ident()
        threading.Timer(0.1, signal.pthread_kill, [main, signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt):
            link.receive(DEADLINE)
        before = time.monotonic()
    assert time.monotonic() - before < 1.0


def send_all(link: framelink.Link, frames: list[Frame]) -> None:
    """Send them one after the other."""
    for frame in frames:
        link.send(frame)


def test_many_threads_may_send(device: PtyDevice) -> None:
    """Every frame goes out whole."""
    with Echo(device), framelink.open(str(device.path)) as link:
        frames = [Frame(addr, n, bytes(20)) for addr in range(4) for n in range(100)]
        threads = [
            threading.Thread(target=send_all, args=(link, [f for f in frames if f.addr == addr]))
            for addr in range(4)
        ]
        for thread in threads:
            thread.start()
        received = [link.receive(DEADLINE) for _ in frames]
        for thread in threads:
            thread.join(DEADLINE)
        assert sorted(received) == sorted(frames)
        for addr in range(4):
            assert [f.cmd for f in received if f.addr == addr] == list(range(100))
        assert link.ledger.noise_bytes == 0
