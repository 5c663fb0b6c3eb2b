"""Asking: a request of a device, from a command's name or number to exchange and patience.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from framelink.device.exchange import MAX_RETRIES, PARAMETER_COMMANDS, Exchange
from framelink.device.round_trips import GROWTH, Patience, RoundTrips
from framelink.errors import FormatError
from framelink.link import Lane
from framelink.message import NO_SEQUENCE, SEQUENCED_COMMANDS, Schema
from framelink.wire import Frame

DEADLINE = 5.0  # seconds for a request that is repeated: a cable is back by then, and a board has booted
ONCE = 1.0  # seconds for a request that is sent once; at 9,600 baud the longest one and its reply take 0.6 s
ATTEMPTS_AT_LEAST = 3  # that the deadline leaves time for, however long the device may take for each


class Asking(NamedTuple):  # made in a quarter of a dataclass's time, for every request
    """A request that is yet to be numbered and sent.

    Attributes:
        frame: Its frame; if it is sequenced, with `NO_SEQUENCE` in front of the data.
        reply_cmd: The command that answers it.
        is_sequenced: Whether it has a number.
        is_repeatable: Whether the device may get it twice: it does no harm, or the number tells.
        names_parameter: Whether its reply repeats the first byte of its data, as those to get and set do.
        device_time: Seconds that the device may take for it; None for as long as it usually takes.
        lane: The lane of the transmit queue that it takes.
    """

    frame: Frame
    reply_cmd: int
    is_sequenced: bool = False
    is_repeatable: bool = False
    names_parameter: bool = False
    device_time: float | None = None
    lane: Lane = Lane.NORMAL

    def exchange(self, timeout: float, retries: int, number: int | None = None) -> Exchange:
        """Return what tells its reply and when to give up.

        Args:
            timeout: Seconds for all of it.
            retries: How often it may be repeated.
            number: Its number if it is sequenced, else None.

        Raises:
            FormatError: It cannot have a reply, or an argument is out of range.
        """
        frame = self.frame
        if number is not None:
            frame = Frame(frame.addr, frame.cmd, bytes([number]) + frame.data[1:])
        return Exchange(
            frame,
            timeout=timeout,
            retries=retries,
            reply_cmd=None if self.names_parameter else self.reply_cmd,
            sequence=number,
        )

    def plan(
        self, trips: RoundTrips, size: int, timeout: float | None, retries: int | None
    ) -> tuple[Patience, int]:
        """Return how long to wait, and how often to repeat it.

        Args:
            trips: What was measured of the device.
            size: The bytes of request and reply.
            timeout: Seconds for all of it; None for what suits it.
            retries: How often it may be repeated; None for what suits it.
        """
        each = trips.timeout(size) + (self.device_time or 0.0)
        allowed = retries if retries is not None else MAX_RETRIES if self.is_repeatable else 0
        if allowed == 0:
            once = max(ONCE, each) if timeout is None else timeout
            return Patience(once, total=once), 0
        total = max(DEADLINE, ATTEMPTS_AT_LEAST * each) if timeout is None else timeout
        return Patience(each, growth=GROWTH, total=total), allowed


def asking_for(
    schema: Schema,
    addr: int,
    command: int | str,
    payload: Mapping[str, object] | bytes | None = None,
    *,
    sequenced: bool,
) -> Asking:
    """Return a request, by a command's name and its fields, or by its number and the bytes of its data.

    Raises:
        PayloadError: The schema has no such command, or the fields do not fit.
        FormatError: The address, or the number, is none that is answered.
    """
    known = schema.command(command)
    if isinstance(command, str):
        frame = schema.encode(addr, command, _fields_of(payload), kind="request")
        is_sequenced = known is not None and known.sequenced
    else:
        is_sequenced = sequenced and command in SEQUENCED_COMMANDS
        frame = Frame(addr, command, bytes([NO_SEQUENCE] * is_sequenced) + _bytes_of(payload))
    reply_cmd = schema.reply_cmd(frame.cmd)
    if reply_cmd is None:
        raise FormatError(f"nothing answers command 0x{frame.cmd:02X}: it is a reply, or an event")
    return Asking(
        frame,
        reply_cmd,
        is_sequenced=is_sequenced,
        is_repeatable=is_sequenced or (known is not None and known.repeatable),
        names_parameter=frame.cmd in PARAMETER_COMMANDS and schema.document.device.standard,
        device_time=None if known is None else known.timeout,
        lane=Lane.NORMAL if known is None else Lane[known.priority.upper()],
    )


def _fields_of(payload: Mapping[str, object] | bytes | None) -> Mapping[str, object]:
    if payload is None or isinstance(payload, Mapping):
        return payload or {}
    raise FormatError(f"a command by name takes a mapping of its fields, not {type(payload).__name__}")


def _bytes_of(payload: Mapping[str, object] | bytes | None) -> bytes:
    if payload is None or isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload or b"")
    raise FormatError(f"a command by number takes bytes, not {type(payload).__name__}; or ask by name")
