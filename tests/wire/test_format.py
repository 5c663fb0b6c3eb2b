"""FrameFormat: what is allowed, and what follows from it."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from framelink.errors import FormatError
from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Receiver, encode, idle_gap


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"header": b""}, "header must be 1 to 4 bytes"),
        ({"header": b"12345"}, "header must be 1 to 4 bytes"),
        ({"header": "55"}, "header must be 1 to 4 bytes"),
        ({"tail": b"12345"}, "tail must be 0 to 4 bytes"),
        ({"fields": ("addr", "cmd")}, "fields must be len and, at will, addr and cmd"),
        ({"fields": ("len", "len")}, "each once"),
        ({"fields": ("len", "crc")}, "fields must be"),
        ({"length_size": 3}, "length_size must be 1 or 2, not 3"),
        ({"length_order": "middle"}, "length_order must be one of little, big, not 'middle'"),
        ({"length_counts": "bits"}, "length_counts must be one of data, frame"),
        ({"check_order": ""}, "check_order must be one of little, big"),
        ({"check": "crc-17"}, "check 'crc-17' is unknown; one of: modbus, crc-16"),
        ({"max_data": 256}, "max_data must be 0 to 255 with this len field, not 256"),
        ({"max_data": -1}, "max_data must be 0 to 255"),
        ({"max_data": 2.0}, "max_data must be 0 to 255"),
        ({"length_size": 2.0}, "length_size must be 1 or 2, not 2.0"),
        ({"length_size": True}, "length_size must be 1 or 2, not True"),
        ({"check": ["modbus"]}, "check must be a name, not"),
        ({"check_covers_header": "false"}, "check_covers_header must be true or false, not 'false'"),
        ({"fields": None}, "fields must be len and"),
        ({"fields": (["len"],)}, "fields must be len and"),
        ({"length_order": ["little"]}, "length_order must be one of little, big, not"),
        ({"legal_lengths": None}, "legal_lengths must map commands to lengths"),
        ({"legal_lengths": {1: 5}}, "lengths of command 0x01 must be 0 to 255, not 5"),
        ({"max_data": 250, "length_counts": "frame"}, "max_data must be 0 to 246"),
        ({"legal_lengths": {300: [1]}}, "command must be 0 to 255, not 300"),
        ({"legal_lengths": {1: [300]}}, "lengths of command 0x01 must be 0 to 255"),
        ({"legal_lengths": {1: [1]}, "fields": ("addr", "len")}, "legal_lengths needs a cmd field"),
    ],
)
def test_a_format_that_cannot_be_says_what_is_allowed(arguments: dict[str, Any], message: str) -> None:
    """Every attribute is checked."""
    with pytest.raises(FormatError, match=message):
        FrameFormat(**arguments)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"hedaer": "55"}, "key must be one of header, tail, fields"),
        ({"header": "5"}, "header must be hex text"),
        ({"tail": 5}, "tail must be hex text"),
        ({"fields": "len"}, "fields must be a list of names"),
        ({"legal_lengths": [1]}, "legal_lengths must be a table"),
        ({"legal_lengths": {"x": [1]}}, "'x' is no command"),
        ({"legal_lengths": {"0x10": 3}}, "0x10 must be a list of lengths"),
    ],
)
def test_a_file_that_describes_no_format_names_the_key(mapping: dict[str, Any], message: str) -> None:
    """What TOML can hold and a format cannot is refused."""
    with pytest.raises(FormatError, match=message):
        FrameFormat.from_mapping(mapping)


def test_a_file_describes_the_same_format_as_the_arguments() -> None:
    """Bytes are hex text, commands are text, tuples are lists."""
    mapping = {
        "header": "7E",
        "tail": "",
        "fields": ["len", "cmd"],
        "legal_lengths": {"0x10": [3], "17": [0]},
    }
    format = FrameFormat(header=b"~", tail=b"", fields=("len", "cmd"), legal_lengths={0x10: [3], 17: [0]})
    assert FrameFormat.from_mapping(mapping) == format


def test_formats_are_values() -> None:
    """Equal formats are equal and hash alike."""
    assert FrameFormat(tail=b"") == FrameFormat(tail=b"") != DEFAULT_FORMAT
    assert len({FrameFormat(), DEFAULT_FORMAT}) == 1


def test_a_variant_of_a_format_is_as_if_made_anew() -> None:
    """What follows from one attribute is not carried over to a format that differs in it."""
    assert dataclasses.replace(DEFAULT_FORMAT, length_size=2).largest_data == 65_535
    assert dataclasses.replace(DEFAULT_FORMAT, length_counts="frame").largest_data == 246


def test_formats_can_be_copied_and_pickled() -> None:
    """As values that travel between processes."""
    format = FrameFormat(tail=b"", legal_lengths={2: [1, 3]})
    for again in (copy.deepcopy(format), pickle.loads(pickle.dumps(format))):
        assert again == format
        assert again.allows(2, 3)
        assert not again.allows(2, 2)


def test_sizes_follow_from_the_format() -> None:
    """The default's overhead is 9 bytes and its longest frame 264; a len that counts all leaves less."""
    assert (DEFAULT_FORMAT.overhead, DEFAULT_FORMAT.longest_frame) == (9, 264)
    counting_all = FrameFormat(length_counts="frame")
    assert (counting_all.largest_data, counting_all.longest_frame) == (246, 255)


@pytest.mark.parametrize(
    ("format", "frame", "message"),
    [
        (FrameFormat(max_data=2), Frame(1, 2, b"123"), "data may have at most 2 bytes, not 3"),
        (DEFAULT_FORMAT, Frame(1, 2, bytes(256)), "data may have at most 255 bytes, not 256"),
        (
            FrameFormat(legal_lengths={2: [1, 3]}),
            Frame(1, 2, b"12"),
            "command 0x02 takes 1, 3 data bytes, not 2",
        ),
        (FrameFormat(legal_lengths={2: []}), Frame(1, 2), "command 0x02 takes no data bytes"),
        (FrameFormat(fields=("cmd", "len")), Frame(1, 2), "no addr field, so addr must be 0, not 1"),
        (FrameFormat(fields=("addr", "len")), Frame(1, 2), "no cmd field, so cmd must be 0, not 2"),
    ],
)
def test_encode_refuses_what_the_format_cannot_carry(format: FrameFormat, frame: Frame, message: str) -> None:
    """Nothing that the receiver would reject goes on the wire."""
    with pytest.raises(FormatError, match=message):
        encode(frame, format)


def test_a_length_below_the_overhead_is_rejected_where_len_counts_the_frame() -> None:
    """Such a frame cannot be; its first byte is noise for its length."""
    receiver = Receiver(FrameFormat(length_counts="frame"))
    receiver.feed(bytes.fromhex("55 AA 01 02 03"))
    assert receiver.ledger.noise["length"] == 1


def test_the_receiver_shows_its_format() -> None:
    """The format that it was made with."""
    format = FrameFormat(tail=b"")
    assert Receiver(format).format is format


@pytest.mark.parametrize(("baudrate", "seconds"), [(115_200, 0.05), (9_600, 0.05), (300, 0.16)])
def test_the_idle_gap_is_four_byte_times_and_at_least_50_ms(baudrate: int, seconds: float) -> None:
    """Slow lines get more time."""
    assert idle_gap(baudrate) == pytest.approx(seconds)
