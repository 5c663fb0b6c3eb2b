"""A conversation with a simulated device on a line that loses what the test says; the time is virtual."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from framelink.device import AsyncDevice, Identity
from framelink.device.round_trips import INITIAL, MARGIN, QUICK_REPEATS
from framelink.errors import FormatError, LinkClosed, RequestError, RequestRefused, RequestTimeout
from framelink.link import HalfDuplex, Lane, LinkState
from framelink.message import STANDARD, Schema
from framelink.wire import Frame
from tests.device.helpers import MOTOR, WEATHER, SimLine, motor_on, settle
from tests.support import virtual_time
from tests.support.fake_line import FakeLine, answering

NUMBERLESS = Schema.parse('[device]\nname = "plain"\n[[command]]\nid = 0x23\nname = "jog"')


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test on a clock that jumps."""
    virtual_time.run(work)


def test_a_reply_comes_as_message_or_as_frame() -> None:
    """By name with fields, by attribute, and by number with bytes, without the profile's byte."""

    async def talk() -> None:
        device = motor_on(SimLine())
        message = await device.request("jog", {"steps": 5})
        assert (message.name, message.fields) == ("jog", {"position": 5, "jogs": 1})
        assert (await device.call.jog(steps=-2)).fields["position"] == 3
        frame = await device.request(0x23, b"\x01\x00")
        assert frame == Frame(1, 0xA3, b"\x04\0\0\0\x03\0\0\0")
        assert (await device.request(0x01, b"hi")).data == b"hi"

    run(talk())


def test_the_commands_are_attributes() -> None:
    """Those that the schema has, for completion too."""
    device = motor_on(SimLine())
    assert {"jog", "clear_fault", "ping"} <= set(dir(device.call))
    with pytest.raises(AttributeError, match="motor has no command 'fly'"):
        _ = device.call.fly


def test_a_refusal_has_code_and_text() -> None:
    """Of a sequenced command, which has its number between them, and of another."""

    async def talk() -> None:
        device = motor_on(SimLine())
        with pytest.raises(RequestRefused, match=r"unknown command \(code 1\): 0x40") as own:
            await device.request(0x40)
        assert (own.value.code, own.value.text) == (1, "0x40")
        with pytest.raises(RequestRefused, match="bad value") as standard:
            await device.request(0x04, b"\x01\xff\x7f")
        assert standard.value.code == 3
        assert device.stats.refused == 2

    run(talk())


def test_each_request_is_acted_on_once_whatever_is_lost() -> None:
    """The request, or its reply, or both in turn; a lost frame costs little more than a round trip."""

    async def talk() -> None:
        line = SimLine(deaf={3, 5}, mute={4, 6})
        device = motor_on(line)
        loop = asyncio.get_running_loop()
        await device.request("jog", {"steps": 1})
        before = loop.time()
        reply = await device.request("jog", {"steps": 1})
        assert reply.fields == {"position": 2, "jogs": 2}
        assert line.sim.acted["jog"] == 2
        assert len({frame.data for frame in line.sent[2:]}) == 1, "a repeat has its request's number"
        assert loop.time() - before < 5 * (0.003 + MARGIN + 0.002)
        stats = device.stats
        assert (stats.requests, stats.replies, stats.retries, stats.duplicates) == (3, 3, 4, 0)

    run(talk())


def test_without_numbers_only_what_does_no_harm_is_repeated() -> None:
    """A jog is sent once; a ping again and again."""

    async def talk() -> None:
        line = FakeLine()
        device = AsyncDevice(line, 1, NUMBERLESS)
        with pytest.raises(RequestTimeout, match="sent once"):
            await device.request("jog")
        line.sent.clear()
        with pytest.raises(RequestTimeout, match=r"within 5 s, sent \d\d times"):
            await device.request("ping", {"bytes": b""})
        assert sum(frame.cmd == 0x01 for frame in line.sent) > 10
        assert device.stats.timeouts >= 2

    run(talk())


def test_numbers_go_round_without_0() -> None:
    """1 to 255, then 1 again."""

    async def talk() -> None:
        line = SimLine()
        device = motor_on(line)
        for _ in range(256):
            await device.call.jog(steps=1)
        assert [frame.data[0] for frame in line.sent[1:]] == [*range(1, 256), 1]
        assert line.sim.acted["jog"] == 256

    run(talk())


def test_two_views_of_a_device_share_its_numbers() -> None:
    """Else the device would take one's request for a repeat of the other's."""

    async def talk() -> None:
        line = SimLine()
        first, second = motor_on(line), motor_on(line)
        await asyncio.gather(*[view.call.jog(steps=1) for view in (first, second) * 20])
        assert line.sim.acted["jog"] == 40
        assert first.stats == second.stats

    run(talk())


def test_a_conversation_begins_with_identify() -> None:
    """So that the device forgets the numbers of whoever asked before; once."""

    async def talk() -> None:
        line = SimLine(deaf={1})
        device = motor_on(line)
        await device.call.jog(steps=1)
        await device.call.jog(steps=1)
        assert line.cmds == [0x02, 0x02, 0x23, 0x23]

    run(talk())


def test_a_raw_device_is_asked_nothing_but_what_the_caller_asks() -> None:
    """It has no schema that says it knows identify; once it has said that it is sequenced, it is."""

    async def talk() -> None:
        line = SimLine()
        device = AsyncDevice(line, 1)
        assert (await device.request(0x01, b"?")).data == b"?"
        assert line.cmds == [0x01]
        assert not device.is_sequenced
        await device.identify()
        assert device.is_sequenced
        assert (await device.request(0x23, b"\x01\x00")).data == b"\x01\0\0\0\x01\0\0\0"

    run(talk())


def test_a_caller_may_say_that_a_raw_device_is_sequenced() -> None:
    """A schema says it itself."""

    async def talk() -> None:
        device = AsyncDevice(SimLine(), 1, sequenced=True)
        assert (await device.request(0x23, b"\x01\x00")).data[4:] == b"\x01\0\0\0"

    run(talk())
    with pytest.raises(FormatError, match="the schema motor says sequenced = true"):
        AsyncDevice(SimLine(), 1, MOTOR, sequenced=False)
    with pytest.raises(FormatError, match="0x01 to 0xFE, not 255"):
        AsyncDevice(SimLine(), 255)


def test_a_device_of_the_other_profile_is_told() -> None:
    """Before it takes a number for data, or data for a number."""

    async def talk() -> None:
        with pytest.raises(RequestError, match=r"speaks no sequenced profile.*sequenced = false"):
            await AsyncDevice(SimLine("weather"), 1, sequenced=True).request(0x20)
        with pytest.raises(RequestError, match=r"speaks the sequenced profile.*sequenced = true"):
            await AsyncDevice(SimLine(), 1, NUMBERLESS).request("jog")

    run(talk())


def test_a_reply_that_does_not_fit_its_schema_is_an_error() -> None:
    """With what is wrong with it."""

    async def talk() -> None:
        device = AsyncDevice(FakeLine(answering(b"\x01")), 1, WEATHER)
        with pytest.raises(RequestError, match="answered what does not fit its schema: telemetry"):
            await device.request("telemetry", {"period": 0})

    run(talk())


def test_late_and_duplicate_replies_are_counted_and_not_mistaken() -> None:
    """A slow answer to the first sending, another one to the repeat; and one after the request's end."""

    async def talk() -> None:
        line = SimLine(slow={2: 0.6})
        device = motor_on(line)
        assert (await device.call.jog(steps=1)).fields["jogs"] == 1
        await asyncio.sleep(1)
        assert device.stats.duplicates == 1
        line.slow = {len(line.sent) + 1: 0.6}
        with pytest.raises(RequestTimeout):
            await device.request("jog", {"steps": 1}, timeout=0.5, retries=0)
        assert (await device.call.jog(steps=1)).fields["jogs"] == 3
        await asyncio.sleep(1)
        assert device.stats.late == 1
        assert line.sim.acted["jog"] == 3

    run(talk())


def test_a_duplicate_does_not_end_the_next_ones_wait() -> None:
    """It is counted, and the wait for the reply goes on."""

    async def talk() -> None:
        line = SimLine()
        device = motor_on(line)
        await device.call.jog(steps=1)
        line.slow = {3: 0.009, 4: 0.005, 5: 0.006}  # the repeat's reply comes while the next request waits
        assert (await device.call.jog(steps=1)).fields["jogs"] == 2
        assert (await device.call.jog(steps=1)).fields["jogs"] == 3
        assert device.stats.duplicates == 1

    run(talk())


def test_a_device_that_has_become_slower_is_waited_for() -> None:
    """When all its repeats were answered, none was lost: the first reply answered the first sending."""

    async def talk() -> None:
        line = SimLine()
        device = motor_on(line)
        for _ in range(50):
            await device.call.jog(steps=1)
        assert device.stats.rtt_timeout < 0.01
        line.slow = dict.fromkeys(range(1_000), 0.1)
        for _ in range(10):
            await device.call.jog(steps=1)
            await asyncio.sleep(0.5)
        assert device.stats.rtt_timeout > 0.1
        retries = device.stats.retries
        await device.call.jog(steps=1)
        assert device.stats.retries == retries

    run(talk())


def test_a_command_that_takes_long_teaches_nothing() -> None:
    """The others are answered as soon as ever; nor does one that was sent twice (Karn)."""
    slow = Schema.parse(
        '[device]\nname = "slow"\nstandard = false\n[[command]]\nid = 0x21\nname = "home"\ntimeout = 3.0'
    )

    async def talk() -> None:
        device = AsyncDevice(FakeLine(answering()), 1, slow)
        await device.request("home")
        assert device.stats.rtt_smoothed is None
        line = SimLine(deaf={1})
        await AsyncDevice(line, 1).request(0x01)
        assert (len(line.sent), motor_on(line).stats.rtt_smoothed) == (2, None)

    run(talk())


def test_a_broken_line_is_waited_for() -> None:
    """The request goes on when it is back."""

    async def talk() -> None:
        line = SimLine()
        device = motor_on(line)
        await device.call.jog(steps=1)
        line.deaf = set(range(3, 12))
        assert (await device.call.jog(steps=1)).fields["jogs"] == 2

    run(talk())


# --- Reboots ----------------------------------------------------------------------------------------------


def test_a_reboot_is_noticed_after_a_request_that_failed() -> None:
    """Without another request: the device is asked what it is in the background."""
    told: list[Identity] = []

    async def talk() -> None:
        line = SimLine(mute={3})
        device = motor_on(line)
        device.on_reboot(told.append)
        await device.call.jog(steps=1)
        line.sim.reboot(0.0)
        with pytest.raises(RequestTimeout):
            await device.request("jog", {"steps": 1}, timeout=0.1, retries=0)
        await asyncio.sleep(0.1)
        assert [one.boots for one in told] == [1]
        assert device.stats.reboots == 1
        assert (await device.call.jog(steps=1)).fields["jogs"] == 2

    run(talk())


def test_a_reboot_is_noticed_when_the_line_comes_back() -> None:
    """As when a board is powered by its cable; a cable that was only pulled is none."""
    told: list[Identity] = []

    async def talk() -> None:
        line = SimLine()
        device = motor_on(line)
        forget = device.on_reboot(told.append)
        await device.call.jog(steps=1)
        for reboots in range(3):
            line.move(LinkState.LOST)
            line.move(LinkState.CONNECTED)
            await asyncio.sleep(0.1)
            assert (len(told), device.stats.reboots) == (min(reboots, 1), reboots)
            line.sim.reboot(0.0)
            if reboots:
                forget()

    run(talk())


def test_a_callback_that_fails_is_its_own_affair(caplog: pytest.LogCaptureFixture) -> None:
    """The request goes on."""

    def fail(_identity: Identity) -> None:
        raise KeyError("mine")

    async def talk() -> None:
        line = SimLine()
        device = motor_on(line)
        device.on_reboot(fail)
        await device.identify()
        line.sim.reboot(0.0)
        await device.identify()
        assert device.stats.reboots == 1

    with caplog.at_level(logging.ERROR):
        run(talk())
    assert "mine" in caplog.text


def test_a_device_that_knows_no_identify_is_asked_once() -> None:
    """Its refusal says so; one that is silent is asked again before the next request, briefly."""

    async def talk() -> None:
        line = FakeLine(
            lambda frame: [Frame(1, 0xFF, bytes([2, 1]))] if frame.cmd == 2 else answering()(frame)
        )
        device = AsyncDevice(line, 1, NUMBERLESS)
        await device.request("jog")
        await device.request("jog")
        assert [frame.cmd for frame in line.sent] == [0x02, 0x23, 0x23]

    run(talk())


# --- Events, broadcasts, lanes ----------------------------------------------------------------------------


def test_events_come_from_when_they_are_asked_for() -> None:
    """Those of the name, of this device; replies are none."""

    async def talk() -> None:
        line = SimLine()
        device = motor_on(line)
        all_of_them, trips = device.events(), device.events("tripped")
        tripped = MOTOR.encode(1, "tripped", {"fault": "stalled"})
        report = MOTOR.encode(1, "motor", {"speed": 1, "setpoint": 2, "current": 3, "fault": "none"})
        for frame in (report, tripped, tripped._replace(addr=2)):
            line.deliver(frame)
        await device.call.jog(steps=1)
        assert [(await all_of_them.receive()).name for _ in range(2)] == ["motor", "tripped"]
        assert (await trips.receive()).fields == {"fault": "stalled"}
        line.close()
        assert [event async for event in trips] == []

    run(talk())


def test_requests_to_several_devices_run_side_by_side() -> None:
    """On a half-duplex line one after the other."""

    async def talk(line: FakeLine, sent_at_once: int) -> None:
        devices = [AsyncDevice(line, addr) for addr in (1, 2, 3)]
        tasks = [asyncio.create_task(device.request(0x40)) for device in devices]
        await settle()
        assert len(line.sent) == sent_at_once
        for task in tasks:
            task.cancel()

    run(talk(FakeLine(), 3))
    line = FakeLine()
    line.half_duplex = HalfDuplex()
    run(talk(line, 1))


def test_a_broadcast_is_sent_and_nobody_waits() -> None:
    """In the schema's terms; a sequenced command has number 0."""

    async def talk() -> None:
        line = SimLine()
        await motor_on(line).broadcast("jog", {"steps": 1})
        await motor_on(line).broadcast(0x05, b"\0\0")
        assert line.sent == [Frame(0xFF, 0x23, b"\0\x01\0"), Frame(0xFF, 0x05, b"\0\0")]
        assert line.sim.acted == {"jog": 1, "telemetry": 1}

    run(talk())


def test_a_commands_priority_is_its_lane() -> None:
    """In the transmit queue."""
    schema = Schema.parse('[device]\nname = "x"\n[[command]]\nid = 0x21\nname = "stop"\npriority = "control"')

    async def talk() -> None:
        line = FakeLine(answering())
        device = AsyncDevice(line, 1, schema)
        await device.request("stop")
        await device.request("ping", {"bytes": b""})
        lanes = dict(zip([frame.cmd for frame in line.sent], line.lanes, strict=True))
        assert (lanes[0x21], lanes[0x01]) == (Lane.CONTROL, Lane.NORMAL)

    run(talk())


def test_closing_the_link_ends_requests_and_events() -> None:
    """At once."""

    async def talk() -> None:
        line = FakeLine()
        device = AsyncDevice(line, 1, MOTOR)
        asked = asyncio.create_task(device.request(0x01))
        heard = asyncio.create_task(device.events().receive())
        await settle()
        line.close()
        for task in (asked, heard):
            with pytest.raises(LinkClosed):
                await task
        assert asyncio.get_running_loop().time() < INITIAL

    run(talk())


def test_a_forgotten_link_is_not_kept() -> None:
    """What is known of its devices goes with it."""
    line = FakeLine(answering(STANDARD.encode(1, "ping", {"bytes": b""}).data))

    async def talk() -> None:
        await AsyncDevice(line, 1).request(0x01)
        line.close()

    run(talk())
    gc.collect()
    kept = [
        one
        for one in gc.get_referrers(line)
        if type(one).__name__ in ("AsyncDevice", "Switchboard", "Station")
    ]
    assert kept == []


BULK_JOG = Schema.parse(
    '[device]\nname = "motor"\nsequenced = true\n'
    '[[command]]\nid = 0x23\nname = "jog"\npriority = "bulk"\nrequest = [{ name = "steps", type = "i16" }]\n'
    'reply = [{ name = "position", type = "i32" }, { name = "jogs", type = "u32" }]\n'
    '[[command]]\nid = 0x21\nname = "clear_fault"\nreply = [{ name = "cleared", type = "bool" }]\n'
)


def test_a_numbered_request_does_not_overtake_repeats_of_the_one_before() -> None:
    """They may wait in a later lane, and the device, which remembers one number, would act on them again."""

    async def talk() -> None:
        line = SimLine(slow={2: INITIAL + 0.05})  # the jog's answer comes when it was repeated
        device = AsyncDevice(line, 1, BULK_JOG)
        await device.request("jog", {"steps": 1})
        assert line.lanes[1:] == [Lane.BULK, Lane.BULK]
        await device.request("ping", {"bytes": b"hi"})
        await device.request("clear_fault")
        await device.request("clear_fault")
        assert line.lanes[3:] == [Lane.NORMAL, Lane.BULK, Lane.NORMAL]

    run(talk())


@pytest.mark.parametrize("device_of", [motor_on, lambda line: AsyncDevice(line, 1, WEATHER)])
def test_the_timeout_holds_for_asking_what_it_is_as_well(device_of: Callable[[SimLine], AsyncDevice]) -> None:
    """Whether a number needs that, or only a reboot may have gone unnoticed."""

    async def talk() -> None:
        device = device_of(SimLine(deaf=range(1, 1_000)))
        began = asyncio.get_running_loop().time()
        with pytest.raises(RequestTimeout):
            await device.request(0x24, timeout=0.2)
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.2, abs=0.01)

    run(talk())


def test_the_last_repeat_is_waited_for_until_the_time_is_over() -> None:
    """A device that needs longer than usual is heard: there is nothing better to do."""

    async def talk() -> None:
        line = SimLine(slow=dict.fromkeys(range(2, 5), 1.0))
        device = motor_on(line)
        await device.identify()
        assert (await device.request(0x01, b"hi", retries=1, timeout=2.0)).data == b"hi"
        assert line.cmds == [0x02, 0x01, 0x01]

    run(talk())


def test_reboots_are_told_though_nobody_keeps_the_device() -> None:
    """Until that is ended, or the link is."""

    async def talk() -> None:
        line = SimLine()
        told: list[int] = []
        end = AsyncDevice(line, 1, MOTOR).on_reboot(lambda identity: told.append(identity.boots))
        gc.collect()
        device = motor_on(line)
        for _boot in range(2):
            line.sim.reboot(0.0)
            await device.identify()
        end()
        line.sim.reboot(0.0)
        await device.identify()
        assert told == [2]
        other = motor_on(line)
        other.on_reboot(print)
        gone = weakref.ref(other)
        del other
        line.close()
        gc.collect()
        assert gone() is None

    run(talk())


def test_a_reboot_during_a_request_is_noticed() -> None:
    """It was repeated for as long as a device may be away, and answered in the end."""

    async def talk() -> None:
        line = SimLine(deaf=range(3, 3 + QUICK_REPEATS))
        device = motor_on(line)
        await device.request("jog", {"steps": 1})
        line.sim.reboot(0.0)
        await device.request("jog", {"steps": 1})
        await settle()
        await asyncio.sleep(0.1)
        assert device.stats.reboots == 1

    run(talk())


def test_a_broadcast_on_half_duplex_waits_until_no_reply_is_awaited() -> None:
    """They would collide."""

    async def talk() -> None:
        line = SimLine(slow={1: 0.1})
        line.half_duplex = HalfDuplex()
        device = motor_on(line)
        asking = asyncio.create_task(device.request(0x01, b"hi"))
        await settle()
        await device.broadcast(0x05, b"\0\0")
        assert asking.done()
        await asking
        assert [frame.addr for frame in line.sent] == [1, 1, 0xFF]

    run(talk())


@pytest.mark.parametrize("addr", ["1", 1.0, -1, 0xFF])
def test_an_address_that_cannot_be_is_refused(addr: Any) -> None:
    """In words."""
    with pytest.raises(FormatError, match="a device's address is"):
        AsyncDevice(SimLine(), addr)
