"""The command line in tests: in this process for speed, as a real process for truth."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 30.0
"""Seconds after which something that must happen has failed; a loaded machine needs some."""

PROGRAM = str(Path(sys.executable).with_name("framelink"))
"""The console script that the installation made."""


@dataclass(frozen=True)
class Outcome:
    """What a run of the program left.

    Attributes:
        code: Its exit code.
        out: Its standard output.
        err: Its standard error.
    """

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error; fails if there is not just one."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


def run_process(*arguments: str, stdin: bytes = b"") -> Outcome:
    """Run the console script to its end."""
    done = subprocess.run(
        [PROGRAM, *arguments], input=stdin, capture_output=True, timeout=PATIENCE, check=False
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


class RunningProgram:
    """The console script as a process that runs until it is told to stop, its output readable line by line.

    Args:
        arguments: Its command line.
    """

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._lines: dict[str, queue.Queue[str]] = {}
        self._readers = [self._start_reader(name) for name in ("stdout", "stderr")]

    def _start_reader(self, name: str) -> threading.Thread:
        lines = self._lines[name] = queue.Queue()
        stream = getattr(self._process, name)

        def read() -> None:
            for line in stream:
                lines.put(line.rstrip("\n"))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        return reader

    def wait_line(self, start: str = "", *, stream: str = "stdout") -> str:
        """Return the next line of the stream that begins like that; fails when none comes."""
        while True:
            line = self._lines[stream].get(timeout=PATIENCE)
            if line.startswith(start):
                return line

    def stop(self, how: signal.Signals = signal.SIGINT) -> Outcome:
        """Send the signal and return how the program ended, with the output that nobody read before."""
        self._process.send_signal(how)
        return self.wait()

    def wait(self) -> Outcome:
        """Return how the program ended, with the output that nobody read before."""
        code = self._process.wait(timeout=PATIENCE)
        for reader in self._readers:
            reader.join(timeout=PATIENCE)
        rest = {name: "".join(f"{line}\n" for line in lines.queue) for name, lines in self._lines.items()}
        return Outcome(code, rest["stdout"], rest["stderr"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(timeout=PATIENCE)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
