"""Link: the blocking face, from any thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import gc
import math
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import framelink
from framelink.errors import LinkClosed, LinkDown, LinkFull, LinkOpenError, LinkTimeout
from framelink.link import AsyncLink, LinkState, StateChange, sending
from framelink.link.receiving import Reception
from framelink.link.serial_port import SerialPort
from framelink.wire import Frame, encode
from tests.link.helpers import FRAME
from tests.support.pty_device import DEADLINE, Echo, PtyDevice


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
        assert link.fault == ""
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


@pytest.mark.parametrize(
    "wait", [framelink.Link.close, framelink.Link.receive, framelink.Link.wait_connected]
)
def test_waiting_in_a_callback_does_not_lock_up(
    device: PtyDevice, wait: Callable[[framelink.Link], object]
) -> None:
    """A callback runs in the background thread, which cannot wait for itself: it is told so."""
    told: list[Exception] = []
    with framelink.open(str(device.path)) as link:
        done = threading.Event()

        def misuse(_frame: Frame) -> None:
            try:
                wait(link)
            except RuntimeError as error:
                told.append(error)
            done.set()

        link.subscribe(misuse)
        device.write(encode(FRAME))
        assert done.wait(DEADLINE)
    assert "callback" in str(told[0])


@pytest.mark.parametrize("timeout", [math.inf, 1e12])
def test_the_longest_timeouts_are_long(device: PtyDevice, timeout: float) -> None:
    """They are no error, though the system knows none that long."""
    with Echo(device), framelink.open(device.path) as link:
        threading.Timer(0.05, link.send, [FRAME]).start()
        assert link.receive(timeout) == FRAME


def run_at_once(works: list[Callable[[], object]]) -> None:
    """Run them all at the same time, each in a thread, and see them come to an end."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        start.wait()
        work()

    threads = [threading.Thread(target=run, args=[work], daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()


def test_many_threads_may_close_at_once(device: PtyDevice) -> None:
    """All come back, every time."""
    for _ in range(100):
        link = framelink.open(device.path)
        run_at_once([link.close] * 3)
        assert link.state is LinkState.CLOSED


def until_closed(work: Callable[[], object]) -> None:
    """Do it again and again until the link is closed."""
    with contextlib.suppress(LinkClosed):
        while True:
            work()


def test_closing_ends_what_other_threads_wait_for(
    device: PtyDevice, caplog: pytest.LogCaptureFixture
) -> None:
    """Also what the loop does not come to any more."""
    for _ in range(30):
        link = framelink.open(device.path)
        nothing = functools.partial(link.call, lambda _link: asyncio.sleep(0))
        run_at_once([functools.partial(until_closed, link.wait_connected)] * 2
                    + [functools.partial(until_closed, nothing), link.close])  # fmt: skip
    gc.collect()
    assert "Task was destroyed" not in caplog.text


def test_a_call_ends_when_the_link_is_closed(device: PtyDevice) -> None:
    """Closing does not wait for it, and takes no new ones while it ends."""
    link = framelink.open(device.path)
    waiting = threading.Event()
    late: list[str] = []

    def call_again() -> None:
        with pytest.raises(LinkClosed) as refused:
            link.call(lambda _link: asyncio.sleep(0))
        late.append(str(refused.value))

    async def wait_for_ever(_link: AsyncLink) -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(call_again)

    def call() -> None:
        with pytest.raises(LinkClosed):
            link.call(wait_for_ever)

    def close() -> None:
        assert waiting.wait(DEADLINE)
        link.close()

    run_at_once([call, close])
    assert late == [f"{device.path} is closed"]


def test_a_call_that_the_loop_does_not_come_to_ends_too(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was accepted in the loop's last moment."""
    link = framelink.open(device.path)
    accepted = threading.Event()

    def accept(_work: object, _loop: object) -> concurrent.futures.Future[None]:
        accepted.set()
        return concurrent.futures.Future()

    def call() -> None:
        with pytest.raises(LinkClosed):
            link.wait_connected()

    def close() -> None:
        assert accepted.wait(DEADLINE)
        link.close()

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", accept)
    run_at_once([call, close])


def send_until_full(link: framelink.Link) -> None:
    """Send more than the line takes."""
    with contextlib.suppress(LinkFull):
        while True:
            link.send(Frame(1, 2, bytes(200)))


def test_ctrl_c_while_closing_does_not_stop_the_closing(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second call waits for the rest of it."""
    monkeypatch.setattr(sending, "DRAIN_TIMEOUT", 0.3)
    link = framelink.open(device.path)
    send_until_full(link)
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.05, signal.pthread_kill, [main, signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        link.close()
    link.close()
    assert link.state is LinkState.CLOSED


def test_sys_exit_in_a_callback_stops_nothing(device: PtyDevice, caplog: pytest.LogCaptureFixture) -> None:
    """In a background thread it could end that thread only; it is told like any fault."""
    with framelink.open(device.path) as link:
        link.subscribe(lambda _frame: sys.exit(3))
        for _ in range(2):
            device.write(encode(FRAME))
            assert link.receive(DEADLINE) == FRAME
    assert "SystemExit: 3" in caplog.text


def test_a_background_thread_that_dies_closes_the_link(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever waits is told, and the port is given back."""

    def die(_self: Reception, _chunk: bytes) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Reception, "received", die)
        link = framelink.open(device.path)
        device.write(encode(FRAME))
        with pytest.raises(LinkClosed):
            link.receive(DEADLINE)
        with pytest.raises(LinkClosed):
            link.send(FRAME)
        link.close()
    assert link.state is LinkState.CLOSED
    assert "the background thread" in caplog.text
    framelink.open(device.path).close()


def test_closing_while_a_lost_port_is_given_back_leaves_nothing_behind(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No task outlives its loop."""
    hang, closing = threading.Event(), threading.Event()

    def close(_self: SerialPort) -> None:
        closing.set()
        hang.wait(DEADLINE)

    monkeypatch.setattr(SerialPort, "close", close)
    with framelink.open(device.path):
        device.unplug()
        assert closing.wait(DEADLINE)
    hang.set()
    gc.collect()
    assert "Task was destroyed" not in caplog.text


def test_a_forgotten_link_is_closed_and_told_of(device: PtyDevice) -> None:
    """As when a notebook's cell runs again; its port is free for the next."""
    link = framelink.open(device.path)
    with pytest.raises(LinkTimeout, match="is open in this program already; close it first"):
        framelink.open(device.path, connect_timeout=0.05)
    with pytest.warns(ResourceWarning, match="was not closed"):  # noqa: PT031 - a statement and its effect
        del link
        gc.collect()
    framelink.open(device.path, connect_timeout=DEADLINE).close()


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
