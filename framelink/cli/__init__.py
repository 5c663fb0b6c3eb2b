"""The command line: parse arguments and wire things up, nothing else."""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, without its import: what runs before `main` cannot take Ctrl-C
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERRUPTED = 130
"""Exit code after Ctrl-C in the middle of something that ends by itself, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 success, 1 a failed operation, 2 wrong usage.

    Args:
        arguments: What follows the program's name; None means the process's own arguments.
    """
    try:
        return _loaded()(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


def _loaded() -> Callable[[Sequence[str] | None], int]:
    """Import the program and return its start.

    Ctrl-C meanwhile ends the process at once: within an import, an exception may get lost or wrapped.
    """
    import os
    import signal
    import threading

    before = signal.getsignal(signal.SIGINT)
    is_ours = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    if is_ours:
        signal.signal(signal.SIGINT, lambda _signal, _frame: os._exit(INTERRUPTED))
    try:
        from framelink.cli.app import main as run
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, before)
    return run


__all__ = ["INTERRUPTED", "main"]
