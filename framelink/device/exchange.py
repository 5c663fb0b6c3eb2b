"""Exchange: one request's life as a pure state machine — which frame answers it, and when to give up."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable

from framelink.errors import FormatError, RequestRefused, RequestTimeout
from framelink.message import RefusalCode
from framelink.wire import BROADCAST, REPLY, Frame

NEGATIVE_REPLY = 0xFF
"""The command of a negative reply: refused cmd, code, in the sequenced profile the number, text."""

_REFUSAL_HEAD = 2  # bytes: refused cmd, code

PARAMETER_COMMANDS = frozenset({0x03, 0x04})
"""get and set: their replies repeat the parameter, the first byte of the request's data."""

_IDENTIFY = 0x02  # makes a device of the sequenced profile forget the last number

Match = Callable[[Frame], bool]
"""Tells whether a frame with the reply's address and command is the reply to this very request."""

MAX_RETRIES = 100  # more is a loop that the caller should write, and stop, himself


class Phase(enum.Enum):
    """Where an exchange stands."""

    READY = "ready"
    WAITING = "waiting"
    ANSWERED = "answered"
    REFUSED = "refused"
    EXPIRED = "expired"


class Exchange:
    """One request, sent up to 1 + retries times, until its reply, its refusal or its last deadline.

    A frame has no number of its own, so a reply is told by address, command and what `match` looks at; in the
    sequenced profile also by the number in front of its data.  Whoever drives exchanges keeps one at a time
    for each address, and minds replies that are `outstanding`.

    Args:
        request: What is sent.
        timeout: Seconds to wait after each sending, more than 0.
        retries: How often it is sent again, 0 to 100.
        reply_cmd: The command that answers, for devices with habits of their own; None means cmd | 0x80.
        match: What else makes it the reply; None means the parameter for get and set, else nothing.
        sequence: The number in front of the request's data, None if it has none; the reply has the same, and
            a refusal has it behind its code.

    Raises:
        FormatError: The request cannot have a reply, or an argument is out of range.
    """

    def __init__(
        self,
        request: Frame,
        *,
        timeout: float,
        retries: int = 0,
        reply_cmd: int | None = None,
        match: Match | None = None,
        sequence: int | None = None,
    ) -> None:
        if request.addr == BROADCAST:
            raise FormatError(
                "no device answers address 0xFF (broadcast); send it without waiting for a reply"
            )
        if reply_cmd is None and request.cmd & REPLY:
            raise FormatError(f"cmd 0x{request.cmd:02X} is a reply; a request's command is 0x00 to 0x7F")
        if not (0 < timeout < math.inf):
            raise FormatError(f"timeout must be more than 0 seconds, not {timeout!r}")
        if not 0 <= retries <= MAX_RETRIES:
            raise FormatError(f"retries must be 0 to {MAX_RETRIES}, not {retries!r}")
        self.request = request
        self.timeout = timeout
        self.attempts = 0
        self.phase = Phase.READY
        self.deadline = math.inf
        self._allowed = 1 + retries
        self.reply_cmd = request.cmd | REPLY if reply_cmd is None else reply_cmd
        self.sendings = 0
        self.sequence = sequence
        self.began_at = self.settled_at = math.nan
        """When it was sent for the first time, and when its reply came."""
        self._number = b"" if sequence is None else bytes([sequence])
        self._match = match or (self._names_parameter if reply_cmd is None else _any_frame)
        self._reply: Frame | None = None

    @property
    def keeps_order(self) -> bool:
        """Whether it must not overtake repeats: a device remembers one number, and none after identify."""
        return self.sequence is not None or self.request.cmd == _IDENTIFY

    @property
    def is_last(self) -> bool:
        """Whether there will be no attempt after this one."""
        return self.attempts >= self._allowed

    def begin(self) -> Frame:
        """Start the next attempt and return the frame to send; `sent` starts its clock."""
        self.attempts += 1
        self.phase = Phase.WAITING
        self.deadline = math.inf
        return self.request

    def sent(self, now: float, wait: float | None = None) -> None:
        """Tell that the frame of this attempt is on its way; `wait`, or `timeout`, ends at `deadline`."""
        self.deadline = now + (self.timeout if wait is None else wait)
        self.sendings += 1
        if self.sendings == 1:
            self.began_at = now

    @property
    def is_settled(self) -> bool:
        """Whether its reply or its refusal has come."""
        return self._reply is not None

    @property
    def reply_size(self) -> int:
        """Bytes of data in the reply, 0 before it has come."""
        return 0 if self._reply is None else len(self._reply.data)

    @property
    def duration(self) -> float:
        """Seconds from the first sending to the reply; NaN before it has come."""
        return max(self.settled_at - self.began_at, 0.0)  # a device may be quicker than the one who sends

    @property
    def outstanding(self) -> int:
        """How many replies may still come: of the sendings that have none."""
        return self.sendings - (self._reply is not None)

    def is_answer(self, frame: Frame) -> bool:
        """Tell whether the frame answers a request like this one, be it with other data."""
        return frame.addr == self.request.addr and (self._replies(frame) or self._refuses(frame))

    def receive(self, frame: Frame, now: float = math.nan) -> bool:
        """Take a frame from the device's line; tell whether it settles the exchange."""
        if self.phase is not Phase.WAITING or frame.addr != self.request.addr:
            return False
        if self._replies(frame) and self._match(frame):
            self.phase = Phase.ANSWERED
        elif self._refuses(frame):
            self.phase = Phase.REFUSED
        else:
            return False
        self._reply = frame
        self.settled_at = now
        return True

    def _replies(self, frame: Frame) -> bool:
        return frame.cmd == self.reply_cmd and frame.data.startswith(self._number)

    def _refuses(self, frame: Frame) -> bool:
        if frame.cmd != NEGATIVE_REPLY or frame.data[:1] != bytes([self.request.cmd]):
            return False
        return frame.data[_REFUSAL_HEAD : _REFUSAL_HEAD + len(self._number)] == self._number

    def _names_parameter(self, frame: Frame) -> bool:
        return self.request.cmd not in PARAMETER_COMMANDS or frame.data[:1] == self.request.data[:1]

    def expire(self, now: float) -> None:
        """Tell that it is `now`: at the deadline the attempt is over, READY for another or EXPIRED."""
        if now >= self.deadline:
            self.fail()

    def fail(self) -> None:
        """Tell that the attempt came to nothing: READY for another or EXPIRED."""
        if self.phase is Phase.WAITING:
            self.phase = Phase.READY if self.attempts < self._allowed else Phase.EXPIRED

    def give_up(self) -> None:
        """Tell that there will be no other attempt: there is no time for one."""
        if self.phase is Phase.READY:
            self.phase = Phase.EXPIRED

    def result(self) -> Frame:
        """Return the reply of a settled exchange.

        Raises:
            RequestRefused: The device answered with a negative reply.
            RequestTimeout: The last deadline has passed.
        """
        if self._reply is None:
            raise RequestTimeout(self._timeout_text())
        if self.phase is Phase.REFUSED:
            raise self._refusal(self._reply.data)
        return self._reply

    def _timeout_text(self) -> str:
        sendings = "sent once" if self.attempts == 1 else f"sent {self.attempts} times"
        return (
            f"no reply from address 0x{self.request.addr:02X} to command 0x{self.request.cmd:02X}"
            f" within {round(self.timeout, 3):g} s, {sendings};"
            " is the device there, and does it know the command?"
        )

    def _refusal(self, data: bytes) -> RequestRefused:
        code = data[1] if len(data) > 1 else 0
        text = data[_REFUSAL_HEAD + len(self._number) :].decode("utf-8", "replace")
        said = f": {text}" if text else ""
        return RequestRefused(
            f"address 0x{self.request.addr:02X} refused command 0x{self.request.cmd:02X}:"
            f" {_reason_of(code)} (code {code}){said}",
            code=code,
            text=text,
        )


def _any_frame(_frame: Frame) -> bool:
    return True


def _reason_of(code: int) -> str:
    try:
        return RefusalCode(code).name.lower().replace("_", " ")
    except ValueError:  # a newer device may know more
        return "unknown reason"
