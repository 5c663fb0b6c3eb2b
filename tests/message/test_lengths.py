"""Legal lengths: what a receiver may know of the payloads to come."""

from __future__ import annotations

import pytest

from framelink.errors import FormatError
from framelink.message import STANDARD, Message, Schema, Undecodable
from framelink.wire import DEFAULT_FORMAT, Frame, Receiver, encode

ALL = set(range(256))
LEDGER = 7 * 4


def legal(fields: str, device: str = "type = 0") -> set[int]:
    """Return the legal lengths of an event of these fields; all, if the format says nothing of it."""
    text = f'device = {{ name = "x", {device} }}\nevent = [{{ id = 0x20, name = "e", fields = [{fields}] }}]'
    if '"s"' in fields:
        text += '\nstruct = [{ name = "s", fields = [{ name = "x", type = "u16" }, { name = "y", type = "u8" }] }]'
    lengths = Schema.parse(text).format.legal_lengths
    return set(lengths[0x20]) if 0x20 in lengths else ALL


@pytest.mark.parametrize(
    ("fields", "lengths"),
    [
        ("", {0}),
        ('{ name = "a", type = "u16" }, { name = "b", type = "f64", count = 3 }', {26}),
        ('{ name = "a", type = "bytes" }', ALL),
        ('{ name = "a", type = "u16" }, { name = "b", type = "string" }', ALL - {0, 1}),
        ('{ name = "a", type = "string", size = 8 }', {8}),
        ('{ name = "a", type = "string", size = "u16" }', ALL - {0, 1}),
        ('{ name = "a", type = "u32", count = "rest" }', set(range(0, 256, 4))),
        ('{ name = "a", type = "u32", count = "u8" }', set(range(1, 256, 4))),
        ('{ name = "a", type = "s" }', {3}),
        ('{ name = "a", type = "s", count = "u16" }', set(range(2, 256, 3))),
        ('{ name = "a", type = "u8" }, { name = "b", type = "u16", optional = true }', {1, 3}),
        ('{ name = "a", type = "u8" }, { name = "b", type = "s", count = "rest", optional = true }',
         set(range(1, 256, 3))),
    ],
)  # fmt: skip
def test_the_fields_say_what_lengths_there_are(fields: str, lengths: set[int]) -> None:
    """One, those of optional ends, or an open end in steps."""
    assert legal(fields) == lengths


def test_a_device_with_a_version_may_say_more() -> None:
    """A newer one does; what it always said is there whole."""
    fields = '{ name = "a", type = "u8" }, { name = "b", type = "u16", since = 2 }'
    assert legal(fields, "version = 2") == ALL - {0, 2}
    assert legal(fields) == {1, 3}


def test_a_sequence_byte_counts() -> None:
    """In requests and replies; in no event, and in refusals of sequenced commands only."""
    schema = Schema.parse("""
        device = { name = "x", sequenced = true }
        command = [{ id = 0x20, name = "c", request = [{ name = "a", type = "u8" }] }]
        event = [{ id = 0x21, name = "e", fields = [{ name = "a", type = "u8" }] }]
    """)
    lengths = schema.format.legal_lengths
    assert (lengths[0x20], lengths[0xA0], lengths[0x21]) == ({2}, {1}, {1})
    assert lengths[0xFF] == ALL - {0, 1}


def test_a_command_that_stands_for_several_messages_takes_the_lengths_of_all() -> None:
    """As where the reply has the request's id."""
    schema = Schema.parse("""
        device = { name = "x", standard = false }
        command = [{ id = 1, reply_id = 1, name = "c", reply = [{ name = "a", type = "u16" }] }]
    """)
    assert schema.format.legal_lengths == {1: {0, 2}}


def test_the_parameters_say_what_lengths_their_values_have() -> None:
    """Known ones all, and any where the device has none that are known."""
    schema = Schema.parse("""
        device = { name = "x" }
        parameter = [{ id = 1, name = "p", type = "u8" }, { id = 2, name = "q", type = "f32" }]
    """)
    lengths = schema.format.legal_lengths
    assert (lengths[0x03], lengths[0x04], lengths[0x83]) == ({1}, {2, 5}, {2, 5})
    assert STANDARD.format.legal_lengths[0x83] == ALL - {0}


def test_the_standard_commands_have_lengths_too() -> None:
    """Ping takes them all, so nothing is said of it."""
    lengths = STANDARD.format.legal_lengths
    assert (lengths[0x02], lengths[0x86], lengths[0xFF]) == ({0}, {LEDGER}, ALL - {0, 1})
    assert 0x01 not in lengths


def test_lengths_that_the_file_gives_stand() -> None:
    """Its author knows better."""
    schema = Schema.parse("""
        device = { name = "x" }
        frame = { legal_lengths = { "0x20" = [1, 2] } }
        event = [{ id = 0x20, name = "e" }, { id = 0x21, name = "f" }]
    """)
    assert (schema.format.legal_lengths[0x20], schema.format.legal_lengths[0x21]) == ({1, 2}, {0})


def test_lengths_without_end_are_not_listed() -> None:
    """A frame with a wider len has 65,536 of them."""
    text = 'device = { name = "x" }\nframe = { length_size = 2 }\nevent = [{ id = 0x20, name = "e" }]'
    lengths = Schema.parse(text).format.legal_lengths
    assert lengths[0x20] == {0}
    assert 0xFF not in lengths


def test_a_frame_without_cmd_has_no_lengths_of_commands() -> None:
    """There is nothing to tell them by."""
    schema = Schema.parse("""
        device = { name = "x", standard = false }
        frame = { fields = ["addr", "len"] }
        event = [{ id = 0, name = "e", fields = [{ name = "a", type = "u8" }] }]
    """)
    assert schema.format.legal_lengths == {}
    assert schema.decode(Frame(1, 0, b"\x05")) == Message(Frame(1, 0, b"\x05"), "e", "event", {"a": 5})


def test_the_largest_payload_is_the_devices() -> None:
    """`max_data` bounds what its frames carry."""
    text = 'device = { name = "x", max_data = 64 }\nevent = [{ id = 0x20, name = "e" }]'
    format = Schema.parse(text).format
    assert format.largest_data == 64
    assert format.legal_lengths[0xFF] == set(range(2, 65))


def test_a_receiver_gives_an_illegal_length_up_early() -> None:
    """Before the payload is there: what follows is not held back until a false one is complete."""
    schema = Schema.parse('device = { name = "x" }\nevent = [{ id = 0x20, name = "e" }]')
    misfit, good = Frame(1, 0x20, bytes(200)), Frame(1, 0x20)
    assert isinstance(schema.decode(misfit), Undecodable)
    receiver = Receiver(schema.format)
    assert receiver.feed(encode(misfit)[:5] + encode(good)) == [good]
    assert receiver.ledger.noise["length"] > 0
    assert Receiver(schema.frame_format).feed(encode(misfit)) == [misfit]
    assert schema.frame_format == DEFAULT_FORMAT


def test_a_host_that_sends_an_illegal_length_is_told() -> None:
    """The format knows before the device refuses it."""
    with pytest.raises(FormatError, match="command 0x02 takes 0 data bytes, not 1"):
        encode(Frame(1, 0x02, b"x"), STANDARD.format)
