"""The links that users get: the floor's, with devices on them."""

from __future__ import annotations

import inspect

import framelink
from framelink import device as device_floor
from framelink import link as link_floor
from framelink.device import AsyncDevice
from framelink.wire import Frame
from tests.device.helpers import MOTOR


def test_the_front_door_gives_links_with_devices() -> None:
    """Which are links of the floor, opened with the floor's arguments."""
    assert framelink.open is device_floor.open
    assert issubclass(framelink.AsyncLink, link_floor.AsyncLink)
    assert issubclass(framelink.Link, link_floor.Link)
    for name in ("open", "connect"):
        mine, floors = (inspect.signature(getattr(floor, name)) for floor in (device_floor, link_floor))
        assert mine.parameters == floors.parameters


async def test_an_asyncio_link_has_devices_and_broadcasts() -> None:
    """loop:// gives back what is sent."""
    async with framelink.connect("loop://") as link:
        motor = link.device(1, MOTOR)
        assert isinstance(motor, AsyncDevice)
        await link.broadcast("jog", {"steps": 1}, schema=MOTOR)
        await link.broadcast(0x05, b"\0\0")
        assert [await link.receive() for _ in range(2)] == [
            Frame(0xFF, 0x23, b"\0\x01\0"),
            Frame(0xFF, 0x05, b"\0\0"),
        ]
