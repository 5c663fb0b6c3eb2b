"""Virtual serial ports that are pseudo-terminals, under stable names.  POSIX only."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from firmware_sim.backlog import Backlog
from firmware_sim.ports import READ_SIZE, OnBytes
from firmware_sim.stable_name import StableName
from framelink.errors import ConfigError


class PtyPort:
    """A pseudo-terminal; `link` gives it a stable name.  POSIX only."""

    def __init__(self, link: Path | None = None) -> None:
        self._name = None if link is None else StableName(link)
        self._master = self._slave = -1
        self._path = ""
        self._backlog = Backlog()
        self._on_bytes: OnBytes
        self._loop: asyncio.AbstractEventLoop

    @property
    def dropped(self) -> int:
        """Bytes lost because the host did not read them."""
        return self._backlog.dropped

    @property
    def url(self) -> str:
        """The stable name if there is one, else the pty's."""
        return self._path if self._name is None else str(self._name.path)

    async def open(self, on_bytes: OnBytes) -> None:
        """Make the pty and its name.

        Raises:
            ConfigError: The name is taken, or this system has no ptys.
        """
        if not hasattr(os, "openpty"):
            raise ConfigError("this system has no pseudo-terminals; use ports of kind tcp")
        self._on_bytes = on_bytes
        self._loop = asyncio.get_running_loop()
        if self._name is not None:
            self._name.claim()
        await self.replug()

    async def replug(self) -> None:
        """Make another pty under the same name."""
        import tty  # noqa: PLC0415 - not on Windows

        self.unplug()
        # Our own end of the slave stays open, so that a host that closes its end leaves no broken pty behind.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._path = os.ttyname(self._slave)
        self._loop.add_reader(self._master, self._read)
        if self._name is not None:
            self._name.point_to(self._path)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            self._on_bytes(os.read(self._master, READ_SIZE))

    def write(self, data: bytes) -> None:
        """Send bytes to the host."""
        if self._master < 0:
            self._backlog.lose(data)
            return
        blocked = bool(self._backlog)
        self._backlog.put(data, self._loop.time())
        if not blocked:
            self._write_out()

    def _write_out(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while waiting := self._backlog.first(self._loop.time()):
                self._backlog.taken(os.write(self._master, waiting))
        if self._backlog:
            self._loop.add_writer(self._master, self._write_out)
        else:
            self._loop.remove_writer(self._master)

    def unplug(self) -> None:
        """Close the pty; the host's next read fails."""
        if self._master < 0:
            return
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        self._backlog.clear()
        if self._name is not None:
            self._name.point_to(None)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def close(self) -> None:
        """Close the pty and remove its name."""
        self.unplug()
        if self._name is not None:
            self._name.release()
