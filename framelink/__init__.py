"""Talk to microcontrollers in frames over a serial line.

with framelink.open("/dev/ttyUSB0", baudrate=115200) as link:
link.send(framelink.Frame(addr=1, cmd=0x01, data=b"hello"))
for frame in link:
print(frame)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from framelink import errors
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Ledger, Receiver, State, encode

if TYPE_CHECKING:
    from framelink.device import request
    from framelink.link import AsyncLink, Link, LinkState, connect, open  # noqa: A004 - as io.open does
    from framelink.message import Message, Schema, Undecodable

__version__ = "0.1.0"

_LAZY = {
    **dict.fromkeys(("AsyncLink", "Link", "LinkState", "connect", "open"), "framelink.link"),
    **dict.fromkeys(("Message", "Schema", "Undecodable"), "framelink.message"),
    "request": "framelink.device",
}
"""What comes with its floor at first use, so that a program that only decodes pays for no serial line."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


__all__ = [
    "DEFAULT_FORMAT",
    "AsyncLink",
    "Frame",
    "FrameFormat",
    "Ledger",
    "Link",
    "LinkState",
    "Message",
    "Receiver",
    "Schema",
    "State",
    "Undecodable",
    "connect",
    "encode",
    "errors",
    "open",
    "request",
]
