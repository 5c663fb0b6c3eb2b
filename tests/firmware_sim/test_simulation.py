"""Simulations on real virtual ports, talked to over real links."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import Any

import msgspec
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
from framelink.wire import Frame, Ledger, Receiver, encode
from tests.support.pty_device import DEADLINE
from tests.support.virtual_time import run

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


class Host:
    """The host's end of a simulation's only port, in memory: keeps what it is handed, piece by piece."""

    def __init__(self, simulation: Simulation) -> None:
        port = simulation.port("node")
        assert isinstance(port, MemoryPort)
        self.pieces: list[bytes] = []
        self._end = port.opener.open()
        self._end.start(asyncio.get_running_loop(), self)

    def received(self, data: bytes) -> None:
        """Take a piece."""
        self.pieces.append(data)

    def lost(self, reason: str) -> None:
        """Take the news that the port has gone."""

    def send(self, frame: Frame) -> None:
        """Write a frame, and no more: whoever wants the answer lets time pass."""
        self._end.write(encode(frame))

    def frames(self) -> list[Frame]:
        """Return the frames so far."""
        return Receiver().feed(b"".join(self.pieces))


def record(scenario: Scenario, seconds: float, *, clock: float = 0.0) -> bytes:
    """Return what a host hears of a scenario, on a loop whose clock begins at `clock`."""

    async def listen() -> bytes:
        async with Simulation(scenario) as simulation:
            host = Host(simulation)
            await asyncio.sleep(seconds)
            return b"".join(host.pieces)

    return run(listen(), clock=clock)


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


async def test_what_is_not_ours_at_a_names_place_is_never_touched(tmp_path: Path) -> None:
    """A link of the user's, and whatever takes the name's place while the simulation runs."""
    name, real = tmp_path / "dev", tmp_path / "real"
    real.write_text("precious")
    for target in (real, tmp_path / "nothing"):
        name.symlink_to(target)
        with pytest.raises(ConfigError, match="exists and is no link of ours"):
            await Simulation(scenario(), link=name).__aenter__()
        assert name.readlink() == target
        name.unlink()
    async with Simulation(scenario(), link=name) as simulation:
        name.unlink()
        name.mkdir()
        simulation.unplug("node")
        with pytest.raises(ConfigError, match="exists and is no link of ours"):
            await simulation.replug("node")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["dev", "real"]
    assert real.read_text() == "precious"


@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_name_must_be_a_files(path: str) -> None:
    """A folder's path is none."""
    with pytest.raises(ConfigError, match="cannot be a link; name a file, such as /tmp/dev"):
        Simulation(scenario(), link=Path(path))


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
        while boots < 3:
            reply = await framelink.request(link, schema.encode(1, "identify"), timeout=1.0, retries=9)
            message = schema.decode(reply)
            assert isinstance(message, Message)
            boots = int(str(message.fields["boots"]))
        assert boots == 3
        assert link.stats.reconnects == 1


def test_the_same_scenario_does_the_same_again_at_any_time() -> None:
    """Values, noise and damage: whenever it is run; another seed does something else."""
    faulty = scenario("memory", period=100, fault=Fault(bit_errors=0.01, lost=0.01))
    first = record(faulty, 3.0)
    assert len(first) > 400
    assert record(faulty, 3.0, clock=12_345.678) == first
    assert record(msgspec.structs.replace(faulty, seed=4), 3.0) != first


@pytest.mark.parametrize(("period", "reports"), [(0, 0), (40, 1)])
def test_devices_are_rebooted_in_mid_frame_by_an_event(period: int, reports: int) -> None:
    """Half a report is left of those that report; silent ones are just rebooted, and events go on."""
    events = [EventEntry(at=0.05, action="cut_reboot"), EventEntry(at=0.07, action="reboot")]

    async def listen() -> tuple[int, Receiver]:
        async with Simulation(scenario("memory", period=period, event=events)) as simulation:
            host, receiver = Host(simulation), Receiver()
            await asyncio.sleep(0.1)
            host.send(Frame(1, 0x02))
            await asyncio.sleep(0.001)
            frames = receiver.feed(b"".join(host.pieces))
            return frames[-1].data[1], receiver

    boots, receiver = run(listen())
    assert boots == 3
    assert receiver.ledger.noise_bytes == reports * 8
    assert receiver.ledger.frames == 1 + reports


def test_a_reboot_in_mid_frame_cuts_what_a_silent_device_is_sending() -> None:
    """The latter half of a reply on a slow line never comes."""

    async def listen() -> bytes:
        slow = Fault(baudrate=1_000)
        async with Simulation(scenario("memory", fault=slow)) as simulation:
            host = Host(simulation)
            host.send(PING)
            await asyncio.sleep(0.2)
            simulation.reboot("node", in_mid_frame=True)
            await asyncio.sleep(5)
            return b"".join(host.pieces)

    heard = run(listen())
    assert 0 < len(heard) < len(encode(PONG))
    assert encode(PONG).startswith(heard)


async def test_an_event_that_fails_is_told_and_the_others_happen(caplog: pytest.LogCaptureFixture) -> None:
    """A TCP port that somebody else has taken meanwhile cannot come back; once it is free, it can."""
    events = [EventEntry(at=0.05, action="replug"), EventEntry(at=0.05, action="reboot")]
    async with Simulation(scenario("tcp", event=events)) as simulation:
        simulation.unplug("node")
        number = int(simulation.urls["node"].rpartition(":")[2])
        with socket.create_server(("127.0.0.1", number)), caplog.at_level(logging.WARNING):
            async with asyncio.timeout(DEADLINE):
                while _boots(simulation) < 2:
                    await asyncio.sleep(0)
        await simulation.replug("node")
        async with link_to(simulation) as link:
            assert await asks(link) == PONG
    (record,) = caplog.records
    assert record.getMessage().startswith("port node: replug failed: ")
    assert "\n" not in record.getMessage()


def _boots(simulation: Simulation) -> int:
    (device,) = simulation.devices("node")
    (answer,) = device.feed(encode(Frame(1, 0x02)), 0.0)
    return answer[6]


def test_a_host_reads_a_chunked_line_in_its_chunks() -> None:
    """One byte at a time is what it says, at the host's end too."""

    async def listen() -> list[bytes]:
        async with Simulation(scenario("memory", fault=Fault(chunk=1))) as simulation:
            host = Host(simulation)
            host.send(PING)
            await asyncio.sleep(1)
            return host.pieces

    pieces = run(listen())
    assert b"".join(pieces) == encode(PONG)
    assert {len(one) for one in pieces} == {1}


async def test_a_chunked_line_is_read_in_many_pieces_from_the_operating_system() -> None:
    """Should it put some together, that is its own affair."""
    loop = asyncio.get_running_loop()
    async with Simulation(scenario("pty", fault=Fault(chunk=1))) as simulation:
        pieces: list[bytes] = []
        host = os.open(simulation.urls["node"], os.O_RDWR | os.O_NOCTTY)
        loop.add_reader(host, lambda: pieces.append(os.read(host, 1_000)))
        os.write(host, encode(PING))
        async with asyncio.timeout(DEADLINE):
            while b"".join(pieces) != encode(PONG):
                await asyncio.sleep(0)
        loop.remove_reader(host)
        os.close(host)
    assert len(pieces) > len(encode(PONG)) / 2


@pytest.mark.parametrize("baudrate", [110, 300, 2_400])
def test_frames_get_through_a_line_of_any_pace(baudrate: int) -> None:
    """Both ways: no piece takes so long that the device gives a frame up."""
    ping = Frame(1, 0x01, bytes(range(40)))

    async def ask() -> Host:
        async with Simulation(scenario("memory", fault=Fault(baudrate=baudrate))) as simulation:
            host = Host(simulation)
            host.send(ping)
            await asyncio.sleep(20)
            return host

    assert run(ask()).frames() == [Frame(1, 0x81, ping.data)]


def test_bytes_that_a_slow_line_has_no_room_for_are_the_devices_overruns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It can be asked for them."""
    monkeypatch.setattr("firmware_sim.faults.MAX_WAITING", 100)

    async def ask() -> Host:
        slow = Fault(direction="to_device", baudrate=1_000, stop=1.0)
        async with Simulation(scenario("memory", fault=slow)) as simulation:
            host = Host(simulation)
            for _ in range(3):
                host.send(Frame(1, 0x01, bytes(91)))
            await asyncio.sleep(5)
            host.send(Frame(1, 0x06))
            await asyncio.sleep(1)
            return host

    ledger = schema_of("weather").decode(run(ask()).frames()[-1])
    assert isinstance(ledger, Message)
    assert (ledger.fields["frames"], ledger.fields["overruns"]) == (2, 200)


def test_faults_towards_the_device_are_noise_in_its_ledger_alone() -> None:
    """What comes back is clean."""

    async def ask() -> tuple[Host, Receiver]:
        added = Fault(direction="to_device", added=0.5, stop=1.0)
        async with Simulation(scenario("memory", fault=added)) as simulation:
            host, receiver = Host(simulation), Receiver()
            host.send(PING)
            await asyncio.sleep(2)
            host.send(Frame(1, 0x06))
            await asyncio.sleep(1)
            return host, receiver

    host, receiver = run(ask())
    (ledger,) = map(schema_of("weather").decode, receiver.feed(b"".join(host.pieces)))
    assert isinstance(ledger, Message)
    noise = [ledger.fields[reason] for reason in ("noise", "length", "tail", "check", "timeout")]
    assert sum(int(str(one)) for one in noise) > len(encode(PING))
    assert receiver.ledger.noise_bytes == 0


def test_a_simulation_that_was_closed_does_nothing_more() -> None:
    """Also with a host's bytes on their way, and while its cable is being plugged in."""

    async def close_early() -> None:
        async with Simulation(scenario("memory", period=100)) as simulation:
            host = Host(simulation)
            simulation.unplug("node")
            replugging = asyncio.ensure_future(simulation.replug("node"))
            host.send(PING)
        await replugging
        await asyncio.sleep(10)
        assert host.pieces == []
        assert simulation._lines["node"]._timer is None

    run(close_early())


async def test_a_reboot_in_mid_frame_leaves_half_a_frame_on_the_line() -> None:
    """It is noise to the host, and the frames after it are whole."""
    async with Simulation(scenario("memory", period=50)) as simulation, link_to(simulation) as link:
        await link.receive(DEADLINE)
        while not link.ledger.noise_bytes:
            simulation.reboot("node", in_mid_frame=True)
            await link.receive(DEADLINE)
        assert await asks(link) == PONG


def test_frames_survive_a_noisy_line_between_the_damaged_ones() -> None:
    """Retries get every request through; the ledger accounts for the noise."""
    noisy = Fault(bit_errors=0.002, lost=0.002, added=0.002)

    async def ask() -> Ledger:
        async with Simulation(scenario("memory", fault=noisy)) as simulation, link_to(simulation) as link:
            for n in range(40):
                ping = Frame(1, 0x01, bytes([n]) * 10)
                assert (await framelink.request(link, ping, timeout=0.3, retries=20)).data == ping.data
            return link.ledger

    ledger = run(ask())
    assert ledger.noise_bytes > 0
    assert ledger.delivered + ledger.noise_bytes + ledger.pending == ledger.received


@pytest.mark.parametrize("kind", KINDS)
async def test_bytes_that_no_host_reads_are_dropped_and_counted(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a real line; the device goes on."""
    for module in ("backlog", "tcp_port", "memory_port"):
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
    monkeypatch.setattr("firmware_sim.backlog.BACKLOG_BYTES", 200_000)
    monkeypatch.setattr("firmware_sim.backlog.BACKLOG_AGE", 60.0)
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
