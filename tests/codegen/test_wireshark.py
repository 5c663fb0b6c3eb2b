"""`framelink.codegen.wireshark`: what tshark shows with a generated dissector is what the vectors say."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from framelink import wire
from framelink.codegen import wireshark
from framelink.message import STANDARD, Field, Schema, Undecodable
from framelink.wire import CHECK_NAMES, Frame
from tests.codegen.tshark import Packet, dissect, info_of
from tests.codegen.vectors import COUNTS, NAMES, load, schema_named, variations

Shown = tuple[str, object]


def expected(schema: Schema, kind: str, message: str, values: Mapping[str, Any]) -> list[Shown]:
    """Return the fields that tshark should show for a vector, and their values."""
    path = f"{wireshark.filter_name(schema)}.{kind}.{message}"
    return list(shown(schema, path, fields_of(schema, kind, message), values))


def fields_of(schema: Schema, kind: str, message: str) -> Sequence[Field]:
    """Return a message's fields."""
    if kind == "event":
        return next(one.fields for one in schema.document.event if one.name == message)
    commands = [*schema.document.command, *STANDARD.document.command]
    command = next(one for one in commands if one.name == message)
    return command.request if kind == "request" else command.reply


def shown(schema: Schema, path: str, fields: Sequence[Field], values: Mapping[str, Any]) -> Iterator[Shown]:
    """Yield what tshark should show of fields."""
    for field in fields:
        if field.name not in values:
            continue
        value, place, typed = values[field.name], f"{path}.{field.name}", field
        if field.type == "value":
            typed = next(one for one in schema.parameters.values() if one.name == values["parameter"])
            place = f"{place}.{typed.name}"
        for one in value if typed.count is not None else [value]:
            yield from shown_item(schema, place, typed, one)


def shown_item(schema: Schema, path: str, field: Field, value: Any) -> Iterator[Shown]:
    """Yield what tshark should show of one item of a field."""
    structs = {one.name: one.fields for one in schema.document.struct}
    if field.type in structs:
        yield from shown(schema, path, structs[field.type], value)
    elif field.bits:
        yield path, None
        bits = {one.name: one for one in field.bits}
        yield from ((f"{path}.{name}", bits[name].enum.get(one, one)) for name, one in value.items())
    elif field.type == "parameter":
        yield path, next(number for number, one in schema.parameters.items() if one.name == value)
    else:
        yield path, field.enum.get(value, value)


def is_shown(text: str, value: object) -> bool:
    """Tell whether tshark's text is a value's."""
    if value is None:
        return text.startswith("0x")
    if isinstance(value, bytes):
        return text == value.hex(":")
    if isinstance(value, str):
        return text == value
    if isinstance(value, float):
        # tshark shows an f32 with six digits, and may round the largest f64 up to what no float holds
        return abs(Decimal(text) - Decimal(value)) <= abs(Decimal(value)) * Decimal("1e-5")
    return int(text) == value


@pytest.mark.parametrize("name", NAMES)
def test_every_vector_is_shown_with_its_values(name: str, tmp_path: Path) -> None:
    """Message, kind, sequence, check and all fields of each vector are what the vector says."""
    schema, cases = schema_named(name), load(name)["vectors"]
    packets = dissect(schema, [bytes.fromhex(one["frame"]) for one in cases], tmp_path)
    assert len(packets) == len(cases) == len(info_of(tmp_path)) == COUNTS[name]["vectors"]
    prefix = wireshark.filter_name(schema)
    for case, packet in zip(cases, packets, strict=True):
        message, kind = case["message"], case["kind"]
        assert packet.all_of(f"{prefix}.message") == [message]
        assert packet.all_of(f"{prefix}.kind") == [kind]
        assert packet.all_of(f"{prefix}.check.status") == ["1"]
        sequence = case.get("sequence")
        assert packet.all_of(f"{prefix}.sequence") == ([] if sequence is None else [str(sequence)])
        inside = f"{prefix}.{kind}.{message}."
        found = [one for one in packet.values if one[0].startswith(inside)]
        wanted = expected(schema, kind, message, case["fields"])
        assert [key for key, _text in found] == [key for key, _value in wanted]
        assert all(is_shown(text, value) for (_, text), (_, value) in zip(found, wanted, strict=True)), case


@pytest.mark.parametrize("name", NAMES)
def test_a_payload_that_says_nothing_is_remarked(name: str, tmp_path: Path) -> None:
    """Its expert info says that the length is wrong, or that there is no such parameter."""
    cases = load(name)["undecodable"]
    packets = dissect(schema_named(name), [bytes.fromhex(one["frame"]) for one in cases], tmp_path)
    assert len(packets) == COUNTS[name]["undecodable"]
    for case, packet in zip(cases, packets, strict=True):
        wanted = "parameter" if case["why"] == "no such parameter" else "length"
        assert packet.remarks == [wanted], case


@pytest.mark.parametrize("name", NAMES)
def test_tshark_says_of_any_payload_whether_it_fits(name: str, tmp_path: Path) -> None:
    """Of payloads that are cut, too long or changed, it says what Python says."""
    schema, frames = schema_named(name), variations(name)
    free = dataclasses.replace(schema.format, legal_lengths={})
    packets = dissect(schema, [wire.encode(one, free) for one in frames], tmp_path)
    assert len(packets) == len(frames) > 50
    for frame, packet in zip(frames, packets, strict=True):
        is_wrong = bool({"length", "parameter"} & set(packet.remarks))
        assert is_wrong == isinstance(schema.decode(frame), Undecodable), frame


MOTOR = """\
[device]
name = "Motor 7"

[[event]]
id = 0x20
name = "state"
fields = [
    { name = "speed", type = "i16", unit = "rpm", min = -100, max = 100 },
    { name = "heat", type = "u8", unit = "°C", limits = { low = 10, high = 50, hihi = 90 } },
    { name = "mode", type = "u8", enum = { off = 0, on = 1 } },
]
"""


def motor(*payloads: bytes) -> list[bytes]:
    """Return frames of the event `state`."""
    return [wire.encode(Frame(3, 0x20, one)) for one in payloads]


class TestRemarks:
    """What is remarkable has an expert info."""

    @pytest.fixture
    def schema(self) -> Schema:
        """A small device."""
        return Schema.parse(MOTOR)

    def test_values_within_their_limits_are_shown_with_units(self, schema: Schema, tmp_path: Path) -> None:
        """The list of packets has the values, and there is no remark."""
        (packet,) = dissect(schema, motor(b"\x64\x00\x14\x01"), tmp_path)
        assert info_of(tmp_path) == ["addr 3 state event: speed 100 rpm, heat 20 °C, mode on"]
        assert packet.remarks == []

    def test_values_beyond_limits_are_remarked(self, schema: Schema, tmp_path: Path) -> None:
        """There is a remark for each kind of limit, and for a number without a label."""
        payloads = (b"\x65\x00\x14\x01", b"\x00\x00\x05\x01", b"\x00\x00\x5b\x01", b"\x00\x00\x14\x09")
        packets = dissect(schema, motor(*payloads), tmp_path)
        assert [one.remarks for one in packets] == [["range"], ["warning"], ["alarm"], ["label"]]

    def test_a_wrong_check_is_told_from_a_right_one(self, schema: Schema, tmp_path: Path) -> None:
        """Its status is bad, the fields are shown all the same, and the list of packets says so."""
        (frame,) = motor(b"\x01\x00\x14\x01")
        (packet,) = dissect(schema, [frame[:5] + b"\x02" + frame[6:]], tmp_path)
        assert packet.all_of("fl_motor_7.check.status") == ["0"]
        assert packet.all_of("fl_motor_7.event.state.speed") == ["2"]
        assert packet.remarks == ["check"]
        assert info_of(tmp_path)[0].endswith(" [bad check]")

    def test_a_wrong_tail_is_remarked(self, schema: Schema, tmp_path: Path) -> None:
        """The check holds, so it is a frame."""
        (frame,) = motor(b"\x01\x00\x14\x01")
        (packet,) = dissect(schema, [frame[:-1] + b"\x00"], tmp_path)
        assert packet.remarks == ["tail"]

    def test_a_frame_that_ends_too_early_is_remarked(self, schema: Schema, tmp_path: Path) -> None:
        """Cut in its head or in its data, it is a frame that is not complete."""
        (frame,) = motor(b"\x01\x00\x14\x01")
        packets = dissect(schema, [frame[:3], frame[:8]], tmp_path)
        assert [one.remarks for one in packets] == [["cut"], ["cut"]]

    def test_an_unknown_command_is_remarked(self, schema: Schema, tmp_path: Path) -> None:
        """Its payload is shown as it is."""
        (packet,) = dissect(schema, [wire.encode(Frame(3, 0x5A, b"\x01\x02"))], tmp_path)
        assert packet.remarks == ["unknown"]
        assert packet.all_of("fl_motor_7.payload") == ["01:02"]
        assert info_of(tmp_path) == ["addr 3 unknown command 0x5a"]

    def test_a_refusal_is_remarked(self, schema: Schema, tmp_path: Path) -> None:
        """The list of packets has the device's reason."""
        frame = schema.encode(3, "refusal", {"refused": 1, "code": "busy", "text": "later"}, kind="reply")
        (packet,) = dissect(schema, [wire.encode(frame)], tmp_path)
        assert packet.remarks == ["refusal"]
        assert info_of(tmp_path) == ['addr 3 refusal reply: refused 1, code busy, text "later"']


class TestStreams:
    """A packet is a piece of a stream of bytes."""

    @pytest.fixture
    def schema(self) -> Schema:
        """A small device."""
        return Schema.parse(MOTOR)

    def values(self, packet: Packet) -> list[str]:
        """Return the speeds of a packet's frames."""
        return packet.all_of("fl_motor_7.event.state.speed")

    def test_all_frames_of_a_packet_are_found(self, schema: Schema, tmp_path: Path) -> None:
        """Bytes before, between and behind them are shown as in no frame."""
        one, two = motor(b"\x01\x00\x14\x01", b"\x02\x00\x14\x01")
        (packet,) = dissect(schema, [b"\x00\x55" + one + two + b"\xaa\x01\x02" + one + b"\x07"], tmp_path)
        assert self.values(packet) == ["1", "2", "1"]
        assert packet.all_of("fl_motor_7.noise") == ["00:55", "aa:01:02", "07"]
        assert packet.remarks == ["noise"] * 3

    def test_a_false_header_hides_no_frame(self, schema: Schema, tmp_path: Path) -> None:
        """A header whose length runs into the next frame is noise."""
        (frame,) = motor(b"\x01\x00\x14\x01")
        (packet,) = dissect(schema, [b"\x55\xaa\x01\x20\x09" + frame + b"\x00" * 9], tmp_path)
        assert self.values(packet) == ["1"]
        assert packet.all_of("fl_motor_7.noise")[0] == "55:aa:01:20:09"

    def test_frames_within_a_frame_are_its_data(self, schema: Schema, tmp_path: Path) -> None:
        """The outer frame comes first."""
        (inner,) = motor(b"\x01\x00\x14\x01")
        (packet,) = dissect(schema, [wire.encode(Frame(9, 0x01, inner))], tmp_path)
        assert packet.all_of("fl_motor_7.message") == ["ping"]

    def test_random_bytes_are_in_no_frame(self, schema: Schema, tmp_path: Path) -> None:
        """They neither stop the dissector nor become messages."""
        noise = bytes((at * at * 7 + at * 3) & 0xFF for at in range(3_000)).replace(b"\x55\xaa", b"\x55\xab")
        (packet,) = dissect(schema, [noise], tmp_path)
        assert packet.remarks == ["noise"]


def test_every_check_is_computed_as_the_wire_does(tmp_path: Path) -> None:
    """Frames with each kind of check and either byte order are good, and bad when a byte is changed."""
    for number, check in enumerate(CHECK_NAMES):
        order = ("little", "big")[number % 2]
        text = MOTOR + f'[frame]\ncheck = "{check}"\ncheck_order = "{order}"\n'
        schema = Schema.parse(text)
        good = wire.encode(Frame(3, 0x20, b"\x01\x00\x14\x01"), schema.format)
        bad = good.replace(b"\x14", b"\x15")
        packets = dissect(schema, [good, bad], tmp_path)
        status = [one.all_of("fl_motor_7.check.status") for one in packets]
        assert status == ([[], []] if check == "none" else [["1"], ["0"]]), check


def test_the_same_schema_gives_the_same_text() -> None:
    """What is generated can be compared, and kept under version control."""
    assert wireshark.generate(schema_named("everything")) == wireshark.generate(schema_named("everything"))


AWKWARD = """\
[device]
name = "it's ]] \\"odd\\"\\nindeed"
description = "over ]] -- here"
standard = false

[[event]]
id = 1
name = "end"
fields = [
    { name = "größe", type = "u8" },
    { name = "local", type = "u8", unit = "]]", description = "--]]" },
    { name = "labels", type = "u8", enum = { "__proto__" = 1, "a b" = 2, "\\"\\\\" = 3 } },
]
"""


def test_awkward_texts_and_names_are_only_texts_and_names(tmp_path: Path) -> None:
    """Neither quotes nor comment marks nor names that Lua uses itself do any harm."""
    schema = Schema.parse(AWKWARD)
    (packet,) = dissect(schema, [wire.encode(Frame(1, 1, b"\x01\x07\x03"))], tmp_path)
    assert packet.remarks == []
    assert packet.all_of("fl_it_s_odd_indeed.event.end.grosse") == ["1"]
    assert info_of(tmp_path) == ['addr 1 end event: größe 1, local 7 ]], labels "\\']
