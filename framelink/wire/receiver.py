"""Receiver: bytes in any split → frames, every byte accounted for.  SPEC.md states the rules.

What finds the frames is an engine: Python's, which knows every frame format, or the C core's, which leaves
all formats but the default to Python's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from framelink.wire.engine import native
from framelink.wire.format import DEFAULT_FORMAT, FrameFormat
from framelink.wire.ledger import REASONS, Ledger
from framelink.wire.python_engine import PythonEngine
from framelink.wire.state import State


class _Numbers(Protocol):
    """What an engine tells of itself."""

    @property
    def _place(self) -> str: ...

    @property
    def _counts(self) -> tuple[int, ...]: ...

    @property
    def pending(self) -> int: ...


class Views:
    """What an engine's numbers mean: the half of a receiver that is the same for all engines."""

    @property
    def state(self: _Numbers) -> State:
        """The place in a frame that the next byte belongs to."""
        return State(self._place)

    @property
    def ledger(self: _Numbers) -> Ledger:
        """The account of all bytes so far."""
        received, delivered, frames, *noise = self._counts
        return Ledger(
            received=received,
            delivered=delivered,
            noise=dict(zip(REASONS, noise, strict=True)),
            pending=self.pending,
            frames=frames,
        )


if TYPE_CHECKING or native is None:  # noqa: SIM108 - type checkers must see one class
    Engine = PythonEngine
else:
    Engine = native.Engine


class Receiver(Engine, Views):
    """Finds the frames in a stream of bytes.

    Args:
        format: The device's variant of the frame.
        locate: Keep the offsets of the frames that the last call returned, see `offsets`.
    """

    def __init__(self, format: FrameFormat = DEFAULT_FORMAT, *, locate: bool = False) -> None:
        super().__init__(format, locate=locate)
