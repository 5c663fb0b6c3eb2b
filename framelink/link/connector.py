"""Opening a line, again and again while waiting may help."""

from __future__ import annotations

import tenacity

from framelink.errors import LinkError, LinkOpenError
from framelink.link.daemon import in_daemon
from framelink.link.faults import TransientLinkError, opening_fault
from framelink.link.port import Port, PortOpener

BACKOFF_FIRST = 0.05  # seconds; a device that resets is back within some tenths
BACKOFF_MAX = 2.0  # seconds; nobody wants to wait longer after plugging a cable in
BACKOFF_JITTER = 0.05  # seconds at most, so that several programs do not collide for ever


class Connector:
    """Opens one line with exponential backoff and jitter."""

    def __init__(self, opener: PortOpener) -> None:
        self._opener = opener
        self.connects = 0
        self.fault: LinkError | None = None
        """What stood in the way last; None while nothing does."""

    async def open(self) -> Port:
        """Return the open line, however long that takes.

        Raises:
            LinkOpenError: It cannot be opened, and waiting will not help.
        """
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(TransientLinkError),
            wait=tenacity.wait_exponential(BACKOFF_FIRST, BACKOFF_MAX)
            + tenacity.wait_random(0, BACKOFF_JITTER),
        )
        port: Port = await retrying(self._open_once)
        self.connects += 1
        self.fault = None
        return port

    async def _open_once(self) -> Port:
        try:
            return await in_daemon(self._opener.open, abandon=lambda port: port.close())
        except Exception as error:
            self.fault = opening_fault(self._opener.url, error)
            if self.connects and isinstance(self.fault, LinkOpenError):
                # It worked before: after replugging, the system sets a device's permissions a moment late.
                self.fault = TransientLinkError(str(self.fault))
            raise self.fault from error
