"""A device on a real pty, under a stable name, that a test can speak for, unplug and plug in again."""

from __future__ import annotations

import os
import select
import threading
import tty
from pathlib import Path
from types import TracebackType
from typing import Self

DEADLINE = 10.0
"""Seconds after which a wait of a test has failed; generous, since machines may be busy."""


class PtyDevice:
    """The device's end of a pty; `path` stays when it is replugged."""

    def __init__(self, folder: Path, name: str = "dev") -> None:
        self.path = folder / name
        self._master = -1
        self.plug()

    def plug(self) -> None:
        """Appear, on a new pty."""
        self._master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        fresh = self.path.with_suffix(".new")
        fresh.symlink_to(os.ttyname(slave))
        fresh.replace(self.path)
        os.close(slave)

    def unplug(self) -> None:
        """Vanish."""
        if self._master >= 0:
            self.path.unlink()
            os.close(self._master)
            self._master = -1

    def write(self, data: bytes) -> None:
        """Say something, all of it."""
        while data:
            _, writable, _ = select.select([], [self._master], [], DEADLINE)
            assert writable, "the host does not read"
            data = data[os.write(self._master, data) :]

    def read(self, size: int) -> bytes:
        """Hear exactly so many bytes."""
        heard = b""
        while len(heard) < size:
            readable, _, _ = select.select([self._master], [], [], DEADLINE)
            assert readable, f"the host said only {heard!r}"
            heard += os.read(self._master, size - len(heard))
        return heard

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()


class Echo:
    """Sends everything back, in a thread of its own."""

    def __init__(self, device: PtyDevice) -> None:
        self._device = device
        self._stop_r, self._stop_w = os.pipe()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        os.write(self._stop_w, b"x")
        self._thread.join(DEADLINE)
        os.close(self._stop_r)
        os.close(self._stop_w)

    def _run(self) -> None:
        master = self._device._master
        while True:
            readable, _, _ = select.select([master, self._stop_r], [], [])
            if self._stop_r in readable:
                return
            try:
                self._device.write(os.read(master, 65_536))
            except OSError:  # no host has the port open
                select.select([self._stop_r], [], [], 0.01)
