"""Board: what starts, stops and watches real firmware."""

from __future__ import annotations

import array
import asyncio
import dataclasses
import fcntl
import os
import signal
import termios
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import framelink
from firmware_sim import board as board_module
from firmware_sim.board import Board
from firmware_sim.board_kind import KINDS, BoardKind
from framelink.errors import ConfigError, ToolchainError
from framelink.wire import Frame, encode
from tests.support.pty_device import DEADLINE

PING = Frame(1, 0x01, b"hello")
EMULATED = ["atmega328p", "cortex-m3"]
ENDS_WHEN_SPOKEN_TO = {
    "posix": """
#include "port.h"
int main(void) {
    (void)port_start();
    while (port_read() < 0) continue;
}
""",
    "atmega328p": """
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include "port.h"
int main(void) {
    (void)port_start();
    while (port_read() < 0) continue;
    cli(); sleep_enable(); sleep_cpu();
}
""",
}


def process_of(board: Board) -> int:
    """Return the process that runs a board."""
    assert board._process is not None
    return board._process.pid


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what has no event of its own."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.001)


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one that nobody has waited for counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def until_gone(processes: list[int]) -> None:
    """Wait until all have ended."""
    await until(lambda: all(is_gone(one) for one in processes))


def unread(line: int) -> int:
    """Return the bytes that wait in a terminal."""
    count = array.array("i", [0])
    fcntl.ioctl(line, termios.FIONREAD, count)
    return count[0]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of board in turn."""
    name: str = request.param
    return name


async def test_a_board_ends_with_its_processes_and_its_name(kind: str, tmp_path: Path) -> None:
    """Nothing is left; it can be closed again, and another can be started under the name."""
    for _ in range(2):
        async with Board(kind, link=tmp_path / "dev") as board:
            assert board.url == str(tmp_path / "dev")
            processes = [process_of(board), *children_of(process_of(board))]
            async with framelink.connect(board.url) as link:
                await framelink.request(link, PING, retries=9)
        await until_gone(processes)
        assert list(tmp_path.iterdir()) == []
        await board.close()


async def test_a_board_that_was_stopped_dead_is_ended_too(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not answer; closing kills it, and what it has started goes with it."""
    async with Board(kind) as board:
        monkeypatch.setattr(board_module, "STOP_PATIENCE", 0.05)
        monkeypatch.setattr(board_module, "PATIENCE", 0.05)
        processes = [process_of(board), *children_of(process_of(board))]
        os.kill(process_of(board), signal.SIGSTOP)
        with pytest.raises(ToolchainError, match=f"the board {kind} does not answer"):
            await board.reset()
    await until_gone(processes)


async def test_a_board_that_dies_is_told_of_in_one_line(kind: str) -> None:
    """Whoever waits for it, or tells it to do something."""
    async with Board(kind) as board:
        os.kill(process_of(board), signal.SIGKILL)
        for act in (board.wait, board.unplug, board.reset):
            with pytest.raises(ToolchainError, match=f"the board {kind} has ended"):
                await act()


async def test_an_emulator_that_dies_is_told_of() -> None:
    """The runner says so, and ends."""
    async with Board("cortex-m3") as board:
        (emulator,) = children_of(process_of(board))
        os.kill(emulator, signal.SIGKILL)
        with pytest.raises(
            ToolchainError, match=r"the board cortex-m3 has ended: .*qemu-system-arm has ended"
        ):
            await board.wait()


@pytest.mark.parametrize("name", ENDS_WHEN_SPOKEN_TO)
async def test_firmware_that_stops_is_told_of(name: str, tmp_path: Path) -> None:
    """A process that ends, a chip that sleeps for ever."""
    source = tmp_path / "ends.c"
    source.write_text(ENDS_WHEN_SPOKEN_TO[name], "utf-8")
    async with Board(name, firmware=[source]) as board:
        Path(board.url).write_bytes(b"x")
        with pytest.raises(ToolchainError, match=f"the board {name} has ended: the firmware has stopped"):
            await board.wait()


async def test_firmware_that_never_listens_is_no_board(tmp_path: Path) -> None:
    """It is told before the board is said to be ready; its name is given up."""
    source = tmp_path / "deaf.c"
    source.write_text("int main(void) { for (;;) continue; }\n", "utf-8")
    with pytest.raises(ToolchainError, match="the firmware does not listen to its UART"):
        await Board("atmega328p", firmware=[source], link=tmp_path / "dev").__aenter__()
    assert list(tmp_path.iterdir()) == [source]


async def test_what_nobody_has_read_is_not_told_to_the_next_host(kind: str) -> None:
    """A host that opens the line gets what is sent from then on, as from a real adapter."""
    async with Board(kind) as board:
        line = os.open(board.url, os.O_RDWR | os.O_NOCTTY)
        os.write(line, encode(Frame(1, 0x05, b"\x00\x00")) + encode(PING))
        await until(lambda: unread(line) > 0)
        os.close(line)

        def is_empty() -> bool:
            again = os.open(board.url, os.O_RDWR | os.O_NOCTTY)
            try:
                return unread(again) == 0
            finally:
                os.close(again)

        await until(is_empty)


async def test_replies_that_a_host_does_not_read_are_dropped_and_counted() -> None:
    """The device goes on."""
    async with Board("posix") as board:
        line = os.open(board.url, os.O_RDWR | os.O_NOCTTY)
        pings = encode(Frame(1, 0x01, bytes(250))) * 2_000  # more than all buffers on the way can take
        while pings:
            pings = pings[await asyncio.to_thread(os.write, line, pings) :]
        async with framelink.connect(board.url) as link:
            await framelink.request(link, Frame(1, 0x02), timeout=0.2, retries=20)
        os.close(line)
    assert board.dropped > 0


async def test_a_name_that_is_taken_starts_no_board(tmp_path: Path) -> None:
    """And stays with whoever has it."""
    async with Board("posix", link=tmp_path / "dev") as board:
        with pytest.raises(ConfigError, match="belongs to another simulation that still runs"):
            await Board("posix", link=tmp_path / "dev").__aenter__()
        assert Path(board.url).is_symlink()


def test_an_unknown_kind_of_board_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ConfigError, match="board must be one of posix, atmega328p, cortex-m3, not 'z80'"):
        Board("z80")


async def test_missing_tools_are_named_with_their_packages(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In one line that says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError) as caught:
        await Board(kind).__aenter__()
    text = str(caught.value)
    assert text.startswith(f"{kind} (")
    assert "needs cc, " in text
    assert text.endswith(f"install with `sudo apt-get install {' '.join(KINDS[kind].packages)}`")
    assert "\n" not in text


@pytest.mark.parametrize("name", EMULATED)
async def test_a_missing_library_is_named_with_its_packages(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the header that is not there."""
    changed = dataclasses.replace(KINDS[name], headers=(*KINDS[name].headers, ("cc", "no/such.h")))
    monkeypatch.setitem(KINDS, name, changed)
    with pytest.raises(ToolchainError, match=rf"{name} \(.*\) needs no/such.h, not found"):
        await Board(name).__aenter__()


async def test_a_system_without_ptys_has_no_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told at once."""
    monkeypatch.delattr(os, "openpty")
    with pytest.raises(ToolchainError, match="a board needs pseudo-terminals"):
        await Board("posix").__aenter__()


async def test_a_start_that_is_given_up_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ctrl-C while the firmware is built, or while the board comes up."""
    started: list[list[str]] = []
    begun = asyncio.Event()

    async def start(self: Board, command: list[str]) -> None:
        started.append(command)
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Board, "_start", start)
    opening: Awaitable[Board] = Board("posix", link=tmp_path / "dev").__aenter__()
    task = asyncio.ensure_future(opening)
    await asyncio.wait_for(begun.wait(), DEADLINE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []
    assert len(started) == 1


def test_every_kind_of_board_is_complete() -> None:
    """Its sources are there, and one that is emulated has a runner."""
    for name, one in KINDS.items():
        assert isinstance(one, BoardKind)
        assert all(path.is_file() for path in (*one.port, *one.runner))
        assert bool(one.runner) == (name in EMULATED)
