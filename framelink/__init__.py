"""Talk to microcontrollers in frames over a serial line.

Example:
    with framelink.open("/dev/ttyUSB0", baudrate=115200) as link:
        link.send(framelink.Frame(addr=1, cmd=0x01, data=b"hello"))
        for frame in link:
            print(frame)
"""

from __future__ import annotations

from framelink import errors

TYPE_CHECKING = False  # as `typing` has it, without its import: the command line should soon take Ctrl-C
if TYPE_CHECKING:
    from typing import Any

    from framelink.device import AsyncDevice, AsyncLink, Device, Link, connect, open, request  # noqa: A004
    from framelink.link import HalfDuplex, Lane, LinkState
    from framelink.message import Message, Schema, Undecodable
    from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Ledger, Receiver, State, encode

__version__ = "0.1.0"

_WIRE = ("DEFAULT_FORMAT", "Frame", "FrameFormat", "Ledger", "Receiver", "State", "encode")
_DEVICE = ("AsyncDevice", "AsyncLink", "Device", "Link", "connect", "open", "request")
_LAZY = {
    **dict.fromkeys(_WIRE, "framelink.wire"),
    **dict.fromkeys(_DEVICE, "framelink.device"),
    **dict.fromkeys(("HalfDuplex", "Lane", "LinkState"), "framelink.link"),
    **dict.fromkeys(("Message", "Schema", "Undecodable"), "framelink.message"),
}
"""What comes with its floor at first use, so that a program that only decodes pays for no serial line."""


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - for what is used only

    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


__all__ = [
    "DEFAULT_FORMAT",
    "AsyncDevice",
    "AsyncLink",
    "Device",
    "Frame",
    "FrameFormat",
    "HalfDuplex",
    "Lane",
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
