"""SimulatedDevice: answers as firmware would.  Pure: bytes in, frames out, the time as an argument."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from firmware_sim.models import Model, Refusal
from firmware_sim.storage import CAPACITY, PLACE_SIZE, Storage
from framelink.errors import FormatError, PayloadError
from framelink.message import NO_SEQUENCE, Message, RefusalCode, Schema, Undecodable, Value
from framelink.wire import BROADCAST, DEFAULT_FORMAT, REPLY, Frame, FrameFormat, Receiver, encode, idle_gap

PROTOCOL_VERSION = 1
SEQUENCED_VERSION = 2  # of devices that answer a repeated request without acting twice
NEGATIVE_REPLY = 0xFF
MIN_PERIOD = 10  # ms; what a small controller manages at 115,200 baud
DEFAULT_BAUDRATE = 115_200


class SimulatedDevice:
    """One device on a line.

    Args:
        name: What it calls itself.
        addr: Its address, 1 to 254.
        schema: Its messages.
        model: What it measures and does.
        telemetry: The name of the event that it reports with, empty if it never does.
        period: Telemetry period in ms from power-up, 0 for silence; raised to what it can do.
        firmware: Its firmware's version.
        format: Its variant of the frame.
        baudrate: The line's symbols per second; they say how long a silence ends a frame.
        storage: Bytes that its files may have.

    Attributes:
        acted: Command → how often it was carried out since the device was made, reboots or not.  An answer
            that is given again is not counted.
    """

    def __init__(
        self,
        name: str,
        addr: int,
        schema: Schema,
        model: Model,
        *,
        telemetry: str,
        period: int = 0,
        firmware: tuple[int, int, int] = (1, 0, 0),
        format: FrameFormat = DEFAULT_FORMAT,
        baudrate: int = DEFAULT_BAUDRATE,
        storage: int = CAPACITY,
    ) -> None:
        self.name = name
        self.addr = addr
        self._schema = schema
        self._model = model
        self._telemetry = telemetry
        self._power_up_period = _possible(period)
        self._firmware = firmware
        self._format = format
        self._gap = idle_gap(baudrate)
        self._boots = 0
        self._last: tuple[int, int, bytes] | None = None
        self.acted: Counter[str] = Counter()
        largest = min(format.largest_data, schema.format.largest_data)
        self.storage = Storage(max(largest - PLACE_SIZE, 1), capacity=storage)
        self._handlers: dict[str, Callable[[Message, float], dict[str, Value]]] = {
            "ping": self._ping,
            "identify": self._identify,
            "get": self._get,
            "set": self._set,
            "telemetry": self._set_telemetry,
            "ledger": self._ledger,
        }
        self._start(0.0)

    @property
    def next_due(self) -> float:
        """When `tick` is due, infinity if nothing is."""
        gap_due = self._heard_at + self._gap if self._receiver.pending else math.inf
        return min(self._report_at, gap_due)

    def reboot(self, now: float) -> None:
        """Start anew: half a frame is forgotten, the counters begin at zero, the boot counter goes on.

        Parameters keep their values, as in a device that has a memory for them.
        """
        self._boots = (self._boots + 1) & 0xFFFF
        self._start(now)

    def _start(self, now: float) -> None:
        self._receiver = Receiver(self._format)
        self._overruns = 0
        self._last = None
        self._model.power_up()
        self.storage.reboot()
        self._heard_at = now
        self._period = self._power_up_period
        self._report_at = self._next_report(now)

    def _next_report(self, now: float) -> float:
        return now + self._period / 1_000 if self._period and self._telemetry else math.inf

    def feed(self, data: bytes, now: float) -> list[bytes]:
        """Take bytes from the line and return the frames to send, encoded."""
        self._heard_at = now
        return self._answers(self._receiver.feed(data), now)

    def overrun(self, count: int) -> None:
        """Tell that so many bytes were lost before the device could take them."""
        self._overruns += count

    def tick(self, now: float) -> list[bytes]:
        """Do what is due by `now` and return the frames to send, encoded."""
        out: list[bytes] = []
        if self._receiver.pending and now >= self._heard_at + self._gap:
            out += self._answers(self._receiver.flush(), now)
        if now >= self._report_at:
            out += self._report(self._report_at)  # as of when it was due: a late tick changes no value
            period = self._period / 1_000
            # A late tick is no reason for a burst: reports that were missed are not made up for.
            self._report_at = max(self._report_at + period, now + period / 2)
        return out

    def report(self, now: float) -> list[bytes]:
        """Return what it would report now, encoded, due or not; nothing if it does not report at all."""
        return self._report(now) if self._period and self._telemetry else []

    def _report(self, at: float) -> list[bytes]:
        events = [(self._telemetry, self._model.measure(at)), *self._model.alarms()]
        return [self._event(name, fields) for name, fields in events]

    def _event(self, name: str, fields: dict[str, Value]) -> bytes:
        return encode(self._schema.encode(self.addr, name, fields, kind="event"), self._format)

    def _answers(self, frames: list[Frame], now: float) -> list[bytes]:
        out = []
        for frame in frames:
            if frame.addr not in (self.addr, BROADCAST) or frame.cmd & REPLY:
                continue
            if frame.addr == BROADCAST:  # all would answer at once
                self._answer(frame, now)
            else:
                out.append(self._given_again(frame) or self._given(frame, now))
        return out

    def _given(self, frame: Frame, now: float) -> bytes:
        """Act on a request; return the answer, which is remembered if the request has a number."""
        answer = encode(self._answer(frame, now), self._format)
        number = self._number_of(frame)
        if number != NO_SEQUENCE:
            self._last = (frame.cmd, number, answer)
        return answer

    def _given_again(self, frame: Frame) -> bytes | None:
        """Return the answer that was given last, if this is the request that had it: its answer was lost."""
        if self._last is None or self._last[:2] != (frame.cmd, self._number_of(frame)):
            return None
        return self._last[2]

    def _number_of(self, frame: Frame) -> int:
        """Return the number of a request, NO_SEQUENCE if it has none."""
        has_one = self._schema.is_sequenced(frame.cmd) and frame.data
        return frame.data[0] if has_one else NO_SEQUENCE

    def _answer(self, frame: Frame, now: float) -> Frame:
        try:
            return self._carry_out(self._understood(frame), now)
        except Refusal as refusal:
            return self._refuse(frame, refusal.code, refusal.text)
        except (PayloadError, FormatError) as error:
            return self._refuse(frame, RefusalCode.BAD_VALUE, str(error))

    def _understood(self, frame: Frame) -> Message:
        if not frame.data and self._schema.is_sequenced(frame.cmd):
            raise Refusal(RefusalCode.BAD_LENGTH, "the sequence byte is missing")
        message = self._schema.decode(frame)
        if isinstance(message, Undecodable):
            raise Refusal(RefusalCode.BAD_LENGTH, message.reason)
        if message is None or message.kind != "request" or message.name == "refusal":
            raise Refusal(RefusalCode.UNKNOWN_COMMAND, f"0x{frame.cmd:02X}")
        return message

    def _carry_out(self, message: Message, now: float) -> Frame:
        handler = self._handlers.get(message.name)
        if message.name in self.storage.commands:
            fields = self.storage.commands[message.name](message.fields)
        elif handler is None:
            self._schema.encode(
                self.addr, message.name, message.fields, kind="request"
            )  # holds it to its ranges
            fields = self._model.command(message.name, message.fields, now)
        else:
            fields = handler(message, now)
        self.acted[message.name] += 1
        number = NO_SEQUENCE if message.sequence is None else message.sequence
        return self._schema.encode(self.addr, message.name, fields, kind="reply", sequence=number)

    def _refuse(self, frame: Frame, code: RefusalCode, text: str) -> Frame:
        number = [self._number_of(frame)] if self._schema.is_sequenced(frame.cmd) else []
        head = bytes([frame.cmd, code, *number])
        return Frame(self.addr, NEGATIVE_REPLY, head + text.encode()[: self._format.largest_data - len(head)])

    def _ping(self, message: Message, _now: float) -> dict[str, Value]:
        return dict(message.fields)

    def _identify(self, message: Message, _now: float) -> dict[str, Value]:
        if message.frame.addr != BROADCAST:
            self._last = None  # whoever asks begins to count anew
        return {
            "protocol": SEQUENCED_VERSION if self._schema.sequenced else PROTOCOL_VERSION,
            "boots": self._boots,
            "type": self._schema.device_type,
            "firmware": list(self._firmware),
            "name": self.name,
        }

    def _get(self, message: Message, _now: float) -> dict[str, Value]:
        parameter = str(message.fields["parameter"])
        return {"parameter": parameter, "value": self._model.parameters[parameter]}

    def _set(self, message: Message, _now: float) -> dict[str, Value]:
        parameter, value = str(message.fields["parameter"]), message.fields["value"]
        self._schema.encode(self.addr, "set", message.fields)  # holds the value to its range
        self._model.parameters[parameter] = value
        return {"parameter": parameter, "value": value}

    def _set_telemetry(self, message: Message, now: float) -> dict[str, Value]:
        period = message.fields["period"]
        assert isinstance(period, int)
        self._period = _possible(period)
        self._report_at = self._next_report(now)
        return {"period": self._period}

    def _ledger(self, _message: Message, _now: float) -> dict[str, Value]:
        ledger = self._receiver.ledger
        noise = {str(reason): count for reason, count in ledger.noise.items()}
        return {"frames": ledger.frames, **noise, "overruns": self._overruns}


def _possible(period: int) -> int:
    """Return the telemetry period in ms that the device can do, 0 for none."""
    return max(period, MIN_PERIOD) if period else 0
