"""The examination, on real ptys and sockets with simulated devices and with none."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from firmware_sim import Scenario, Simulation
from framelink.diagnosis import examination, pinging
from framelink.diagnosis.examination import examine
from framelink.diagnosis.findings import Severity
from framelink.diagnosis.machine import Machine
from framelink.diagnosis.measurements import Measurements, Talk
from framelink.diagnosis.pinging import percentile
from framelink.diagnosis.rules import diagnose
from framelink.wire import Frame, FrameFormat, encode
from tests.diagnosis.fake_machine import machine_in, run_process
from tests.support.pty_device import PtyDevice

BAUDRATE = 115_200
MOTOR = '[[port]]\nname = "dev"\n[[port.device]]\nmodel = "motor"\naddr = 2\n'
TCP = MOTOR.replace('name = "dev"', 'name = "dev"\nkind = "tcp"', 1)
WEATHER = '[[port]]\nname = "dev"\n[[port.device]]\nmodel = "weather"\naddr = 40\nperiod = 20\n'


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examine for tenths of seconds."""
    monkeypatch.setattr(examination, "BOOT_SECONDS", 0.3)
    monkeypatch.setattr(examination, "ASK_TIMEOUT", 0.1)
    monkeypatch.setattr(
        examination, "OPEN_TIMEOUT", 2.0
    )  # a busy machine may need some; what is absent costs it
    monkeypatch.setattr(pinging, "LOAD_SECONDS", 0.3)
    monkeypatch.setattr(pinging, "PINGS", 10)
    monkeypatch.setattr(pinging, "PING_TIMEOUT", 0.1)


@asynccontextmanager
async def simulated(scenario: str) -> AsyncIterator[tuple[Simulation, str]]:
    """Run a scenario; yields it and the URL of its port."""
    simulation = Simulation(Scenario.parse(scenario))
    async with simulation:
        yield simulation, simulation.urls["dev"]


def talk_of(measured: Measurements) -> Talk:
    """Return what came of talking."""
    assert measured.talk is not None, measured.fault
    return measured.talk


async def test_a_well_line_is_measured_and_nothing_is_wrong() -> None:
    """A device on a pty answers everything."""
    async with simulated(MOTOR) as (_simulation, url):
        measured = await examine(url, baudrate=BAUDRATE)
    talk = talk_of(measured)
    assert (measured.kind, talk.addr, talk.others, talk.echo) == ("pty", 2, (), False)
    assert talk.boots is not None
    assert talk.boots[0] == talk.boots[1]
    assert [(one.size, one.sent, one.answered) for one in talk.round_trips] == [
        (size, 10, 10) for size in pinging.SIZES
    ]
    assert all(0 < one.p50 <= one.p90 <= one.p99 for one in talk.round_trips)
    assert talk.load is not None
    assert talk.load.answered == talk.load.sent > 0
    assert talk.load.device["frames"] > talk.load.sent
    assert max(one.severity for one in diagnose(measured)) is Severity.REMARK


async def test_a_line_over_a_network_is_measured_as_well() -> None:
    """What does not apply is left out."""
    async with simulated(TCP) as (_simulation, url):
        measured = await examine(url, addr=2, baudrate=BAUDRATE)
    assert (measured.kind, measured.access, measured.adapter) == ("network", None, None)
    assert talk_of(measured).addr == 2


async def test_throughput_is_held_to_the_wires_limit() -> None:
    """On a paced line several pings under way fill most of it."""
    async with simulated(f"{MOTOR}[[port.fault]]\nbaudrate = {BAUDRATE}\n") as (_simulation, url):
        measured = await examine(url, addr=2, baudrate=BAUDRATE)
    load = talk_of(measured).load
    assert load is not None
    assert 0.5 * measured.limit < load.rate < 1.1 * measured.limit


async def test_a_restart_at_opening_is_noticed() -> None:
    """As by DTR: the boot counter grows when the port is opened again."""
    async with simulated(MOTOR) as (simulation, url):

        def restart(step: str) -> None:
            if "again" in step:
                simulation.reboot("dev")

        measured = await examine(url, baudrate=BAUDRATE, tell=restart)
    boots = talk_of(measured).boots
    assert boots is not None
    assert boots[1] == boots[0] + 1
    assert "reset" in {one.topic for one in diagnose(measured)}


async def test_damage_is_told_by_direction() -> None:
    """The two ledgers tell where bits were flipped."""
    faults = '[[port.fault]]\ndirection = "{}"\nbit_errors = 0.0004\nstart = 0\n'
    for direction, topic in (("to_host", "damage to host"), ("to_device", "damage to device")):
        async with simulated(MOTOR + faults.format(direction)) as (_simulation, url):
            measured = await examine(url, addr=2, baudrate=BAUDRATE)
        worse = {one.topic for one in diagnose(measured) if one.severity > Severity.REMARK}
        assert topic in worse
        assert "losses" in worse
        assert worse <= {topic, "losses", "round trips"}


async def test_another_address_is_found_where_the_given_one_is_silent() -> None:
    """The user has the wrong one."""
    async with simulated(MOTOR) as (_simulation, url):
        measured = await examine(url, addr=9, baudrate=BAUDRATE)
    assert (talk_of(measured).addr, talk_of(measured).others) == (None, (2,))


async def test_frames_that_come_unasked_are_heard() -> None:
    """A device beyond the first addresses reports by itself."""
    async with simulated(WEATHER) as (_simulation, url):
        measured = await examine(url, baudrate=BAUDRATE)
    assert talk_of(measured).frames > 0
    assert talk_of(measured).others == (40,)
    assert diagnose(measured)[0].topic == "silent"


@contextmanager
def answering(device: PtyDevice, words: bytes) -> Iterator[None]:
    """Have a device say the same to whatever it hears first."""
    loop, master = asyncio.get_running_loop(), device._master

    def answer() -> None:
        os.read(master, 4_096)
        loop.remove_reader(master)
        device.write(words)

    loop.add_reader(master, answer)
    try:
        yield
    finally:
        loop.remove_reader(master)


async def test_bytes_that_are_no_frames_are_heard(tmp_path: Path) -> None:
    """A wrong baud rate, or another format."""
    with PtyDevice(tmp_path) as device, answering(device, b"\xf8\x80" * 20):
        measured = await examine(str(device.path), baudrate=BAUDRATE)
    assert (talk_of(measured).heard, talk_of(measured).frames) == (40, 0)
    assert "framelink detect" in diagnose(measured)[0].fix


async def test_silence_is_a_finding_and_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    """Nobody is there."""
    with PtyDevice(tmp_path) as device:
        began = asyncio.get_running_loop().time()
        measured = await examine(str(device.path), addr=1, baudrate=BAUDRATE)
        assert asyncio.get_running_loop().time() - began < 5
    assert talk_of(measured) == Talk(asked=1)


async def test_our_own_frames_are_known_as_an_echo() -> None:
    """TX on RX, here by a line that gives everything back."""
    measured = await examine("loop://", addr=1, baudrate=BAUDRATE)
    assert talk_of(measured).echo
    assert "TX is tied to RX" in diagnose(measured)[0].fix


async def test_a_device_that_vanishes_meanwhile_ends_the_examination() -> None:
    """What was measured before is kept."""
    async with simulated(MOTOR) as (simulation, url):

        def unplug(step: str) -> None:
            if "one after the other" in step:
                simulation.unplug("dev")

        measured = await examine(url, baudrate=BAUDRATE, tell=unplug)
    assert talk_of(measured).addr == 2
    assert "not sent" in talk_of(measured).broken
    assert [one.topic for one in diagnose(measured) if one.severity is Severity.FAULT] == ["broken"]


async def test_a_port_that_does_not_exist_is_a_finding(tmp_path: Path) -> None:
    """Not an error."""
    measured = await examine(str(tmp_path / "none"), baudrate=BAUDRATE)
    assert measured.fault
    assert [one.topic for one in diagnose(measured) if one.severity is Severity.FAULT] == ["missing"]


async def test_a_port_that_another_program_holds_is_a_finding(tmp_path: Path) -> None:
    """It is named, with its process."""
    machine = machine_in(tmp_path)
    with PtyDevice(tmp_path) as device:
        run_process(machine, 4711, "minicom", os.path.realpath(device.path))
        measured = await examine(str(device.path), addr=1, baudrate=BAUDRATE, machine=machine)
    assert "minicom (process 4711)" in " ".join(one.seen for one in diagnose(measured))


@pytest.mark.parametrize("url", ["socket://127.0.0.1:{port}", "nonsense://x", "socket://", "usb:0:0", ""])
async def test_a_line_that_cannot_be_opened_is_a_finding(url: str, tmp_path: Path) -> None:
    """Whatever the reason, it is told, and nothing is raised."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    measured = await examine(
        url.format(port=port), baudrate=BAUDRATE, machine=Machine(tmp_path / "sys", tmp_path / "proc")
    )
    assert measured.fault
    assert diagnose(measured)[0].severity is Severity.FAULT


async def test_a_device_without_addresses_is_talked_to(tmp_path: Path) -> None:
    """A variant of the frame that has only commands: there is nobody else to ask."""
    format = FrameFormat(fields=("cmd", "len"))
    with PtyDevice(tmp_path) as device:
        answer = encode(Frame(0, 0x82, b"\x01\x05\x00\x01\x00\x01\x00\x00name"), format)
        with answering(device, answer):
            measured = await examine(str(device.path), baudrate=BAUDRATE, format=format)
    assert talk_of(measured).addr == 0
    assert talk_of(measured).name == "name"


def test_percentiles_are_values_that_were_measured() -> None:
    """The smallest that so many do not exceed."""
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, share) for share in (0.2, 0.5, 0.9, 0.99)] == [1.0, 3.0, 5.0, 5.0]
    assert percentile([], 0.5) == 0.0
