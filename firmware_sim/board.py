"""Board: real firmware on a board that this computer emulates, with its UART on a virtual serial port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from firmware_sim.board_kind import DEMO, KINDS, headers_of
from firmware_sim.models import schema_of
from firmware_sim.stable_name import StableName
from framelink.errors import ConfigError, ToolchainError
from framelink.message import Schema

PATIENCE = 20.0  # seconds for the board to do as told; QEMU starts in 0.1 s, on a busy machine in a few
STOP_PATIENCE = 2.0  # seconds until a board that does not end by itself is killed
LAST_WORDS = 3  # lines of what a board says before it ends by itself


class Board:
    """A running board; use it as an async context manager.

    Args:
        kind: One of `firmware_sim.board_kind.KINDS`.
        link: A stable name for its pty.
        paced: Whether the line of an emulated chip is as slow as a real one, at 115,200 baud.
        firmware: The firmware's sources, without the board's port; None for the demo.
        schema: What the firmware speaks, to build it with the header that is made of it.
        flags: More flags for its compiler.
        generated: File name → text of headers for it.
        linker_script: Where it goes in memory, if not where the kind says.

    Attributes:
        dropped: Bytes lost because the host did not read them; known when the board has ended.

    Raises:
        ConfigError: There is no such kind.
    """

    def __init__(
        self,
        kind: str,
        *,
        link: Path | None = None,
        paced: bool = True,
        firmware: Sequence[Path] | None = None,
        schema: Schema | None = None,
        flags: Sequence[str] = (),
        generated: Mapping[str, str] | None = None,
        linker_script: Path | None = None,
    ) -> None:
        if kind not in KINDS:
            raise ConfigError(f"board must be one of {', '.join(KINDS)}, not {kind!r}")
        self.kind = KINDS[kind]
        self._name = None if link is None else StableName(link)
        self._paced = paced
        if firmware is None:
            firmware, schema = DEMO, schema_of("motor")
            flags = (f'-DDEMO_NAME="motor on {kind}"', *flags)
        headers, choices = headers_of(schema, self.kind.max_data) if schema is not None else ({}, ())
        self._firmware = firmware
        self._flags = (*choices, *flags)
        self._generated = {**headers, **(generated or {})}
        self._linker_script = linker_script
        self.dropped = 0
        self._path = ""
        self._plugged, self._unplugged, self._restarted = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._said: deque[str] = deque(maxlen=LAST_WORDS)
        self._process: Process | None = None
        self._life: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """What a link opens: the stable name if there is one, else the pty's."""
        return self._path if self._name is None else str(self._name.path)

    async def __aenter__(self) -> Self:
        """Build the firmware if need be, start the board, and wait until it listens.

        Raises:
            ConfigError: The name is taken.
            ToolchainError: Something is missing, or the firmware or the board failed.
        """
        try:
            self._claim_name()
            await self._start(await asyncio.to_thread(self._command))
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    def _claim_name(self) -> None:
        if not hasattr(os, "openpty"):
            raise ToolchainError("a board needs pseudo-terminals, which this system does not have")
        if self._name is not None:
            self._name.claim()

    def _command(self) -> list[str]:
        """Return the command that runs the board, with everything built."""
        self.kind.require_tools()
        program, *image = self.kind.build(
            self._firmware, self._flags, self._generated, linker_script=self._linker_script
        )
        pace = [] if self._paced or not image else ["--unpaced"]
        return [program, *pace, *image]

    async def _start(self, command: list[str]) -> None:
        # In a session of its own: Ctrl-C in the terminal is for us, who then end the board in good order.
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        self._life = asyncio.create_task(self._live(self._process))
        await self._until(self._plugged)

    async def _live(self, process: Process) -> None:
        """Take in what the board says, until it has ended."""
        assert process.stdout is not None
        assert process.stderr is not None
        listening = asyncio.create_task(self._listen(process.stderr))
        async for line in process.stdout:
            self._take_in(*line.decode().split())
        await listening
        await process.wait()

    def _take_in(self, word: str, value: str = "") -> None:
        """Take in a line of the board's; see boards/host/line.h."""
        match word:
            case "ready:":
                self._point_to(value)
            case "gone":
                self._point_to(None)
            case "reset":
                self._restarted.set()
            case "dropped:":
                self.dropped = int(value)

    async def _listen(self, errors: asyncio.StreamReader) -> None:
        async for line in errors:
            self._said.append(line.decode(errors="replace").strip())

    def _point_to(self, path: str | None) -> None:
        """Take note of where the board's line is now."""
        self._path = path or ""
        if self._name is not None:
            self._name.point_to(path)
        news, other = (self._unplugged, self._plugged) if path is None else (self._plugged, self._unplugged)
        news.set()
        other.clear()

    async def _until(self, news: asyncio.Event) -> None:
        """Wait for news of the board.

        Raises:
            ToolchainError: It has ended instead, or does not answer.
        """
        assert self._life is not None
        coming = asyncio.create_task(news.wait())
        try:
            await asyncio.wait([coming, self._life], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            coming.cancel()
        if not news.is_set():
            raise self._death()

    def _death(self) -> ToolchainError:
        what = "has ended" if self._life is not None and self._life.done() else "does not answer"
        words = f": {'; '.join(self._said)}" if self._said else ""
        return ToolchainError(f"the board {self.kind.name} {what}{words}")

    async def wait(self) -> None:
        """Wait for the board, which runs until it is closed.

        Raises:
            ToolchainError: It has ended by itself; the message has its last words.
        """
        assert self._life is not None
        await asyncio.wait([self._life])
        raise self._death()

    async def reset(self) -> None:
        """Restart the chip, wherever it stands; its line stays.  What is sent while it starts is lost.

        Raises:
            ToolchainError: The board has ended, or does not answer.
        """
        self._restarted.clear()
        self._order(b"r")
        await self._until(self._restarted)

    async def unplug(self) -> None:
        """Pull the line's cable; the chip goes on.

        Raises:
            ToolchainError: The board has ended, or does not answer.
        """
        self._order(b"u")
        await self._until(self._unplugged)

    async def replug(self) -> None:
        """Plug the cable in again: a new pty, under the same stable name.

        Raises:
            ToolchainError: The board has ended, or does not answer.
        """
        self._order(b"p")
        await self._until(self._plugged)

    def _order(self, letter: bytes) -> None:
        """Tell the board to do something; see boards/host/line.h."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(letter)

    async def close(self) -> None:
        """End the board and remove its name."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()  # which ends it
            await self._end(process)
        if self._name is not None:
            self._name.release()

    async def _end(self, process: Process) -> None:
        assert self._life is not None
        await asyncio.wait([self._life], timeout=STOP_PATIENCE)
        if not self._life.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await self._life
