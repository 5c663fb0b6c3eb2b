"""A line for requests that exists in memory: a test plays the device with a function."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from framelink.link import HalfDuplex, Lane, LinkState, StateChange
from framelink.wire import DEFAULT_FORMAT, Frame

Device = Callable[[Frame], list[Frame]]
"""What the device sends when it gets a frame."""


class FakeLine:
    """Passes every frame that is sent to a device, and the device's frames to the subscribers.

    Args:
        device: What the device sends when it gets a frame; nothing by default.
        faults: What the first sendings fail with.
    """

    def __init__(self, device: Device = lambda _frame: [], faults: list[Exception] | None = None) -> None:
        self.format = DEFAULT_FORMAT
        self.baudrate = 115_200
        self.half_duplex: HalfDuplex | None = None
        self.state = LinkState.CONNECTED
        self.device = device
        self.faults = faults or []
        self.sent: list[Frame] = []
        self.bounds: list[float | None] = []
        self.lanes: list[Lane] = []
        self.subscribers: list[Callable[[Frame], None]] = []
        self.watchers: list[Callable[[StateChange], None]] = []

    async def wait_connected(self, timeout: float | None = None) -> None:
        """Do nothing: it is."""

    async def send(self, frame: Frame, timeout: float | None = 0.0, *, lane: Lane = Lane.NORMAL) -> None:
        """Give the device a frame; its answer comes in a later turn of the loop, as on a real line."""
        self.bounds.append(timeout)
        self.lanes.append(lane)
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append(frame)
        for answer in self.device(frame):
            asyncio.get_running_loop().call_soon(self.deliver, answer)

    def deliver(self, frame: Frame) -> None:
        """Let the device send a frame."""
        for callback in list(self.subscribers):
            callback(frame)

    def subscribe(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Have every frame of the device passed on, until the returned function is called."""
        self.subscribers.append(callback)
        return lambda: self.subscribers.remove(callback)

    def close(self) -> None:
        """Let the link be closed."""
        self.move(LinkState.DISCONNECTING)

    def move(self, state: LinkState) -> None:
        """Let the link be in another state."""
        change = StateChange(self.state, state, "", 0.0)
        self.state = state
        for callback in list(self.watchers):
            callback(change)

    def watch(self, callback: Callable[[StateChange], None]) -> Callable[[], None]:
        """Have it told when the link is closed, until the returned function is called."""
        self.watchers.append(callback)
        return lambda: self.watchers.remove(callback)


def answering(data: bytes = b"") -> Device:
    """Return a device that answers every request with that data."""
    return lambda frame: [Frame(frame.addr, frame.cmd | 0x80, data)]


def refusing(code: int, text: str = "") -> Device:
    """Return a device that refuses every request."""
    return lambda frame: [Frame(frame.addr, 0xFF, bytes([frame.cmd, code]) + text.encode())]
