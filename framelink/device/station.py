"""Station: what is kept of one device of a link, whoever asks it; and the frames, put through to stations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet, ref

from framelink.device.exchange import Exchange, Phase
from framelink.device.introduction import Identity
from framelink.device.late import Belated, LateReplies
from framelink.device.round_trips import BITS_PER_BYTE, QUICK_REPEATS, RoundTrips
from framelink.device.stats import DeviceStats, Tally, snapshot
from framelink.link import Lane, LinkState, StateChange
from framelink.link.life import ENDING
from framelink.link.observers import Observers
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat

LAST_NUMBER = 255  # of a sequence byte; then 1 again, since 0 is no number


class FrameLine(Protocol):
    """What a request needs of a link; `framelink.link.AsyncLink` has it."""

    async def send(self, frame: Frame, timeout: float | None = 0.0, *, lane: Lane = ...) -> None:
        """Queue a frame in a lane, waiting up to that long for line and room."""

    def subscribe(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Have every received frame passed on in the loop, until the returned function is called."""

    def watch(self, callback: Callable[[StateChange], None]) -> Callable[[], None]:
        """Have every state change told in the loop, until the returned function is called."""


class Asker(Protocol):
    """Whoever carries an exchange out, and is told of frames and of the link's end meanwhile."""

    def take(self, frame: Frame) -> bool:
        """Take a frame from the device; tell whether it was the reply."""

    def passed(self) -> None:
        """Be told that a late reply has passed."""

    def closed(self) -> None:
        """Be told that the link was closed."""


class Listener(Protocol):
    """Whoever wants a device's frames that answer nothing."""

    def take(self, frame: Frame) -> None:
        """Take a frame."""

    def closed(self) -> None:
        """Be told that the link was closed."""


class Watcher(Protocol):
    """Whoever looks whether a device has rebooted."""

    def in_doubt(self) -> None:
        """Be told that the device may have rebooted: its line came back, or it was silent."""


class Station:
    """What is kept of the device at one address of a link, for all who ask it.

    Attributes:
        turn: Who may ask now.
        asker: Whoever has the turn and waits for a reply.
        late: Requests that may still be answered.
        trips: How long it takes to answer.
        tally: How requests have fared.
        identity: What it last said that it is, None if it never did.
        is_due: Whether it should be asked what it is, for it may have rebooted.
        listeners: Those who want its events.
        watchers: Those who look whether it has rebooted.
        reboots: Those who want to know that it has.
    """

    def __init__(self, turn: asyncio.Lock, format: FrameFormat, byte_time: float) -> None:
        self.turn = turn
        self.asker: Asker | None = None
        self.late = LateReplies()
        self.trips = RoundTrips(byte_time)
        self.tally = Tally()
        self.identity: Identity | None = None
        self.is_due = True
        self.listeners: WeakSet[Listener] = WeakSet()
        self.watchers: WeakSet[Watcher] = WeakSet()
        self.reboots: Observers[Identity] = Observers()
        self._straggling = Lane.CONTROL  # the lane in which repeats may wait that are not needed any more
        self._overhead = format.overhead
        self._longest = format.longest_frame
        self._number = 0
        self._reply_sizes: dict[int, int] = {}

    @property
    def stats(self) -> DeviceStats:
        """The figures now."""
        return snapshot(self.tally, self.trips, 2 * self._overhead)

    def next_number(self) -> int:
        """Return the number of the next sequenced request: 1 to 255 in turn."""
        self._number = self._number % LAST_NUMBER + 1
        return self._number

    def size_of(self, request: Frame) -> int:
        """Return the bytes of a request and its reply: as long as the longest yet, or as there can be."""
        return self._overhead + len(request.data) + self._reply_sizes.get(request.cmd, self._longest)

    def lane_for(self, exchange: Exchange, lane: Lane) -> Lane:
        """Return the lane that an exchange takes: one that must keep the order goes behind repeats."""
        return max(lane, self._straggling) if exchange.keeps_order else lane

    def learn(self, identity: Identity) -> None:
        """Take what it says it is, and tell if it has rebooted since it last did."""
        before, self.identity = self.identity, identity
        self.is_due = False
        if before is not None and before.boots != identity.boots:
            self.tally.reboots += 1
            self.reboots.tell(identity)

    def doubt(self) -> None:
        """Take into account that the device may have rebooted."""
        self.is_due = True
        for watcher in tuple(self.watchers):
            watcher.in_doubt()

    def take(self, frame: Frame) -> None:
        """Take a frame of the device's."""
        if self.asker is not None and self.asker.take(frame):
            return
        belated = self.late.take(frame)
        if belated is None:
            for listener in tuple(self.listeners):
                listener.take(frame)
            return
        kind, whole = belated
        if kind is Belated.LATE:
            self.tally.late += 1
        else:
            self.tally.duplicates += 1
        if whole is not None and whole.sendings > 1:  # repeated in vain: it had been waited for too briefly
            self.trips.measured(whole.duration, self.size_of(whole.request))
        if self.asker is not None:
            self.asker.passed()

    def ended(
        self,
        exchange: Exchange,
        now: float,
        wait: float,
        *,
        lane: Lane = Lane.NORMAL,
        is_typical: bool = False,
    ) -> None:
        """Take note of an exchange that has ended; its time is learned from if it is typical."""
        self.late.note(exchange, now, wait)
        self._note_stragglers(exchange, lane)
        self.tally.retries += max(exchange.sendings - 1, 0)
        if not exchange.is_settled:
            self.tally.timeouts += exchange.phase is Phase.EXPIRED
            return
        self.tally.replies += 1
        self.tally.refused += exchange.phase is Phase.REFUSED
        if exchange.sendings > QUICK_REPEATS:  # it was away for long enough to have rebooted
            self.doubt()
        self.trips.took(exchange.duration)
        cmd, size = exchange.request.cmd, self._overhead + exchange.reply_size
        self._reply_sizes[cmd] = max(size, self._reply_sizes.get(cmd, 0))
        if is_typical and exchange.sendings == 1:
            self.trips.measured(exchange.duration, self._overhead + len(exchange.request.data) + size)

    def _note_stragglers(self, exchange: Exchange, lane: Lane) -> None:
        """Note whether repeats may wait in a lane; the reply to what was sent once says that none do."""
        if exchange.outstanding:
            self._straggling = max(lane, self._straggling)
        elif exchange.sendings and lane >= self._straggling:
            self._straggling = Lane.CONTROL

    def closed(self) -> None:
        """Tell all that the link was closed, and let go of those who cannot be told of anything any more."""
        self.reboots.clear()
        if self.asker is not None:
            self.asker.closed()
        for listener in tuple(self.listeners):
            listener.closed()


class Switchboard:
    """The stations of one link.  It listens while somebody asks, and for good once there is a device.

    Attributes:
        line_turn: On a half-duplex line, who may use it now; None if all may at once.
    """

    def __init__(self, link: FrameLine) -> None:
        self._link = ref(link)  # it must not keep a forgotten link alive
        self._format: FrameFormat = getattr(link, "format", DEFAULT_FORMAT)
        baudrate: int = getattr(link, "baudrate", 0)
        self._byte_time = BITS_PER_BYTE / baudrate if baudrate else 0.0
        self.line_turn = asyncio.Lock() if getattr(link, "half_duplex", None) is not None else None
        self._stations: dict[int, Station] = {}
        self._users = 0
        self._hang_up: list[Callable[[], None]] = []

    def station(self, addr: int) -> Station:
        """Return the station of an address; on a half-duplex line all of them take turns."""
        station = self._stations.get(addr)
        if station is None:
            turn = self.line_turn or asyncio.Lock()
            station = self._stations[addr] = Station(turn, self._format, self._byte_time)
        return station

    def listen(self) -> None:
        """Begin to listen, if nobody did; `leave` ends it."""
        self._users += 1
        link = self._link()
        if self._users == 1 and link is not None:
            self._hang_up = [link.subscribe(self._take), link.watch(self._look)]

    def leave(self) -> None:
        """Stop listening, if nobody else wants it."""
        self._users -= 1
        if self._users == 0:
            self._stop()

    def _stop(self) -> None:
        for hang_up in self._hang_up:
            hang_up()
        self._hang_up.clear()

    def _take(self, frame: Frame) -> None:
        station = self._stations.get(frame.addr)
        if station is not None:
            station.take(frame)

    def _look(self, change: StateChange) -> None:
        if change.state is LinkState.CONNECTED:
            for station in self._stations.values():
                if station.identity is not None:
                    station.doubt()
        elif change.state in ENDING:
            self._stop()
            for station in self._stations.values():
                station.closed()


_switchboards: WeakKeyDictionary[Any, Switchboard] = WeakKeyDictionary()


def switchboard_of(link: FrameLine) -> Switchboard:
    """Return a link's switchboard."""
    board = _switchboards.get(link)
    if board is None:
        board = _switchboards[link] = Switchboard(link)
    return board


def station_of(link: FrameLine, addr: int) -> Station:
    """Return what is kept of the device at an address of a link."""
    return switchboard_of(link).station(addr)
