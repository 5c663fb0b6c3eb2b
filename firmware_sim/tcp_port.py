"""Virtual serial ports that are TCP sockets, for systems without pseudo-terminals."""

from __future__ import annotations

import asyncio
import socket

from firmware_sim.ports import BACKLOG_BYTES, OnBytes


class TcpPort:
    """A TCP port on this machine that takes one host at a time."""

    def __init__(self) -> None:
        self._port = 0
        self._server: asyncio.Server | None = None
        self._client: asyncio.WriteTransport | None = None
        self._on_bytes: OnBytes
        self.dropped = 0

    @property
    def url(self) -> str:
        """`socket://127.0.0.1:PORT`."""
        return f"socket://127.0.0.1:{self._port}"

    async def open(self, on_bytes: OnBytes) -> None:
        """Begin to listen on a free port."""
        self._on_bytes = on_bytes
        await self.replug()

    async def replug(self) -> None:
        """Listen again on the same port."""
        self.unplug()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _TcpClient(self), "127.0.0.1", self._port, reuse_address=True
        )
        self._port = self._server.sockets[0].getsockname()[1]

    def write(self, data: bytes) -> None:
        """Send bytes to the host."""
        client = self._client
        if client is None or client.get_write_buffer_size() + len(data) > BACKLOG_BYTES:
            self.dropped += len(data)
        else:
            client.write(data)

    def unplug(self) -> None:
        """Hang up and stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._client is not None:
            self._client.abort()
            self._client = None

    def close(self) -> None:
        """Stop listening for good."""
        self.unplug()

    def adopt(self, client: asyncio.WriteTransport) -> None:
        """Serve a new host; an earlier one is hung up on, since it may be a dead one."""
        if self._client is not None:
            self._client.abort()
        self._client = client

    def forget(self, client: asyncio.WriteTransport | None) -> None:
        """Take the news that a host has gone."""
        if self._client is client:
            self._client = None

    def received(self, data: bytes) -> None:
        """Take bytes from the host."""
        self._on_bytes(data)


class _TcpClient(asyncio.Protocol):
    def __init__(self, port: TcpPort) -> None:
        self._port = port
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        peer = transport.get_extra_info("socket")
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        self._port.adopt(transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._port.forget(self._transport)

    def data_received(self, data: bytes) -> None:
        self._port.received(data)
