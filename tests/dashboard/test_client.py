"""framelink.js, the client that other pages import: heartbeats, backoff, commands; under node, on a fake socket."""

from __future__ import annotations

from typing import Any

from tests.support.node import run_module

PRELUDE = """
import { FramelinkClient, MAX_PENDING_COMMANDS } from "./framelink.js";
const seen = [], sent = [], sockets = [];
class FakeSocket extends EventTarget {
  constructor(url) { super(); this.url = url; sockets.push(this); }
  send(text) { sent.push(JSON.parse(text)); this.onSent?.(JSON.parse(text)); }
  close() { this.closed = true; }
  says(type, payload, more = {}) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify({ type, payload, timestamp: 5, ...more }) }));
  }
  welcome() { this.says("welcome", { session: "s1" }); }
}
const made = (options = {}) => {
  const client = new FramelinkClient("ws://x/ws", { WebSocket: FakeSocket, random: () => 1, ...options });
  for (const type of ["state", "welcome", "subscribed", "frame", "link", "gap", "error"]) {
    client.addEventListener(type, ({ detail }) => seen.push([type, detail]));
  }
  return client;
};
const states = () => seen.filter(([type]) => type === "state").map(([, detail]) => detail.state);
const until = async (holds) => { while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1)); };
"""


def run(script: str) -> Any:
    """Run a script with the client and a fake socket; return what it reports."""
    return run_module(PRELUDE + script)


def test_rooms_are_asked_for_on_connecting_and_again_on_reconnecting() -> None:
    """After the welcome, in one message; what was unsubscribed is not."""
    sent = run("""
        const client = made({ name: "me", backoffMs: 1 });
        client.subscribe(["frames/#", "links/+"]);
        client.connect(); client.connect();
        sockets[0].welcome();
        client.unsubscribe(["links/+"]);
        sockets[0].dispatchEvent(new Event("close"));
        await until(() => sockets.length === 2);
        sockets[1].welcome();
        report(sent.map(({ type, payload }) => [type, payload.rooms ?? payload.client]));
    """)
    assert sent == [
        ["handshake", "me"], ["subscribe", ["frames/#", "links/+"]], ["unsubscribe", ["links/+"]],
        ["handshake", "me"], ["subscribe", ["frames/#"]],
    ]  # fmt: skip


def test_two_unanswered_heartbeats_end_the_connection() -> None:
    """The third is not sent: the client closes, waits and connects again."""
    result = run("""
        const client = made({ heartbeatMs: 5, backoffMs: 1 });
        client.connect();
        sockets[0].welcome();
        await until(() => sockets.length === 2);
        report({ beats: sent.map(({ type, seq }) => [type, seq]), states: states(), closed: sockets[0].closed });
    """)
    assert result["beats"] == [["HEARTBEAT", 1], ["HEARTBEAT", 2]]
    assert result["states"] == ["connecting", "connected", "waiting", "connecting"]
    assert result["closed"] is True


def test_answered_heartbeats_keep_the_connection() -> None:
    """With growing numbers."""
    sent = run("""
        const client = made({ heartbeatMs: 2 });
        client.connect();
        sockets[0].onSent = ({ seq }) => sockets[0].says("HEARTBEAT_ACK", {}, { seq });
        sockets[0].welcome();
        await until(() => sent.length >= 6);
        report([sent.slice(0, 6).map(({ seq }) => seq), client.state, sockets.length]);
    """)
    assert sent == [[1, 2, 3, 4, 5, 6], "connected", 1]


def test_the_backoff_doubles_up_to_its_limit_with_jitter() -> None:
    """A welcome alone does not end it: a server that welcomes and closes is not called without end."""
    delays = run("""
        const delays = [];
        const connectTimeoutMs = 77; // no delay between attempts
        globalThis.setTimeout = (work, delay) => {
          if (delay !== connectTimeoutMs) { delays.push(delay); queueMicrotask(work); }
          return 0;
        };
        const client = made({ backoffMs: 1000, connectTimeoutMs });
        client.connect();
        for (let n = 0; n < 6; n += 1) {
          sockets.at(-1).dispatchEvent(new Event("close"));
          await null; await null;
        }
        sockets.at(-1).welcome();
        sockets.at(-1).dispatchEvent(new Event("close"));
        await null;
        const full = [...delays];
        delays.length = 0;
        const steady = made({ backoffMs: 1000, connectTimeoutMs, steadyMs: 0 });
        steady.connect();
        sockets.at(-1).dispatchEvent(new Event("close"));
        await null; await null;
        sockets.at(-1).dispatchEvent(new Event("close"));
        await null; await null;
        sockets.at(-1).welcome();
        sockets.at(-1).dispatchEvent(new Event("close"));
        await null;
        const anew = [...delays];
        delays.length = 0;
        const nervous = made({ backoffMs: 1000, connectTimeoutMs, random: () => 0 });
        nervous.connect();
        sockets.at(-1).dispatchEvent(new Event("close"));
        report([full, anew, delays]);
    """)
    assert delays == [[1000, 2000, 4000, 8000, 15000, 15000, 15000], [1000, 2000, 1000], [500]]


def test_messages_become_events_with_the_servers_time() -> None:
    """Payload and timestamp."""
    seen = run("""
        const client = made();
        client.connect();
        sockets[0].welcome();
        sockets[0].says("frame", { offset: 1 });
        sockets[0].says("gap", { dropped: 2 });
        sockets[0].says("error", { code: "x" });
        sockets[0].says("news", {});
        report(seen.filter(([type]) => type !== "state"));
    """)
    assert seen == [
        ["welcome", {"session": "s1", "timestamp": 5}],
        ["frame", {"offset": 1, "timestamp": 5}],
        ["gap", {"dropped": 2, "timestamp": 5}],
        ["error", {"code": "x", "timestamp": 5}],
    ]


def test_a_command_settles_with_its_reply_or_an_error() -> None:
    """By id; refused, lost, closed, and one too many."""
    result = run("""
        const client = made();
        const fails = (promise) => promise.catch((error) => error.message);
        const early = await fails(client.command("a", 1, { cmd: 1 }));
        client.connect();
        sockets[0].welcome();
        const first = client.command("a", 1, { cmd: 1, data: "ff" });
        const second = fails(client.command("a", 1, { message: "set", fields: {} }));
        sockets[0].says("reply", { id: 2, ok: false, error: "refused" });
        sockets[0].says("reply", { id: 1, ok: true, cmd: 129 });
        sockets[0].says("reply", { id: 99, ok: true });
        const pending = [];
        for (let n = 0; n < MAX_PENDING_COMMANDS; n += 1) pending.push(fails(client.command("a", 1, { cmd: 1 })));
        const tooMany = await fails(client.command("a", 1, { cmd: 1 }));
        client.close();
        report({ early, first: await first, second: await second, tooMany, lost: await pending[0], state: client.state,
                 sent: sent.slice(0, 2).map(({ payload }) => payload) });
    """)
    assert result == {
        "early": "not connected to the bridge",
        "first": {"id": 1, "ok": True, "cmd": 129},
        "second": "refused",
        "tooMany": "32 commands are under way",
        "lost": "the client was closed",
        "state": "closed",
        "sent": [
            {"id": 1, "link": "a", "addr": 1, "cmd": 1, "data": "ff"},
            {"id": 2, "link": "a", "addr": 1, "message": "set", "fields": {}},
        ],
    }


def test_a_command_that_the_bridge_never_answers_times_out() -> None:
    """After the bound; its answer, should it come after all, is nobody's."""
    message = run("""
        const client = made({ commandTimeoutMs: 5 });
        client.connect();
        sockets[0].welcome();
        const message = await client.command("a", 1, { cmd: 1 }).catch((error) => error.message);
        sockets[0].says("reply", { id: 1, ok: true });
        report(message);
    """)
    assert message == "no answer from the bridge"


def test_a_late_answer_counts_for_its_own_heartbeat() -> None:
    """A slow bridge that answers each beat after the next one is alive."""
    result = run("""
        const client = made({ heartbeatMs: 2 });
        client.connect();
        sockets[0].onSent = ({ seq }) => seq > 1 && sockets[0].says("HEARTBEAT_ACK", {}, { seq: seq - 1 });
        sockets[0].welcome();
        await until(() => sent.length >= 8);
        report([client.state, sockets.length]);
    """)
    assert result == ["connected", 1]


def test_a_server_that_never_welcomes_is_given_up() -> None:
    """The connection is closed and tried again after a while."""
    result = run("""
        const client = made({ connectTimeoutMs: 3, backoffMs: 1 });
        client.connect();
        await until(() => sockets.length === 2);
        report([states().slice(0, 3), sockets[0].closed]);
    """)
    assert result == [["connecting", "waiting", "connecting"], True]


def test_after_a_reconnection_it_is_known_what_was_missed() -> None:
    """The client says where it was, by frames, gaps and subscriptions; another epoch means that nobody can know."""
    result = run("""
        const client = made({ backoffMs: 1 });
        client.subscribe(["frames/#"]);
        client.connect();
        const answer = async (n, epoch, offset) => {
          await until(() => sockets.length > n);
          sockets[n].welcome();
          sockets[n].says("subscribed", { rooms: ["frames/#"], epoch, offset });
        };
        const lose = (n) => sockets[n].dispatchEvent(new Event("close"));
        await answer(0, "e1", 10);
        sockets[0].says("frame", { offset: 11 });
        sockets[0].says("gap", { dropped: 3, from: 12, to: 14 });
        lose(0);
        await answer(1, "e1", 20);
        lose(1);
        await answer(2, "e2", 5);
        client.subscribe(["links/#"]);
        sockets[2].says("subscribed", { rooms: [], epoch: "e2", offset: 9 });
        const asked = sent.filter(({ type }) => type === "subscribe").map(({ payload }) => payload.since ?? null);
        report([asked, seen.filter(([type]) => type === "subscribed").map(([, detail]) => detail.missed)]);
    """)
    since = [None, {"epoch": "e1", "offset": 14}, {"epoch": "e1", "offset": 20}, None]
    assert result == [since, [None, 6, None, None]]


def test_frames_of_rooms_that_are_not_its_own_do_not_count_as_missed() -> None:
    """The answer to a heartbeat tells how far the bridge has come, for a client that hears of no frame."""
    result = run("""
        const client = made({ backoffMs: 1, heartbeatMs: 2 });
        client.subscribe(["frames/rare/#"]);
        client.connect();
        sockets[0].welcome();
        sockets[0].says("subscribed", { rooms: [], epoch: "e1", offset: 10 });
        await until(() => sent.some(({ type }) => type === "HEARTBEAT"));
        sockets[0].says("HEARTBEAT_ACK", { offset: 5000 }, { seq: 1 });
        sockets[0].dispatchEvent(new Event("close"));
        await until(() => sockets.length === 2);
        sockets[1].welcome();
        sockets[1].says("subscribed", { rooms: [], epoch: "e1", offset: 5003 });
        const [, again] = sent.filter(({ type }) => type === "subscribe");
        report([again.payload.since, seen.at(-1)[1].missed]);
    """)
    assert result == [{"epoch": "e1", "offset": 5000}, 3]


def test_a_waiting_client_can_be_made_to_try_at_once_and_a_closed_one_again() -> None:
    """Connecting twice makes one connection."""
    result = run("""
        const client = made({ backoffMs: 1e9 });
        client.connect();
        sockets[0].dispatchEvent(new Event("close"));
        client.connect(); client.connect();
        sockets[1].welcome();
        client.close();
        sockets[1].dispatchEvent(new Event("close"));
        client.connect();
        report([states(), sockets.length]);
    """)
    states = ["connecting", "waiting", "connecting", "connected", "closed", "connecting"]
    assert result == [states, 3]


def test_what_is_no_json_is_an_error_event() -> None:
    """And the connection stays."""
    result = run("""
        const client = made();
        client.connect();
        sockets[0].welcome();
        sockets[0].dispatchEvent(new MessageEvent("message", { data: "{" }));
        report([seen.at(-1)[0], seen.at(-1)[1].code, client.state]);
    """)
    assert result == ["error", "bad_json", "connected"]
