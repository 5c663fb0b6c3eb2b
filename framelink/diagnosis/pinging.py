"""Pings: one after the other for round trips, several under way for load."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Sequence
from itertools import count

from framelink.device import request
from framelink.diagnosis.measurements import BITS_PER_BYTE, Load, RoundTrips
from framelink.errors import RequestError
from framelink.link import AsyncLink
from framelink.message import STANDARD, Message
from framelink.wire import REPLY, Frame

PING = 0x01
LEDGER = 0x06

SIZES = (0, 16, 64, 200)  # data bytes: the cost of a frame, and of a byte
PINGS = 50  # of each size: p99 is then the slowest
PING_TIMEOUT = 0.5  # seconds for which a device may be busy, besides what the wire takes
SIZE_SECONDS = 3.0  # for the pings of one size, on lines so slow that not all can be sent
MISSES_MAX = 5  # unanswered in a row: the device does not take this size, or is gone

LOAD_SECONDS = 2.0
LOAD_SIZE = 64  # data bytes; devices with little memory take so many
WINDOW = 3  # pings under way: enough to keep a line busy, and what a small receive buffer holds
TOKEN_SIZE = 4  # bytes of a ping that tell it from the others

PATTERNS = (
    bytes(LOAD_SIZE),
    b"\xff" * LOAD_SIZE,
    b"\x55\xaa" * (LOAD_SIZE // 2),  # the default header, and the most edges
    bytes(range(LOAD_SIZE)),
    b"\x0d\x0a\x11\x13" * (LOAD_SIZE // 4),  # what terminals and software flow control act upon
)


async def round_trips(link: AsyncLink, addr: int) -> tuple[RoundTrips, ...]:
    """Measure the round trips of pings of several sizes.

    Raises:
        LinkError: The line broke.
    """
    return tuple([await _pings_of(link, addr, size) for size in SIZES if size <= link.format.largest_data])


async def _pings_of(link: AsyncLink, addr: int, size: int) -> RoundTrips:
    loop = asyncio.get_running_loop()
    wire = _wire_time(link, size)
    ping = Frame(addr, PING, bytes(range(size)))
    times: list[float] = []
    sent = misses = 0
    end = loop.time() + SIZE_SECONDS
    while sent < PINGS and misses < MISSES_MAX and loop.time() < end:
        began = loop.time()
        sent += 1
        try:
            await request(link, ping, timeout=PING_TIMEOUT + wire)
        except RequestError:
            misses += 1
        else:
            misses = 0
            times.append(loop.time() - began)
    p50, p90, p99 = (percentile(times, share) for share in (0.5, 0.9, 0.99))
    return RoundTrips(size, sent, len(times), p50, p90, p99, wire)


def _wire_time(link: AsyncLink, size: int) -> float:
    """Return the seconds that a ping and its reply take on the wire."""
    return 2 * (link.format.overhead + size) * BITS_PER_BYTE / link.baudrate


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share of the values does not exceed; 0.0 without any."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0.0


async def load(link: AsyncLink, addr: int) -> Load:
    """Keep the line busy with pings of known patterns, and account for each.

    Raises:
        LinkError: The line broke.
    """
    loop = asyncio.get_running_loop()
    size = min(LOAD_SIZE, link.format.largest_data)
    device_before, noise_before = await device_ledger(link, addr), dict(link.ledger.noise)
    traffic = _Traffic(link, addr, size)
    began = loop.time()
    await traffic.run(began + LOAD_SECONDS)
    seconds = loop.time() - began
    device_after, noise_after = await device_ledger(link, addr), link.ledger.noise
    return Load(
        seconds=seconds,
        sent=traffic.sent,
        answered=traffic.answered,
        wrong=traffic.wrong,
        frame_bytes=link.format.overhead + size,
        noise={
            reason: growth for reason in noise_after if (growth := noise_after[reason] - noise_before[reason])
        },
        device={name: device_after[name] - device_before.get(name, 0) for name in device_after},
    )


async def device_ledger(link: AsyncLink, addr: int) -> dict[str, int]:
    """Return the device's receive counters; empty if it does not tell."""
    with contextlib.suppress(RequestError):
        reply = await request(link, Frame(addr, LEDGER), timeout=PING_TIMEOUT, retries=2)
        message = STANDARD.decode(reply)
        if isinstance(message, Message):
            return {name: value for name, value in message.fields.items() if isinstance(value, int)}
    return {}


class _Traffic:
    """Pings of known patterns, `WINDOW` under way."""

    def __init__(self, link: AsyncLink, addr: int, size: int) -> None:
        self._link = link
        self._addr = addr
        self._size = size
        self._patience = PING_TIMEOUT + WINDOW * _wire_time(link, size)
        self._tokens = count()
        self._under_way: dict[bytes, tuple[bytes, float]] = {}
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.sent = self.answered = self.wrong = 0

    async def run(self, end: float) -> None:
        """Ping until then, and wait for what is under way."""
        stop = self._link.subscribe(self._take)
        try:
            while self._loop.time() < end:
                if len(self._under_way) < WINDOW:
                    await self._send()
                else:
                    await self._wait()
            while self._under_way:
                await self._wait()
        finally:
            stop()

    async def _send(self) -> None:
        number = next(self._tokens)
        token = number.to_bytes(TOKEN_SIZE, "little")
        data = (token + PATTERNS[number % len(PATTERNS)])[: self._size]
        self.sent += 1
        await self._link.send(Frame(self._addr, PING, data), PING_TIMEOUT)
        self._under_way[data[:TOKEN_SIZE]] = (data, self._loop.time() + self._patience)

    async def _wait(self) -> None:
        """Wait for an answer, or until the oldest ping is lost."""
        token, (_data, deadline) = next(iter(self._under_way.items()))
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._news.wait()
        if self._loop.time() >= deadline:
            self._under_way.pop(token, None)

    def _take(self, frame: Frame) -> None:
        if frame.addr != self._addr or frame.cmd != PING | REPLY:
            return
        data, _deadline = self._under_way.pop(frame.data[:TOKEN_SIZE], (None, 0.0))
        if data is None:
            return
        if data == frame.data:
            self.answered += 1
        else:
            self.wrong += 1
        self._news.set()
