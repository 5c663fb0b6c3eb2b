"""Keeping a line open: opened again and again while waiting may help, with backoff and jitter."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import tenacity

from framelink.errors import LinkError, LinkOpenError
from framelink.link.daemon import in_daemon
from framelink.link.faults import TransientLinkError, opening_fault
from framelink.link.interface import Port, PortOpener

BACKOFF_FIRST = 0.05  # seconds; a device that resets is back within some tenths
BACKOFF_MAX = 2.0  # seconds; nobody wants to wait longer after plugging a cable in
BACKOFF_JITTER = 0.05  # seconds at most, so that several programs do not collide for ever
RELEASE_TIMEOUT = 0.4  # seconds that closing waits for the driver; a thread goes on waiting if need be
STEADY_AFTER = 5.0  # seconds; a line that lived longer than the longest backoff has got over its trouble


class Connector:
    """Keeps one line open, with exponential backoff and jitter.

    Args:
        opener: What opens the line.
        sleep: How waiting is done; tests need not wait.
    """

    def __init__(self, opener: PortOpener, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._opener = opener
        self._sleep = sleep
        self.connects = 0
        self.fault: LinkError | None = None
        """What stood in the way last; None while nothing does."""

    async def keep_open(self, serve: Callable[[Port], Awaitable[bool]]) -> None:
        """Open the line, have it served until it breaks, and open it again, for ever.

        Args:
            serve: Uses an open line until it breaks; tells whether the connection had been a steady one.
                After one that was not, the backoff grows as if opening had failed.

        Raises:
            LinkOpenError: It cannot be opened, and waiting will not help.
        """
        retrying = tenacity.AsyncRetrying(
            sleep=self._sleep,
            retry=tenacity.retry_if_exception_type(TransientLinkError),
            wait=tenacity.wait_exponential(BACKOFF_FIRST, BACKOFF_MAX)
            + tenacity.wait_random(0, BACKOFF_JITTER),
        )
        while True:
            await retrying(self._open_and_serve, serve)
            await self._sleep(BACKOFF_FIRST)

    def lost(self, reason: str) -> None:
        """Note that the line broke, and why."""
        self.fault = TransientLinkError(f"{self._opener.url} was lost: {reason}")

    async def _open_and_serve(self, serve: Callable[[Port], Awaitable[bool]]) -> None:
        port = await self._open()
        self.connects += 1
        self.fault = None
        if not await serve(port):
            raise TransientLinkError(f"{self._opener.url} was lost at once")

    async def _open(self) -> Port:
        try:
            return await in_daemon(self._opener.open, abandon=lambda port: port.close())
        except Exception as error:
            self.fault = opening_fault(self._opener.url, error)
            if self.connects and isinstance(self.fault, LinkOpenError):
                # It worked before: after replugging, the system sets a device's permissions a moment late.
                self.fault = TransientLinkError(str(self.fault))
            raise self.fault from error


async def give_back(port: Port) -> None:
    """Close a port, and wait for that so long as it is reasonable."""
    with contextlib.suppress(Exception):  # a driver that fails here is as gone as one that does not
        async with asyncio.timeout(RELEASE_TIMEOUT):
            await in_daemon(port.close)
