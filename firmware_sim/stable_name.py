"""StableName: a name for a pseudo-terminal that stays when the pseudo-terminal is another.  POSIX only."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from framelink.errors import ConfigError


class StableName:
    """A symbolic link that names a pty; a lock beside it tells whether its owner lives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._lock: IO[Any] | None = None

    def claim(self) -> None:
        """Take the name, from a dead process if need be.

        Raises:
            ConfigError: A living process has it, or something else is there, or it cannot be made.
        """
        import fcntl  # noqa: PLC0415 - not on Windows

        if self.path.exists() and not self.path.is_symlink():
            raise ConfigError(f"{self.path} exists and is no link of ours; choose another name")
        try:
            self._lock = self._lock_path.open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._drop_lock()
            raise ConfigError(f"{self.path} belongs to another simulation that still runs") from None
        except OSError as error:
            raise ConfigError(f"cannot make {self.path}: {error.strerror}") from None

    def point_to(self, device: str | None) -> None:
        """Make the name stand for a pty, or for nothing."""
        if device is None:
            self.path.unlink(missing_ok=True)
            return
        fresh = self.path.with_name(f".{self.path.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(device)
        fresh.replace(self.path)  # never a moment without the name, and never half a one

    def release(self) -> None:
        """Give the name up."""
        if self._lock is not None:
            self.point_to(None)
            self._lock_path.unlink(missing_ok=True)
            self._drop_lock()

    def _drop_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
