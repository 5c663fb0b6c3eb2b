"""Requests on real links, of either face."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import framelink
from framelink.device import Identity, identify, request
from framelink.errors import LinkClosed, RequestTimeout
from framelink.wire import Frame
from tests.support.pty_device import DEADLINE, Echo, PtyDevice

QUESTION = Frame(1, 0x20, b"?")


def test_a_blocking_link_gives_the_reply_itself(tmp_path: Path) -> None:
    """The same function as for asyncio, without await."""
    with PtyDevice(tmp_path) as device, Echo(device), framelink.open(device.path) as link:
        assert request(link, QUESTION, reply_cmd=0x20, timeout=DEADLINE) == QUESTION
        with pytest.raises(RequestTimeout):
            request(link, QUESTION, timeout=0.01)


def test_a_blocking_link_identifies_a_device() -> None:
    """loop:// gives back what is sent, and a subscriber plays the device."""
    said = Frame(9, 0x82, b"\x01\x02\x00\x34\x12\x01\x00\x02board")
    with framelink.open("loop://") as link:
        link.subscribe(lambda frame: link.send(said) if frame.cmd == 0x02 else None)
        assert identify(link, 9, timeout=DEADLINE) == Identity(1, 2, 0x1234, "1.0.2", "board")


async def test_an_asyncio_links_request_ends_when_it_is_closed(tmp_path: Path) -> None:
    """At once."""
    with PtyDevice(tmp_path) as device:
        async with framelink.connect(device.path) as link:
            waiting = asyncio.create_task(request(link, QUESTION, timeout=DEADLINE * 10))
            while not link.stats.frames_sent:
                await asyncio.sleep(0)
            await link.close()
            with pytest.raises(LinkClosed):
                await waiting
