"""The one tree of exceptions: everything framelink raises on purpose derives from FramelinkError.

    FramelinkError
    ├── FormatError (ValueError)      a frame, frame format or argument that cannot exist on the wire
    ├── SchemaError (ValueError)      a schema file that does not describe a device
    ├── PayloadError (ValueError)     values that do not fit a message's fields
    ├── ConfigError (ValueError)      a configuration or scenario file that cannot be used
    ├── ToolchainError                a compiler or emulator that is missing, or that failed
    ├── LinkError (OSError)
    │   ├── LinkOpenError             the line cannot be opened, and waiting will not help
    │   ├── LinkTimeout               a bounded wait ended: for the line, for room, for a frame
    │   ├── LinkDown                  the line is not connected just now
    │   ├── LinkFull                  the transmit queue has no room
    │   └── LinkClosed                the link was closed, by us
    ├── RequestError
    │   ├── RequestTimeout            no reply in time, all retries included
    │   └── RequestRefused            the device answered with a negative reply
    └── TransferError                 a file that did not get across; what did is kept, to go on from

Misuse raises.  Bad bytes from a device never do: they are counted in a ledger or become values.
"""

from __future__ import annotations


class FramelinkError(Exception):
    """Base of every exception that framelink raises on purpose."""


class FormatError(FramelinkError, ValueError):
    """A frame, a frame format or an argument that cannot exist on the wire."""


class SchemaError(FramelinkError, ValueError):
    """A schema that does not describe a device; the message names the file and the key."""


class PayloadError(FramelinkError, ValueError):
    """Values that do not fit a message's fields; the message names message, field and what is allowed."""


class ConfigError(FramelinkError, ValueError):
    """A configuration or scenario file that cannot be used; the message names the file and the key."""


class ToolchainError(FramelinkError):
    """A compiler or an emulator is missing, or failed; the message says which, and how to get it."""


class LinkError(FramelinkError, OSError):
    """Something about the line between host and device."""


class LinkOpenError(LinkError):
    """The line cannot be opened, and waiting will not help: no permission, bad URL, bad baud rate."""


class LinkTimeout(LinkError, TimeoutError):
    """A bounded wait ended: for the line to appear, for room in the transmit queue, for a frame."""


class LinkDown(LinkError):
    """The line is not connected just now; the link is trying to get it back."""


class LinkFull(LinkError):
    """The transmit queue has no room for another frame."""


class LinkClosed(LinkError):
    """The link was closed on this side; open a new one."""


class RequestError(FramelinkError):
    """A request that a device did not fulfil."""


class RequestTimeout(RequestError, TimeoutError):
    """No reply in time, all retries included."""


class RequestRefused(RequestError):
    """The device answered with a negative reply.

    Attributes:
        code: The device's reason, see `framelink.message.RefusalCode`.
        text: The device's own words; may be empty.
    """

    def __init__(self, message: str, *, code: int, text: str) -> None:
        super().__init__(message)
        self.code = code
        self.text = text


class TransferError(FramelinkError):
    """A file that did not get across; what did is kept, so that another transfer of it goes on from there."""
