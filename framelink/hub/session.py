"""Session: one client's conversation with the hub, without its socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from framelink.hub.outbox import Outbox
from framelink.hub.protocol import (
    MAX_REASON,
    MAX_ROOMS,
    Command,
    CommandMessage,
    Handshake,
    Heartbeat,
    Problem,
    Since,
    Subscribe,
    Unsubscribe,
    command_of,
    decode_client,
    echo,
    shortened,
)
from framelink.hub.rooms import matches, pattern_problem

if TYPE_CHECKING:
    from framelink.hub.hub import Hub

SILENCE_LIMIT = 90.0  # seconds; three heartbeats of a client that sends one every 30
STALL_LIMIT = 90.0  # seconds; the answers to three heartbeats are stuck in front of such a client
MAX_COMMANDS = 32  # in flight a client; more is a program gone wild, and devices answer one at a time
CLOSE_SILENT = 4_008
CLOSE_STALLED = 4_009
MAX_CLIENT_NAME = 64  # characters of it are kept


@dataclass(frozen=True)
class Closing:
    """Why the connection should be closed.

    Attributes:
        code: The WebSocket's close code.
        reason: In words.
    """

    code: int
    reason: str


class Session:
    """One client.  The hub makes it.

    Attributes:
        id: Its name on this server.
        outbox: What waits to be sent to it.
        client: What the client calls itself, empty if it has not said.
    """

    def __init__(self, hub: Hub, id: str, now: float, on_output: Callable[[], None]) -> None:
        self.id = id
        self.client = ""
        self.outbox = Outbox(hub.gap_message)
        self._hub = hub
        self._on_output = on_output
        self._patterns: dict[str, None] = {}  # a set that keeps its order
        self._heard_at = now
        self._sending_since: float | None = None
        self._last_seq: int | None = None
        self._commands: set[str | int] = set()

    @property
    def patterns(self) -> list[str]:
        """The rooms that the client has subscribed to."""
        return list(self._patterns)

    def wants(self, room: str) -> bool:
        """Tell whether the client has subscribed to a room."""
        return any(matches(pattern, room) for pattern in self._patterns)

    def closing(self, now: float) -> Closing | None:
        """Tell whether, and why, the connection should be closed now."""
        if self._sending_since is not None and now - self._sending_since >= STALL_LIMIT:
            return Closing(CLOSE_STALLED, f"read nothing for {STALL_LIMIT:g} s")
        if now - self._heard_at >= SILENCE_LIMIT:
            return Closing(CLOSE_SILENT, f"silent for {SILENCE_LIMIT:g} s; send a HEARTBEAT every 30 s")
        return None

    def take(self, now: float) -> list[bytes]:
        """Return the next messages to send; `taken` must follow when the client's socket has them."""
        self._sending_since = now
        return self.outbox.take()

    def taken(self) -> None:
        """Note that the client's socket has what was to be sent."""
        self._sending_since = None

    def receive(self, raw: str | bytes, now: float) -> Command | None:
        """Take a client's text message; return the command that it asks for, if it does."""
        self._heard_at = now
        message = decode_client(raw)
        if isinstance(message, CommandMessage):
            return self._command(message)
        handlers: dict[type, Callable[[Any], None]] = {
            Problem: self.refuse,
            Handshake: self._handshake,
            Subscribe: self._subscribe,
            Unsubscribe: self._unsubscribe,
            Heartbeat: self._heartbeat,
        }
        handlers[type(message)](message)
        return None

    def refuse_binary(self, now: float) -> None:
        """Take a client's binary message, which means nothing here."""
        self._heard_at = now
        self.refuse(Problem("not_text", "messages are JSON text, not binary"))

    def refuse(self, problem: Problem) -> None:
        """Tell the client what is wrong."""
        self.send("error", {"code": problem.code, "message": shortened(problem.message, MAX_REASON)})

    def reply(self, id: str | int, payload: dict[str, Any]) -> None:
        """Answer a command."""
        self._commands.discard(id)
        if "error" in payload:
            self._fail(id, payload["error"])
        else:
            self.send("reply", {"id": id, **payload})

    def send(self, type_: str, payload: dict[str, Any], **more: Any) -> None:
        """Queue an answer."""
        self.outbox.put_answer(self._hub.envelope(type_, payload, **more))
        self._on_output()

    def deliver_frame(self, offset: int, message: bytes) -> None:
        """Queue a frame's message."""
        self.outbox.put_frame(offset, message)
        self._on_output()

    def deliver_latest(self, room: str, message: bytes) -> None:
        """Queue a message that replaces the room's earlier one."""
        self.outbox.put_latest(room, message)
        self._on_output()

    def _handshake(self, message: Handshake) -> None:
        self.client = message.payload.client[:MAX_CLIENT_NAME]

    def _heartbeat(self, message: Heartbeat) -> None:
        if self._last_seq is not None and message.seq <= self._last_seq:
            self.refuse(Problem("bad_seq", f"seq must grow: {message.seq} came after {self._last_seq}"))
            return
        self._last_seq = message.seq
        self.send("HEARTBEAT_ACK", {"offset": self._reached}, seq=message.seq)

    def _subscribe(self, message: Subscribe) -> None:
        wanted = dict.fromkeys(message.payload.rooms)
        problem = self._problem_of(wanted)
        if problem is not None:
            self.refuse(problem)
            return
        added = [pattern for pattern in wanted if pattern not in self._patterns]
        self._patterns.update(wanted)
        self._hub.subscriptions_changed()
        since = message.payload.since
        missed_nothing = since is not None and since == Since(self._hub.epoch, self._hub.offset)
        self._tell_rooms(recovered=missed_nothing)
        self._hub.replay_links(self, added)

    def _problem_of(self, wanted: dict[str, None]) -> Problem | None:
        for pattern in wanted:
            problem = pattern_problem(pattern)
            if problem is not None:
                return Problem("bad_room", f"room {echo(pattern)}: {problem}")
        if len(self._patterns | wanted) > MAX_ROOMS:
            return Problem("too_many_rooms", f"at most {MAX_ROOMS} rooms a client; patterns cover many")
        return None

    def _unsubscribe(self, message: Unsubscribe) -> None:
        for pattern in message.payload.rooms:
            self._patterns.pop(pattern, None)
        self._hub.subscriptions_changed()
        self._tell_rooms(recovered=False)

    def _tell_rooms(self, *, recovered: bool) -> None:
        position = {"epoch": self._hub.epoch, "offset": self._reached}
        self.send("subscribed", {"rooms": self.patterns, **position, "recovered": recovered})

    @property
    def _reached(self) -> int:
        """How far the client will be when it reads an answer given now: answers overtake waiting frames."""
        first = self.outbox.first_frame
        return self._hub.offset if first is None else first - 1

    def _command(self, message: CommandMessage) -> Command | None:
        command = command_of(message, self.id)
        if isinstance(command, Command) and command.id in self._commands:
            command = Problem("bad_command", f"a command with id {command.id!r} is under way")
        if isinstance(command, Command) and len(self._commands) >= MAX_COMMANDS:
            command = Problem("busy", f"{MAX_COMMANDS} commands are under way; wait for their replies")
        if isinstance(command, Problem):
            self._fail(message.payload.id, command.message)
            return None
        self._commands.add(command.id)
        return command

    def _fail(self, id: str | int, reason: str) -> None:
        self.send("reply", {"id": id, "ok": False, "error": shortened(reason, MAX_REASON)})
