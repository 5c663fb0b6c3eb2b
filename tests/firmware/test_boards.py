"""One suite for every motor controller: the simulated device, and the C firmware on each board."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import framelink
from firmware_sim import DeviceEntry, PortEntry, Scenario, Simulation, schema_of
from firmware_sim.board import Board
from firmware_sim.board_kind import KINDS
from framelink import AsyncLink
from framelink.errors import RequestRefused
from framelink.link import LinkState
from framelink.message import Message, RefusalCode
from framelink.wire import Frame, encode
from tests.support.pty_device import DEADLINE

SIMULATED = "simulated"
UNPACED = " without pace"
SUBJECTS = [SIMULATED, *KINDS]
HAVE_FLOW_CONTROL = (SIMULATED, "posix")
MOTOR = schema_of("motor")
PING = Frame(1, 0x01, b"\x55\xaa\x00hello")
PONG = Frame(1, 0x81, PING.data)
IDENTIFY, LEDGER = Frame(1, 0x02), Frame(1, 0x06)
EVENT = 0x20
PATIENCE, RETRIES = 0.5, 20
"""How requests are sent: a busy computer may stop an emulator in mid-frame for longer than a frame may pause."""


@dataclass(frozen=True)
class Subject:
    """A motor controller that runs, under a stable name.

    Attributes:
        url: What a link opens.
        reset: Restarts it.
        unplug: Pulls its cable.
        replug: Plugs it in again.
    """

    url: str
    reset: Callable[[], Awaitable[None]]
    unplug: Callable[[], Awaitable[None]]
    replug: Callable[[], Awaitable[None]]


@asynccontextmanager
async def running(name: str, folder: Path) -> AsyncIterator[Subject]:
    """Run a subject for a block."""
    link = folder / "dev"
    if name == SIMULATED:
        async with simulated(link) as subject:
            yield subject
    else:
        kind = name.removesuffix(UNPACED)
        async with Board(kind, link=link, paced=kind == name) as board:
            yield Subject(board.url, board.reset, board.unplug, board.replug)


@asynccontextmanager
async def simulated(link: Path) -> AsyncIterator[Subject]:
    """Run the simulated device for a block."""
    device = DeviceEntry(model="motor", addr=1, period=200)
    async with Simulation(Scenario(port=[PortEntry(name="m", device=[device])]), link=link) as simulation:

        async def reset() -> None:
            simulation.reboot("m")

        async def unplug() -> None:
            simulation.unplug("m")

        yield Subject(simulation.urls["m"], reset, unplug, lambda: simulation.replug("m"))


@pytest.fixture(params=SUBJECTS)
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """Every motor controller in turn."""
    async with running(request.param, tmp_path) as one:
        yield one


def link_to(subject: Subject) -> AsyncLink:
    """Return a link to a subject."""
    return framelink.connect(subject.url)


async def ask(link: AsyncLink, name: str, **fields: object) -> Message:
    """Send a message and return its reply."""
    message = MOTOR.decode(await request(link, MOTOR.encode(1, name, fields)))
    assert isinstance(message, Message)
    return message


async def request(link: AsyncLink, frame: Frame) -> Frame:
    """Send a request and return its reply."""
    return await framelink.request(link, frame, timeout=PATIENCE, retries=RETRIES)


async def boots(link: AsyncLink) -> int:
    """Return how often it has started before."""
    return int(str((await ask(link, "identify")).fields["boots"]))


async def next_event(link: AsyncLink) -> Message:
    """Return the next report."""
    while True:
        message = MOTOR.decode(await link.receive(DEADLINE))
        if isinstance(message, Message) and message.kind == "event":
            return message


@asynccontextmanager
async def raw(subject: Subject) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """Open the line beside the link, for bytes that no link would send; gives what writes them."""
    line = os.open(subject.url, os.O_RDWR | os.O_NOCTTY)

    async def write(data: bytes) -> None:
        while data:
            data = data[await asyncio.to_thread(os.write, line, data) :]

    try:
        yield write
    finally:
        os.close(line)


async def test_a_request_is_answered(subject: Subject) -> None:
    """Ping with what looks like a header, and who it is."""
    async with link_to(subject) as link:
        assert await request(link, PING) == PONG
        identity = (await ask(link, "identify")).fields
        assert (identity["protocol"], identity["type"], identity["firmware"]) == (
            2,
            MOTOR.device_type,
            [1, 0, 0],
        )
        assert str(identity["name"]).startswith("motor")


async def test_parameters_are_read_and_set_and_act(subject: Subject) -> None:
    """The reply has the value in force; the motor follows it."""
    async with link_to(subject) as link:
        assert (await ask(link, "get", parameter="setpoint")).fields["value"] == 1200
        changed = await ask(link, "set", parameter="setpoint", value=-300)
        assert dict(changed.fields) == {"parameter": "setpoint", "value": -300}
        assert (await ask(link, "get", parameter="setpoint")).fields["value"] == -300
        await ask(link, "telemetry", period=20)
        while int(str((await next_event(link)).fields["speed"])) > -200:
            pass


async def test_too_much_load_trips_the_motor(tmp_path: Path) -> None:
    """On all of them, side by side, since a rotor takes its time to stop."""
    folders = [tmp_path / name for name in SUBJECTS]
    for folder in folders:
        folder.mkdir()
    await asyncio.gather(*map(trip_and_clear, SUBJECTS, folders))


async def trip_and_clear(name: str, folder: Path) -> None:
    """Clearing is refused while the rotor turns, and works afterwards."""
    names, fault = [], "none"
    async with asyncio.timeout(2 * DEADLINE), running(name, folder) as subject, link_to(subject) as link:
        await ask(link, "telemetry", period=20)
        await ask(link, "set", parameter="load", value=100)
        await ask(link, "set", parameter="setpoint", value=6000)
        while fault == "none":
            event = await next_event(link)
            names.append(event.name)
            fault = str(event.fields["fault"])
        assert fault == "overcurrent"
        with pytest.raises(RequestRefused, match="the rotor still turns") as refused:
            await ask(link, "clear_fault")
        assert refused.value.code == RefusalCode.BUSY
        while event.name == "tripped" or abs(int(str(event.fields["speed"]))) > 40:
            event = await next_event(link)
            names.append(event.name)
        await ask(link, "set", parameter="setpoint", value=0)
        await ask(link, "clear_fault")
        while (event := await next_event(link)).fields["fault"] != "none":
            pass
    if name in HAVE_FLOW_CONTROL:
        assert names.count("tripped") == 1


async def test_what_it_cannot_do_is_refused_with_a_code(subject: Subject) -> None:
    """An unknown command, a bad length, a bad value."""
    async with link_to(subject) as link:
        for cmd, data, code in (
            (0x66, b"", RefusalCode.UNKNOWN_COMMAND),
            (0x55, b"\x01", RefusalCode.UNKNOWN_COMMAND),
            (0x21, b"", RefusalCode.BAD_LENGTH),
            (0x05, b"\x01", RefusalCode.BAD_LENGTH),
            (0x03, b"\x09", RefusalCode.BAD_LENGTH),
            (0x04, b"\x02\x65", RefusalCode.BAD_VALUE),
            (0x04, b"\x01\x71\x17", RefusalCode.BAD_VALUE),
        ):
            with pytest.raises(RequestRefused) as refused:
                await request(link, Frame(1, cmd, data))
            assert refused.value.code == code
        assert await request(link, PING) == PONG


async def test_what_is_for_all_is_obeyed_and_not_answered(subject: Subject) -> None:
    """And what is for others is neither."""
    async with link_to(subject) as link:
        await link.send(MOTOR.encode(0xFF, "set", {"parameter": "load", "value": 7}))
        await link.send(MOTOR.encode(2, "set", {"parameter": "load", "value": 8}))
        answers: list[Frame] = []
        link.subscribe(lambda frame: answers.append(frame) if frame.cmd != EVENT else None)
        assert (await ask(link, "get", parameter="load")).fields["value"] == 7
        assert [one.cmd for one in answers] == [0x83]


async def test_telemetry_starts_keeps_its_period_and_stops(subject: Subject) -> None:
    """A period that is too short is raised to 10 ms."""
    loop = asyncio.get_running_loop()
    async with link_to(subject) as link:
        assert (await ask(link, "telemetry", period=1)).fields["period"] == 10
        started = loop.time()
        assert (await ask(link, "telemetry", period=40)).fields["period"] == 40
        events: list[Frame] = []
        link.subscribe(lambda frame: events.append(frame) if frame.cmd == EVENT else None)
        while len(events) < 10:
            assert (await next_event(link)).fields["setpoint"] == 1200
        assert loop.time() - started > 0.2  # a busy computer shifts single ones by half a period
        assert (await ask(link, "telemetry", period=0)).fields["period"] == 0
        events.clear()
        while loop.time() < started + 0.8:
            assert await request(link, PING) == PONG
        assert events == []


async def test_noise_before_and_inside_requests_costs_only_what_it_hit(subject: Subject) -> None:
    """Intact requests around it are answered; a damaged one is not."""
    damaged = encode(Frame(1, 0x01, b"damaged!"))
    noises = (bytes(range(40)), b"\x55", b"\x55\xaa", b"\x55\xaa\x01", damaged[:-2], b"\x55\xaa\x01\x01\xff")
    inside = [damaged[:at] + b"\x99" + damaged[at:] for at in (1, 3, 7, len(damaged) - 1)]
    answers: list[Frame] = []
    async with link_to(subject) as link, raw(subject) as write:
        link.subscribe(answers.append)
        for noise in (*noises, *inside):
            await write(noise)
            assert await request(link, PING) == PONG
        ledger = (await ask(link, "ledger")).fields
    assert all(one.data != b"damaged!" for one in answers)
    assert sum(int(str(ledger[one])) for one in ("noise", "length", "tail", "check", "timeout")) > 100


async def test_a_host_that_closes_the_port_may_come_back(subject: Subject) -> None:
    """The device has gone on meanwhile."""
    async with link_to(subject) as link:
        await ask(link, "set", parameter="load", value=42)
        before = await boots(link)
    for _ in range(3):
        async with link_to(subject) as link:
            assert (await ask(link, "get", parameter="load")).fields["value"] == 42
            assert await boots(link) == before


async def test_a_link_survives_the_cable(subject: Subject) -> None:
    """The port vanishes and comes back under its name; the device was not reset."""
    async with link_to(subject) as link:
        lost = asyncio.Event()
        link.watch(lambda change: lost.set() if change.state is LinkState.LOST else None)
        before = await boots(link)
        for _ in range(2):
            await subject.unplug()
            assert not os.path.lexists(subject.url)
            await asyncio.wait_for(lost.wait(), DEADLINE)
            lost.clear()
            await subject.replug()
            await link.wait_connected(DEADLINE)
            assert await boots(link) == before


async def test_a_reboot_in_mid_frame_is_noticed_and_overcome(subject: Subject) -> None:
    """Half a request is lost with the reboot; what follows is answered, and the boot counter tells."""
    ping = encode(PING)
    async with link_to(subject) as link, raw(subject) as write:
        for count in range(1, 4):
            before = await boots(link)
            await write(ping[: 3 * count])
            await subject.reset()
            await write(ping[3 * count :])
            assert await boots(link) == before + 1
            assert await request(link, PING) == PONG


def jog(steps: int, number: int, addr: int = 1) -> Frame:
    """Return a request to jog, with its sequence number."""
    return MOTOR.encode(addr, "jog", {"steps": steps}, sequence=number)


async def test_a_repeated_request_is_answered_and_not_carried_out_twice(subject: Subject) -> None:
    """The same number gets the same reply; the next one, and 0, and what is for all, are acted on."""
    async with link_to(subject) as link:
        await ask(link, "identify")  # forgets what an earlier host was answered
        first = await request(link, jog(5, 1))
        message = MOTOR.decode(first)
        assert isinstance(message, Message)
        assert (message.sequence, message.fields) == (1, {"position": 5, "jogs": 1})
        for _ in range(5):
            assert await request(link, jog(5, 1)) == first
        await link.send(jog(100, 1, addr=0xFF))
        assert await request(link, jog(5, 1)) == first
        last = MOTOR.decode(await request(link, jog(-7, 2)))
        assert isinstance(last, Message)
        assert last.fields == {"position": 98, "jogs": 3}
        await ask(link, "identify")
        again = MOTOR.decode(await request(link, jog(1, 2)))
        assert isinstance(again, Message)
        assert again.fields == {"position": 99, "jogs": 4}


async def test_a_device_counts_each_jog_once_and_tells_of_its_reboot(subject: Subject) -> None:
    """The host numbers its requests by itself; after a reboot the jogs begin at 1."""
    async with link_to(subject) as link:
        device = link.device(1, MOTOR)
        for count in range(1, 21):
            assert (await device.call.jog(steps=1)).fields == {"position": count, "jogs": count}
        reboots: list[object] = []
        device.on_reboot(reboots.append)
        await subject.reset()
        while not reboots:
            await device.identify()
        assert (await device.call.jog(steps=1)).fields["jogs"] == 1
        assert len(reboots) == 1


FILE_SIZE = 400
"""Bytes of which the smallest board has room for two: an old file stays until the new one is whole."""


async def test_files_come_back_as_they_were_sent(subject: Subject) -> None:
    """A newer one takes the older one's place, another does not, and a reset leaves both."""
    old, new, other = (random.Random(seed).randbytes(FILE_SIZE // seed) for seed in (1, 2, 3))
    async with link_to(subject) as link:
        device = link.device(1, MOTOR)
        await device.put("notes", old)
        assert (await device.get("notes")).data == old
        await device.put("notes", new)
        await device.put("other", other)
        await subject.reset()
        assert (await device.get("notes")).data == new
        assert (await device.get("other")).data == other
        assert {one.name: one.size for one in await device.files()} == {
            "notes": len(new),
            "other": len(other),
        }


async def test_a_transfer_goes_on_after_the_cable_and_the_device_were_lost(subject: Subject) -> None:
    """Unplugged and reset in mid-file, by what it tells of its progress; then the file is whole."""
    data = random.Random(4).randbytes(2 * FILE_SIZE)
    moved, unplugged = asyncio.Event(), asyncio.Event()
    async with link_to(subject) as link, asyncio.timeout(2 * DEADLINE):
        device = link.device(1, MOTOR)
        sending = asyncio.create_task(device.put("big", data, progress=lambda *_: moved.set()))
        await moved.wait()
        link.watch(lambda change: unplugged.set() if change.state is LinkState.LOST else None)
        await subject.unplug()
        await unplugged.wait()
        await subject.reset()
        await subject.replug()
        await sending
        assert (await device.get("big")).data == data


FLOOD = 400
"""Requests of a flood; their replies fit into the buffer that the system keeps for a host that does not read."""


@pytest.mark.parametrize("name", [*SUBJECTS, f"cortex-m3{UNPACED}"])
async def test_no_byte_of_a_flood_is_lost_unnoticed(name: str, tmp_path: Path) -> None:
    """Handled frames, counted noise and counted overruns are all the bytes that were sent."""
    wire, barrier = encode(IDENTIFY), Frame(1, 0x01)
    assert len(wire) == len(encode(LEDGER)) == len(encode(barrier))
    flood = wire * FLOOD
    async with running(name, tmp_path) as subject, raw(subject) as write:
        await write(flood)
        async with link_to(subject) as link, asyncio.timeout(2 * DEADLINE):
            counts, accounted, sent = {"overruns": 0}, -1, 0
            while accounted != sent:  # a request that had to be repeated may be under way still
                await request(link, barrier)
                counts = {key: int(str(value)) for key, value in (await ask(link, "ledger")).fields.items()}
                accounted = counts.pop("frames") * len(wire) + sum(counts.values())
                sent = len(flood) + link.stats.bytes_sent
                assert accounted <= sent
    if not name.endswith(UNPACED):  # what an emulator loses without a pace is up to the computer
        assert (counts["overruns"] == 0) == (name in HAVE_FLOW_CONTROL), counts
