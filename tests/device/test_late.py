"""Replies after their request's end: what they are, and what they would be taken for."""

from __future__ import annotations

import pytest

from framelink.device import Exchange
from framelink.device.late import KEPT, Belated, LateReplies
from framelink.wire import Frame

REPLY = Frame(7, 0xA0, b"\x05!")


def ended(*, sendings: int, answered: bool, sequence: int | None = 5, data: bytes = b"\x05?") -> Exchange:
    """Return a request that was sent so often, at 0, 1, 2 … s, and answered half a second later if at all."""
    exchange = Exchange(Frame(7, 0x20, data), timeout=1.0, retries=sendings, sequence=sequence)
    for sending in range(sendings):
        exchange.begin()
        exchange.sent(float(sending))
        if sending < sendings - 1:
            exchange.fail()
    if answered:
        assert exchange.receive(REPLY, sendings - 0.5)
    return exchange


def late_of(*exchanges: Exchange, now: float = 10.0) -> LateReplies:
    """Return what is kept when such requests have ended, for a second."""
    late = LateReplies()
    for exchange in exchanges:
        late.note(exchange, now, 1.0)
    return late


def test_the_reply_to_a_request_that_was_given_up_is_late() -> None:
    """Once for each sending."""
    late = late_of(ended(sendings=2, answered=False))
    assert [late.take(REPLY), late.take(REPLY), late.take(REPLY)] == [(Belated.LATE, None)] * 2 + [None]


def test_another_reply_to_an_answered_request_is_a_duplicate() -> None:
    """With the last of them it is known that none was lost."""
    exchange = ended(sendings=3, answered=True)
    late = late_of(exchange)
    assert late.take(REPLY) == (Belated.DUPLICATE, None)
    assert late.take(REPLY) == (Belated.DUPLICATE, exchange)
    assert late.take(REPLY) is None


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(Frame(7, 0xA0, b"\x06!"), id="another number"),
        pytest.param(Frame(7, 0xA1, b"\x05!"), id="another command"),
        pytest.param(Frame(8, 0xA0, b"\x05!"), id="another device"),
        pytest.param(Frame(7, 0xFF, b"\x20\x04\x06"), id="the refusal of another number"),
    ],
)
def test_what_answers_something_else_is_left_alone(frame: Frame) -> None:
    """It may be an event."""
    assert late_of(ended(sendings=2, answered=True)).take(frame) is None


def test_a_refusal_is_told_by_its_number_too() -> None:
    """It stands behind the code."""
    assert late_of(ended(sendings=1, answered=False)).take(Frame(7, 0xFF, b"\x20\x04\x05no")) is not None


def test_numbers_keep_replies_apart() -> None:
    """The next request need not wait for them."""
    late = late_of(ended(sendings=2, answered=False))
    assert late.in_the_way(ended(sendings=0, answered=False, sequence=6)) is None


def test_without_numbers_other_data_must_wait() -> None:
    """To the very same request a late reply may as well be the reply."""
    late = late_of(ended(sendings=2, answered=False, sequence=None))
    same, other = (ended(sendings=0, answered=False, sequence=None, data=data) for data in (b"\x05?", b"!"))
    assert late.in_the_way(same) is None
    waited = late.in_the_way(other)
    assert waited is not None
    assert (waited.replies, waited.until) == (2, 11.0)
    late.forget(waited)
    assert late.in_the_way(other) is None


def test_replies_to_requests_of_one_kind_add_up() -> None:
    """Until they are not expected any more."""
    late = late_of(ended(sendings=2, answered=False, sequence=None))
    late.note(ended(sendings=1, answered=False, sequence=None, data=b"!"), 10.5, 1.0)
    late.note(ended(sendings=1, answered=False, sequence=None, data=b"2"), 20.0, 1.0)
    other = late.in_the_way(ended(sendings=0, answered=False, sequence=None, data=b"3"))
    assert other is not None
    assert other.replies == 1


def test_what_is_kept_is_bounded() -> None:
    """The oldest go; those that are not expected any more go first."""
    late = LateReplies()
    for number in range(1, 2 * KEPT):
        late.note(ended(sendings=1, answered=False, sequence=number), 0.0, 1.0)
    assert late.take(Frame(7, 0xA0, bytes([KEPT - 1]))) is None
    assert late.take(Frame(7, 0xA0, bytes([2 * KEPT - 1]))) is not None
    late.note(ended(sendings=1, answered=False, sequence=200), 1.0, 1.0)
    assert late.take(Frame(7, 0xA0, bytes([2 * KEPT - 2]))) is None


def test_a_lost_reply_is_not_expected_for_longer_because_others_came() -> None:
    """The requests that follow have nothing outstanding."""
    late = late_of(ended(sendings=2, answered=True, sequence=None))
    for now in (10.4, 10.8):
        late.note(ended(sendings=1, answered=True, sequence=None), now, 1.0)
    in_the_way = late.in_the_way(ended(sendings=0, answered=False, sequence=None, data=b"other"))
    assert in_the_way is not None
    assert (in_the_way.replies, in_the_way.until) == (1, 11.0)
