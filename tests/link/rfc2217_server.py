"""A real RFC 2217 server, pyserial's own, in front of a line; one caller after the other."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any, Self

import serial
import serial.rfc2217

from tests.support.pty_device import DEADLINE, PtyDevice


class PtyLine(serial.Serial):
    """A pty as the server's line, with the modem lines that a pty lacks."""

    cts = dsr = cd = property(lambda _self: True)
    ri = property(lambda _self: False)

    def _update_rts_state(self) -> None:
        """Take it for done."""

    def _update_dtr_state(self) -> None:
        """Take it for done."""


class Rfc2217Server:
    """Serves the device at the other end of a pty."""

    def __init__(self, device: PtyDevice) -> None:
        self._line: Any = PtyLine(str(device.path), timeout=0.01)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._socket.getsockname()[1]}"
        self.heard = bytearray()
        self._caller: socket.socket | None = None
        self._sending = threading.Lock()
        self._is_done = False
        self._threads = [threading.Thread(target=work) for work in (self._serve, self._forward)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._is_done = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.hang_up()
        for thread in self._threads:
            thread.join(DEADLINE)
        self._line.close()
        self._socket.close()

    def hang_up(self) -> None:
        """End the call that is going on."""
        caller = self._caller
        if caller is not None:
            with contextlib.suppress(OSError):
                caller.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while not self._is_done:
            try:
                caller, _address = self._socket.accept()
            except OSError:  # done
                return
            connection: Any = self
            manager = serial.rfc2217.PortManager(self._line, connection)
            with caller:
                self._caller, self._manager = caller, manager
                self._talk(caller, manager)
                self._caller = None

    def _talk(self, caller: socket.socket, manager: serial.rfc2217.PortManager) -> None:
        with contextlib.suppress(OSError):
            while data := caller.recv(1024):
                self.heard += data
                self._line.write(b"".join(manager.filter(data)))

    def _forward(self) -> None:
        while not self._is_done:
            data = self._line.read(self._line.in_waiting or 1)
            if data and self._caller is not None:
                self.write(b"".join(self._manager.escape(data)))

    def write(self, data: bytes) -> None:
        """Send to the caller; the manager calls it too."""
        caller = self._caller
        if caller is not None:
            with self._sending, contextlib.suppress(OSError):
                caller.sendall(data)
