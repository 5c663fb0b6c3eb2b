"""A progress bar on stderr for commands that read or transfer a file, where there is a terminal for it."""

from __future__ import annotations

import os
import stat
import sys
import time
from io import BufferedReader
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

REFRESH_PERIOD = 0.1  # seconds; a bar that moves ten times a second looks alive and costs 1 %
_ERASE_LINE = "\r\x1b[2K"


class Bar:
    """How much of a whole is done, with the rate and the time that is left.

    The bar may share the screen with results that are printed meanwhile: `hide` before printing.

    Args:
        total: Bytes of the whole.
        done: How many of them were done before.
    """

    def __init__(self, total: int, done: int = 0) -> None:
        self._bar = _bar_of(total, done)
        self._refresh_at = time.monotonic() + REFRESH_PERIOD

    def show(self, done: int) -> None:
        """Tell how many bytes are done; the screen follows when it is due."""
        if time.monotonic() >= self._refresh_at:
            self._bar.update(self._bar.task_ids[0], completed=done)
            self._bar.refresh()
            self._refresh_at = time.monotonic() + REFRESH_PERIOD

    def hide(self) -> None:
        """Take the bar off the screen until it is refreshed."""
        sys.stderr.write(_ERASE_LINE)
        sys.stderr.flush()

    def close(self) -> None:
        """Take the bar off the screen for good."""
        self._bar.stop()


class FileProgress:
    """How far a regular file has been read; nothing at all for pipes, or without a terminal on stderr."""

    def __init__(self, source: BufferedReader) -> None:
        size = _size_of(source)
        self._bar = Bar(size) if size and sys.stderr.isatty() else None
        self._shares_screen = sys.stdout.isatty()
        self._done = 0

    def advance(self, count: int) -> None:
        """Tell that so many bytes more have been dealt with."""
        self._done += count
        if self._bar is not None:
            self._bar.show(self._done)

    def hide(self) -> None:
        """Take the bar off the screen until it is refreshed, if results go there too."""
        if self._bar is not None and self._shares_screen:
            self._bar.hide()

    def close(self) -> None:
        """Take the bar off the screen for good."""
        if self._bar is not None:
            self._bar.close()


class TransferProgress:
    """How far a transfer is, which tells the whole when it begins; nothing without a terminal on stderr."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._is_shown = sys.stderr.isatty()
        self.done = self.total = 0

    def __call__(self, done: int, total: int) -> None:
        """Tell how many bytes are across, and of how many."""
        self.done, self.total = done, total
        if self._bar is None and self._is_shown:
            self._bar = Bar(total, done)
        if self._bar is not None:
            self._bar.show(done)

    def hide(self) -> None:
        """Take the bar off the screen until it is refreshed."""
        if self._bar is not None:
            self._bar.hide()

    def close(self) -> None:
        """Take the bar off the screen for good."""
        if self._bar is not None:
            self._bar.close()


def _size_of(source: BufferedReader) -> int:
    """Return the bytes of a regular file, 0 for whatever has no size."""
    try:
        status = os.fstat(source.fileno())
    except OSError:  # a stream in memory has no file behind it
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _bar_of(size: int, done: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    bar = Progress(
        *columns,
        console=Console(file=sys.stderr),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task("", total=size, completed=done)
    bar.start()
    bar.console.show_cursor(True)  # hidden by `start`, and for ever if a signal should end the program
    return bar
