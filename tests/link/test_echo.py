"""One's own echo, taken out of what is received."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from framelink.link.echo import ECHO_LEAD, ECHO_PATIENCE, ECHO_WRITES, Echo
from framelink.wire import Frame, encode

REQUEST = encode(Frame(1, 0x20, b"request"))
REPLY = encode(Frame(1, 0xA0, b"the device's answer"))


def strip(echo: Echo, *chunks: bytes, now: float = 0.0) -> bytes:
    """Return what is left of received chunks."""
    return b"".join(echo.strip(chunk, now) for chunk in chunks)


def expecting(*writes: bytes) -> Echo:
    """Return an echo after these writes."""
    echo = Echo()
    for data in writes:
        echo.sent(data, 0.0, 0.0)
    return echo


def bytewise(data: bytes) -> list[bytes]:
    """Return the bytes one by one."""
    return [bytes([one]) for one in data]


@settings(deadline=None)  # machines may be busy
@given(st.lists(st.integers(1, 9), max_size=30))
def test_only_the_echo_is_taken_out_in_whatever_pieces_it_comes(sizes: list[int]) -> None:
    """The reply behind it is whole."""
    echo, data = expecting(REQUEST), REQUEST + REPLY
    chunks = []
    for size in sizes:
        chunks.append(data[:size])
        data = data[size:]
    assert strip(echo, *chunks, data) == REPLY
    assert (echo.discarded, echo.mismatches) == (len(REQUEST), 0)


@settings(deadline=None)  # machines may be busy
@given(st.binary(max_size=ECHO_LEAD))
def test_what_drivers_add_when_they_switch_is_passed_on(noise: bytes) -> None:
    """The echo behind it is found all the same."""
    echo = expecting(REQUEST)
    assert strip(echo, noise, REQUEST, REPLY) == noise + REPLY
    assert echo.mismatches == 0


@settings(deadline=None)  # machines may be busy
@given(st.binary(min_size=ECHO_LEAD + 1, max_size=80))
def test_nothing_is_lost_where_there_is_no_echo(received: bytes) -> None:
    """All bytes come through, and it is counted that the echo did not."""
    echo = expecting(REQUEST)
    passed = strip(echo, *bytewise(received)) + strip(echo, b"", now=ECHO_PATIENCE * 2)
    assert passed == received
    assert (echo.discarded, echo.mismatches) == (0, 1)


def test_a_reply_that_begins_as_the_request_did_comes_whole_without_delay() -> None:
    """As all do on a line without echo: header and address are the same."""
    echo = expecting(REQUEST)
    assert strip(echo, *bytewise(REPLY)) == REPLY
    assert echo.mismatches == 1


@settings(deadline=None)  # machines may be busy
@given(st.integers(0, len(REQUEST) - 1), st.integers(1, 255))
def test_a_damaged_echo_is_passed_on_and_the_next_is_found(place: int, flip: int) -> None:
    """The receiver will reject it; frames that were sent behind it are not taken for others'."""
    damaged = bytearray(REQUEST)
    damaged[place] ^= flip
    other = encode(Frame(2, 0x21, b"the next request"))
    echo = expecting(REQUEST, other)
    assert strip(echo, bytes(damaged), other, REPLY) == bytes(damaged) + REPLY
    assert (echo.discarded, echo.mismatches) == (len(other), 1)


def test_an_echo_that_does_not_come_in_time_is_not_awaited() -> None:
    """What had come of it is passed on with the next bytes."""
    echo = expecting(REQUEST)
    assert strip(echo, REQUEST[:5]) == b""
    assert strip(echo, REPLY, now=ECHO_PATIENCE * 2) == REQUEST[:5] + REPLY
    assert echo.mismatches == 1


def test_it_awaits_so_many_writes_and_no_more() -> None:
    """The oldest one is given up."""
    writes = [bytes([n]) * 20 for n in range(ECHO_WRITES + 1)]
    echo = expecting(*writes)
    assert echo.mismatches == 1
    assert strip(echo, *writes[1:]) == b""
    assert echo.discarded == 20 * ECHO_WRITES


def test_a_new_line_has_no_old_echo() -> None:
    """What was sent before the line broke does not come back."""
    echo = expecting(REQUEST)
    strip(echo, REQUEST[:3])
    echo.reset()
    assert strip(echo, REQUEST) == REQUEST
    assert (echo.discarded, echo.mismatches) == (0, 0)
