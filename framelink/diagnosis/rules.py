"""The doctor's rules: measurements → findings.  Pure; each rule looks at one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from framelink.diagnosis import traffic_rules
from framelink.diagnosis.adapters import name_of
from framelink.diagnosis.findings import Finding, Severity
from framelink.diagnosis.measurements import Access, Measurements

FAULT, WARNING, REMARK = Severity.FAULT, Severity.WARNING, Severity.REMARK

LATENCY_MAX = 2  # ms that an adapter may hold bytes back, and nobody notices

MEDDLERS = {
    "ModemManager": "tell it to leave the adapter alone: `sudo systemctl disable --now ModemManager`",
    "brltty": "it takes CH340 adapters for Braille displays: `sudo apt remove brltty`",
}
"""Programs that open ports unasked → how to stop them."""

Rule = Callable[[Measurements], Iterator[Finding]]


def diagnose(measured: Measurements) -> list[Finding]:
    """Return what the rules find, the worst first."""
    found = [finding for rule in RULES for finding in rule(measured)]
    return sorted(found, key=lambda one: -one.severity)


def missing(measured: Measurements) -> Iterator[Finding]:
    """The device is not there."""
    if measured.access is not None and not measured.access.exists:
        yield Finding(
            FAULT,
            "missing",
            f"{measured.access.device} does not exist",
            "plug the device in, or see with `framelink ports` what it is called now",
        )


def permission(measured: Measurements) -> Iterator[Finding]:
    """We may not open it."""
    access = measured.access
    if access is not None and access.exists and not access.allowed:
        yield Finding(
            FAULT,
            "permission",
            f"{access.user} may not open {access.device}, which belongs to group {access.group}",
            _way_in(access),
        )


def _way_in(access: Access) -> str:
    if not access.group_may:
        return (
            "its group may not either; give it to dialout by a udev rule:"
            ' SUBSYSTEM=="tty", GROUP="dialout", MODE="0660" in /etc/udev/rules.d/50-serial.rules'
        )
    if access.is_listed:
        return f"you are in {access.group} already, but this session is older: log out and in again"
    return f"sudo usermod -aG {access.group} {access.user}, then log out and in again"


def held(measured: Measurements) -> Iterator[Finding]:
    """Another program has it open: it gets some of the bytes, or keeps us out."""
    for holder in measured.holders:
        who = f"{holder.name} (process {holder.pid}) has the port open"
        if measured.kind == "pty" and not measured.fault:
            yield Finding(REMARK, "held", f"{who}, as whoever made a pseudo-terminal does")
        else:
            fix = MEDDLERS.get(holder.name, f"close it there, or `kill {holder.pid}`")
            yield Finding(FAULT if measured.fault else WARNING, "held", who, fix)


def closed(measured: Measurements) -> Iterator[Finding]:
    """It could not be opened, for a reason that no other rule names."""
    access = measured.access
    named = measured.holders or (access is not None and not (access.exists and access.allowed))
    if measured.fault and not named:
        yield Finding(FAULT, "closed", f"the line cannot be opened: {measured.fault}", "see what it says")


def latency(measured: Measurements) -> Iterator[Finding]:
    """The adapter holds received bytes back."""
    adapter = measured.adapter
    if adapter is None or adapter.latency_timer is None or adapter.latency_timer <= LATENCY_MAX:
        return
    helped = measured.talk is not None and measured.talk.low_latency
    seen = f"the adapter holds received bytes back for up to {adapter.latency_timer} ms"
    if helped:
        seen += "; framelink switches that off while it has the port open, other programs may not"
    severity = REMARK if helped else WARNING
    yield Finding(severity, "latency timer", seen, _quick_timer(measured, adapter.driver))


def _quick_timer(measured: Measurements, driver: str) -> str:
    """Return how to have the adapter pass bytes on at once, now and for good."""
    name = (measured.access.device if measured.access else measured.url).rpartition("/")[2]
    return (
        f"echo 1 | sudo tee /sys/bus/usb-serial/devices/{name}/latency_timer; for good, in"
        ' /etc/udev/rules.d/50-latency.rules: ACTION=="add", SUBSYSTEM=="usb-serial",'
        f' DRIVER=="{driver}", ATTR{{latency_timer}}="1"'
    )


def low_latency(measured: Measurements) -> Iterator[Finding]:
    """The driver has no low-latency mode, or refuses it."""
    adapter, talk = measured.adapter, measured.talk
    if measured.kind == "serial" and talk is not None and adapter is not None and not talk.low_latency:
        yield Finding(
            REMARK,
            "low latency",
            f"driver {adapter.driver or 'unknown'} has no low-latency mode, or refuses it",
        )


def adapter(measured: Measurements) -> Iterator[Finding]:
    """What it is."""
    known = measured.adapter
    if known is not None:
        where = "" if known.vid is None else f" ({known.vid:04x}:{known.pid or 0:04x})"
        yield Finding(REMARK, "adapter", f"{name_of(known)}{where}, driver {known.driver or 'unknown'}")


def kind(measured: Measurements) -> Iterator[Finding]:
    """What cannot be told of such a line."""
    said = {
        "pty": "this is a pseudo-terminal: baud rate, adapter, DTR and the driver's counters do not apply",
        "network": "this is a line over a network: permission, holder, adapter and DTR are the other end's",
        "other": "this is no port of this computer: permission, holder, adapter and DTR do not apply",
    }
    if measured.kind in said:
        yield Finding(REMARK, "kind", said[measured.kind])


RULES: tuple[Rule, ...] = (
    missing,
    permission,
    held,
    closed,
    *traffic_rules.RULES,
    latency,
    low_latency,
    adapter,
    kind,
)
"""All rules; of findings that are equally bad, the first one's come first."""
