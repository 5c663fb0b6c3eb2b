"""The doctor's rules about what came of talking.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from framelink.diagnosis.findings import Finding, Severity
from framelink.diagnosis.measurements import Load, Measurements, RoundTrips, Talk

FAULT, WARNING, REMARK = Severity.FAULT, Severity.WARNING, Severity.REMARK

SLOW = 0.008  # seconds beyond the wire's own time, for half of the pings: half of what a lazy adapter adds
UNEVEN = 0.05  # seconds by which the slowest ping may exceed the usual one; hosts stall for tens of ms
BUSY_SHARE = 0.7  # of the wire's limit; whoever fills less with three pings under way waits for something
PACELESS = 1.2  # of the wire's limit: no line with that baud rate is so fast
MUCH_LOST = 0.05  # share of pings from which a line is of no use without retries

_ERRORS = ("length", "tail", "check", "timeout")
"""What a receiver counts of damaged frames; noise alone may be a device's text."""


def silent(measured: Measurements) -> Iterator[Finding]:
    """Nobody answers."""
    talk = measured.talk
    if talk is None or talk.addr is not None or talk.broken:
        return
    asked = "addresses 1 to 16" if talk.asked is None else f"address {talk.asked}"
    seen, fix = _why_silent(measured, talk)
    yield Finding(FAULT, "silent", f"{asked} did not answer; {seen}", fix)


def _why_silent(measured: Measurements, talk: Talk) -> tuple[str, str]:
    url, others = measured.url, ", ".join(map(str, talk.others))
    if talk.echo and not talk.others:
        return (
            "only our own frames came back",
            "TX is tied to RX, or nobody but us is on the line: check the wires and the device's power",
        )
    if talk.others and talk.asked is not None:
        return f"heard: {others}", f"use --addr {talk.others[0]}, or `framelink scan {url}` for all devices"
    if talk.frames:
        return (
            f"{talk.frames} frames came unasked{f', from {others}' if others else ''}",
            f"this computer's TX may not reach the device, or its address is another: `framelink scan {url}`",
        )
    if talk.heard:
        return (
            f"{talk.heard} bytes came, and no frame among them",
            f"wrong baud rate or frame format? `framelink detect {url}` finds both",
        )
    fix = (
        "check power and ground, swap TX and RX, try other baud rates with --baudrate, and for other"
        f" addresses `framelink scan {url}`"
    )
    return "not one byte came", fix


def broken(measured: Measurements) -> Iterator[Finding]:
    """The line broke, or the device fell silent, while we talked."""
    talk = measured.talk
    if talk is not None and talk.broken:
        yield Finding(
            FAULT,
            "broken",
            f"the examination ended early: {talk.broken}",
            "check cable, plug and power; `framelink monitor` shows whether the port comes and goes",
        )


def echo(measured: Measurements) -> Iterator[Finding]:
    """We hear ourselves, and devices."""
    talk = measured.talk
    if talk is not None and talk.echo and talk.addr is not None:
        yield Finding(
            WARNING,
            "echo",
            "what we send comes back as well",
            "on RS-485 open the line with HalfDuplex(echo=True), or have the adapter not hear itself",
        )


def reset(measured: Measurements) -> Iterator[Finding]:
    """The device restarts when the port is opened."""
    talk = measured.talk
    if talk is None or talk.boots is None or talk.boots[0] == talk.boots[1]:
        return
    before, after = talk.boots
    yield Finding(
        WARNING,
        "reset",
        f"the device restarted when the port was opened (boot counter {before}, then {after})",
        "DTR resets it: cut that line or put a capacitor on the board's reset, or keep the port open; a"
        " program that opens it has to wait for the boot loader",
    )


def losses(measured: Measurements) -> Iterator[Finding]:
    """Frames were lost or damaged under load; where, the two ledgers tell."""
    load = _load(measured)
    if load is None or not load.sent or not (load.lost or load.wrong):
        return
    share = (load.lost + load.wrong) / load.sent
    yield Finding(
        FAULT if share >= MUCH_LOST else WARNING,
        "losses",
        f"of {load.sent} pings under load, {load.lost} were not answered and {load.wrong} came back wrong",
        _fix_of_losses(load),
    )


def _fix_of_losses(load: Load) -> str:
    if load.device.get("overruns"):
        return "the device overran: see overruns"
    if any(load.noise.get(one) or load.device.get(one) for one in _ERRORS):
        return "bytes are damaged: see damage to host, damage to device"
    if load.device:
        return "neither end saw damage, so whole frames vanish: look between them, and at the device's load"
    return "the device does not tell its counters; if it has few buffers, send fewer requests at a time"


def damage_here(measured: Measurements) -> Iterator[Finding]:
    """What came to us was damaged."""
    load = _load(measured)
    if load is not None and any(load.noise.get(one) for one in _ERRORS):
        yield _damage(measured, "damage to host", "the host rejected", load.noise)


def damage_there(measured: Measurements) -> Iterator[Finding]:
    """What came to the device was damaged."""
    load = _load(measured)
    if load is not None and any(load.device.get(one) for one in _ERRORS):
        yield _damage(measured, "damage to device", "the device rejected", load.device)


def _damage(measured: Measurements, topic: str, who: str, counts: Mapping[str, int]) -> Finding:
    kinds = ", ".join(f"{one} {counts[one]}" for one in _ERRORS if counts.get(one))
    return Finding(
        WARNING,
        topic,
        f"{who} what began like a frame under load: {kinds}",
        f"shorter cable, common ground, shielding; a baud rate below {measured.baudrate}; and compare both"
        " ends' clocks: they may differ by 2 %",
    )


def overruns(measured: Measurements) -> Iterator[Finding]:
    """The device lost bytes because it did not fetch them in time."""
    load = _load(measured)
    if load is not None and (count := load.device.get("overruns", 0)):
        yield Finding(
            WARNING,
            "overruns",
            f"the device lost {count} bytes because its receive buffer was full",
            "a larger receive ring, shorter interrupts or more frequent polling in the firmware; else fewer"
            " requests at a time, or flow control",
        )


def kernel(measured: Measurements) -> Iterator[Finding]:
    """The computer lost bytes."""
    counters = measured.talk.counters if measured.talk is not None else None
    if counters is None:
        return
    lost = counters.overrun + counters.buf_overrun
    if lost:
        yield Finding(
            WARNING,
            "kernel buffers",
            f"since it was plugged in, the port lost {counters.overrun} bytes in the UART and"
            f" {counters.buf_overrun} in the kernel's buffer",
            "use hardware flow control (rtscts), a lower baud rate, or a less busy computer",
        )
    if counters.frame or counters.parity:
        yield Finding(
            WARNING,
            "bit errors",
            f"the port counted {counters.frame} bytes without a stop bit and {counters.parity} with a wrong"
            " parity",
            "the other end has another baud rate or parity, or the line is disturbed",
        )


def slow(measured: Measurements) -> Iterator[Finding]:
    """Round trips take much longer than the wire does."""
    usual = [one for one in _answered(measured) if one.p50 - one.wire > SLOW]
    if usual:
        one = usual[0]
        yield Finding(
            WARNING if measured.kind == "serial" else REMARK,
            "round trips",
            f"pings of {one.size} bytes take {_ms(one.p50)}, of which the wire takes {_ms(one.wire)}",
            "see the latency timer if there is one; else the device answers late: look at its main loop",
        )


def uneven(measured: Measurements) -> Iterator[Finding]:
    """Some round trips take much longer than most."""
    whole = (
        one for one in _answered(measured) if one.answered == one.sent
    )  # what follows a loss waits for it
    worst = max(whole, key=lambda one: one.p99 - one.p50, default=None)
    if worst is not None and worst.p99 - worst.p50 > UNEVEN:
        yield Finding(
            REMARK,
            "jitter",
            f"half of the pings of {worst.size} bytes take {_ms(worst.p50)}, one in a hundred"
            f" {_ms(worst.p99)}",
            "something now and then keeps the device or this computer from answering",
        )


def sizes(measured: Measurements) -> Iterator[Finding]:
    """Some sizes are not answered."""
    trips = measured.talk.round_trips if measured.talk is not None else ()
    dead = [one.size for one in trips if not one.answered]
    if dead and len(dead) < len(trips):
        yield Finding(
            REMARK,
            "sizes",
            f"pings of {', '.join(map(str, dead))} bytes are not answered",
            "the firmware takes no frames of that length: see FL_MAX_DATA, and the line's max_data",
        )


def figures(measured: Measurements) -> Iterator[Finding]:
    """What was measured, whether good or bad."""
    for one in _answered(measured):
        yield Finding(
            REMARK,
            "round trips",
            f"{one.size:3} bytes: p50 {_ms(one.p50)}, p90 {_ms(one.p90)}, p99 {_ms(one.p99)};"
            f" {one.answered} of {one.sent} answered",
        )


def throughput(measured: Measurements) -> Iterator[Finding]:
    """How much of the wire's limit is used."""
    load = _load(measured)
    if load is None or not load.answered:
        return
    share = load.rate / measured.limit
    carried = f"{share:.0%} of what {measured.baudrate} baud carry"
    if share > PACELESS:
        carried = f"more than {measured.baudrate} baud carry, so this line has no such pace"
    is_low = measured.kind == "serial" and share < BUSY_SHARE
    yield Finding(
        WARNING if is_low else REMARK,
        "throughput",
        f"{load.rate:,.0f} bytes/s each way, {carried}",
        f"something makes the line wait: see {'losses' if load.lost else 'round trips'}" if is_low else "",
    )


def _load(measured: Measurements) -> Load | None:
    return measured.talk.load if measured.talk is not None else None


def _answered(measured: Measurements) -> list[RoundTrips]:
    trips = measured.talk.round_trips if measured.talk is not None else ()
    return [one for one in trips if one.answered]


def _ms(seconds: float) -> str:
    return f"{seconds * 1_000:.1f} ms"


RULES: tuple[Callable[[Measurements], Iterator[Finding]], ...] = (
    silent,
    broken,
    losses,
    reset,
    damage_here,
    damage_there,
    overruns,
    kernel,
    echo,
    slow,
    throughput,
    uneven,
    sizes,
    figures,
)
