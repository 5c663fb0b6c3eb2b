"""Frame, the value that everything above the wire is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, Self

from framelink.errors import FormatError
from framelink.wire.engine import native

HOST = 0x00
"""The host's address."""
BROADCAST = 0xFF
"""The address that every device listens to and none answers from."""
REPLY = 0x80
"""The bit of a command that marks a reply to it."""

_SHOWN_BYTES = 16  # a log line stays one line; the whole payload is in .data


class _Fields(NamedTuple):
    addr: int
    cmd: int
    data: bytes


class Frame(_Fields):
    """One frame's content: immutable, hashable, cheap.

    Attributes:
        addr: Device address, 0…255; the device's own in both directions.
        cmd: Command, 0…255.
        data: Payload bytes.
    """

    __slots__ = ()

    def __new__(cls, addr: int = 0, cmd: int = 0, data: bytes | bytearray | memoryview = b"") -> Self:
        """Make a frame.

        Raises:
            FormatError: addr or cmd is no integer from 0 to 255, or data is not bytes.
        """
        _require_byte("addr", addr)
        _require_byte("cmd", cmd)
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise FormatError(f"data must be bytes, not {type(data).__name__}")
        return super().__new__(cls, int(addr), int(cmd), bytes(data))

    def _replace(self, **changes: Any) -> Self:
        """Return a frame with other values in some fields, which are checked."""
        return type(self)(**{**self._asdict(), **changes})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self), getattr(self, "__dict__", None)  # which a frame made in C reads, too

    def __repr__(self) -> str:
        shown = self.data[:_SHOWN_BYTES].hex(" ")
        rest = len(self.data) - _SHOWN_BYTES
        more = f" … +{rest} bytes" if rest > 0 else ""
        return f"Frame(addr=0x{self.addr:02X}, cmd=0x{self.cmd:02X}, data=[{shown}{more}])"


def _require_byte(name: str, value: Any) -> None:
    if not isinstance(value, int) or not 0 <= value <= 0xFF:
        raise FormatError(f"{name} must be an integer from 0 to 255, not {value!r}")


PythonFrame = Frame
"""The Frame above, whichever is in use."""

make_frame: Callable[[Iterable[Any]], Frame] = partial(tuple.__new__, Frame)
"""Makes a Frame of (addr, cmd, data) known to be right: a quarter of the checking constructor's time."""

if native is not None:
    Frame = native.Frame  # type: ignore[misc]
    make_frame = native.Frame._make
    Sequence.register(Frame)
