"""The same conversation for scripts: blocking, on a real line with a simulated device."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import framelink
from framelink.device import Identity
from framelink.errors import FormatError, LinkClosed, LinkTimeout, PayloadError, RequestRefused
from framelink.wire import Frame
from tests.device.helpers import MOTOR
from tests.support.bench import DEADLINE, running_bench

LINE = """
[[port]]
name = "line"
[[port.device]]
model = "motor"
addr = 2
period = 20
"""


@pytest.fixture
def link() -> Iterator[framelink.Link]:
    """A link to a motor controller that reports."""
    with running_bench(LINE) as urls, framelink.open(urls["line"]) as opened:
        yield opened


def test_a_script_asks_by_name_attribute_and_number(link: framelink.Link) -> None:
    """As in an asyncio program, without await."""
    motor = link.device(2, MOTOR)
    assert motor.is_sequenced
    assert motor.request("jog", {"steps": 3}).fields == {"position": 3, "jogs": 1}
    assert motor.call.jog(steps=-1).fields["position"] == 2
    assert motor.request(0x23, b"\x01\x00").data[:4] == b"\x03\0\0\0"
    assert motor.identify() == Identity(2, 1, 0x0102, "1.0.0", "motor")
    assert motor.stats.requests == 5
    assert repr(motor) == "Device(0x02, motor)"


def test_a_script_hears_events(link: framelink.Link) -> None:
    """With a bound for each, or in a loop that ends with the link."""
    motor = link.device(2, MOTOR)
    reports, trips = motor.events("motor"), motor.events("tripped")
    assert reports.receive(DEADLINE).name == "motor"
    with pytest.raises(LinkTimeout, match="no tripped within"):
        trips.receive(timeout=0.01)
    assert next(reports).fields["fault"] == "none"
    trips.close()
    assert list(trips) == []
    link.close()
    assert {one.name for one in reports} <= {"motor"}  # those that had come by then


def test_threads_share_a_device(link: framelink.Link) -> None:
    """Their requests take turns."""
    motor = link.device(2, MOTOR)
    with ThreadPoolExecutor(8) as pool:
        jogs = sorted(
            int(str(one.fields["jogs"])) for one in pool.map(lambda _: motor.call.jog(steps=1), range(40))
        )
    assert jogs == list(range(1, 41))


def test_errors_come_through(link: framelink.Link) -> None:
    """As they are."""
    motor = link.device(2, MOTOR)
    with pytest.raises(RequestRefused):
        motor.request(0x5F)
    with pytest.raises(PayloadError, match="steps"):
        motor.request("jog")
    with pytest.raises(AttributeError, match="no command 'fly'"):
        _ = motor.call.fly
    with pytest.raises(PayloadError, match="no event"):
        motor.events("fly")
    with pytest.raises(FormatError):
        link.device(300)
    assert "jog" in dir(motor.call)


def test_reboots_are_told_to_scripts(link: framelink.Link) -> None:
    """In the background thread; here there is none."""
    told: list[Identity] = []
    motor = link.device(2, MOTOR)
    forget = motor.on_reboot(told.append)
    motor.identify()
    motor.identify()
    forget()
    assert (told, motor.stats.reboots) == ([], 0)


def test_events_that_came_can_be_read_when_the_link_is_closed() -> None:
    """Then the iteration ends, and closing it is no fault."""
    with framelink.open("loop://") as link:
        events = link.device(1, MOTOR).events("tripped")
        arrived = threading.Semaphore(0)
        link.subscribe(lambda _frame: arrived.release())
        for _event in range(2):
            link.send(Frame(1, 0x22, b"\1"))
            assert arrived.acquire(timeout=DEADLINE)
    assert events.receive().fields == {"fault": "overcurrent"}
    assert len(list(events)) == 1
    events.close()
    with pytest.raises(LinkClosed):
        events.receive()


def test_a_broadcast_needs_no_device(link: framelink.Link) -> None:
    """The line is enough; a device's own schema gives more names."""
    link.broadcast("telemetry", {"period": 0})
    link.broadcast("jog", {"steps": 1}, schema=MOTOR)
    motor = link.device(2, MOTOR)
    motor.broadcast("jog", {"steps": 1})
    assert motor.call.jog(steps=1).fields == {"position": 3, "jogs": 3}


def test_files_go_both_ways(link: framelink.Link) -> None:
    """See `framelink.device.put`."""
    motor = link.device(2, MOTOR)
    motor.put("notes", b"spindle")
    assert [one.name for one in motor.files()] == ["notes"]
    assert motor.get("notes").data == b"spindle"


def test_a_closed_link_has_no_devices(link: framelink.Link) -> None:
    """And those that it had say so."""
    motor = link.device(2, MOTOR)
    link.close()
    with pytest.raises(LinkClosed):
        motor.identify()
    with pytest.raises(LinkClosed):
        link.device(2)
