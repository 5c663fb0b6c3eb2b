"""HubServer: the page, the WebSocket and the little REST there is; the only module that knows aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection
from importlib.resources import files
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from framelink.errors import ConfigError
from framelink.hub.hub import Hub
from framelink.hub.origin import host_allowed, is_loopback, origin_allowed
from framelink.hub.protocol import Command
from framelink.hub.session import Session

MAX_MESSAGE = 65_536  # bytes of a client's message; the longest sensible command has some hundreds
MAX_CLIENTS = 256  # connections; each may cost an outbox of 1 MiB
SILENCE_CHECK_PERIOD = 5.0  # seconds between looks at who is silent
SHUTDOWN_TIMEOUT = 2.0  # seconds for clients to take their close

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
        self._sockets: set[web.WebSocketResponse] = set()
        self._refused_clients = 0

    @property
    def url(self) -> str:
        """Where the page is."""
        host = f"[{self._host}]" if ":" in self._host else self._host
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
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT)
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
        for socket in tuple(self._sockets):
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(SHUTDOWN_TIMEOUT):
                    await socket.close(code=WSCloseCode.SERVICE_RESTART, message=b"the bridge stops")
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
            return _error(421, "bad_host", f"this server is not {host!r}; open {self.url}")
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
        if len(self._sockets) >= MAX_CLIENTS:
            self._refused_clients += 1
            return _error(503, "full", f"{MAX_CLIENTS} clients are connected; close one")
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, compress=False)
        if not socket.can_prepare(request).ok:
            return _error(426, "no_websocket", "this is a WebSocket; open it with ws://")
        socket.headers.update(SECURITY_HEADERS)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await _Connection(self._hub, socket, self._on_command).run()
        finally:
            self._sockets.discard(socket)
        return socket


class _Connection:
    """One client's socket and its session."""

    def __init__(
        self,
        hub: Hub,
        socket: web.WebSocketResponse,
        on_command: Callable[[Command], Awaitable[dict[str, Any]]],
    ) -> None:
        self._hub = hub
        self._socket = socket
        self._on_command = on_command
        self._output = asyncio.Event()
        self._loop = asyncio.get_running_loop()

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

    async def _receive(self, session: Session, tasks: asyncio.TaskGroup) -> None:
        async for message in self._socket:
            now = self._loop.time()
            if message.type is WSMsgType.TEXT:
                command = session.receive(message.data, now)
                if command is not None:
                    tasks.create_task(self._carry_out(session, command))
            elif message.type is WSMsgType.BINARY:
                session.refuse_binary(now)

    async def _carry_out(self, session: Session, command: Command) -> None:
        try:
            reply = await self._on_command(command)
        except Exception:  # noqa: BLE001 - the client gets an answer, whatever went wrong
            _log.exception("a command failed")
            reply = {"ok": False, "error": "the bridge failed; its log says why"}
        session.reply(command.id, reply)

    async def _send(self, session: Session) -> None:
        while True:
            await self._output.wait()
            self._output.clear()
            while session.outbox:
                for message in session.outbox.take():
                    await self._socket.send_frame(message, WSMsgType.TEXT)
            closing = session.closing(self._loop.time())
            if closing is not None:
                await self._close(closing.code, closing.reason)

    async def _watch(self, session: Session) -> None:
        """Close the connection of a client that is silent or does not read."""
        while True:
            await asyncio.sleep(SILENCE_CHECK_PERIOD)
            closing = session.closing(self._loop.time())
            if closing is not None:
                await self._close(closing.code, closing.reason)

    async def _close(self, code: int, reason: str) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_TIMEOUT):
                await self._socket.close(code=code, message=reason.encode())


_IN_USE = (48, 98, 10_048)  # EADDRINUSE of macOS, Linux and Windows


def _dashboard() -> Path:
    return Path(str(files("framelink") / "dashboard"))


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": code, "message": message}, status=status, headers=SECURITY_HEADERS)
