"""HubServer over real sockets, with a real client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from framelink.errors import ConfigError
from framelink.hub import Command, Hub, outbox, server, session
from framelink.hub.outbox import Outbox
from framelink.hub.server import HubServer
from framelink.wire import Frame
from tests.support.pty_device import DEADLINE

FRAME = Frame(1, 0x20, b"\x01\x02")


async def answer(command: Command) -> dict[str, Any]:
    """Carry a command out as the tests want it."""
    if command.link == "broken":
        raise RuntimeError("a fault of the bridge")
    return {"ok": True, "addr": command.addr, "cmd": (command.cmd or 0) | 0x80, "data": command.data.hex()}


def described() -> dict[str, Any]:
    """Return what /api shows."""
    return {"links": [{"link": "a", "state": "connected"}], "schemas": {"x": {"name": "x"}}}


def made(hub: Hub, **more: Any) -> HubServer:
    """Return a server on any port."""
    return HubServer(hub, on_command=answer, describe=described, **{"port": 0, **more})


@pytest.fixture
def hub() -> Hub:
    """A hub."""
    return Hub(epoch="e1", wall_clock=lambda: 1_000)


@pytest.fixture
async def running(hub: Hub) -> AsyncIterator[HubServer]:
    """A server that listens."""
    one = made(hub)
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def http(running: HubServer) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the server."""
    async with aiohttp.ClientSession(running.url) as one:
        yield one


Socket = aiohttp.ClientWebSocketResponse


async def hears(ws: Socket, type_: str) -> dict[str, Any]:
    """Return the next message, which must be of that type."""
    message = await asyncio.wait_for(ws.receive_json(), DEADLINE)
    assert message["type"] == type_, message
    return dict(message)


async def says(ws: Socket, type_: str, payload: Any, **more: Any) -> None:
    """Send a message."""
    await ws.send_json({"type": type_, "payload": payload, "timestamp": 0, **more})


async def subscribed(http: aiohttp.ClientSession, *rooms: str) -> Socket:
    """Return a socket that has subscribed."""
    ws = await http.ws_connect("/ws")
    await hears(ws, "welcome")
    await says(ws, "subscribe", {"rooms": list(rooms)})
    await hears(ws, "subscribed")
    return ws


async def test_a_client_subscribes_hears_and_commands(hub: Hub, http: aiohttp.ClientSession) -> None:
    """The whole conversation."""
    ws = await subscribed(http, "frames/#")
    hub.publish_frame("a", FRAME)
    assert (await hears(ws, "frame"))["payload"]["data"] == "0102"
    await says(ws, "command", {"id": 7, "link": "a", "addr": 1, "cmd": 0x10, "data": "ff"})
    reply = (await hears(ws, "reply"))["payload"]
    assert reply == {"id": 7, "ok": True, "addr": 1, "cmd": 0x90, "data": "ff"}
    await says(ws, "HEARTBEAT", {}, seq=1)
    assert (await hears(ws, "HEARTBEAT_ACK"))["seq"] == 1
    await ws.close()


async def test_a_fault_of_the_bridge_is_an_answer_too(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """The client does not wait for ever; the log says what it was."""
    ws = await subscribed(http)
    await says(ws, "command", {"id": 1, "link": "broken", "addr": 1, "cmd": 1})
    assert "its log says why" in (await hears(ws, "reply"))["payload"]["error"]
    assert "a fault of the bridge" in caplog.text
    await ws.close()


async def test_bad_messages_get_an_error_and_the_connection_stays(http: aiohttp.ClientSession) -> None:
    """Malformed and binary ones."""
    ws = await subscribed(http)
    await ws.send_str("{")
    assert (await hears(ws, "error"))["payload"]["code"] == "bad_json"
    await ws.send_bytes(b"\x00")
    assert (await hears(ws, "error"))["payload"]["code"] == "not_text"
    await says(ws, "HEARTBEAT", {}, seq=1)
    await hears(ws, "HEARTBEAT_ACK")
    await ws.close()


async def test_an_oversized_message_closes_the_connection_with_the_reason(
    http: aiohttp.ClientSession,
) -> None:
    """Close code 1009; the server goes on."""
    ws = await subscribed(http)
    await ws.send_str("x" * (server.MAX_MESSAGE + 1))
    message = await asyncio.wait_for(ws.receive(), DEADLINE)
    assert message.type is aiohttp.WSMsgType.CLOSE
    assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    await (await subscribed(http)).close()


async def test_a_stalled_client_delays_nobody_and_is_told_of_its_gap(
    hub: Hub, running: HubServer, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three clients one does not read: the others get every frame, it gets the newest and a gap."""
    monkeypatch.setattr(outbox, "MAX_FRAMES", 300)
    reading = [await subscribed(http, "frames/#") for _ in range(2)]
    deaf = await _RawClient.connected(running)
    total, payload = 8_000, Frame(1, 0x20, bytes(250))
    seen: list[list[int]] = [[], []]

    async def read(which: int) -> None:
        while len(seen[which]) < total:
            seen[which].append((await hears(reading[which], "frame"))["payload"]["offset"])

    readers = [asyncio.create_task(read(which)) for which in range(2)]
    for n in range(total):
        hub.publish_frame("a", payload)
        if n % 20 == 0:
            while min(map(len, seen)) < n - 100:
                await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.gather(*readers), DEADLINE * 3)
    assert seen == [list(range(1, total + 1))] * 2
    stuck = max(hub.sessions, key=lambda one: one.outbox.dropped)
    assert stuck.outbox.dropped > 0
    heard = await deaf.reads_until(lambda message: message["payload"].get("offset") == total)
    gaps = [one["payload"] for one in heard if one["type"] == "gap"]
    offsets = [one["payload"]["offset"] for one in heard if one["type"] == "frame"]
    missing = [n for gap in gaps for n in range(gap["from"], gap["to"] + 1)]
    assert sorted(offsets + missing) == list(range(1, total + 1))
    assert sum(gap["dropped"] for gap in gaps) == len(missing) > 0
    deaf.close()
    for ws in reading:
        await ws.close()


class _RawClient:
    """A WebSocket client on a bare socket, which reads when the test says so."""

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw
        self._loop = asyncio.get_running_loop()
        self._unread = b""

    @classmethod
    async def connected(cls, running: HubServer) -> _RawClient:
        """Return one that has subscribed to all frames."""
        host, port = running.url.removeprefix("http://").split(":")
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        client = cls(raw)
        await client._loop.sock_connect(raw, (host, int(port)))
        request = (
            f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await client._loop.sock_sendall(raw, request.encode())
        while b"\r\n\r\n" not in client._unread:
            client._unread += await client._loop.sock_recv(raw, 4096)
        client._unread = client._unread.partition(b"\r\n\r\n")[2]
        await client.says("subscribe", {"rooms": ["frames/#"]})
        await client.reads_until(lambda message: message["type"] == "subscribed")
        return client

    async def says(self, type_: str, payload: Any, times: int = 1, **more: Any) -> None:
        """Send a message so many times."""
        text = json.dumps({"type": type_, "payload": payload, **more}).encode()
        size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
        await self._loop.sock_sendall(self._raw, (b"\x81" + size + bytes(4) + text) * times)

    async def reads_until(self, last: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Read on until that message came; return all until then."""
        heard: list[dict[str, Any]] = []
        while not heard or not last(heard[-1]):
            if (message := self._next()) is None:
                self._unread += await self._received()
            else:
                heard.append(message)
        return heard

    async def is_cut_off(self) -> bool:
        """Read to the end; tell whether it came without a close."""
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # as fast as it goes
        data = self._unread
        with contextlib.suppress(ConnectionResetError):
            while more := await self._received():
                data += more
        return b"\x88" not in data[-130:]  # a close frame would be the last, and has at most 127 bytes

    def close(self) -> None:
        """Go."""
        self._raw.close()

    async def _received(self) -> bytes:
        return await asyncio.wait_for(self._loop.sock_recv(self._raw, 65_536), DEADLINE)

    def _next(self) -> dict[str, Any] | None:
        """Return the next text message that is there as a whole."""
        if len(self._unread) < 4:
            return None
        size, begin = self._unread[1], 2
        if size == 126:
            size, begin = int.from_bytes(self._unread[2:4], "big"), 4
        if len(self._unread) < begin + size:
            return None
        message, self._unread = self._unread[begin : begin + size], self._unread[begin + size :]
        return dict(json.loads(message))


async def stalled(hub: Hub, running: HubServer) -> _RawClient:
    """Return a client that does not read, with so much waiting for it that more is dropped."""
    client = await _RawClient.connected(running)
    while not hub.sessions[-1].outbox.dropped:
        hub.publish_frame("a", FRAME, message="long", fields={"text": "x" * 20_000})
        await asyncio.sleep(0)
    return client


async def health(http: aiohttp.ClientSession) -> dict[str, Any]:
    """Return what the server says of itself."""
    async with http.get("/healthz") as response:
        return dict(await response.json())


@pytest.mark.parametrize("talks", [False, True])
async def test_a_client_that_takes_nothing_is_cut_off(
    hub: Hub, http: aiohttp.ClientSession, running: HubServer, monkeypatch: pytest.MonkeyPatch, talks: bool
) -> None:
    """Even if it talks: it does not take its close either, and must keep neither its place nor its socket."""
    monkeypatch.setattr(server, "SILENCE_CHECK_PERIOD", 0.02)
    client = await stalled(hub, running)
    await client.says("handshake", {}, times=100 * talks)
    monkeypatch.setattr(server, "CLOSE_TIMEOUT", 0.02)
    monkeypatch.setattr(session, "STALL_LIMIT" if talks else "SILENCE_LIMIT", 0.02)
    async with asyncio.timeout(DEADLINE):
        while (facts := await health(http))["clients"]:
            pass
    assert facts["clients_closed"] == 1
    assert await client.is_cut_off()
    client.close()


async def test_stopping_waits_for_all_stalled_clients_at_once(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as for one: none of them will take its close."""
    monkeypatch.setattr(server, "CLOSE_TIMEOUT", 0.2)
    one = made(hub)
    await one.start()
    clients = [await stalled(hub, one) for _ in range(10)]
    async with asyncio.timeout(0.2 * len(clients) / 2):
        await one.stop()
    assert hub.sessions == []
    for client in clients:
        client.close()


async def test_a_stalled_client_that_reads_on_in_time_is_told_why_it_has_to_go(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that was under way comes first, the close last."""
    monkeypatch.setattr(server, "CLOSE_TIMEOUT", DEADLINE)
    monkeypatch.setattr(server, "HANDLER_TIMEOUT", DEADLINE)
    one = made(hub)
    await one.start()
    client = await stalled(hub, one)
    stopping = asyncio.create_task(one.stop())
    assert not await client.is_cut_off()
    await stopping
    client.close()


async def test_a_client_that_asks_much_and_reads_gets_all_its_answers(http: aiohttp.ClientSession) -> None:
    """It is not read faster than it is answered."""
    ws = await subscribed(http)

    async def ask() -> None:
        for seq in range(1_000):
            await says(ws, "HEARTBEAT", {}, seq=seq)

    asking = asyncio.create_task(ask())
    assert [(await hears(ws, "HEARTBEAT_ACK"))["seq"] for _ in range(1_000)] == list(range(1_000))
    await asking
    await ws.close()


@asynccontextmanager
async def asking_without_reading(hub: Hub, running: HubServer) -> AsyncIterator[_RawClient]:
    """A client that asks 1,000 times for 12 kB, and one that ends it, and has not read anything yet."""
    client = await _RawClient.connected(running)
    await client.says("subscribe", {"rooms": [f"frames/{n:0>180}/#" for n in range(60)]})

    async def ask() -> None:
        with contextlib.suppress(ConnectionError):  # the server may send it away
            await client.says("unsubscribe", {"rooms": []}, times=1_000)
            await client.says("HEARTBEAT", {}, seq=1)

    asking = asyncio.create_task(ask())
    async with asyncio.timeout(DEADLINE):
        while not hub.sessions[0].outbox.is_full:
            await asyncio.sleep(0)
    yield client
    await asking
    client.close()


async def test_a_client_that_asks_without_reading_is_not_heard_until_it_reads(
    hub: Hub, running: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answers are bounded, and none is lost."""
    waiting = []
    put = Outbox.put_answer

    def put_and_note(box: Outbox, answer: bytes) -> None:
        put(box, answer)
        waiting.append(box._answer_bytes)

    monkeypatch.setattr(Outbox, "put_answer", put_and_note)
    async with asking_without_reading(hub, running) as client:
        heard = await client.reads_until(lambda message: message["type"] == "HEARTBEAT_ACK")
    assert len(heard) == 1 + 1_000 + 1
    assert outbox.MAX_ANSWER_BYTES <= max(waiting) < outbox.MAX_ANSWER_BYTES + 60 * 200


async def test_a_client_that_asks_without_reading_does_not_hold_up_the_stop(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it to make room for its answers."""
    monkeypatch.setattr(server, "CLOSE_TIMEOUT", 0.05)
    monkeypatch.setattr(server, "HANDLER_TIMEOUT", 2 * DEADLINE)
    one = made(hub)
    await one.start()
    async with asking_without_reading(hub, one):
        async with asyncio.timeout(DEADLINE):
            await one.stop()
    assert hub.sessions == []


async def test_a_silent_client_is_closed(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the code that says so."""
    monkeypatch.setattr(server, "SILENCE_CHECK_PERIOD", 0.02)
    monkeypatch.setattr(session, "SILENCE_LIMIT", 0.05)
    ws = await http.ws_connect("/ws")
    await hears(ws, "welcome")
    message = await asyncio.wait_for(ws.receive(), DEADLINE)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, session.CLOSE_SILENT)


async def test_too_many_clients_are_turned_away(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, counted."""
    monkeypatch.setattr(server, "MAX_CLIENTS", 1)
    ws = await subscribed(http)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/ws")
    assert refused.value.status == 503
    assert (await (await http.get("/healthz")).json())["clients_refused"] == 1
    await ws.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/ws", "/", "/api/links"])
async def test_other_sites_and_rebound_names_are_turned_away(
    http: aiohttp.ClientSession, path: str, headers: dict[str, str], status: int
) -> None:
    """On every path, with one clear answer."""
    async with http.get(path, headers=headers) as response:
        assert response.status == status
        assert (await response.json())["message"]


async def test_a_page_of_our_own_may_open_the_socket(running: HubServer, http: aiohttp.ClientSession) -> None:
    """Its Origin is the server's."""
    ws = await http.ws_connect("/ws", origin=running.url)
    await hears(ws, "welcome")
    await ws.close()


async def test_the_page_and_the_facts_are_served_with_strict_headers(http: aiohttp.ClientSession) -> None:
    """No inline script or style, no framing, no other site's anything."""
    for path in ("/", "/app.js", "/style.css", "/vendor/uplot/uPlot.esm.js", "/healthz", "/none"):
        async with http.get(path) as response:
            assert response.status == (404 if path == "/none" else 200), path
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert await (await http.get("/api/links")).json() == described()["links"]
    assert await (await http.get("/api/schemas")).json() == described()["schemas"]
    health = await (await http.get("/healthz")).json()
    assert (health["status"], health["links"], health["clients"]) == ("ok", {"a": "connected"}, 0)


@pytest.mark.parametrize(
    "path", ["/../errors.py", "/..%2ferrors.py", "/%2e%2e/errors.py", "/vendor/../../errors.py"]
)
async def test_nothing_outside_the_page_is_served(running: HubServer, path: str) -> None:
    """Not even by paths that no well-behaved client would send."""
    host, port = running.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    response = await reader.read()
    assert response.split()[1] in (b"403", b"404")
    writer.close()


async def test_the_socket_wants_to_be_opened_as_one(http: aiohttp.ClientSession) -> None:
    """A plain request gets a clear answer."""
    async with http.get("/ws") as response:
        assert response.status == 426
        assert "open it with ws://" in (await response.json())["message"]


async def test_stopping_tells_the_clients_to_come_back(hub: Hub) -> None:
    """Close code 1012; stopping twice is fine."""
    one = made(hub)
    await one.start()
    async with aiohttp.ClientSession(one.url) as http:
        ws = await subscribed(http)
        stopping = asyncio.create_task(one.stop())
        message = await asyncio.wait_for(ws.receive(), DEADLINE)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)
        await stopping
    await one.stop()


async def test_an_address_that_others_reach_is_refused_unless_one_insists(hub: Hub) -> None:
    """One clear line; with `insecure` it is served, by names that cannot be rebound, and says which it knows."""
    with pytest.raises(ConfigError, match=r"listening on 0\.0\.0\.0 lets anybody .* --insecure"):
        made(hub, host="0.0.0.0")
    one = made(hub, host="0.0.0.0", insecure=True)
    await one.start()
    port = one.url.removeprefix("http://127.0.0.1:")
    async with aiohttp.ClientSession(one.url) as http:
        for host, status in ((f"127.0.0.1:{port}", 200), (f"localhost:{port}", 200), ("evil.example", 421)):
            async with http.get("/healthz", headers={"Host": host}) as response:
                assert response.status == status
                answer = await response.json()
        assert f"open http://127.0.0.1:{port}, or name it in allowed_hosts" in answer["message"]
    await one.stop()


async def test_a_port_in_use_is_told_in_one_line(running: HubServer, hub: Hub) -> None:
    """With what to do about it."""
    port = int(running.url.rpartition(":")[2])
    with pytest.raises(ConfigError, match="it is in use; stop the other program or choose another --listen"):
        await made(hub, port=port).start()


async def test_ipv6_urls_are_bracketed(hub: Hub) -> None:
    """As browsers want them."""
    assert made(hub, host="::1", port=5).url == "http://[::1]:5"
