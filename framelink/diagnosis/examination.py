"""The examination of a line: opens it, talks to a device, and measures.  Every step has an end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from framelink.device import identify
from framelink.device.discovery import IDENTIFY, discover
from framelink.device.identity import Identity
from framelink.diagnosis.machine import Machine, access_to, device_of, kind_of
from framelink.diagnosis.measurements import Measurements, Talk
from framelink.diagnosis.pinging import load, round_trips
from framelink.errors import FormatError, LinkError, LinkTimeout, RequestError
from framelink.link import AsyncLink
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Ledger

OPEN_TIMEOUT = 3.0  # seconds; an adapter is there within 2 s of being plugged in
BOOT_SECONDS = (
    3.0  # for which a device that restarts when the port is opened may be silent: a boot loader's wait
)
ASK_TIMEOUT = 0.5  # seconds for one identify
FIRST_ADDRESSES = range(1, 17)  # asked where no address is given, or the given one is silent
TALK_SECONDS = 60.0  # for all the talking; the steps' own limits come to less


Tell = Callable[[str], None]


async def examine(
    url: str,
    *,
    addr: int | None = None,
    baudrate: int,
    format: FrameFormat = DEFAULT_FORMAT,
    machine: Machine | None = None,
    tell: Tell = lambda _step: None,
) -> Measurements:
    """Measure all that the doctor judges.  What fails is a measurement, too.

    Args:
        url: A line, as links open it.
        addr: The device to talk to; None takes the first that answers.
        baudrate: Symbols per second.
        format: The device's variant of the frame.
        machine: Where the system tells of itself.
        tell: Is told of each step that takes some time.
    """
    machine = machine or Machine()
    device = device_of(url)
    measured = Measurements(url, kind_of(url, device), baudrate)
    if device is not None:
        measured = replace(
            measured,
            access=access_to(device),
            holders=machine.holders(device),
            adapter=machine.adapter(device),
        )
    examiner = _Examiner(url, addr, baudrate, format, tell)
    try:
        async with asyncio.timeout(TALK_SECONDS):
            await examiner.run(machine, device)
    except (LinkError, TimeoutError) as error:
        if not examiner.was_open:
            return replace(measured, fault=str(error) or f"{url} does not open")
        examiner.talk = replace(examiner.talk, broken=str(error) or "the line did not answer any more")
    return replace(measured, talk=examiner.talk)


class _Examiner:
    """Talks to one device over one line, and keeps what it learns, whatever comes between."""

    def __init__(self, url: str, addr: int | None, baudrate: int, format: FrameFormat, tell: Tell) -> None:
        self._url = url
        self._baudrate = baudrate
        self._format = format
        self._tell = tell
        self._own_frames = 0
        self._heard: set[int] = set()
        self.was_open = False
        self.talk = Talk(asked=addr)

    async def run(self, machine: Machine, device: str | None) -> None:
        """Take all the steps."""
        self._tell("looking for a device that answers")
        async with self._opened() as link:
            first = await self._meet(link)
        if first is None or self.talk.addr is None:
            return
        addr = self.talk.addr
        async with self._opened() as link:
            self._tell(f"address {addr} answers; opening the port again")
            again = await self._until_booted(link, addr)
            if again is None:
                raise LinkTimeout(f"address {addr} was silent after the port had been opened again")
            self.talk = replace(self.talk, boots=(first.boots, again.boots))
            self._tell("pings, one after the other")
            self.talk = replace(self.talk, round_trips=await round_trips(link, addr))
            self._tell("pings, several under way")
            self.talk = replace(self.talk, load=await load(link, addr))
            if device is not None:
                self.talk = replace(self.talk, counters=machine.counters(device))

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[AsyncLink]:
        link = AsyncLink(
            self._url, baudrate=self._baudrate, format=self._format, connect_timeout=OPEN_TIMEOUT
        )
        stop = link.subscribe(self._take)
        try:
            async with link:
                self.was_open = True
                self.talk = replace(self.talk, low_latency=bool(link.low_latency))
                yield link
        finally:
            stop()
            self._note(link.ledger)

    def _note(self, ledger: Ledger) -> None:
        """Keep what was heard in one opening of the line."""
        own = self.talk.asked if self.talk.addr is None else self.talk.addr
        self.talk = replace(
            self.talk,
            heard=self.talk.heard + ledger.received,
            frames=self.talk.frames + ledger.frames,
            others=tuple(sorted(self._heard - {own})),
            echo=self._own_frames > 0,
        )

    def _take(self, frame: Frame) -> None:
        if frame.cmd == IDENTIFY and not frame.data:
            self._own_frames += 1
        else:
            self._heard.add(frame.addr)

    async def _meet(self, link: AsyncLink) -> Identity | None:
        """Find somebody to talk to, for as long as a device may need to start."""
        loop = asyncio.get_running_loop()
        end = loop.time() + BOOT_SECONDS
        while loop.time() < end:
            for addr in await self._candidates(link):
                identity = await self._ask(link, addr)
                if identity is not None:
                    self.talk = replace(self.talk, addr=addr, name=identity.name)
                    return identity
        if self.talk.asked is not None and "addr" in self._format.fields:
            self._heard |= {one.addr for one in await discover(link, FIRST_ADDRESSES)}
        return None

    async def _until_booted(self, link: AsyncLink, addr: int) -> Identity | None:
        """Ask a device until it answers, for as long as it may need to start."""
        loop = asyncio.get_running_loop()
        end = loop.time() + BOOT_SECONDS
        while loop.time() < end:
            identity = await self._ask(link, addr)
            if identity is not None:
                return identity
        return None

    async def _candidates(self, link: AsyncLink) -> list[int]:
        if "addr" not in self._format.fields:
            return [0]
        if self.talk.asked is not None:
            return [self.talk.asked]
        return [one.addr for one in await discover(link, FIRST_ADDRESSES)]

    async def _ask(self, link: AsyncLink, addr: int) -> Identity | None:
        with contextlib.suppress(RequestError, FormatError):
            return await identify(link, addr, timeout=ASK_TIMEOUT, retries=2)
        return None
