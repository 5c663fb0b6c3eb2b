"""What bad lines do to bytes: seeded, so that the same scenario does the same again.  Pure."""

from __future__ import annotations

import math
import random
from collections import deque
from typing import Literal, NamedTuple

import msgspec

Direction = Literal["to_host", "to_device", "both"]
BITS_PER_BYTE = 10  # start bit, 8 data bits, stop bit
PACE_BYTES = 16  # handed over at a time when a line is paced; a UART's FIFO
PACE_SECONDS = 0.01  # and no more than comes in this time: well within the receivers' idle gap of 50 ms
CHUNK_GAP = 0.001  # seconds between a line's chunks; a USB adapter is asked once a millisecond
MAX_WAITING = 262_144  # bytes on their way; a paced line that is fed faster loses what comes


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What is wrong with a line, in one direction or both, for a time.

    Attributes:
        direction: Which way.
        start: Seconds after the simulation's start at which it begins.
        stop: Seconds at which it ends; None means never.
        bit_errors: Probability that a bit is flipped.
        lost: Probability that a byte is lost.
        added: Probability that a random byte is added behind a byte.
        repeated: Probability that a byte comes twice.
        bursts: Probability, per frame, that 8 bytes of it are replaced by random ones; towards the
            devices, which do not know where a frame ends, per read.
        cut: Probability that it ends early, per frame or read likewise.
        drop: Probability that all of it is lost, per frame or read likewise.
        silence: Nothing at all comes through.
        chunk: Largest number of bytes that come at once, a millisecond apart, 0 for no such limit.
        delay: Seconds that every byte takes longer.
        baudrate: The pace of the line in symbols per second, 0 for no pace.
    """

    direction: Direction = "both"
    start: float = 0.0
    stop: float | None = None
    bit_errors: float = 0.0
    lost: float = 0.0
    added: float = 0.0
    repeated: float = 0.0
    bursts: float = 0.0
    cut: float = 0.0
    drop: float = 0.0
    silence: bool = False
    chunk: int = 0
    delay: float = 0.0
    baudrate: int = 0

    def applies(self, direction: Direction, elapsed: float) -> bool:
        """Tell whether it is at work in a direction at a time."""
        ends = math.inf if self.stop is None else self.stop
        return self.direction in (direction, "both") and self.start <= elapsed < ends


RATES = ("bit_errors", "lost", "added", "repeated", "bursts", "cut", "drop")
"""The attributes of a Fault that are probabilities."""

BURST_BYTES = 8


class _Piece(NamedTuple):
    """Bytes on their way, when they come out at the earliest, and whether nothing may come with them."""

    at: float
    data: bytes
    alone: bool


class Wire:
    """One direction of a line: bytes go in, and come out later and perhaps damaged.

    Args:
        faults: What is wrong with it.
        direction: Which direction it is.
        seed: Of all chance.

    Its time is in seconds after the simulation's start.
    """

    def __init__(self, faults: list[Fault], direction: Direction, *, seed: int) -> None:
        self._faults = [one for one in faults if one.direction in (direction, "both")]
        self._direction = direction
        self._rng = random.Random(f"{seed}/{direction}")  # noqa: S311 - chance, no secret
        self._waiting: deque[_Piece] = deque()
        self._waiting_bytes = 0
        self._free_at = 0.0  # when a paced line has sent what it was given
        self._apart_until = 0.0  # a chunk has come out just now, and the next may not come with it

    @property
    def next_due(self) -> float:
        """When the next bytes come out, infinity if none are on their way."""
        return max(self._waiting[0].at, self._apart_until) if self._waiting else math.inf

    def send(self, data: bytes, now: float) -> int:
        """Put a frame, or whatever was written at once, on the line; return how many bytes had no room."""
        active = [one for one in self._faults if one.applies(self._direction, now)]
        given = len(data)
        for fault in active:
            data = self._damaged(data, fault)
        if self._waiting_bytes + len(data) > MAX_WAITING:
            return len(data)
        chunk = min((one.chunk for one in active if one.chunk), default=0)
        delay = sum(one.delay for one in active)
        baudrate = min((one.baudrate for one in active if one.baudrate), default=0)
        self._schedule(data, now + delay, chunk, baudrate)
        if baudrate and given > len(data):  # what is lost has taken its time as well
            lost_time = (given - len(data)) * BITS_PER_BYTE / baudrate
            self._free_at = max(self._free_at, now + delay) + lost_time
        return 0

    def _schedule(self, data: bytes, at: float, chunk: int, baudrate: int) -> None:
        size = min(chunk or len(data) or 1, _paced_bytes(baudrate) if baudrate else MAX_WAITING)
        for begin in range(0, len(data), size):
            piece = data[begin : begin + size]
            if baudrate:
                at = max(at, self._free_at) + len(piece) * BITS_PER_BYTE / baudrate
                self._free_at = at
            elif self._waiting:
                at = max(at, self._waiting[-1].at)  # bytes do not overtake each other
            self._waiting.append(_Piece(at, piece, alone=chunk > 0))
            self._waiting_bytes += len(piece)

    def take(self, now: float) -> list[bytes]:
        """Remove and return what has come out by `now`, in the pieces in which it came."""
        out = []
        while self._waiting and self.next_due <= now:
            piece = self._waiting.popleft()
            self._waiting_bytes -= len(piece.data)
            out.append(piece.data)
            if piece.alone:
                self._apart_until = now + CHUNK_GAP
        return out

    def clear(self) -> None:
        """Lose everything on its way, as when the cable is pulled."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self._free_at = 0.0

    def cut(self) -> None:
        """Lose the latter half of what is on its way, as when the sender stops in mid-frame."""
        lose = (self._waiting_bytes + 1) // 2
        while lose > 0:
            last = self._waiting.pop()
            self._waiting_bytes -= len(last.data)
            self._free_at = self._waiting[-1].at if self._waiting else 0.0
            lose -= len(last.data)
        if lose < 0:  # too much was taken
            kept = last._replace(data=last.data[:-lose])
            self._waiting.append(kept)
            self._waiting_bytes += len(kept.data)
            self._free_at = kept.at

    def _damaged(self, data: bytes, fault: Fault) -> bytes:
        rng = self._rng
        if fault.silence or not data or (fault.drop and rng.random() < fault.drop):
            return b""
        if fault.cut and rng.random() < fault.cut:
            data = data[: rng.randrange(len(data))]
        if fault.bursts and rng.random() < fault.bursts:
            at = rng.randrange(max(len(data) - BURST_BYTES, 0) + 1)
            data = data[:at] + rng.randbytes(min(BURST_BYTES, len(data))) + data[at + BURST_BYTES :]
        if fault.bit_errors or fault.lost or fault.added or fault.repeated:
            data = b"".join(self._damaged_byte(byte, fault) for byte in data)
        return data

    def _damaged_byte(self, byte: int, fault: Fault) -> bytes:
        rng = self._rng
        if fault.lost and rng.random() < fault.lost:
            return b""
        if fault.bit_errors:
            for bit in range(8):
                byte ^= (rng.random() < fault.bit_errors) << bit
        out = bytes([byte])
        if fault.repeated and rng.random() < fault.repeated:
            out *= 2
        if fault.added and rng.random() < fault.added:
            out += rng.randbytes(1)
        return out


def _paced_bytes(baudrate: int) -> int:
    """Return how many bytes a paced line hands over at a time: each wait for them is a short one."""
    return min(PACE_BYTES, int(PACE_SECONDS * baudrate / BITS_PER_BYTE) or 1)
