"""What this computer knows of a port: its permissions, who holds it, its adapter.  Linux tells most."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from framelink.diagnosis.measurements import Access, Adapter, Counters, Holder, Kind
from framelink.link.port import NETWORK_SCHEMES, ports

PROCESSES_MAX = 20_000  # looked at for who holds a port; more than any desktop runs
DESCRIPTORS_MAX = 4_096  # of each
PARENTS_MAX = 12  # folders up from a tty to its USB device; hubs are beside, not above

TIOCGICOUNT = 0x545D
"""Linux's request for a serial driver's counters."""

_ICOUNT = Struct("11i36x")
"""Its answer: cts, dsr, rng, dcd, rx, tx, frame, overrun, parity, brk, buf_overrun, and 9 unused ones."""


@dataclass(frozen=True)
class Machine:
    """Where the system tells of itself; tests have folders of their own.

    Attributes:
        sys: The root of sysfs.
        proc: The root of procfs.
    """

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")

    def adapter(self, device: str) -> Adapter | None:
        """Return a device's adapter and driver; None if the system does not tell."""
        tty = self.sys / "class" / "tty" / Path(device).name / "device"
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: links in a circle
            real = tty.resolve(strict=True)
            driver = (real / "driver").resolve().name if (real / "driver").exists() else ""
            usb = next((one for one in _upwards(real) if (one / "idVendor").is_file()), None)
            return Adapter(
                vid=_hex(usb, "idVendor"),
                pid=_hex(usb, "idProduct"),
                product=_text(usb, "product"),
                driver=driver,
                latency_timer=_number(_text(real, "latency_timer"), 10),
            )
        return None

    def holders(self, device: str) -> tuple[Holder, ...]:
        """Return the other processes that have a device open, as far as we may see."""
        return tuple(
            Holder(int(process.name), _text(process, "comm") or "?")
            for process in _processes(self.proc)
            if int(process.name) != os.getpid()
            and any(target == device for _fd, target in _open_files(process))
        )

    def counters(self, device: str) -> Counters | None:
        """Return what the driver of a device that we have open counted; None if it does not count."""
        try:
            import fcntl  # noqa: PLC0415 - POSIX only
        except ImportError:
            return None
        for descriptor, target in _open_files(self.proc / "self"):
            if target == device:
                with contextlib.suppress(OSError):
                    told = fcntl.ioctl(descriptor, TIOCGICOUNT, bytes(_ICOUNT.size))
                    *_lines, frame, overrun, parity, _breaks, buf_overrun = _ICOUNT.unpack(told)
                    return Counters(overrun, buf_overrun, frame, parity)
        return None


def device_of(url: str) -> str | None:
    """Return the real path of the device that a URL opens; None if it is none of this computer's."""
    if url.startswith("usb:"):
        wanted = url.lower()
        device = next((one.device for one in ports() if f"{one.url.lower()}:".startswith(f"{wanted}:")), None)
        return device and os.path.realpath(device)
    return None if "://" in url else os.path.realpath(url)


def kind_of(url: str, device: str | None) -> Kind:
    """Return what kind of line a URL opens."""
    if url.startswith(NETWORK_SCHEMES):
        return "network"
    if device is None:
        return "serial" if url.startswith("usb:") else "other"
    return "pty" if device.startswith("/dev/pts/") else "serial"


def access_to(device: str) -> Access | None:
    """Return who may open a device; None where the system has no such permissions."""
    if os.name != "posix":
        return None
    try:
        status = os.stat(device)  # noqa: PTH116 - beside os.access
    except OSError:
        return Access(device, exists=False)
    group, members = _group(status.st_gid)
    user = _user()
    return Access(
        device,
        allowed=os.access(device, os.R_OK | os.W_OK),
        user=user,
        group=group,
        group_may=stat.S_IMODE(status.st_mode) & 0o060 == 0o060,
        is_listed=user in members,
    )


def _group(gid: int) -> tuple[str, list[str]]:
    import grp  # noqa: PLC0415 - POSIX only

    try:
        group = grp.getgrgid(gid)
    except KeyError:  # an id without a name
        return str(gid), []
    return group.gr_name, group.gr_mem


def _user() -> str:
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _upwards(folder: Path) -> list[Path]:
    return [folder, *folder.parents][:PARENTS_MAX]


def _processes(proc: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        numbered = (one for one in proc.iterdir() if one.name.isascii() and one.name.isdecimal())
        for _, process in zip(range(PROCESSES_MAX), numbered, strict=False):
            yield process


def _open_files(process: Path) -> Iterator[tuple[int, str]]:
    """Yield a process's descriptors and what they are of, as far as we may see."""
    with contextlib.suppress(OSError):
        for _, link in zip(range(DESCRIPTORS_MAX), (process / "fd").iterdir(), strict=False):
            with contextlib.suppress(OSError):
                yield int(link.name), str(link.readlink())


def _text(folder: Path | None, name: str) -> str:
    if folder is None:
        return ""
    with contextlib.suppress(OSError):
        return (folder / name).read_text("utf-8", errors="replace").strip()
    return ""


def _hex(folder: Path | None, name: str) -> int | None:
    return _number(_text(folder, name), 16)


def _number(text: str, base: int) -> int | None:
    try:
        return int(text, base)
    except ValueError:
        return None
