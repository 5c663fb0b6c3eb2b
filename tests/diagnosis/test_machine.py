"""What the computer knows of a port, from folders that look like Linux's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from framelink.diagnosis import machine as machine_module
from framelink.diagnosis.machine import access_to, device_of, kind_of
from framelink.diagnosis.measurements import Adapter, Holder
from framelink.link import PortInfo
from tests.diagnosis.fake_machine import FTDI, machine_in, plug, run_process
from tests.support.pty_device import PtyDevice


def test_an_adapter_is_described_by_sysfs(tmp_path: Path) -> None:
    """Vendor, product, driver and latency timer."""
    machine = machine_in(tmp_path)
    plug(machine, "ttyUSB0", FTDI, latency_timer=16)
    assert machine.adapter("/dev/ttyUSB0") == Adapter(0x0403, 0x6001, "FT232R USB UART", "ftdi_sio", 16)


def test_a_port_of_the_board_has_a_driver_and_no_vendor(tmp_path: Path) -> None:
    """A UART that is not on USB."""
    machine = machine_in(tmp_path)
    (machine.sys / "class" / "tty" / "ttyS0" / "device").mkdir(parents=True)
    assert machine.adapter("/dev/ttyS0") == Adapter(None, None, "", "")


def test_a_port_that_sysfs_does_not_know_has_no_adapter(tmp_path: Path) -> None:
    """Another system, or a pty."""
    assert machine_in(tmp_path).adapter("/dev/ttyUSB7") is None


def test_broken_entries_of_sysfs_are_left_out(tmp_path: Path) -> None:
    """Links in a circle and text that is no number do no harm."""
    machine = machine_in(tmp_path)
    plug(machine, "ttyUSB0", ("what", "6001", "x", "ftdi_sio"))
    adapter = machine.adapter("/dev/ttyUSB0")
    assert adapter is not None
    assert (adapter.vid, adapter.pid, adapter.latency_timer) == (None, 0x6001, None)
    circle = machine.sys / "class" / "tty" / "ttyACM0"
    circle.mkdir()
    (circle / "device").symlink_to(circle / "device")
    assert machine.adapter("/dev/ttyACM0") is None


def test_whoever_has_the_port_open_is_named(tmp_path: Path) -> None:
    """But not those who have other files open, and not ourselves."""
    machine = machine_in(tmp_path)
    run_process(machine, 4711, "minicom", "/dev/null", "/dev/ttyUSB0")
    run_process(machine, 4712, "bash", "/dev/null")
    run_process(machine, os.getpid(), "pytest", "/dev/ttyUSB0")
    (machine.proc / "self").mkdir()
    (machine.proc / "4713").mkdir()
    assert machine.holders("/dev/ttyUSB0") == (Holder(4711, "minicom"),)


def test_no_more_processes_are_looked_at_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A computer may run many."""
    machine = machine_in(tmp_path)
    for pid in range(10, 20):
        run_process(machine, pid, "reader", "/dev/ttyUSB0")
    monkeypatch.setattr(machine_module, "PROCESSES_MAX", 3)
    assert len(machine.holders("/dev/ttyUSB0")) == 3


def test_a_system_without_procfs_tells_nothing(tmp_path: Path) -> None:
    """As macOS and Windows have none."""
    machine = machine_module.Machine(tmp_path / "none", tmp_path / "none")
    assert machine.holders("/dev/ttyUSB0") == ()
    assert machine.counters("/dev/ttyUSB0") is None


def test_a_pty_counts_nothing(tmp_path: Path) -> None:
    """The real procfs, and a driver without counters."""
    with PtyDevice(tmp_path) as device:
        real = os.path.realpath(device.path)
        descriptor = os.open(real, os.O_RDWR | os.O_NOCTTY)
        try:
            assert machine_module.Machine().counters(real) is None
        finally:
            os.close(descriptor)


def test_access_tells_group_and_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user needs to know to get in."""
    port = tmp_path / "port"
    port.touch(0o640)
    monkeypatch.setattr(os, "access", lambda *_given: False)
    access = access_to(str(port))
    assert access is not None
    assert access.exists
    assert not access.allowed
    assert not access.group_may
    assert access.group
    assert access.user


def test_access_to_nothing_says_so(tmp_path: Path) -> None:
    """The device is unplugged."""
    access = access_to(str(tmp_path / "gone"))
    assert access is not None
    assert not access.exists


def test_kinds_of_lines_are_told_by_their_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What applies to a line depends on its kind."""
    monkeypatch.setattr(
        machine_module, "ports", lambda: [PortInfo("/dev/ttyUSB3", "", "usb:0403:6001:A1", "", "A1")]
    )
    expected = {
        "/dev/ttyUSB0": ("serial", "/dev/ttyUSB0"),
        "/dev/pts/3": ("pty", "/dev/pts/3"),
        "socket://host:1": ("network", None),
        "rfc2217://host:1": ("network", None),
        "loop://": ("other", None),
        "usb:0403:6001": ("serial", "/dev/ttyUSB3"),
        "usb:0403:6001:A1": ("serial", "/dev/ttyUSB3"),
        "usb:0403:6001:A2": ("serial", None),
    }
    assert {url: (kind_of(url, device_of(url)), device_of(url)) for url in expected} == expected
