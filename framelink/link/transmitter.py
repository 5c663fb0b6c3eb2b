"""The bounded transmit queues, one a lane: whole frames, in order within a lane, from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from framelink.errors import LinkDown, LinkFull
from framelink.link.echo import Echo
from framelink.link.interface import Port
from framelink.link.lane import Lane, LaneQueue, LaneStats
from framelink.link.pace import Pace

Clock = Callable[[], float]


@dataclass(frozen=True)
class TransmitEvents:
    """What a transmitter tells, from any thread.

    Attributes:
        blocked: The line takes no more; `pump` is due when it does again.
        early: The line is busy; `pump` is due at that time.
        broken: Writing showed that the line broke, and why.
    """

    blocked: Callable[[], None]
    early: Callable[[float], None]
    broken: Callable[[str], None]


class _Stop(NamedTuple):
    """What stopped the writing.

    Attributes:
        tell: Tells it.
        fault: The reason if the line broke, else empty.
    """

    tell: Callable[[], None]
    fault: str = ""


class Transmitter:
    """Frames on their way to the line.

    Args:
        events: What it tells.
        echo: What expects our echo, on a line that has one.
    """

    def __init__(self, events: TransmitEvents, echo: Echo | None = None) -> None:
        self._events = events
        self._echo = echo
        self._lock = threading.Lock()
        self._port: Port | None = None
        self._pace = Pace(0.0)
        self._clock: Clock = time.monotonic
        self._queues = tuple(LaneQueue(lane) for lane in Lane)
        self._waiting = 0  # frames in all queues
        self._cut: LaneQueue | None = None  # the lane whose first frame the line has taken a part of
        self._begun = 0  # bytes of it that the line has taken
        self._is_blocked = False
        self._is_early = False  # whether the next frame's time has not come, and that was told
        self.bytes_sent = 0

    @property
    def idle(self) -> bool:
        """Whether every frame has been handed to the line."""
        return not self._waiting

    @property
    def lanes(self) -> tuple[LaneStats, ...]:
        """Each lane's figures."""
        return tuple(queue.stats for queue in self._queues)

    def attach(self, port: Port, pace: Pace, clock: Clock) -> None:
        """Begin to write to a line that is open now, at its pace and by that clock."""
        with self._lock:
            self._port, self._pace, self._clock = port, pace, clock
            self._is_blocked = self._is_early = False
            if self._echo is not None:
                self._echo.reset()

    def detach(self) -> None:
        """Stop writing; frames that still wait are discarded, since nobody expects them minutes later."""
        with self._lock:
            self._port = self._cut = None
            self._begun = self._waiting = 0
            for queue in self._queues:
                queue.discard()

    def has_room(self, data: bytes, lane: Lane) -> bool:
        """Tell whether the line is connected and the lane would take that frame."""
        with self._lock:
            return self._port is not None and self._queues[lane].fits(data)

    def reserve(self, lane: Lane, *, reserved: bool) -> None:
        """Keep a lane for senders that wait already, so that no new frame overtakes theirs, or free it."""
        self._queues[lane].reserved = reserved

    def offer(self, data: bytes, lane: Lane, *, reserved: bool = False) -> None:
        """Take a frame's bytes: written at once if nothing is before it and its time has come, else queued.

        Args:
            data: The frame's bytes.
            lane: Which frames it goes before and which behind.
            reserved: It is the turn of this frame, which waited.

        Raises:
            LinkDown: The line is not connected, or just broke.
            LinkFull: The lane has no room; it is bounded in frames and bytes.
        """
        queue = self._queues[lane]
        with self._lock:
            if self._port is None:
                queue.refused += 1
                raise LinkDown("the line is not connected; try again, or send with a timeout to wait for it")
            if (queue.reserved and not reserved) or not queue.fits(data):
                queue.refused += 1
                raise LinkFull(
                    f"the transmit queue is full ({len(queue.frames)} frames); send slower, or with a timeout"
                )
            if self._waiting == 0 and lane < self._pace.free_lanes:  # nearly always
                stop = self._write_at_once(self._port, queue, data)
            else:
                self._put(queue, data)
                stop = None if self._is_blocked else self._write_out(self._port)
        if stop is not None:
            stop.tell()
            if stop.fault:
                raise LinkDown(f"the line broke: {stop.fault}")

    def pump(self) -> None:
        """Write on, now that there is room or time has passed."""
        with self._lock:
            if self._port is None:
                return
            self._is_early = False
            stop = self._write_out(self._port)
        if stop is not None:
            stop.tell()

    def heard(self, chunk: bytes, now: float) -> bytes:
        """Note that bytes were received; return them without our echo."""
        with self._lock:
            self._pace.heard(now)
            return chunk if self._echo is None else self._echo.strip(chunk, now)

    def _put(self, queue: LaneQueue, data: bytes) -> None:
        queue.put(data)
        self._waiting += 1

    def _write_at_once(self, port: Port, queue: LaneQueue, data: bytes) -> _Stop | None:
        """Write a frame before which there is none, and which need not wait for the line."""
        try:
            taken = self._hand_over(port, data, self._clock())
        except OSError as error:
            self._put(queue, data)
            return self._broken(error)
        if taken == len(data):
            queue.sent += 1
            return None
        self._put(queue, data)
        return self._blocked(queue, taken)

    def _next(self) -> LaneQueue | None:
        """Return the lane whose first frame goes next: what is begun is ended first."""
        if self._cut is not None:
            return self._cut
        for queue in self._queues:
            if queue.frames:
                return queue
        return None

    def _write_out(self, port: Port) -> _Stop | None:
        """Write while the line takes it; return what stopped it, to be told outside of the lock."""
        self._is_blocked = False
        while (queue := self._next()) is not None:
            now = self._clock()
            if self._cut is None:
                due = self._pace.due(queue.lane, now, port.unsent)
                if due > now:
                    return self._early(due)
            try:
                is_whole = self._write(port, queue, now)
            except OSError as error:
                return self._broken(error)
            if not is_whole:
                return self._blocked(queue, self._begun)
        return None

    def _blocked(self, queue: LaneQueue, begun: int) -> _Stop:
        """Note that the line takes no more, and how much of a lane's first frame it took."""
        self._is_blocked = True
        self._begun = begun
        self._cut = queue if begun else None
        return _Stop(self._events.blocked)

    def _broken(self, error: OSError) -> _Stop:
        reason = error.strerror or str(error)
        return _Stop(lambda: self._events.broken(reason), reason)

    def _early(self, due: float) -> _Stop | None:
        if self._is_early:  # told, and `pump` has not come yet
            return None
        self._is_early = True
        return _Stop(lambda: self._events.early(due))

    def _write(self, port: Port, queue: LaneQueue, now: float) -> bool:
        """Write what is left of a lane's first frame; tell whether the line took all of it."""
        frame = queue.frames[0]
        self._begun += self._hand_over(port, frame[self._begun :], now)
        if self._begun < len(frame):
            return False
        queue.sent_first()
        self._waiting -= 1
        self._cut, self._begun = None, 0
        return True

    def _hand_over(self, port: Port, data: bytes, now: float) -> int:
        """Write what the line takes of some bytes; return how many that is."""
        taken = port.write(data)
        ends = self._pace.sent(taken, now)
        if self._echo is not None:
            self._echo.sent(data[:taken], now, ends)
        self.bytes_sent += taken
        return taken
