"""Listening on a line at one baud rate after the other, until the bytes make sense."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from framelink.diagnosis.capture import LOOKED_MAX
from framelink.diagnosis.detect import Undetected, Verdict, detect
from framelink.errors import LinkTimeout
from framelink.link.connector import give_back
from framelink.link.daemon import in_daemon
from framelink.link.faults import opening_fault
from framelink.link.interface import Port, PortEvents, PortOpener
from framelink.link.port import opener_for

BAUDRATES = (
    115_200,
    9_600,
    57_600,
    38_400,
    19_200,
    230_400,
    460_800,
    921_600,
    1_000_000,
    4_800,
    2_400,
    1_200,
)
"""The common baud rates, the likeliest first."""

RATELESS = ("socket://", "loop://")
"""Lines that have no baud rate: one listening tells all."""

OPEN_TIMEOUT = 5.0  # seconds until a driver that does not return is given up
SILENT_RATES = 3  # rates without a byte, after which the others are not tried: a wrong rate gives bytes, too
ENOUGH = 16_384  # bytes that are enough for a verdict if there is one: then the listening ends early


@dataclass(frozen=True)
class Heard:
    """What was heard at one baud rate.

    Attributes:
        baudrate: Symbols per second.
        data: The bytes.
        outcome: What they are.
    """

    baudrate: int
    data: bytes
    outcome: Verdict | Undetected

    @property
    def makes_sense(self) -> bool:
        """Whether there are frames."""
        return isinstance(self.outcome, Verdict)


async def listen(url: str, baudrate: int, seconds: float) -> bytes:
    """Return what a line says in a time; less than that time if it was enough, or the line broke.

    Raises:
        LinkError: The line cannot be opened.
    """
    port = await _opened(opener_for(url, baudrate, {}))
    try:
        return await _read(port, seconds)
    finally:
        await give_back(port)


async def _opened(opener: PortOpener) -> Port:
    try:
        async with asyncio.timeout(OPEN_TIMEOUT):
            return await in_daemon(opener.open, abandon=lambda port: port.close())
    except TimeoutError:
        raise LinkTimeout(f"{opener.url} did not open within {OPEN_TIMEOUT:g} s") from None
    except Exception as error:
        raise opening_fault(opener.url, error) from error


async def _read(port: Port, seconds: float) -> bytes:
    data, ended = bytearray(), asyncio.Event()

    def take(chunk: bytes) -> None:
        data.extend(chunk)
        if len(data) >= ENOUGH:
            ended.set()

    port.start(asyncio.get_running_loop(), PortEvents(take, lambda: None, lambda _reason: ended.set()))
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await ended.wait()
    finally:
        port.stop()
    return bytes(data[:LOOKED_MAX])


async def detect_on(
    url: str, baudrates: Sequence[int], seconds: float, tell: Callable[[Heard], None]
) -> Heard | Undetected:
    """Listen at one baud rate after the other; return what first made sense, or why nothing did.

    Args:
        url: A line, as links open it.
        baudrates: What to try, in this order.
        seconds: How long to listen at each.
        tell: Is told of every rate that was tried.

    Raises:
        LinkError: The line cannot be opened.
    """
    silent, tried = 0, []
    for baudrate in baudrates[:1] if url.startswith(RATELESS) else baudrates:
        data = await listen(url, baudrate, seconds)
        heard = Heard(baudrate, data, await in_daemon(partial(detect, data)))
        tell(heard)
        tried.append(heard)
        if isinstance(heard.outcome, Verdict):
            return heard
        silent = 0 if data else silent + 1
        if silent >= SILENT_RATES:
            break
    return Undetected(_why_nothing(tried, seconds))


def _why_nothing(tried: Sequence[Heard], seconds: float) -> str:
    if not any(one.data for one in tried):
        return (
            f"nothing was heard in {seconds:g} s at {_rates(tried)}; a device that speaks only when"
            " asked has to be asked meanwhile, by whatever program can"
        )
    if len(tried) == 1 and isinstance(tried[0].outcome, Undetected):
        return tried[0].outcome.reason
    return (
        f"at {_rates(tried)} nothing made sense; listen for longer with --seconds, or name other rates with"
        " --baudrates"
    )


def _rates(tried: Sequence[Heard]) -> str:
    return f"{', '.join(str(one.baudrate) for one in tried)} baud"
