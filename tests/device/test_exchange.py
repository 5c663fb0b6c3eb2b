"""One request's life, without a line and without a clock."""

from __future__ import annotations

import math

import pytest

from framelink.device import Exchange, Phase
from framelink.errors import FormatError, RequestRefused, RequestTimeout
from framelink.wire import Frame

REQUEST = Frame(7, 0x10, b"\x01")
REPLY = Frame(7, 0x90, b"\x02")


def exchange_at_zero(retries: int = 0) -> Exchange:
    """Return an exchange whose first attempt was sent at 0 s and lasts for 1 s."""
    exchange = Exchange(REQUEST, timeout=1.0, retries=retries)
    assert exchange.begin() == REQUEST
    exchange.sent(0.0)
    return exchange


def test_the_reply_with_the_devices_address_and_the_commands_bit_7_settles_it() -> None:
    """A reply is told by address and command; its frame is the result."""
    exchange = exchange_at_zero()
    assert exchange.receive(REPLY)
    assert exchange.phase is Phase.ANSWERED
    assert exchange.result() == REPLY


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(Frame(8, 0x90), id="another device's reply"),
        pytest.param(Frame(7, 0x91), id="the reply to another command"),
        pytest.param(Frame(7, 0x10), id="an event with the request's own command"),
        pytest.param(Frame(7, 0xFF, b"\x11\x01"), id="the refusal of another command"),
        pytest.param(Frame(7, 0xFF), id="a refusal of nothing"),
        pytest.param(Frame(8, 0xFF, b"\x10\x01"), id="another device's refusal"),
    ],
)
def test_other_frames_do_not_settle_it(frame: Frame) -> None:
    """What does not answer this request leaves the exchange waiting."""
    exchange = exchange_at_zero()
    assert not exchange.receive(frame)
    assert exchange.phase is Phase.WAITING


def test_a_reply_before_the_request_is_no_reply() -> None:
    """Frames that came before the request was sent answer something else."""
    exchange = Exchange(REQUEST, timeout=1.0)
    assert not exchange.receive(REPLY)
    assert exchange.phase is Phase.READY


@pytest.mark.parametrize(
    ("data", "message", "code", "text"),
    [
        (b"\x10\x03too hot", "refused command 0x10: bad value (code 3): too hot", 3, "too hot"),
        (b"\x10\x01", "refused command 0x10: unknown command (code 1)", 1, ""),
        (b"\x10\xee", "refused command 0x10: unknown reason (code 238)", 238, ""),
        (b"\x10", "refused command 0x10: unknown reason (code 0)", 0, ""),
        (b"\x10\x06\xff", "refused command 0x10: failed (code 6): \ufffd", 6, "\ufffd"),
    ],
)
def test_a_refusal_is_raised_with_the_devices_words(data: bytes, message: str, code: int, text: str) -> None:
    """A negative reply that names the request becomes RequestRefused, however short or odd it is."""
    exchange = exchange_at_zero()
    assert exchange.receive(Frame(7, 0xFF, data))
    assert exchange.phase is Phase.REFUSED
    with pytest.raises(RequestRefused, match="address 0x07") as caught:
        exchange.result()
    assert str(caught.value).endswith(message)
    assert (caught.value.code, caught.value.text) == (code, text)


def test_before_the_deadline_the_wait_goes_on() -> None:
    """The attempt lasts for its whole timeout."""
    exchange = exchange_at_zero()
    exchange.expire(0.999)
    assert exchange.phase is Phase.WAITING


def test_at_the_last_deadline_it_expires() -> None:
    """Without retries the first deadline is the last; a reply after it is too late."""
    exchange = exchange_at_zero()
    exchange.expire(1.0)
    assert exchange.phase is Phase.EXPIRED
    assert not exchange.receive(REPLY)
    with pytest.raises(
        RequestTimeout, match="no reply from address 0x07 to command 0x10 within 1 s, sent once"
    ):
        exchange.result()


def test_each_retry_has_the_whole_timeout() -> None:
    """Retries start their own clocks, and their number is kept."""
    exchange = exchange_at_zero(retries=2)
    phases = []
    for start in (1.0, 5.0):
        exchange.expire(start)
        phases.append(exchange.phase)
        exchange.begin()
        exchange.sent(start)
        exchange.expire(start + 0.9)
        phases.append(exchange.phase)
    exchange.expire(6.0)
    assert phases == [Phase.READY, Phase.WAITING] * 2
    assert exchange.phase is Phase.EXPIRED
    with pytest.raises(RequestTimeout, match="sent 3 times"):
        exchange.result()


def test_a_settled_exchange_does_not_expire() -> None:
    """A deadline that passes after the reply changes nothing."""
    exchange = exchange_at_zero()
    exchange.receive(REPLY)
    exchange.expire(2.0)
    assert exchange.result() == REPLY


@pytest.mark.parametrize("cmd", [0x03, 0x04])
def test_the_reply_to_get_and_set_names_their_parameter(cmd: int) -> None:
    """One that names another parameter answers an earlier request."""
    exchange = Exchange(Frame(7, cmd, b"\x02\x10"), timeout=1.0)
    exchange.begin()
    exchange.sent(0.0)
    assert not exchange.receive(Frame(7, cmd | 0x80, b"\x01\x10"))
    assert not exchange.receive(Frame(7, cmd | 0x80))
    assert exchange.receive(Frame(7, cmd | 0x80, b"\x02\x11"))


def test_who_asks_may_say_what_the_reply_is() -> None:
    """For devices whose replies say what they answer in their own way."""
    exchange = Exchange(Frame(7, 0x20, b"\x05"), timeout=1.0, match=lambda frame: frame.data[-1:] == b"\x05")
    exchange.begin()
    assert not exchange.receive(Frame(7, 0xA0, b"value\x04"))
    assert exchange.receive(Frame(7, 0xA0, b"value\x05"))


def test_a_device_whose_get_is_something_else_need_not_name_a_parameter() -> None:
    """`match` or `reply_cmd` replaces the rule."""
    for exchange in (
        Exchange(Frame(7, 0x03, b"\x02"), timeout=1.0, match=lambda _frame: True),
        Exchange(Frame(7, 0x03, b"\x02"), timeout=1.0, reply_cmd=0x83),
    ):
        exchange.begin()
        assert exchange.receive(Frame(7, 0x83))


def test_sendings_without_a_reply_are_outstanding() -> None:
    """Theirs may come late."""
    exchange = exchange_at_zero(retries=1)
    assert exchange.outstanding == 1
    exchange.expire(1.0)
    exchange.begin()
    assert exchange.outstanding == 1
    exchange.sent(1.0)
    assert exchange.outstanding == 2
    exchange.receive(REPLY)
    assert exchange.outstanding == 1


@pytest.mark.parametrize(
    ("frame", "is_answer"),
    [
        (REPLY, True),
        (Frame(7, 0xFF, b"\x10\x01"), True),
        (Frame(7, 0xFF, b"\x11\x01"), False),
        (Frame(8, 0x90), False),
        (Frame(7, 0x10), False),
    ],
)
def test_an_answer_to_such_a_request_is_known_at_any_time(frame: Frame, is_answer: bool) -> None:
    """Also before this one is sent."""
    assert Exchange(REQUEST, timeout=1.0).is_answer(frame) is is_answer


def test_a_device_with_its_own_habits_names_its_reply() -> None:
    """reply_cmd replaces the rule of bit 7, and lets a request have it set."""
    exchange = Exchange(Frame(7, 0x90), timeout=1.0, reply_cmd=0x11)
    exchange.begin()
    assert not exchange.receive(Frame(7, 0x90))
    assert exchange.receive(Frame(7, 0x11))


@pytest.mark.parametrize(
    ("request_frame", "arguments", "message"),
    [
        (Frame(0xFF, 1), {"timeout": 1.0}, "broadcast"),
        (Frame(1, 0x81), {"timeout": 1.0}, "0x81 is a reply"),
        (Frame(1, 1), {"timeout": 0}, "timeout must be more than 0"),
        (Frame(1, 1), {"timeout": math.inf}, "timeout must be more than 0"),
        (Frame(1, 1), {"timeout": math.nan}, "timeout must be more than 0"),
        (Frame(1, 1), {"timeout": 1.0, "retries": -1}, "retries must be 0 to 100"),
        (Frame(1, 1), {"timeout": 1.0, "retries": 101}, "retries must be 0 to 100"),
    ],
)
def test_what_cannot_have_a_reply_is_refused(
    request_frame: Frame, arguments: dict[str, float], message: str
) -> None:
    """Misuse raises before anything is sent and says what is allowed."""
    with pytest.raises(FormatError, match=message):
        Exchange(request_frame, **arguments)  # type: ignore[arg-type]  # retries is an int in the table


# --- The sequenced profile --------------------------------------------------------------------------------


def numbered_at_zero() -> Exchange:
    """Return the exchange of request number 5, just sent."""
    exchange = Exchange(Frame(7, 0x20, b"\x05?"), timeout=1.0, sequence=5)
    exchange.begin()
    exchange.sent(0.0)
    return exchange


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(Frame(7, 0xA0, b"\x04?"), id="the reply to the request before"),
        pytest.param(Frame(7, 0xA0), id="a reply without a number"),
        pytest.param(Frame(7, 0xFF, b"\x20\x04\x04no"), id="the refusal of the request before"),
        pytest.param(Frame(7, 0xFF, b"\x20\x04"), id="a refusal without a number"),
    ],
)
def test_another_number_is_another_requests(frame: Frame) -> None:
    """Only the request's own number settles it."""
    assert not numbered_at_zero().receive(frame)
    assert not numbered_at_zero().is_answer(frame)


def test_the_reply_has_the_requests_number() -> None:
    """In front of its data; a refusal has it behind the code."""
    exchange = numbered_at_zero()
    assert exchange.receive(Frame(7, 0xA0, b"\x05!"), 0.25)
    assert (exchange.duration, exchange.reply_size) == (0.25, 2)
    exchange = numbered_at_zero()
    assert exchange.receive(Frame(7, 0xFF, b"\x20\x04\x05rotor turns"))
    with pytest.raises(RequestRefused, match=r"busy \(code 4\): rotor turns$"):
        exchange.result()


def test_there_may_be_no_time_for_another_attempt() -> None:
    """Then it has expired, however many were allowed; one that waits goes on waiting."""
    exchange = exchange_at_zero(retries=5)
    exchange.give_up()
    phases = [exchange.phase]
    exchange.expire(1.0)
    exchange.give_up()
    assert [*phases, exchange.phase] == [Phase.WAITING, Phase.EXPIRED]
