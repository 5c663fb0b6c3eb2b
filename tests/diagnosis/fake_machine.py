"""A computer's sysfs and procfs in a folder, with an adapter and processes."""

from __future__ import annotations

from pathlib import Path

from framelink.diagnosis.machine import Machine

FTDI = ("0403", "6001", "FT232R USB UART", "ftdi_sio")


def machine_in(folder: Path) -> Machine:
    """Return a machine that has nothing yet."""
    machine = Machine(folder / "sys", folder / "proc")
    for part in (machine.sys / "class" / "tty", machine.proc):
        part.mkdir(parents=True)
    return machine


def plug(
    machine: Machine, name: str, adapter: tuple[str, str, str, str], *, latency_timer: int | None = None
) -> None:
    """Plug a USB adapter in, as Linux shows one: vendor, product, name and driver."""
    vid, pid, product, driver = adapter
    usb = machine.sys / "devices" / "usb1" / "1-4"
    tty = usb / "1-4:1.0" / name
    tty.mkdir(parents=True)
    for file, text in (("idVendor", vid), ("idProduct", pid), ("product", product)):
        (usb / file).write_text(f"{text}\n")
    drivers = machine.sys / "bus" / "usb-serial" / "drivers" / driver
    drivers.mkdir(parents=True)
    (tty / "driver").symlink_to(drivers)
    if latency_timer is not None:
        (tty / "latency_timer").write_text(f"{latency_timer}\n")
    (machine.sys / "class" / "tty" / name).mkdir()
    (machine.sys / "class" / "tty" / name / "device").symlink_to(tty)


def run_process(machine: Machine, pid: int, name: str, *files: str) -> None:
    """Run a process that has files open."""
    process = machine.proc / str(pid)
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text(f"{name}\n")
    for number, file in enumerate(files):
        (process / "fd" / str(number)).symlink_to(file)
