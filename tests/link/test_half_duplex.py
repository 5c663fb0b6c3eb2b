"""Half-duplex lines: nobody talks at the same time, pauses are kept, the echo is nobody's."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
import serial
from serial.rs485 import RS485Settings

from framelink.device import request
from framelink.errors import FormatError, LinkOpenError
from framelink.link import HalfDuplex, Lane, connect
from framelink.link.sending import Sending
from framelink.wire import Frame, encode
from tests.link.helpers import FRAME, OTHER, HeldPort, until_true
from tests.link.uart import OnWire, Uart
from tests.support import virtual_time
from tests.support.pty_device import DEADLINE, PtyDevice
from tests.support.rs485_bus import Rs485Bus

ADDRESSES = (1, 2, 7)
TURNAROUND = 0.003
ROUNDS = 10
BYTE_TIME = 10 / 115_200
ROUNDING = 1e-5


def sending_on(port: Any, half_duplex: HalfDuplex, baudrate: int = 115_200) -> Sending:
    """Return the sending side of a link on a port, in the running loop."""
    sending = Sending(lambda work, *arguments: work(*arguments), pytest.fail, half_duplex)
    sending.attach(asyncio.get_running_loop(), port, baudrate)
    return sending


async def test_nobody_ever_talks_at_the_same_time() -> None:
    """Many ask many devices at once; the bus sees one transaction after the other, with the gap between."""
    wires = HalfDuplex(turnaround=TURNAROUND, echo=True)
    async with (
        Rs485Bus(ADDRESSES, gap=TURNAROUND) as bus,
        connect(bus.path, half_duplex=wires) as link,
    ):
        asked = [Frame(addr, 0x20, bytes([n])) for n in range(ROUNDS) for addr in ADDRESSES]
        replies = await asyncio.gather(*(request(link, one, timeout=DEADLINE) for one in asked))
        assert [reply.data for reply in replies] == [one.data for one in asked]
        assert (bus.overlaps, bus.hasty, bus.answered) == (0, 0, len(asked))
        stats = link.stats
        assert (stats.echo_discarded, stats.echo_mismatches) == (stats.bytes_sent, 0)
        assert stats.ledger.noise_bytes == 0
        assert stats.frames_received == len(asked)


def test_frames_of_all_lanes_keep_the_gap() -> None:
    """What is sent without waiting for an answer does too; control frames go first."""

    async def work() -> list[OnWire]:
        port = Uart(BYTE_TIME)
        sending = sending_on(port, HalfDuplex(turnaround=TURNAROUND))
        for number in range(ROUNDS):
            for lane in reversed(Lane):
                sending.transmitter.offer(bytes([lane, number]) * 10, lane)
        assert not sending.transmitter.idle
        while not sending.transmitter.idle:
            await asyncio.sleep(TURNAROUND)
        return port.log

    log = virtual_time.run(work())
    for before, after in itertools.pairwise(log):
        assert after.begins - before.ends >= TURNAROUND - ROUNDING
    order = [one.data[0] for one in log]
    assert order[0] == Lane.BULK, "it came first, and nothing was before it"
    assert order[1:] == sorted(order[1:])


async def test_a_line_without_echo_loses_nothing() -> None:
    """The missing echoes are counted, so that one sees that the setting is wrong."""
    async with (
        Rs485Bus(ADDRESSES, echo=False) as bus,
        connect(bus.path, half_duplex=HalfDuplex(echo=True)) as link,
    ):
        for number in range(ROUNDS):
            reply = await request(link, Frame(1, 0x20, bytes([number])), timeout=DEADLINE)
            assert reply.data == bytes([number])
        assert (link.stats.echo_discarded, link.stats.echo_mismatches) == (0, ROUNDS)


async def test_an_echo_that_a_collision_damaged_is_noise() -> None:
    """The reply behind it is received, and the collision counted."""
    async with (
        Rs485Bus(ADDRESSES) as bus,
        connect(bus.path, half_duplex=HalfDuplex(echo=True)) as link,
    ):
        bus.damage = lambda data: data[:4] + bytes([data[4] ^ 0xFF]) + data[5:]
        assert (await request(link, Frame(1, 0x20), timeout=DEADLINE)).cmd == 0xA0
        assert link.stats.echo_mismatches == 1
        assert link.ledger.noise_bytes == len(encode(Frame(1, 0x20)))
        bus.damage = lambda data: data
        await request(link, Frame(1, 0x20), timeout=DEADLINE)
        assert link.stats.echo_mismatches == 1


async def test_an_echo_in_another_connection_is_not_expected(tmp_path: Path) -> None:
    """A line that breaks before the echo came takes it along."""
    with PtyDevice(tmp_path) as device:
        async with connect(device.path, half_duplex=HalfDuplex(echo=True)) as link:
            await link.send(FRAME)
            assert await asyncio.to_thread(device.read, 12) == encode(FRAME)
            device.unplug()
            await until_true(lambda: link.state.value != "connected")
            device.plug()
            await link.wait_connected(DEADLINE)
            device.write(encode(OTHER))
            assert await link.receive(DEADLINE) == OTHER
            assert link.stats.echo_mismatches == 0


def test_the_gap_counts_from_the_last_byte_whoever_sent_it() -> None:
    """Our own, by the line's rate, and those that were received."""

    async def work() -> list[float]:
        port = Uart(0.001)
        sending = sending_on(port, HalfDuplex(turnaround=0.5))
        listen = sending.listening(lambda _chunk: None)
        await asyncio.sleep(1)
        sending.transmitter.offer(bytes(100), Lane.NORMAL)  # 1.0 to 1.1
        sending.transmitter.offer(bytes(100), Lane.CONTROL)  # 1.6 to 1.7
        await asyncio.sleep(1)
        listen(b"x")  # at 2.0
        sending.transmitter.offer(bytes(1), Lane.NORMAL)
        await asyncio.sleep(1)
        return [one.written for one in port.log]

    assert virtual_time.run(work()) == pytest.approx([1.0, 1.6, 2.5], abs=1e-3)


def test_a_network_line_goes_by_the_rate_of_the_wires_behind_it() -> None:
    """Which the user gave, since the network has none."""

    async def work() -> list[float]:
        port = Uart(0.0)
        sending = sending_on(port, HalfDuplex(), baudrate=1_000)
        for _frame in range(3):
            sending.transmitter.offer(bytes(100), Lane.NORMAL)
        await asyncio.sleep(3)
        return [one.written for one in port.log]

    assert virtual_time.run(work()) == pytest.approx([0.0, 1.0, 2.0], abs=1e-3)


@pytest.mark.parametrize("turnaround", [-0.001, 1.5, float("nan")])
def test_a_gap_that_cannot_be_is_refused(turnaround: float) -> None:
    """The message says what can."""
    with pytest.raises(FormatError, match="turnaround must be 0 to 1 seconds"):
        HalfDuplex(turnaround=turnaround)


async def test_the_drivers_mode_is_set_where_there_is_one(
    device: PtyDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With RTS high for what is sent, as adapters are wired."""
    settings: list[RS485Settings] = []
    monkeypatch.setattr(serial.Serial, "_set_rs485_mode", lambda _self, one: settings.append(one))
    async with connect(device.path):
        assert not settings
    async with connect(device.path, half_duplex=HalfDuplex(driver=True)):
        assert settings[0].rts_level_for_tx is True
        assert settings[0].rts_level_for_rx is False


@pytest.mark.parametrize("url", [None, "loop://"])
async def test_a_driver_without_the_mode_is_no_passing_fault(device: PtyDevice, url: str | None) -> None:
    """One line says what to do, and the port is given back."""
    with pytest.raises(LinkOpenError, match="has no RS-485 mode; leave `driver` off if the adapter switches"):
        async with connect(url or device.path, half_duplex=HalfDuplex(driver=True)):
            pass
    async with connect(device.path):
        pass


def test_an_opener_of_ones_own_has_no_driver_to_set() -> None:
    """It says so before anything is opened."""
    opener: Any = HeldPort()
    with pytest.raises(TypeError, match="settings of its own"):
        connect(opener, half_duplex=HalfDuplex(driver=True))
