"""Asking a device what it is."""

from __future__ import annotations

import pytest

from framelink.device import Identity, identify
from framelink.errors import RequestError, RequestRefused
from framelink.wire import Frame
from tests.support.fake_line import FakeLine, answering, refusing

PATIENT = 30.0
"""Seconds that no test waits for: something must happen before."""


async def test_the_reply_becomes_an_identity() -> None:
    """All that the device tells is there under its name, numbers little-endian."""
    line = FakeLine(answering(b"\x01\x02\x00\x34\x12\x01\x00\x02" + "Wetter é".encode()))
    assert await identify(line, 9, timeout=PATIENT) == Identity(
        protocol=1, boots=2, device_type=0x1234, firmware="1.0.2", name="Wetter é"
    )
    assert line.sent == [Frame(9, 0x02)]


async def test_a_reply_that_is_too_short_is_an_error() -> None:
    """A device that uses the command for something else is told apart, with what it said."""
    with pytest.raises(RequestError, match=r"0x09 answered identify.*data=\[01 02\]"):
        await identify(FakeLine(answering(b"\x01\x02")), 9, timeout=PATIENT)


async def test_a_device_that_does_not_know_the_command_refuses() -> None:
    """The refusal comes through as it is."""
    with pytest.raises(RequestRefused, match="unknown command"):
        await identify(FakeLine(refusing(1)), 9, timeout=PATIENT)
