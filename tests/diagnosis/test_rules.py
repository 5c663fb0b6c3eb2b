"""The doctor's rules: each is given measurements, and what it finds and advises is looked at."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from framelink.diagnosis.adapters import name_of
from framelink.diagnosis.findings import Finding, Severity
from framelink.diagnosis.measurements import (
    Access,
    Adapter,
    Counters,
    Holder,
    Load,
    Measurements,
    RoundTrips,
    Talk,
)
from framelink.diagnosis.rules import diagnose

DEVICE = "/dev/ttyUSB0"
ACCESS = Access(DEVICE, user="ada", group="dialout")
FTDI = Adapter(0x0403, 0x6001, "FT232R USB UART", "ftdi_sio", latency_timer=1)
TRIPS = RoundTrips(16, sent=50, answered=50, p50=0.0055, p90=0.006, p99=0.007, wire=0.0043)
LOAD = Load(2.0, sent=300, answered=300, wrong=0, frame_bytes=73)
TALK = Talk(
    addr=1, name="dev", boots=(3, 3), low_latency=True, heard=900, frames=60, round_trips=(TRIPS,), load=LOAD
)
WELL = Measurements(DEVICE, "serial", 115_200, access=ACCESS, adapter=FTDI, talk=TALK)
"""A line that nothing is wrong with."""


def talking(**changes: Any) -> Measurements:
    """Return a well line but for something about the talk."""
    return dataclasses.replace(WELL, talk=dataclasses.replace(TALK, **changes))


def loaded(**changes: Any) -> Measurements:
    """Return a well line but for something under load."""
    return talking(load=dataclasses.replace(LOAD, **changes))


def only(measured: Measurements, topic: str) -> Finding:
    """Return the one finding on a topic that is worse than a remark, and has a fix."""
    (finding,) = [one for one in diagnose(measured) if one.topic == topic and one.severity > Severity.REMARK]
    assert finding.fix
    return finding


def test_a_well_line_has_remarks_alone() -> None:
    """What was measured is told, and nothing is to be done."""
    found = diagnose(WELL)
    assert {one.severity for one in found} == {Severity.REMARK}
    assert {one.topic for one in found} == {"throughput", "round trips", "adapter"}


def test_the_worst_comes_first() -> None:
    """Faults, then warnings, then remarks."""
    measured = dataclasses.replace(
        loaded(answered=100), holders=(Holder(7, "screen"),), adapter=dataclasses.replace(FTDI, vid=None)
    )
    severities = [one.severity for one in diagnose(measured)]
    assert severities == sorted(severities, reverse=True)
    assert severities[0] is Severity.FAULT


def test_a_device_that_is_not_there_is_missing() -> None:
    """And nothing else is said of it."""
    measured = Measurements(
        DEVICE, "serial", 9_600, access=Access(DEVICE, exists=False), fault="no such thing"
    )
    assert [one.topic for one in diagnose(measured)] == ["missing"]


def denied(**changes: Any) -> Measurements:
    """Return a line that may not be opened."""
    access = dataclasses.replace(ACCESS, allowed=False, **changes)
    return Measurements(DEVICE, "serial", 9_600, access=access, fault="no permission")


def test_a_user_outside_of_the_group_is_told_how_to_get_in() -> None:
    """The exact command."""
    finding = only(denied(), "permission")
    assert finding.fix == "sudo usermod -aG dialout ada, then log out and in again"
    assert [one.topic for one in diagnose(denied())] == ["permission"]


def test_a_user_whose_session_is_older_than_the_membership_logs_in_again() -> None:
    """Usermod alone does not change what runs already."""
    assert "log out and in" in only(denied(is_listed=True), "permission").fix
    assert "usermod" not in only(denied(is_listed=True), "permission").fix


def test_a_group_without_permission_needs_a_udev_rule() -> None:
    """To join it would not help."""
    assert 'MODE="0660"' in only(denied(group_may=False), "permission").fix


@pytest.mark.parametrize(
    ("name", "advice"), [("minicom", "kill 42"), ("ModemManager", "systemctl"), ("brltty", "apt remove")]
)
def test_whoever_holds_the_port_is_to_let_go(name: str, advice: str) -> None:
    """By name and process; known meddlers are stopped for good."""
    measured = dataclasses.replace(WELL, holders=(Holder(42, name),))
    finding = only(measured, "held")
    assert f"{name} (process 42)" in finding.seen
    assert advice in finding.fix
    assert finding.severity is Severity.WARNING


def test_a_holder_is_a_fault_if_the_port_cannot_be_opened() -> None:
    """Then it is the reason, and no other is given."""
    measured = Measurements(
        DEVICE, "serial", 9_600, access=ACCESS, holders=(Holder(42, "screen"),), fault="in use"
    )
    assert [(one.topic, one.severity) for one in diagnose(measured)] == [("held", Severity.FAULT)]


def test_the_maker_of_a_pty_holds_it_and_that_is_well() -> None:
    """A simulator has its own end open."""
    measured = dataclasses.replace(WELL, kind="pty", holders=(Holder(42, "framelink"),))
    assert max(one.severity for one in diagnose(measured)) is Severity.REMARK


def test_any_other_reason_for_a_closed_line_is_told() -> None:
    """In the words of the link."""
    measured = Measurements("socket://h:1", "network", 9_600, fault="socket://h:1: Connection refused")
    assert "Connection refused" in only(measured, "closed").seen


def test_a_lazy_adapter_is_made_quick() -> None:
    """The exact file, now and for good."""
    lazy = dataclasses.replace(FTDI, latency_timer=16)
    measured = dataclasses.replace(talking(low_latency=False), adapter=lazy)
    finding = only(measured, "latency timer")
    assert "16 ms" in finding.seen
    assert "/sys/bus/usb-serial/devices/ttyUSB0/latency_timer" in finding.fix
    assert 'ATTR{latency_timer}="1"' in finding.fix


def test_a_lazy_adapter_that_the_link_made_quick_is_a_remark() -> None:
    """Other programs should know."""
    measured = dataclasses.replace(WELL, adapter=dataclasses.replace(FTDI, latency_timer=16))
    (finding,) = [one for one in diagnose(measured) if one.topic == "latency timer"]
    assert finding.severity is Severity.REMARK
    assert "other programs" in finding.seen


def test_a_driver_without_low_latency_mode_is_a_remark() -> None:
    """Nothing can be done about it."""
    assert "low latency" in {one.topic for one in diagnose(talking(low_latency=False))}


def silent(**changes: Any) -> Finding:
    """Return what is found on a line on which nobody answers."""
    measured = dataclasses.replace(WELL, talk=Talk(**changes))
    assert len([one for one in diagnose(measured) if one.severity > Severity.REMARK]) == 1
    return only(measured, "silent")


def test_silence_without_a_byte_is_about_wires() -> None:
    """Power, TX and RX, address."""
    finding = silent()
    assert "not one byte" in finding.seen
    assert "swap TX and RX" in finding.fix
    assert "framelink scan" in finding.fix


def test_bytes_without_frames_are_about_baud_rate_and_format() -> None:
    """Detect finds both."""
    assert f"framelink detect {DEVICE}" in silent(heard=300).fix


def test_another_address_that_answers_is_named() -> None:
    """And how to see all."""
    finding = silent(asked=1, heard=30, frames=1, others=(5,))
    assert "address 1 did not answer; heard: 5" in finding.seen
    assert "--addr 5" in finding.fix


def test_frames_that_come_unasked_are_about_the_way_to_the_device() -> None:
    """It can be heard, and does not hear."""
    assert "TX may not reach" in silent(heard=300, frames=10, others=(40,)).fix
    assert "TX may not reach" in silent(asked=1, heard=300, frames=10).fix


def test_our_own_frames_alone_are_about_tied_wires() -> None:
    """TX on RX."""
    assert "TX is tied to RX" in silent(heard=30, frames=3, echo=True).fix


def test_an_examination_that_ended_early_says_why() -> None:
    """The line broke."""
    assert "was lost" in only(talking(broken="/dev/ttyUSB0 was lost"), "broken").seen


def test_an_echo_beside_a_device_is_a_warning() -> None:
    """RS-485 adapters hear themselves."""
    assert "HalfDuplex(echo=True)" in only(talking(echo=True), "echo").fix


def test_a_boot_counter_that_grows_tells_of_dtr() -> None:
    """The device restarts when the port is opened."""
    assert "boot counter 3, then 4" in only(talking(boots=(3, 4)), "reset").seen


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({}, "does not tell its counters"),
        ({"device": {"overruns": 9}}, "overran"),
        ({"device": {"check": 3}}, "damaged"),
        ({"noise": {"tail": 3}}, "damaged"),
        ({"device": {"overruns": 0, "check": 0}}, "whole frames vanish"),
    ],
)
def test_losses_are_explained_by_the_ledgers(changes: dict[str, Any], advice: str) -> None:
    """What both ends counted tells where frames went."""
    finding = only(loaded(answered=290, **changes), "losses")
    assert "10 were not answered" in finding.seen
    assert advice in finding.fix
    assert finding.severity is Severity.WARNING


def test_many_losses_are_a_fault() -> None:
    """Such a line is of no use as it is."""
    assert only(loaded(answered=200), "losses").severity is Severity.FAULT


def test_damage_is_told_by_direction() -> None:
    """To the host, to the device."""
    assert "check 4" in only(loaded(noise={"check": 4, "noise": 70}), "damage to host").seen
    assert "tail 2" in only(loaded(device={"tail": 2}), "damage to device").seen


def test_noise_between_frames_is_no_damage() -> None:
    """A device may print text."""
    assert max(one.severity for one in diagnose(loaded(noise={"noise": 70}))) is Severity.REMARK


def test_overruns_of_the_device_are_told() -> None:
    """With what the firmware can do."""
    finding = only(loaded(device={"overruns": 12}), "overruns")
    assert "12 bytes" in finding.seen
    assert "receive ring" in finding.fix


def test_bytes_that_the_computer_lost_are_told() -> None:
    """The UART's and the kernel's counters."""
    assert "5 bytes in the UART and 6" in only(talking(counters=Counters(5, 6)), "kernel buffers").seen
    assert "7 bytes without a stop bit" in only(talking(counters=Counters(frame=7)), "bit errors").seen


def test_slow_round_trips_are_told() -> None:
    """More than the wire needs; on a serial line that is worth a warning."""
    slow = dataclasses.replace(TRIPS, p50=0.021)
    finding = only(talking(round_trips=(slow,)), "round trips")
    assert "21.0 ms, of which the wire takes 4.3 ms" in finding.seen
    network = dataclasses.replace(talking(round_trips=(slow,)), kind="network", adapter=None)
    assert max(one.severity for one in diagnose(network)) is Severity.REMARK


def test_uneven_round_trips_are_a_remark() -> None:
    """Something stalls now and then; but what follows a lost ping waits for that one."""
    lossy = dataclasses.replace(TRIPS, p99=0.2, answered=49)
    assert "jitter" not in {one.topic for one in diagnose(talking(round_trips=(lossy,)))}
    assert "jitter" in {
        one.topic for one in diagnose(talking(round_trips=(dataclasses.replace(TRIPS, p99=0.2),)))
    }


def test_sizes_that_are_not_answered_are_a_remark() -> None:
    """Small devices take small frames."""
    dead = RoundTrips(200, sent=5, answered=0, p50=0, p90=0, p99=0, wire=0.03)
    (finding,) = [one for one in diagnose(talking(round_trips=(TRIPS, dead))) if one.topic == "sizes"]
    assert "200 bytes" in finding.seen


def test_a_line_that_is_mostly_idle_under_load_is_a_warning() -> None:
    """But a network's pace is its own."""
    idle = loaded(seconds=10.0)
    assert "19% of what 115200 baud carry" in only(idle, "throughput").seen
    assert max(one.severity for one in diagnose(dataclasses.replace(idle, kind="network"))) is Severity.REMARK


def test_a_line_that_is_faster_than_its_rate_has_none() -> None:
    """A pseudo-terminal takes any baud rate."""
    (finding,) = [one for one in diagnose(loaded(seconds=0.1)) if one.topic == "throughput"]
    assert "no such pace" in finding.seen


def test_what_does_not_apply_is_said() -> None:
    """For lines that are no serial ports of this computer."""
    for kind in ("pty", "network", "other"):
        measured = Measurements("x", kind, 9_600, talk=TALK)
        assert "kind" in {one.topic for one in diagnose(measured)}


@pytest.mark.parametrize(
    ("adapter", "name"),
    [
        (FTDI, "FTDI FT232R"),
        (Adapter(0x0403, 0x9999, "", "ftdi_sio"), "FTDI"),
        (Adapter(0x10C4, 0xEA60, "", "cp210x"), "Silicon Labs CP210x"),
        (Adapter(0x1A86, 0x7523, "", "ch341"), "WCH CH340"),
        (Adapter(0xFFFF, 1, "Thing", "cdc_acm"), "a USB device of its own (CDC-ACM)"),
        (Adapter(0xFFFF, 1, "Thing", "other"), "Thing"),
        (Adapter(0xFFFF, 1, "", "other"), "an adapter that is not known"),
        (Adapter(None, None, "", "serial8250"), "serial8250"),
        (Adapter(None, None, "", ""), "a port without a driver"),
    ],
)
def test_adapters_have_names(adapter: Adapter, name: str) -> None:
    """By vendor and product, else by driver, else what they call themselves."""
    assert name_of(adapter) == name
