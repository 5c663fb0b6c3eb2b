"""Hub: who wants what, and one encoding of each message for all who want it.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from framelink.hub.protocol import envelope, plain
from framelink.hub.rooms import frame_room, link_room, matches
from framelink.hub.session import Session
from framelink.wire import Frame

MAX_ROOM_CACHE = 4_096  # rooms whose subscribers are remembered; beyond it they are looked up again


class Hub:
    """The meeting place of what devices say and of those who listen.

    Args:
        epoch: A name for this run; offsets of different epochs have nothing to do with each other.
        wall_clock: Returns the wall clock in ms, for the messages' timestamps.
        server: What the server calls itself.
    """

    def __init__(self, *, epoch: str, wall_clock: Callable[[], int], server: str = "framelink") -> None:
        self.epoch = epoch
        self.offset = 0
        """The offset of the last frame published; they count up by one."""
        self._wall_clock = wall_clock
        self._server = server
        self._sessions: dict[str, Session] = {}
        self._links: dict[str, bytes] = {}
        self._subscribers: dict[str, list[Session]] = {}
        self._opened = 0

    @property
    def sessions(self) -> list[Session]:
        """The clients that are connected."""
        return list(self._sessions.values())

    def connect(self, now: float, on_output: Callable[[], None]) -> Session:
        """Welcome a client.

        Args:
            now: Monotonic clock, seconds.
            on_output: Called when its outbox has something to send.
        """
        self._opened += 1
        session = Session(self, f"s{self._opened}", now, on_output)
        self._sessions[session.id] = session
        session.send(
            "welcome", {"session": session.id, "epoch": self.epoch, "rooms": [], "server": self._server}
        )
        return session

    def disconnect(self, session: Session) -> None:
        """Forget a client."""
        self._sessions.pop(session.id, None)
        self.subscriptions_changed()

    def publish_frame(
        self, link: str, frame: Frame, *, message: str | None = None, fields: Mapping[str, Any] | None = None
    ) -> None:
        """Give a frame to all who want it, with its meaning if that is known."""
        self.offset += 1
        subscribers = self._wanting(frame_room(link, frame.addr, frame.cmd))
        if not subscribers:
            return
        payload: dict[str, Any] = {
            "offset": self.offset,
            "link": link,
            "addr": frame.addr,
            "cmd": frame.cmd,
            "data": frame.data.hex(),
        }
        if message is not None:
            payload |= {"message": message, "fields": plain(fields or {})}
        encoded = self.envelope("frame", payload)
        for session in subscribers:
            session.deliver_frame(self.offset, encoded)

    def publish_link(self, link: str, payload: dict[str, Any]) -> None:
        """Give a link's news to all who want it; the latest is kept for those who come later."""
        room = link_room(link)
        encoded = self._links[room] = self.envelope("link", payload)
        for session in self._wanting(room):
            session.deliver_latest(room, encoded)

    def replay_links(self, session: Session, patterns: list[str]) -> None:
        """Give a client the latest of the links that the patterns cover."""
        for room, encoded in self._links.items():
            if any(matches(pattern, room) for pattern in patterns):
                session.deliver_latest(room, encoded)

    def subscriptions_changed(self) -> None:
        """Forget who wants what; it is found out again room by room."""
        self._subscribers.clear()

    def envelope(self, type_: str, payload: dict[str, Any], **more: Any) -> bytes:
        """Return a message of now."""
        return envelope(type_, payload, self._wall_clock(), **more)

    def gap_message(self, dropped: int, first: int, last: int) -> bytes:
        """Return the message that tells a slow client what it did not get."""
        return self.envelope("gap", {"dropped": dropped, "from": first, "to": last})

    def _wanting(self, room: str) -> list[Session]:
        found = self._subscribers.get(room)
        if found is None:
            if len(self._subscribers) >= MAX_ROOM_CACHE:
                self._subscribers.clear()
            found = [one for one in self._sessions.values() if one.wants(room)]
            self._subscribers[room] = found
        return found
