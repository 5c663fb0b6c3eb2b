"""A transfer, a line and a simulated device in virtual time: minutes of a slow line in no time at all."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

from firmware_sim import MODELS, Fault, SimulatedDevice, Wire, schema_of
from framelink.device.transfer import Transfer
from framelink.device.transfer_incoming import Held, Incoming
from framelink.device.transfer_outgoing import Outgoing
from framelink.device.transfer_pace import Pace
from framelink.wire import DEFAULT_FORMAT, Receiver, encode

ADDR = 1
GAP = 0.05
"""Seconds of silence that end a frame on the host's side."""


class Pile:
    """A sink that keeps what comes; a `Sink`."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.begun = 0

    def begin(self, _size: int, _crc: int) -> None:
        """See `Sink.begin`."""
        self.data.clear()
        self.begun += 1

    def write(self, data: bytes) -> None:
        """See `Sink.write`."""
        self.data += data


class Rig:
    """One device on a line with faults, and whatever transfers are run over it.

    Args:
        faults: What is wrong with the line.
        baudrate: What the host believes that the line's pace is.
        seed: Of all chance.
    """

    def __init__(self, *faults: Fault, baudrate: int = 115_200, seed: int = 1) -> None:
        self.device = SimulatedDevice(
            "weather", ADDR, schema_of("weather"), MODELS["weather"](1), telemetry="weather"
        )
        self.now = 0.0
        self.pace = Pace(DEFAULT_FORMAT, baudrate)
        self._to_device = Wire(list(faults), "to_device", seed=seed)
        self._to_host = Wire(list(faults), "to_host", seed=seed)
        self._receiver = Receiver()
        self._heard_at = math.inf
        self._plans: list[tuple[float, Callable[[Transfer], None]]] = []

    def outgoing(self, data: bytes, name: str = "f") -> Outgoing:
        """Return a transfer of the data to the device."""
        crc = zlib.crc32(data)
        return Outgoing(
            ADDR, name, len(data), crc, lambda at, count: data[at : at + count], pace=self.pace, now=self.now
        )

    def incoming(self, sink: Pile, name: str = "f", held: Held | None = None) -> Incoming:
        """Return a transfer of the device's file to the sink."""
        return Incoming(ADDR, name, sink, held=held, pace=self.pace, now=self.now)

    def at(self, when: float, what: Callable[[Transfer], None]) -> None:
        """Have something happen at a time."""
        self._plans.append((when, what))
        self._plans.sort(key=lambda one: one[0])

    def unplug(self, transfer: Transfer) -> None:
        """Pull the cable and plug it in again."""
        self._to_device.clear()
        self._to_host.clear()
        self._receiver.flush()
        transfer.interrupt(self.now)

    def reboot(self, _transfer: Transfer) -> None:
        """Restart the device."""
        self.device.reboot(self.now)

    def run(self, transfer: Transfer, until: float = math.inf) -> Transfer:
        """Carry a transfer out, to its end or to a time; return it."""
        while not transfer.is_over and self.now < until:
            self._happen(transfer)
            while (frame := transfer.poll(self.now)) is not None:
                self._to_device.send(encode(frame), self.now)
            self._carry(transfer)
            self._wait(transfer)
        return transfer

    def _happen(self, transfer: Transfer) -> None:
        while self._plans and self._plans[0][0] <= self.now:
            self._plans.pop(0)[1](transfer)

    def _carry(self, transfer: Transfer) -> None:
        for piece in self._to_device.take(self.now):
            self._answer(self.device.feed(piece, self.now))
        if self.device.next_due <= self.now:
            self._answer(self.device.tick(self.now))
        for piece in self._to_host.take(self.now):
            self._heard_at = self.now
            for frame in self._receiver.feed(piece):
                transfer.receive(frame, self.now)
        if self._receiver.pending and self.now >= self._heard_at + GAP:
            for frame in self._receiver.flush():
                transfer.receive(frame, self.now)

    def _answer(self, frames: list[bytes]) -> None:
        for frame in frames:
            self._to_host.send(frame, self.now)

    def _wait(self, transfer: Transfer) -> None:
        flush_at = self._heard_at + GAP if self._receiver.pending else math.inf
        plan_at = self._plans[0][0] if self._plans else math.inf
        due = min(
            self._to_device.next_due,
            self._to_host.next_due,
            self.device.next_due,
            transfer.deadline,
            flush_at,
            plan_at,
        )
        if not transfer.is_over:
            assert due < math.inf, "nothing will ever happen"
            self.now = max(self.now, due)
