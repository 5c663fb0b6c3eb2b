"""From a command's name or number to its frame, its reply and its patience."""

from __future__ import annotations

import pytest

from framelink.device.asking import ATTEMPTS_AT_LEAST, DEADLINE, ONCE, Asking, asking_for
from framelink.device.exchange import MAX_RETRIES
from framelink.device.round_trips import RoundTrips
from framelink.errors import FormatError, PayloadError
from framelink.link import Lane
from framelink.message import STANDARD, Schema
from framelink.wire import Frame

PRESS = Schema.parse(
    """
    [device]
    name = "press"
    [[command]]
    id = 0x20
    name = "stop"
    repeatable = true
    priority = "control"
    [[command]]
    id = 0x21
    name = "stroke"
    timeout = 4.0
    request = [{ name = "force", type = "u16" }]
    [[event]]
    id = 0x30
    name = "done"
    """
)


def patience_of(
    asking: Asking, timeout: float | None = None, retries: int | None = None
) -> tuple[float, float, int]:
    """Return the first wait, the time for all of it, and the retries, of a device that was not measured."""
    patience, allowed = asking.plan(RoundTrips(), 0, timeout, retries)
    return patience.reply, patience.total, allowed


def test_a_name_takes_fields() -> None:
    """The schema says what they are on the wire, and how the command is asked."""
    stop = asking_for(PRESS, 1, "stop", sequenced=False)
    assert (stop.frame, stop.reply_cmd, stop.lane) == (Frame(1, 0x20), 0xA0, Lane.CONTROL)
    stroke = asking_for(PRESS, 1, "stroke", {"force": 258}, sequenced=False)
    assert (stroke.frame, stroke.device_time, stroke.lane) == (Frame(1, 0x21, b"\x02\x01"), 4.0, Lane.NORMAL)


def test_a_number_takes_bytes() -> None:
    """What the schema knows of the command holds; one that it does not know is sent once."""
    assert asking_for(PRESS, 1, 0x20, b"", sequenced=False).is_repeatable
    other = asking_for(PRESS, 1, 0x40, b"\x01", sequenced=False)
    assert (other.frame, other.reply_cmd, other.is_repeatable) == (Frame(1, 0x40, b"\x01"), 0xC0, False)


def test_the_sequenced_profile_puts_a_number_in_front() -> None:
    """Of the device's own commands only; they may then be repeated."""
    raw = asking_for(STANDARD, 1, 0x20, b"?", sequenced=True)
    assert (raw.frame.data, raw.is_repeatable) == (b"\x00?", True)
    exchange = raw.exchange(1.0, 0, 7)
    assert (exchange.request.data, exchange.sequence) == (b"\x07?", 7)
    assert asking_for(STANDARD, 1, 0x60, b"?", sequenced=True).frame.data == b"?"
    assert asking_for(STANDARD, 1, "ping", {"bytes": b"?"}, sequenced=True).frame.data == b"?"


def test_only_the_standard_get_names_its_parameter() -> None:
    """A device without the standard commands may mean something else by 0x03."""
    own = Schema.parse('[device]\nname = "own"\nstandard = false')
    reply = Frame(1, 0x83, b"\x09")
    for schema, is_reply in ((PRESS, False), (own, True)):
        exchange = asking_for(schema, 1, 0x03, b"\x01", sequenced=False).exchange(1.0, 0)
        exchange.begin()
        assert exchange.receive(reply) is is_reply


def test_misuse_is_told_before_anything_is_sent() -> None:
    """With what is allowed."""
    with pytest.raises(PayloadError, match="has no message 'go'"):
        asking_for(PRESS, 1, "go", sequenced=False)
    with pytest.raises(PayloadError, match="has no message 'done'"):
        asking_for(PRESS, 1, "done", sequenced=False)
    with pytest.raises(FormatError, match="nothing answers command 0x30"):
        asking_for(PRESS, 1, 0x30, sequenced=False)
    with pytest.raises(FormatError, match="takes bytes, not dict"):
        asking_for(PRESS, 1, 0x20, {}, sequenced=False)
    with pytest.raises(FormatError, match="mapping of its fields, not bytes"):
        asking_for(PRESS, 1, "stop", b"", sequenced=False)


def test_what_may_be_repeated_is_repeated_until_its_time_is_over() -> None:
    """As soon as the reply is overdue."""
    stop = asking_for(PRESS, 1, "stop", sequenced=False)
    assert patience_of(stop) == (RoundTrips().timeout(0), DEADLINE, MAX_RETRIES)
    assert patience_of(stop, timeout=0.5, retries=2)[1:] == (0.5, 2)


def test_what_may_not_is_sent_once_and_waited_for() -> None:
    """Unless the caller takes it upon himself."""
    own = asking_for(PRESS, 1, 0x40, sequenced=False)
    assert patience_of(own) == (ONCE, ONCE, 0)
    assert patience_of(own, timeout=0.2) == (0.2, 0.2, 0)
    assert patience_of(own, retries=3)[2] == 3


def test_a_slow_command_gets_the_devices_time() -> None:
    """Each attempt waits for so long at least, and there is time for several."""
    wait, total, _ = patience_of(asking_for(PRESS, 1, "stroke", {"force": 1}, sequenced=False))
    assert wait == total > 4.0
    wait, total, _ = patience_of(asking_for(PRESS, 1, "stroke", {"force": 1}, sequenced=False), retries=5)
    assert wait > 4.0
    assert total == ATTEMPTS_AT_LEAST * wait
