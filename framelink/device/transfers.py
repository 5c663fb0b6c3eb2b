"""File transfers on live links: put, get and the list of a device's files, for both faces of a link."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, overload
from weakref import WeakKeyDictionary

from framelink.device import transfer_frames as frames
from framelink.device.requester import DEFAULT_TIMEOUT, request
from framelink.device.station import FrameLine, station_of
from framelink.device.transfer import Transfer
from framelink.device.transfer_files import Source, Target, measured, opened, sink_for
from framelink.device.transfer_incoming import Incoming
from framelink.device.transfer_outgoing import Outgoing
from framelink.device.transfer_pace import Pace
from framelink.device.transfer_state import TransferPhase, TransferStats
from framelink.errors import (
    FormatError,
    LinkClosed,
    LinkDown,
    LinkTimeout,
    RequestRefused,
    RequestTimeout,
    TransferError,
)
from framelink.link import HalfDuplex, Lane, Link, LinkState, StateChange
from framelink.link.life import ENDING
from framelink.message import RefusalCode
from framelink.wire import BROADCAST, Frame, FrameFormat

ABSENCE_MAX = 60.0  # seconds that an unplugged line is waited for: time to find the cable and plug it in
SEND_MAX = 5.0  # seconds to wait for room in the transmit queue, which has more than a window's
FILES_MAX = 65_536  # of a device; what a u16 counts
LIST_RETRIES = 3  # asking for the name of a file changes nothing

Progress: TypeAlias = Callable[[int, int], object]
"""Told, in the link's loop, how many bytes are across, and of how many."""


@dataclass(frozen=True)
class FileInfo:
    """A file on a device.

    Attributes:
        name: Its name.
        size: Its bytes.
        crc: CRC-32 of them.
    """

    name: str
    size: int
    crc: int


@dataclass(frozen=True)
class Transferred:
    """A file that is across, verified at both ends.

    Attributes:
        name: Its name on the device.
        size: Its bytes.
        crc: CRC-32 of them.
        seconds: How long it took.
        resumed_at: How many bytes an earlier transfer had brought across already.
        stats: What it took.
        data: The bytes themselves, for a `get` without a target; else None.
    """

    name: str
    size: int
    crc: int
    seconds: float
    resumed_at: int
    stats: TransferStats
    data: bytes | None = field(default=None, repr=False)


class TransferLine(FrameLine, Protocol):
    """What a transfer needs of a link; `framelink.link.AsyncLink` has it."""

    @property
    def format(self) -> FrameFormat:
        """The devices' variant of the frame."""

    @property
    def baudrate(self) -> int:
        """Symbols per second."""

    @property
    def half_duplex(self) -> HalfDuplex | None:
        """How the line is driven if it is a half-duplex one."""

    @property
    def state(self) -> LinkState:
        """Where the link stands."""

    async def wait_connected(self, timeout: float | None = None) -> None:
        """Wait until the line is connected."""


@overload
def put(
    link: Link, addr: int, name: str, source: Source, *, progress: Progress | None = ...
) -> Transferred: ...


@overload
def put(
    link: TransferLine, addr: int, name: str, source: Source, *, progress: Progress | None = ...
) -> Coroutine[Any, Any, Transferred]: ...


def put(
    link: Link | TransferLine, addr: int, name: str, source: Source, *, progress: Progress | None = None
) -> Transferred | Coroutine[Any, Any, Transferred]:
    """Send a file to a device; to be awaited if the link is an `AsyncLink`.

    It goes on through an unplugged line, a device that reboots, and lost frames.  Whatever ends it, the
    device keeps what it has, and another `put` of the same bytes under the same name goes on from there.

    Args:
        link: The link, connected or on its way there.
        addr: The device's address.
        name: The file's name on the device.
        source: The bytes themselves, a path, or an open binary file, which is read from its beginning.
        progress: Told how many bytes are across, and of how many; in the link's loop.

    Raises:
        TransferError: The device will not have it, does not answer, or has no file transfers.
        FormatError: The name, the address or the source cannot be.
        LinkClosed: The link was closed.
        LinkOpenError: The line cannot be opened.
        OSError: The source cannot be read.
    """
    if isinstance(link, Link):
        return link.call(lambda inner: _put(inner, addr, name, source, progress))
    return _put(link, addr, name, source, progress)


@overload
def get(
    link: Link, addr: int, name: str, target: Target | None = ..., *, progress: Progress | None = ...
) -> Transferred: ...


@overload
def get(
    link: TransferLine, addr: int, name: str, target: Target | None = ..., *, progress: Progress | None = ...
) -> Coroutine[Any, Any, Transferred]: ...


def get(
    link: Link | TransferLine,
    addr: int,
    name: str,
    target: Target | None = None,
    *,
    progress: Progress | None = None,
) -> Transferred | Coroutine[Any, Any, Transferred]:
    """Fetch a file from a device; to be awaited if the link is an `AsyncLink`.

    It goes on through an unplugged line, a device that reboots, and lost frames.  With a path, what has
    come is kept in PATH.part and PATH.part.json, and another `get` goes on from there; PATH is written when
    the file is whole.

    Args:
        link: The link, connected or on its way there.
        addr: The device's address.
        name: The file's name on the device.
        target: A path, or an open binary file, which is written in order; None returns the bytes.
        progress: As of `put`.

    Raises:
        TransferError: There is no such file, the device does not answer, or has no file transfers.
        FormatError: The name, the address or the target cannot be.
        LinkClosed: The link was closed.
        LinkOpenError: The line cannot be opened.
        OSError: The target cannot be written.
    """
    if isinstance(link, Link):
        return link.call(lambda inner: _get(inner, addr, name, target, progress))
    return _get(link, addr, name, target, progress)


@overload
def files(link: Link, addr: int) -> list[FileInfo]: ...


@overload
def files(link: FrameLine, addr: int) -> Coroutine[Any, Any, list[FileInfo]]: ...


def files(link: Link | FrameLine, addr: int) -> list[FileInfo] | Coroutine[Any, Any, list[FileInfo]]:
    """Return a device's files; to be awaited if the link is an `AsyncLink`.

    Raises:
        TransferError: The device does not answer, or has no file transfers.
        LinkError: The request could not be sent.
    """
    if isinstance(link, Link):
        return link.call(lambda inner: _files(inner, addr))
    return _files(link, addr)


async def _put(
    link: TransferLine, addr: int, name: str, source: Source, progress: Progress | None
) -> Transferred:
    _require_possible(link.format, addr, name)
    with opened(source) as file:
        known = await measured(file)
        async with _turn(link, addr):
            pace, now = _pace_of(link), asyncio.get_running_loop().time()
            transfer = Outgoing(addr, name, known.size, known.crc, known.read_at, pace=pace, now=now)
            return await _Drive(link, transfer, progress).run()


async def _get(
    link: TransferLine, addr: int, name: str, target: Target | None, progress: Progress | None
) -> Transferred:
    _require_possible(link.format, addr, name)
    memory = io.BytesIO()
    async with _turn(link, addr):
        with closing(await sink_for(memory if target is None else target, name)) as sink:
            pace, now = _pace_of(link), asyncio.get_running_loop().time()
            transfer = Incoming(addr, name, sink, held=sink.held, pace=pace, now=now)
            done = await _Drive(link, transfer, progress).run()
            sink.finish()
    return done if target is not None else _with_data(done, memory.getvalue())


def _with_data(done: Transferred, data: bytes) -> Transferred:
    return Transferred(done.name, done.size, done.crc, done.seconds, done.resumed_at, done.stats, data)


async def _files(link: FrameLine, addr: int) -> list[FileInfo]:
    found: list[FileInfo] = []
    try:
        while len(found) < FILES_MAX:
            listed = await _listed(link, addr, len(found))
            found.append(FileInfo(listed.name, listed.size, listed.crc))
    except RequestRefused as refusal:
        if refusal.code == RefusalCode.BAD_VALUE:  # behind the last
            return found
        if refusal.code == RefusalCode.UNKNOWN_COMMAND:
            raise TransferError(
                f"address 0x{addr:02X} knows no file transfers; its firmware has no storage for them"
            ) from None
        raise TransferError(str(refusal)) from None
    except RequestTimeout as silence:
        raise TransferError(str(silence)) from None
    return found


async def _listed(link: FrameLine, addr: int, index: int) -> frames.Listed:
    def is_that_file(frame: Frame) -> bool:
        answer = frames.answer_of(frame)
        return isinstance(answer, frames.Listed) and answer.number == index

    frame = frames.list_frame(addr, index)
    reply = await request(link, frame, timeout=DEFAULT_TIMEOUT, retries=LIST_RETRIES, match=is_that_file)
    answer = frames.answer_of(reply)
    assert isinstance(answer, frames.Listed), "it matched"
    return answer


def _require_possible(format: FrameFormat, addr: int, name: str) -> None:
    if not 0 <= addr < BROADCAST:
        raise FormatError(f"a device's address is 0 to 254, not {addr!r}")
    most = frames.most_name_bytes(format)
    if not name or len(name.encode()) > most:
        raise FormatError(
            f"a file's name must have 1 to {most} bytes, not {len(name.encode())}: {name[:40]!r}"
        )


def _pace_of(link: TransferLine) -> Pace:
    return Pace(link.format, link.baudrate, one_at_a_time=link.half_duplex is not None)


_turns: WeakKeyDictionary[Any, dict[int, asyncio.Lock]] = WeakKeyDictionary()
"""Link → address → who may transfer now: a device has one file open at a time."""


def _turn(link: TransferLine, addr: int) -> asyncio.Lock:
    return _turns.setdefault(link, {}).setdefault(addr, asyncio.Lock())


class _Drive:
    """Moves one transfer through its phases on a real link and a real clock."""

    def __init__(self, link: TransferLine, transfer: Transfer, progress: Progress | None) -> None:
        self._link = link
        self._transfer = transfer
        self._progress = progress
        self._told = -1
        self._is_closed = False
        self._is_broken = False
        self._fault: Exception | None = None
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # One lane for all frames, since none may overtake another: an answer proves those before it lost.
        self._lane = Lane.BULK if transfer.mode == frames.WRITE else Lane.CONTROL
        self._line_turn: AbstractAsyncContextManager[Any] = contextlib.nullcontext()
        if link.half_duplex is not None:  # a block and its answer are one transaction among the others'
            self._line_turn = station_of(link, transfer.addr).turn

    async def run(self) -> Transferred:
        transfer, began = self._transfer, self._loop.time()
        with contextlib.ExitStack() as stack:
            stack.callback(self._link.subscribe(self._take))
            stack.callback(self._link.watch(self._look))
            while not transfer.is_over:
                await self._be_connected()
                async with self._line_turn:
                    await self._send_due()
                    self._tell_progress()
                    await self._hear()
        self._tell_progress()
        if transfer.fault is not None:
            raise transfer.fault
        return Transferred(
            name=transfer.name,
            size=transfer.size,
            crc=transfer.crc,
            seconds=self._loop.time() - began,
            resumed_at=transfer.resumed_at,
            stats=transfer.stats,
        )

    def _take(self, frame: Frame) -> None:
        try:
            if self._transfer.receive(frame, self._loop.time()):
                self._news.set()
        except Exception as fault:  # noqa: BLE001 - such as a full disk: raised where the transfer is awaited
            self._fault = fault
            self._news.set()

    def _look(self, change: StateChange) -> None:
        if change.state in ENDING:
            self._is_closed = True
        elif change.state is not LinkState.CONNECTED:
            self._is_broken = True
        self._news.set()

    async def _be_connected(self) -> None:
        """Wait for a line that broke; then the transfer is taken up again.

        Raises:
            TransferError: It did not come back in time.
        """
        if self._link.state is not LinkState.CONNECTED:
            try:
                await self._link.wait_connected(ABSENCE_MAX)
            except LinkTimeout as fault:
                name = self._transfer.name
                raise TransferError(f"{name}: {fault}; transfer it again, and it goes on from here") from None
        if self._is_broken:
            self._is_broken = False
            self._transfer.interrupt(self._loop.time())

    async def _send_due(self) -> None:
        while (frame := self._transfer.poll(self._loop.time())) is not None:
            try:
                await self._link.send(frame, SEND_MAX, lane=self._lane)
            except (LinkDown, LinkTimeout):
                self._is_broken = True
                return

    def _tell_progress(self) -> None:
        transfer = self._transfer
        is_known = transfer.phase is not TransferPhase.OPENING
        if self._progress is not None and is_known and transfer.next != self._told:
            self._told = transfer.next
            self._progress(transfer.next, transfer.size)

    async def _hear(self) -> None:
        """Wait for news, or for the time at which more is due.

        Raises:
            LinkClosed: The news is that the link was closed.
        """
        if not (self._is_broken or self._transfer.is_over):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._transfer.deadline):
                    await self._news.wait()
        self._news.clear()
        if self._fault is not None:
            raise self._fault
        if self._is_closed:
            raise LinkClosed(f"{self._transfer.name}: the link was closed before it was across")
