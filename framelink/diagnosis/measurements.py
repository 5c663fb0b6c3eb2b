"""What the doctor measures: plain values, so that the rules that judge them need no line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

BITS_PER_BYTE = 10  # start bit, 8 data bits, stop bit

Kind = Literal["serial", "pty", "network", "other"]


@dataclass(frozen=True)
class Access:
    """Who may open a device.

    Attributes:
        device: Its real path.
        exists: Whether it is there.
        allowed: Whether we may read and write it.
        user: Who we are.
        group: The group that it belongs to.
        group_may: Whether that group may read and write it.
        is_listed: Whether we are listed in that group, be it that this session began before.
    """

    device: str
    exists: bool = True
    allowed: bool = True
    user: str = ""
    group: str = ""
    group_may: bool = True
    is_listed: bool = False


@dataclass(frozen=True)
class Holder:
    """A process that has the device open."""

    pid: int
    name: str


@dataclass(frozen=True)
class Adapter:
    """The USB adapter of a port.

    Attributes:
        vid: Vendor, None if it is no USB device.
        pid: Product.
        product: What it calls itself.
        driver: The kernel's driver.
        latency_timer: Milliseconds for which it holds received bytes back; None if it has no such timer.
    """

    vid: int | None
    pid: int | None
    product: str
    driver: str
    latency_timer: int | None = None


@dataclass(frozen=True)
class Counters:
    """What the kernel's driver counted since it was loaded; None where it does not count.

    Attributes:
        overrun: Bytes that the UART lost because nobody fetched them.
        buf_overrun: Bytes that found the kernel's buffer full.
        frame: Bytes without a stop bit.
        parity: Bytes with a wrong parity.
    """

    overrun: int = 0
    buf_overrun: int = 0
    frame: int = 0
    parity: int = 0


@dataclass(frozen=True)
class RoundTrips:
    """Pings of one size, one after the other.

    Attributes:
        size: Data bytes.
        sent: Pings sent.
        answered: Pings answered.
        p50: Seconds that half of them took at most; p90, p99 alike.
        wire: Seconds that request and reply take on the wire.
    """

    size: int
    sent: int
    answered: int
    p50: float
    p90: float
    p99: float
    wire: float


@dataclass(frozen=True)
class Load:
    """Pings of known patterns, several under way.

    Attributes:
        seconds: How long it took.
        sent: Pings sent.
        answered: Pings that came back as they were.
        wrong: Pings that came back otherwise, and had a check that holds.
        frame_bytes: Bytes of a ping on the wire.
        noise: Reason → bytes that the host rejected meanwhile.
        device: The device's counters' growth meanwhile; empty if it does not tell.
    """

    seconds: float
    sent: int
    answered: int
    wrong: int
    frame_bytes: int
    noise: Mapping[str, int] = field(default_factory=dict)
    device: Mapping[str, int] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Pings that were not answered."""
        return self.sent - self.answered - self.wrong

    @property
    def rate(self) -> float:
        """Bytes a second that went each way."""
        return self.answered * self.frame_bytes / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Talk:
    """What came of talking over an open line.

    Attributes:
        asked: The address that was asked; None if all the first ones were.
        addr: The device that answered; None if none did.
        name: What it calls itself.
        boots: Its boot counter before and after the port was opened again; None if it was not told.
        low_latency: Whether the driver is in low-latency mode.
        heard: Bytes received.
        frames: Frames received.
        others: Addresses that were heard, and are not the one that was asked.
        echo: Whether our own frames came back.
        round_trips: Pings, by size.
        load: The load test; None if there was none.
        counters: What the kernel counted.
        broken: Why the line broke while we talked; empty if it held.
    """

    asked: int | None = None
    addr: int | None = None
    name: str = ""
    boots: tuple[int, int] | None = None
    low_latency: bool = False
    heard: int = 0
    frames: int = 0
    others: tuple[int, ...] = ()
    echo: bool = False
    round_trips: tuple[RoundTrips, ...] = ()
    load: Load | None = None
    counters: Counters | None = None
    broken: str = ""


@dataclass(frozen=True)
class Measurements:
    """All that the doctor measured.

    Attributes:
        url: What was examined.
        kind: What kind of line it is.
        baudrate: Symbols per second.
        access: Who may open it; None if it is no device of this computer.
        holders: Who has it open besides us.
        adapter: Its adapter; None if the system does not tell.
        fault: Why it could not be opened; empty if it could.
        talk: What came of talking; None if it could not be opened.
    """

    url: str
    kind: Kind
    baudrate: int
    access: Access | None = None
    holders: tuple[Holder, ...] = ()
    adapter: Adapter | None = None
    fault: str = ""
    talk: Talk | None = None

    @property
    def limit(self) -> float:
        """Bytes a second that the wire can carry each way."""
        return self.baudrate / BITS_PER_BYTE
