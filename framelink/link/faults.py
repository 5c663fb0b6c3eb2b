"""Which faults of a line pass by themselves, and what to tell the user about those that do not."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from framelink.errors import LinkError, LinkOpenError


class TransientLinkError(LinkError):
    """The line cannot be opened just now; trying again may help."""


def is_busy(error: BaseException) -> bool:
    """Tell whether an error of opening says that somebody has the line open."""
    return _errno_of(error) in (errno.EBUSY, errno.EAGAIN)


def opening_fault(url: str, error: Exception) -> LinkError:
    """Return what an error of opening means: a LinkOpenError if waiting will not help, else transient."""
    if isinstance(error, LinkError):
        return error
    code = _errno_of(error)
    if code in (errno.EACCES, errno.EPERM):
        if os.name == "nt":  # Windows says "access denied" of a port that is in use
            return TransientLinkError(f"{url} is in use by another program, or may not be opened")
        return LinkOpenError(
            f"no permission to open {url}; add yourself to its group (`ls -l {url}` shows it, often dialout:"
            " `sudo usermod -aG dialout $USER`, then log in again)"
        )
    if is_busy(error):
        return TransientLinkError(f"{url} is in use by another program; close it there")
    if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return TransientLinkError(
            f"{url} does not exist; is the device plugged in? `framelink ports` lists what is"
        )
    if code in (errno.ENOTTY, errno.EISDIR, errno.EINVAL, errno.ENOTDIR):
        return LinkOpenError(f"{url} is no serial port; `framelink ports` lists those there are")
    if any(isinstance(one, (ValueError, TypeError, OverflowError)) for one in _causes(error)):
        return LinkOpenError(f"{url} cannot be opened: {error}")
    return TransientLinkError(f"{url}: {error}")


def _errno_of(error: BaseException) -> int | None:
    """Return the system's error number of an error or of what caused it."""
    for one in _causes(error):
        code = getattr(one, "errno", None)
        if code is None and one.args and type(one).__module__ == "termios":
            code = one.args[0]  # termios.error is no OSError
        if isinstance(code, int):
            return code
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what caused it, what caused that, and so on: pyserial wraps the system's errors."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
