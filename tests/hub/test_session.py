"""The protocol of one client, without its socket and without waiting."""

from __future__ import annotations

import json
from typing import Any

import pytest

from framelink.hub import Command, Hub, hub, outbox, protocol, session
from framelink.hub.session import Session
from framelink.wire import Frame

FRAME = Frame(1, 0x20, b"\x01\x02")


class Client:
    """A client that a test speaks for."""

    def __init__(self, server: Hub) -> None:
        self.woken = 0
        self.session: Session = server.connect(0.0, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def says(self, type_: str, payload: Any = None, *, now: float = 0.0, **more: Any) -> Command | None:
        """Send a message."""
        return self.session.receive(json.dumps({"type": type_, "payload": payload or {}, **more}), now)

    def hears(self) -> list[dict[str, Any]]:
        """Return all messages that wait."""
        heard = []
        while self.session.outbox:
            heard += [json.loads(message) for message in self.session.outbox.take()]
        return heard

    def hears_one(self, type_: str) -> dict[str, Any]:
        """Return the payload of the only message that waits."""
        (message,) = self.hears()
        assert message["type"] == type_, message
        assert message["timestamp"] == 1_000
        payload: dict[str, Any] = message["payload"]
        return payload


@pytest.fixture
def server() -> Hub:
    """A hub whose wall clock stands still."""
    return Hub(epoch="e1", wall_clock=lambda: 1_000)


@pytest.fixture
def client(server: Hub) -> Client:
    """A client that has been welcomed."""
    client = Client(server)
    client.hears()
    return client


def test_a_client_is_welcomed(server: Hub) -> None:
    """With its session, the epoch and the server's name."""
    welcome = Client(server).hears_one("welcome")
    assert welcome == {"session": "s1", "epoch": "e1", "rooms": [], "server": "framelink"}
    assert Client(server).session.id == "s2"
    assert len(server.sessions) == 2


def test_without_a_subscription_a_client_gets_nothing(server: Hub, client: Client) -> None:
    """Frames and links pass it by; the offset counts on."""
    server.publish_frame("a", FRAME)
    server.publish_link("a", {"link": "a"})
    assert client.hears() == []
    assert server.offset == 1


def test_a_subscribed_client_gets_the_rooms_frames(server: Hub, client: Client) -> None:
    """With offset, hex data, and the meaning where it is known."""
    client.says("subscribe", {"rooms": ["frames/a/+/32"]})
    assert client.hears_one("subscribed") == {
        "rooms": ["frames/a/+/32"], "epoch": "e1", "offset": 0, "recovered": False,
    }  # fmt: skip
    server.publish_frame("a", FRAME, message="m", fields={"x": 1.5, "raw": b"\xff"})
    server.publish_frame("b", FRAME)
    server.publish_frame("a", Frame(1, 0x21))
    assert client.hears_one("frame") == {
        "offset": 1, "link": "a", "addr": 1, "cmd": 32, "data": "0102",
        "message": "m", "fields": {"x": 1.5, "raw": "ff"},
    }  # fmt: skip
    client.says("unsubscribe", {"rooms": ["frames/a/+/32", "never/was"]})
    assert client.hears_one("subscribed")["rooms"] == []
    server.publish_frame("a", FRAME)
    assert client.hears() == []


def test_a_frame_is_encoded_once_for_all_clients(server: Hub) -> None:
    """They get the very same bytes."""
    clients = [Client(server) for _ in range(3)]
    for one in clients:
        one.says("subscribe", {"rooms": ["frames/#"]})
        one.session.outbox.take()
    server.publish_frame("a", FRAME)
    first, second, third = [one.session.outbox.take()[0] for one in clients]
    assert first is second is third


def test_the_latest_of_a_link_is_told_on_subscribing_and_on_change(server: Hub, client: Client) -> None:
    """A client that comes later sees how things stand."""
    server.publish_link("a", {"link": "a", "state": "connecting"})
    client.says("subscribe", {"rooms": ["links/+"]})
    assert [one["type"] for one in client.hears()] == ["subscribed", "link"]
    server.publish_link("a", {"link": "a", "state": "connected"})
    assert client.hears_one("link")["state"] == "connected"
    client.says("subscribe", {"rooms": ["links/+"]})  # again: nothing new to tell
    assert client.hears_one("subscribed")["rooms"] == ["links/+"]


def test_since_is_recovered_only_when_nothing_was_missed(server: Hub, client: Client) -> None:
    """The same epoch and the current offset, or not at all."""
    server.publish_frame("a", FRAME)
    for since, recovered in (
        ({"epoch": "e1", "offset": 1}, True),
        ({"epoch": "e1", "offset": 0}, False),
        ({"epoch": "e0", "offset": 1}, False),
    ):
        client.says("subscribe", {"rooms": ["frames/#"], "since": since})
        assert client.hears_one("subscribed")["recovered"] is recovered


def test_heartbeats_are_answered_and_must_grow(client: Client) -> None:
    """A repeat is an error, and the connection stays open."""
    client.says("HEARTBEAT", seq=5)
    (answer,) = client.hears()
    assert (answer["type"], answer["seq"]) == ("HEARTBEAT_ACK", 5)
    client.says("HEARTBEAT", seq=5)
    assert client.hears_one("error") == {"code": "bad_seq", "message": "seq must grow: 5 came after 5"}
    client.says("HEARTBEAT", seq=6)
    assert client.hears()[0]["seq"] == 6


def test_a_silent_client_is_to_be_closed_after_90_seconds(client: Client) -> None:
    """Anything that it says puts that off."""
    assert client.session.closing(89.9) is None
    client.says("HEARTBEAT", seq=1, now=89.0)
    assert client.session.closing(100.0) is None
    client.session.refuse_binary(150.0)
    assert client.session.closing(239.0) is None
    closing = client.session.closing(240.0)
    assert closing is not None
    assert (closing.code, closing.reason[:15]) == (4008, "silent for 90 s")


def test_a_client_that_reads_nothing_for_90_seconds_is_to_be_closed(client: Client) -> None:
    """However much it says: what it is sent is stuck."""
    client.says("HEARTBEAT", seq=1, now=10.0)
    assert len(client.session.take(10.0)) == 1
    client.says("handshake", now=99.0)
    assert client.session.closing(99.9) is None
    closing = client.session.closing(100.0)
    assert closing is not None
    assert (closing.code, closing.reason) == (4009, "read nothing for 90 s")
    client.session.taken()
    assert client.session.closing(100.0) is None


def test_an_answer_tells_how_far_the_client_is_when_it_reads_it(
    server: Hub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the frames of others' rooms, and short of its own that still wait or were dropped untold."""
    monkeypatch.setattr(outbox, "MAX_FRAMES", 2)
    client.says("subscribe", {"rooms": ["frames/a/#"]})
    client.hears()
    for link in "bbaaab":
        server.publish_frame(link, FRAME)
    client.says("HEARTBEAT", seq=1)
    client.says("subscribe", {"rooms": ["links/#"]})
    ack, subscribed, gap, *frames = client.hears()
    assert ack["payload"]["offset"] == subscribed["payload"]["offset"] == 2
    assert (gap["payload"]["from"], [one["payload"]["offset"] for one in frames]) == (3, [4, 5])
    client.says("HEARTBEAT", seq=2)
    assert client.hears_one("HEARTBEAT_ACK") == {"offset": 6}


def test_a_slow_client_is_told_what_it_did_not_get(
    server: Hub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own oldest frames go; another client gets all."""
    monkeypatch.setattr(outbox, "MAX_FRAMES", 2)
    other = Client(server)
    for one in (client, other):
        one.says("subscribe", {"rooms": ["frames/#"]})
        one.hears()
    seen = []
    for _ in range(5):
        server.publish_frame("a", FRAME)
        seen += other.hears()
    assert [one["payload"]["offset"] for one in seen] == [1, 2, 3, 4, 5]
    gap, *frames = client.hears()
    assert (gap["type"], gap["payload"]) == ("gap", {"dropped": 3, "from": 1, "to": 3})
    assert [one["payload"]["offset"] for one in frames] == [4, 5]


def test_a_client_may_say_its_name(client: Client) -> None:
    """Shortened, for the presence list; a handshake needs nothing."""
    client.says("handshake", {"client": "x" * 100, "version": "1"})
    assert client.session.client == "x" * 64
    assert client.session.receive('{"type": "handshake"}', 0.0) is None
    assert client.hears() == []


ORDER = {"id": 1, "link": "a", "addr": 1}


def test_a_command_is_handed_on_and_its_reply_comes_back(client: Client) -> None:
    """Raw, or by the schema."""
    command = client.says("command", {**ORDER, "cmd": 0x10, "data": "0102"})
    assert command == Command(1, "a", 1, 0x10, b"\x01\x02", None, {}, client="s1")
    by_name = client.says("command", {**ORDER, "id": "two", "message": "set", "fields": {"x": 1}})
    assert by_name == Command("two", "a", 1, None, b"", "set", {"x": 1}, client="s1")
    client.session.reply(1, {"ok": True, "cmd": 0x90})
    assert client.hears_one("reply") == {"id": 1, "ok": True, "cmd": 0x90}
    assert client.says("command", {**ORDER, "cmd": 1}) is not None


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ({"addr": 256, "cmd": 1}, "addr must be 0 to 255, not 256"),
        ({"cmd": 256}, "cmd must be 0 to 255, not 256"),
        ({}, "give either cmd and data, or message and fields"),
        ({"cmd": 1, "message": "x"}, "give either cmd and data, or message and fields"),
        ({"cmd": 1, "data": "0"}, "data must be pairs of hex digits"),
        ({"cmd": 1, "id": "x" * 101}, "id may have at most 100 characters"),
    ],
)
def test_a_command_that_cannot_be_is_answered_with_the_reason(
    client: Client, order: dict[str, Any], error: str
) -> None:
    """As a reply to its id, so that whoever waits for it knows."""
    assert client.says("command", {**ORDER, **order}) is None
    reply = client.hears_one("reply")
    assert (reply["id"], reply["ok"]) == (order.get("id", 1), False)
    assert error in reply["error"]


def test_commands_in_flight_are_bounded_and_their_ids_unique(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one too many is refused, not queued."""
    monkeypatch.setattr(session, "MAX_COMMANDS", 2)
    assert client.says("command", {**ORDER, "cmd": 1})
    assert client.says("command", {**ORDER, "cmd": 1}) is None
    assert "a command with id 1 is under way" in client.hears_one("reply")["error"]
    assert client.says("command", {**ORDER, "id": 2, "cmd": 1})
    assert client.says("command", {**ORDER, "id": 3, "cmd": 1}) is None
    assert "2 commands are under way" in client.hears_one("reply")["error"]


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        ("", "bad_json", "a message must be one JSON object"),
        ("{", "bad_json", "a message must be one JSON object"),
        ("[" * 5_000, "bad_message", "Expected `object`, got `array`"),
        ('"text"', "bad_message", "Expected `object`"),
        ("{}", "bad_message", "missing required field `type`"),
        ('{"type": "fly"}', "bad_message", "Invalid value 'fly' - at `type`"),
        ('{"type": "subscribe"}', "bad_message", "missing required field `payload`"),
        ('{"type": "subscribe", "payload": {"rooms": "x"}}', "bad_message", "Expected `array`, got `str`"),
        ('{"type": "HEARTBEAT", "seq": "1"}', "bad_message", "Expected `int`, got `str` - at `seq`"),
        ('{"type": "subscribe", "payload": {"rooms": ["x/y"]}}', "bad_room", "room 'x/y': begins with none"),
    ],
)
def test_a_message_that_cannot_be_gets_one_clear_error(
    client: Client, raw: str, code: str, message: str
) -> None:
    """And nothing else happens."""
    assert client.session.receive(raw, 0.0) is None
    error = client.hears_one("error")
    assert error["code"] == code
    assert message in error["message"]
    assert client.session.patterns == []


def test_answers_do_not_repeat_what_a_client_says_at_length(client: Client) -> None:
    """Its own words are cut; so are reasons that quote it from elsewhere."""
    long = "\ue000" * 20_000
    client.says("subscribe", {"rooms": [long]})
    room = client.hears_one("error")["message"]
    assert room.endswith("…: is longer than 200 characters")
    client.session.receive(json.dumps({"type": long}), 0.0)
    type_ = client.hears_one("error")["message"]
    client.session.reply(1, {"ok": False, "error": f"there is no message {long!r}"})
    reason = client.hears_one("reply")["error"]
    assert max(map(len, (room, type_, reason))) <= protocol.MAX_REASON
    assert reason.startswith("there is no message '")
    assert reason.endswith("…")


def test_a_binary_message_is_refused(client: Client) -> None:
    """The messages are text."""
    client.session.refuse_binary(0.0)
    assert client.hears_one("error")["code"] == "not_text"


def test_subscriptions_are_bounded(client: Client) -> None:
    """All or nothing of one message is taken."""
    client.says("subscribe", {"rooms": [f"frames/l{n}/#" for n in range(65)]})
    assert client.hears_one("error")["code"] == "too_many_rooms"
    client.says("subscribe", {"rooms": [f"frames/l{n}/#" for n in range(64)]})
    assert len(client.hears_one("subscribed")["rooms"]) == 64


def test_who_wants_a_room_is_remembered_within_bounds(
    server: Hub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that invents rooms does not grow memory."""
    monkeypatch.setattr(hub, "MAX_ROOM_CACHE", 10)
    client.says("subscribe", {"rooms": ["frames/#"]})
    client.hears()
    for cmd in range(100):
        server.publish_frame("a", Frame(1, cmd))
    assert len(server._subscribers) <= 10
    assert len(client.hears()) == 100


def test_a_client_that_has_gone_gets_nothing_more(server: Hub, client: Client) -> None:
    """And is forgotten."""
    client.says("subscribe", {"rooms": ["frames/#"]})
    client.hears()
    woken = client.woken
    server.disconnect(client.session)
    server.publish_frame("a", FRAME)
    assert client.woken == woken
    assert server.sessions == []
