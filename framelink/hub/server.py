"""HubServer: the page, the WebSocket and the little REST there is; the only module that knows aiohttp."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from importlib.resources import files
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from framelink.errors import ConfigError
from framelink.hub.hub import Hub
from framelink.hub.origin import browser_host, host_allowed, is_loopback, origin_allowed
from framelink.hub.outbox import BATCH_BYTES
from framelink.hub.protocol import Command, echo
from framelink.hub.session import Closing, Session

MAX_MESSAGE = 65_536  # bytes of a client's message; the longest sensible command has some hundreds
MAX_CLIENTS = 256  # connections; each may cost an outbox of 1 MiB
SILENCE_CHECK_PERIOD = 5.0  # seconds between looks at who is silent
CLOSE_TIMEOUT = 2.0  # seconds for a client to take its close; then it is cut off
HANDLER_TIMEOUT = 2 * CLOSE_TIMEOUT  # seconds for requests to end when the server stops
STOPPING = Closing(WSCloseCode.SERVICE_RESTART, "the bridge stops")

CONTENT_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(CONTENT_POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

_log = logging.getLogger("framelink.hub")


class HubServer:
    """Serves a hub to browsers.

    Args:
        hub: What is served.
        on_command: Carries a client's command out and returns the reply's payload: `ok`, and the reply's
            frame or `error`.
        describe: Returns what `/api` shows: `links` and `schemas`.
        host: The address to listen on.
        port: The port to listen on, 0 for any.
        insecure: Listen on an address that others can reach although nobody has to log in.
        allowed_hosts: Further names under which the server is known.

    Raises:
        ConfigError: The address can be reached by others and `insecure` is not set.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        on_command: Callable[[Command], Awaitable[dict[str, Any]]],
        describe: Callable[[], dict[str, Any]],
        host: str = "127.0.0.1",
        port: int = 8765,
        insecure: bool = False,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        if not is_loopback(host) and not insecure:
            raise ConfigError(
                f"listening on {host} lets anybody on the network command the devices, and there is no login:"
                " listen on 127.0.0.1, or say --insecure if that is what you want"
            )
        self._hub = hub
        self._on_command = on_command
        self._describe = describe
        self._host, self._port = host, port
        self._allowed_hosts = allowed_hosts
        self._runner: web.AppRunner | None = None
        self._connections: set[_Connection] = set()
        self._refused_clients = 0
        self._closed_clients = 0

    @property
    def url(self) -> str:
        """Where the page is for a browser on this machine."""
        host = browser_host(self._host)
        return f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            ConfigError: The address cannot be listened on.
        """
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_MESSAGE)
        app.router.add_get("/ws", self._websocket)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/api/links", self._links)
        app.router.add_get("/api/schemas", self._schemas)
        app.router.add_get("/", self._index)
        app.router.add_static("/", _dashboard())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=HANDLER_TIMEOUT)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self.stop()
            reason = "it is in use; stop the other program or choose another --listen"
            raise ConfigError(
                f"cannot listen on {self._host}:{self._port}:"
                f" {reason if error.errno in _IN_USE else error.strerror or error}"
            ) from None
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Tell the clients to come back later, and stop listening."""
        for connection in self._connections:
            connection.send_away(STOPPING)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # --- HTTP ---------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let in only requests that are meant for us, and send the security headers with every answer."""
        host = request.headers.get("Host", "")
        if not host_allowed(host, listens_on=self._host, allowed=self._allowed_hosts):
            advice = f"open {self.url}, or name it in allowed_hosts"
            return _error(421, "bad_host", f"this server does not know itself as {echo(host)}; {advice}")
        if not origin_allowed(request.headers.get("Origin"), host):
            return _error(403, "bad_origin", "pages of other sites may not talk to this server")
        try:
            response = await handler(request)
        except web.HTTPException as error:
            return _error(error.status, "http", error.reason)
        if not response.prepared:
            response.headers.update(SECURITY_HEADERS)
        return response

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_dashboard() / "index.html")

    async def _health(self, _request: web.Request) -> web.Response:
        sessions = self._hub.sessions
        return web.json_response(
            {
                "status": "ok",
                "epoch": self._hub.epoch,
                "offset": self._hub.offset,
                "clients": len(sessions),
                "clients_refused": self._refused_clients,
                "clients_closed": self._closed_clients,
                "frames_dropped": sum(one.outbox.dropped for one in sessions),
                "links": {one["link"]: one["state"] for one in self._describe()["links"]},
            }
        )

    async def _links(self, _request: web.Request) -> web.Response:
        return web.json_response(self._describe()["links"])

    async def _schemas(self, _request: web.Request) -> web.Response:
        return web.json_response(self._describe()["schemas"])

    # --- WebSocket ----------------------------------------------------------------------------------------

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if len(self._connections) >= MAX_CLIENTS:
            self._refused_clients += 1
            return _error(503, "full", f"{MAX_CLIENTS} clients are connected; close one")
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, compress=False, writer_limit=BATCH_BYTES)
        if not socket.can_prepare(request).ok:
            return _error(426, "no_websocket", "this is a WebSocket; open it with ws://")
        socket.headers.update(SECURITY_HEADERS)
        await socket.prepare(request)
        if request.transport is None:
            raise ConnectionResetError("the client is gone already")
        connection = _Connection(self._hub, socket, request.transport, self._on_command)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            self._closed_clients += connection.sent_away
        return socket


class _Connection:
    """One client's socket and its session."""

    def __init__(
        self,
        hub: Hub,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        on_command: Callable[[Command], Awaitable[dict[str, Any]]],
    ) -> None:
        self._hub = hub
        self._socket = socket
        self._transport = transport
        self._on_command = on_command
        self._output = asyncio.Event()
        self._sent = asyncio.Event()
        self._farewell: Closing | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def sent_away(self) -> bool:
        """Whether it was the server that ended the connection."""
        return self._farewell is not None

    async def run(self) -> None:
        """Serve the client until it goes, or until it is sent away."""
        session = self._hub.connect(self._loop.time(), self._output.set)
        try:
            async with asyncio.TaskGroup() as tasks:
                serving = [
                    tasks.create_task(self._send(session)),
                    tasks.create_task(self._watch(session)),
                ]
                await self._receive(session, tasks)
                for task in serving:
                    task.cancel()
        except* ConnectionError:
            _log.debug("client %s is gone", session.id)
        finally:
            self._hub.disconnect(session)

    def send_away(self, farewell: Closing) -> None:
        """Tell the client why it has to go; one that does not take it in time is cut off."""
        if self._farewell is not None:
            return
        self._farewell = farewell
        self._loop.call_later(CLOSE_TIMEOUT, self._transport.abort)
        self._output.set()

    async def _receive(self, session: Session, tasks: asyncio.TaskGroup) -> None:
        async for message in self._socket:
            now = self._loop.time()
            if message.type is WSMsgType.TEXT:
                command = session.receive(message.data, now)
                if command is not None:
                    tasks.create_task(self._carry_out(session, command))
            elif message.type is WSMsgType.BINARY:
                session.refuse_binary(now)
            while session.outbox.is_full and not self._socket.closed:
                self._sent.clear()
                await self._sent.wait()

    async def _carry_out(self, session: Session, command: Command) -> None:
        try:
            reply = await self._on_command(command)
        except Exception:  # noqa: BLE001 - the client gets an answer, whatever went wrong
            _log.exception("a command failed")
            reply = {"ok": False, "error": "the bridge failed; its log says why"}
        session.reply(command.id, reply)

    async def _send(self, session: Session) -> None:
        """Send what waits, and at the end the farewell."""
        while self._farewell is None:
            await self._output.wait()
            self._output.clear()
            while session.outbox and self._farewell is None:
                for message in session.take(self._loop.time()):
                    await self._socket.send_frame(message, WSMsgType.TEXT)
                session.taken()
                self._sent.set()
        await self._socket.close(code=self._farewell.code, message=self._farewell.reason.encode())
        self._sent.set()

    async def _watch(self, session: Session) -> None:
        """Send a client away that is silent or does not read."""
        while self._farewell is None:
            await asyncio.sleep(SILENCE_CHECK_PERIOD)
            closing = session.closing(self._loop.time())
            if closing is not None:
                self.send_away(closing)


_IN_USE = (48, 98, 10_048)  # EADDRINUSE of macOS, Linux and Windows


def _dashboard() -> Path:
    return Path(str(files("framelink") / "dashboard"))


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": code, "message": message}, status=status, headers=SECURITY_HEADERS)
