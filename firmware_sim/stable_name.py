"""StableName: a name for a pseudo-terminal that stays when the pseudo-terminal is another.  POSIX only."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from framelink.errors import ConfigError

_PTY_PREFIXES = ("/dev/pts/", "/dev/tty")
"""How the paths of pseudo-terminals begin, on Linux and on macOS."""


class StableName:
    """A symbolic link that names a pty; a lock beside it tells whether its owner lives.

    Whatever else is found at that path is the user's, and is left alone.

    Raises:
        ConfigError: The path cannot be that of a link.
    """

    def __init__(self, path: Path) -> None:
        if not path.name:
            raise ConfigError(f"{str(path)!r} cannot be a link; name a file, such as /tmp/dev")
        self.path = path
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._lock: IO[Any] | None = None
        self._target: str | None = None

    def claim(self) -> None:
        """Take the name, from a dead process if need be.

        Raises:
            ConfigError: A living process has it, or something else is there, or it cannot be made.
        """
        import fcntl  # noqa: PLC0415 - not on Windows

        self._require_free()
        try:
            self._lock = self._lock_path.open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._drop_lock()
            raise ConfigError(f"{self.path} belongs to another simulation that still runs") from None
        except OSError as error:
            raise ConfigError(f"cannot make {self.path}: {error.strerror}") from None

    def point_to(self, device: str | None) -> None:
        """Make the name stand for a pty, or for nothing.

        Raises:
            ConfigError: Something else has come to be at that path, or it cannot be made.
        """
        if device is None:
            if self._target is not None and self._found() == self._target:
                self.path.unlink(missing_ok=True)
            self._target = None
            return
        self._require_free()
        fresh = self.path.with_name(f".{self.path.name}.new")
        try:
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(device)
            fresh.replace(self.path)  # never a moment without the name, and never half a one
        except OSError as error:
            raise ConfigError(f"cannot make {self.path}: {error.strerror}") from None
        self._target = device

    def release(self) -> None:
        """Give the name up."""
        if self._lock is not None:
            self.point_to(None)
            self._lock_path.unlink(missing_ok=True)
            self._drop_lock()

    def _require_free(self) -> None:
        """Check that there is nothing at the path, or a link to a pty, as a process that died leaves it."""
        found = self._found()
        if found is not None and not found.startswith(_PTY_PREFIXES):
            raise ConfigError(f"{self.path} exists and is no link of ours; choose another name")

    def _found(self) -> str | None:
        """Return where the link at the path leads; nothing if nothing is there, empty if it is no link."""
        try:
            return str(self.path.readlink())
        except FileNotFoundError:
            return None
        except OSError:
            return ""

    def _drop_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
