"""Simulations on real virtual ports, talked to over real links."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

import framelink
from firmware_sim import (
    DeviceEntry,
    EventEntry,
    Fault,
    MemoryPort,
    PortEntry,
    PtyPort,
    Scenario,
    Simulation,
    ports,
    schema_of,
)
from framelink.errors import ConfigError, LinkTimeout
from framelink.link import AsyncLink, LinkState
from framelink.message import Message
from framelink.wire import Frame
from tests.support.pty_device import DEADLINE

PING = Frame(1, 0x01, b"hello")
PONG = Frame(1, 0x81, b"hello")
KINDS = ["pty", "tcp", "memory"]


def scenario(kind: Any = "pty", *, fault: Fault | None = None, period: int = 0, **more: Any) -> Scenario:
    """Return one weather node on one line."""
    device = DeviceEntry(model="weather", addr=1, period=period)
    entry = PortEntry(name="node", kind=kind, device=[device], fault=[fault] if fault else [], **more)
    return Scenario(seed=3, port=[entry])


def link_to(simulation: Simulation) -> AsyncLink:
    """Return a link to the only port of a simulation."""
    port = simulation.port("node")
    return framelink.connect(port.opener if isinstance(port, MemoryPort) else port.url)


async def asks(link: AsyncLink) -> Frame:
    """Ping the device until it answers: what was on its way when the line broke is lost."""
    return await framelink.request(link, PING, timeout=1.0, retries=9)


@pytest.mark.parametrize("kind", KINDS)
async def test_devices_answer_on_every_kind_of_port(kind: str, tmp_path: Path) -> None:
    """And go on after being unplugged and replugged."""
    running = Simulation(scenario(kind, period=100), link=tmp_path / "dev" if kind == "pty" else None)
    async with running as simulation, link_to(simulation) as link:
        assert await asks(link) == PONG
        lost = asyncio.Event()
        link.watch(lambda change: lost.set() if change.state is LinkState.LOST else None)
        simulation.unplug("node")
        await asyncio.wait_for(lost.wait(), DEADLINE)
        await simulation.replug("node")
        await link.wait_connected(DEADLINE)
        assert await asks(link) == PONG
        assert (await link.receive(DEADLINE)).addr == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_port_that_is_unplugged_cannot_be_opened(kind: str, tmp_path: Path) -> None:
    """A link waits for it."""
    async with Simulation(scenario(kind), link=tmp_path / "dev" if kind == "pty" else None) as simulation:
        simulation.unplug("node")
        simulation.unplug("node")
        link = link_to(simulation)
        link.start()
        with pytest.raises(LinkTimeout):
            await link.wait_connected(0.2)
        await simulation.replug("node")
        await link.wait_connected(DEADLINE)
        await link.close()


async def test_a_second_host_is_refused_in_memory_and_replaces_the_first_on_tcp() -> None:
    """As a serial port would, and as a dead TCP peer must not block the next."""
    async with Simulation(scenario("memory")) as simulation, link_to(simulation):
        second = link_to(simulation)
        second.start()
        with pytest.raises(LinkTimeout, match="in use"):
            await second.wait_connected(0.1)
        await second.close()
    async with Simulation(scenario("tcp")) as simulation:
        first = link_to(simulation)
        lost = asyncio.Event()
        first.watch(lambda change: lost.set() if change.state is LinkState.LOST else None)
        async with first, link_to(simulation) as second:
            await asyncio.wait_for(lost.wait(), DEADLINE)
            await first.close()
            assert await asks(second) == PONG


async def test_stable_names_appear_and_vanish_with_the_simulation(tmp_path: Path) -> None:
    """The first port has the name itself, the others have it with their own behind."""
    name = tmp_path / "dev"
    async with Simulation(scenario(), link=name) as simulation:
        assert simulation.urls == {"node": str(name)}
        assert name.is_symlink()
        async with framelink.connect(str(name)) as link:
            assert await asks(link) == PONG
    assert list(tmp_path.iterdir()) == []
    device = [DeviceEntry(model="motor", addr=9)]
    two = Scenario(port=[PortEntry(name="a", device=device), PortEntry(name="b", device=device)])
    async with Simulation(two, link=name) as simulation:
        assert set(simulation.urls.values()) == {str(name), str(tmp_path / "dev-b")}
        assert [one.name for one in simulation.devices("a")] == ["motor"]


async def test_a_name_is_taken_over_from_a_dead_process_only(tmp_path: Path) -> None:
    """A living owner and a foreign file are left alone, and told of."""
    name = tmp_path / "dev"
    name.symlink_to("/dev/pts/99999")  # what a killed simulation leaves behind
    async with Simulation(scenario(), link=name):
        assert str(name.readlink()) != "/dev/pts/99999"
        with pytest.raises(ConfigError, match="belongs to another simulation that still runs"):
            await Simulation(scenario(), link=name).__aenter__()
        assert name.is_symlink()
    name.write_text("precious")
    with pytest.raises(ConfigError, match="exists and is no link of ours"):
        await Simulation(scenario(), link=name).__aenter__()
    with pytest.raises(ConfigError, match="cannot make"):
        await Simulation(scenario(), link=tmp_path / "no" / "folder").__aenter__()
    assert name.read_text() == "precious"


async def test_a_name_needs_a_pty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP ports have none; a system without ptys says what to do."""
    with pytest.raises(ConfigError, match="port 'node' is of kind tcp and has no path"):
        Simulation(scenario("tcp"), link=tmp_path / "dev")
    monkeypatch.delattr(os, "openpty")
    with pytest.raises(ConfigError, match="this system has no pseudo-terminals; use ports of kind tcp"):
        await Simulation(scenario("pty")).__aenter__()
    async with Simulation(scenario(None)) as simulation:
        assert simulation.urls["node"].startswith("socket://")


async def test_events_of_a_scenario_happen_in_their_time() -> None:
    """The device is unplugged, replugged and rebooted, once in mid-frame; the boot counter tells."""
    events = [
        EventEntry(at=0.15, action="replug"),
        EventEntry(at=0.1, action="unplug"),
        EventEntry(at=0.2, action="reboot"),
        EventEntry(at=0.25, action="cut_reboot"),
    ]
    async with Simulation(scenario("tcp", event=events)) as simulation, link_to(simulation) as link:
        schema = schema_of("weather")
        boots = 0
        while boots < 2:
            reply = await framelink.request(link, schema.encode(1, "identify"), timeout=1.0, retries=9)
            message = schema.decode(reply)
            assert isinstance(message, Message)
            boots = int(str(message.fields["boots"]))
        assert boots == 2
        assert link.stats.reconnects == 1


async def test_a_reboot_in_mid_frame_leaves_half_a_frame_on_the_line() -> None:
    """It is noise to the host, and the frames after it are whole."""
    async with Simulation(scenario("memory", period=50)) as simulation, link_to(simulation) as link:
        await link.receive(DEADLINE)
        while not link.ledger.noise_bytes:
            simulation.reboot("node", in_mid_frame=True)
            await link.receive(DEADLINE)
        assert await asks(link) == PONG


async def test_frames_survive_a_noisy_line_between_the_damaged_ones() -> None:
    """Retries get every request through; the ledgers on both sides account for the noise."""
    noisy = Fault(bit_errors=0.002, lost=0.002, added=0.002)
    async with Simulation(scenario(fault=noisy)) as simulation, link_to(simulation) as link:
        for n in range(40):
            ping = Frame(1, 0x01, bytes([n]) * 10)
            assert (await framelink.request(link, ping, timeout=0.3, retries=20)).data == ping.data
        ledger = link.ledger
        assert ledger.noise_bytes > 0
        assert ledger.delivered + ledger.noise_bytes + ledger.pending == ledger.received


@pytest.mark.parametrize("kind", KINDS)
async def test_bytes_that_no_host_reads_are_dropped_and_counted(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a real line; the device goes on."""
    for module in ("pty_port", "tcp_port", "memory_port"):
        monkeypatch.setattr(f"firmware_sim.{module}.BACKLOG_BYTES", 1_000)
    async with Simulation(scenario(kind)) as simulation:
        port = simulation.port("node")
        while not port.dropped:
            port.write(bytes(600))
        assert port.dropped >= 600
        async with link_to(simulation) as link:
            assert await asks(link) == PONG


async def test_a_host_that_reads_late_gets_what_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pty's backlog is written when there is room again."""
    monkeypatch.setattr("firmware_sim.pty_port.BACKLOG_BYTES", 200_000)
    received = bytearray()
    port = PtyPort()
    await port.open(received.extend)
    host = os.open(port.url, os.O_RDWR | os.O_NOCTTY)
    port.write(bytes(100_000))
    heard = 0
    while heard < 100_000:
        heard += len(await asyncio.to_thread(os.read, host, 65_536))
    os.write(host, b"thanks")
    while received != b"thanks":
        await asyncio.sleep(0.001)
    os.close(host)
    port.close()
    assert port.dropped == 0
    assert ports.BACKLOG_BYTES == 65_536


async def test_a_memory_line_pauses_and_reads_on() -> None:
    """What comes meanwhile waits, bounded."""
    port = MemoryPort()
    await port.open(lambda _data: None)
    async with framelink.connect(port.opener) as link:
        assert link.low_latency is True
        end = link._port
        assert end is not None
        end.pause()
        port.write(b"\x55")
        assert end.waiting()
        end.resume()
        while link.ledger.received < 1:
            await asyncio.sleep(0)
        end.watch_writable()
        assert end.unsent() == 0
    port.write(b"nobody")
    assert port.dropped == 6
    port.close()
