"""Schemas: from TOML to messages and back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from framelink.errors import PayloadError, SchemaError
from framelink.message import STANDARD, TYPES, Message, RefusalCode, Schema, Undecodable
from framelink.wire import Frame

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "schemas.md"

MOTOR = """
[device]
name = "motor"
type = 0x0102
description = "A motor"

[[command]]
id = 0x21
name = "run"
request = [{ name = "mode", type = "u8", enum = { stop = 0, go = 1 } }, { name = "note", type = "string" }]
reply = [{ name = "done", type = "bool" }]

[[event]]
id = 0x20
name = "status"
fields = [
    { name = "speed", type = "i16", scale = 0.1, unit = "rpm", min = -100, max = 100 },
    { name = "phase", type = "f32", offset = 1.0 },
    { name = "raw", type = "u16", count = 2 },
]

[[parameter]]
id = 1
name = "setpoint"
type = "u16"
max = 6000
unit = "rpm"

[[parameter]]
id = 7
name = "label"
type = "string"
"""


@pytest.fixture
def schema() -> Schema:
    """The motor's schema."""
    return Schema.parse(MOTOR, source="motor.toml")


def decoded(schema: Schema, frame: Frame) -> Message:
    """Return a frame's message, which it must have."""
    message = schema.decode(frame)
    assert isinstance(message, Message), message
    return message


def test_a_schema_knows_its_device(schema: Schema) -> None:
    """Name, type and description are the file's."""
    assert (schema.name, schema.device_type, schema.description) == ("motor", 0x0102, "A motor")


def test_an_event_becomes_fields_with_units_applied(schema: Schema) -> None:
    """Scale and offset are applied; the bytes are little-endian."""
    frame = Frame(5, 0x20, bytes.fromhex("fb ff 00 00 00 40 01 00 00 80"))
    message = decoded(schema, frame)
    assert (message.name, message.kind, message.frame) == ("status", "event", frame)
    assert message.fields == {"speed": -0.5, "phase": 3.0, "raw": [1, 32768]}
    assert schema.encode(5, "status", message.fields) == frame


def test_numbers_can_be_big_endian() -> None:
    """byte_order applies to all of a device's numbers."""
    text = MOTOR.replace("type = 0x0102", 'byte_order = "big"')
    frame = Schema.parse(text).encode(1, "set", {"parameter": "setpoint", "value": 0x0102})
    assert frame.data == b"\x01\x01\x02"


def test_a_command_has_a_request_and_a_reply(schema: Schema) -> None:
    """Labels stand for numbers, text takes the rest of the payload; an unknown number stays one."""
    request = schema.encode(5, "run", {"mode": "go", "note": "schnell ü"})
    assert request == Frame(5, 0x21, b"\x01" + "schnell ü".encode())
    assert decoded(schema, request).fields == {"mode": "go", "note": "schnell ü"}
    assert schema.encode(5, "run", {"mode": 1, "note": ""}).data == b"\x01"
    assert decoded(schema, Frame(5, 0x21, b"\x09")).fields["mode"] == 9
    reply = schema.encode(5, "run", {"done": True}, kind="reply")
    assert reply == Frame(5, 0xA1, b"\x01")
    assert decoded(schema, reply).fields == {"done": True}


def test_parameters_type_the_values_of_get_and_set(schema: Schema) -> None:
    """By name or by number, on both ends."""
    frame = schema.encode(5, "set", {"parameter": "setpoint", "value": 1000})
    assert frame == Frame(5, 0x04, b"\x01\xe8\x03")
    assert schema.encode(5, "set", {"parameter": 1, "value": 1000}) == frame
    assert decoded(schema, frame).fields == {"parameter": "setpoint", "value": 1000}
    text = decoded(schema, Frame(5, 0x83, b"\x07abc"))
    assert text.fields == {"parameter": "label", "value": "abc"}
    assert schema.encode(5, "get", {"parameter": "label"}) == Frame(5, 0x03, b"\x07")


def test_every_device_knows_the_standard_commands() -> None:
    """The table of the frame's design, with its numbers."""
    names = {entry["id"]: entry["name"] for entry in STANDARD.describe()["commands"]}
    assert names == {
        0x01: "ping", 0x02: "identify", 0x03: "get", 0x04: "set", 0x05: "telemetry", 0x06: "ledger",
        0x70: "file_open", 0x71: "file_write", 0x72: "file_read", 0x73: "file_close", 0x74: "file_list",
        0x7F: "refusal",
    }  # fmt: skip
    identify = decoded(STANDARD, Frame(1, 0x82, b"\x01\x02\x00\x03\x01\x01\x02\x03node"))
    assert identify.fields == {
        "protocol": 1,
        "boots": 2,
        "type": 0x0103,
        "firmware": [1, 2, 3],
        "name": "node",
    }
    refusal = decoded(STANDARD, Frame(1, 0xFF, b"\x20\x04wait"))
    assert refusal.fields == {"refused": 0x20, "code": "busy", "text": "wait"}
    assert RefusalCode(4) is RefusalCode.BUSY
    ping = STANDARD.encode(1, "ping", {"bytes": b"\x01\x02"})
    assert ping == STANDARD.encode(1, "ping", {"bytes": "01 02"}) == Frame(1, 0x01, b"\x01\x02")


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (Frame(1, 0x20, b"\x00"), "status: payload must have 10 bytes, not 1"),
        (Frame(1, 0x20, bytes(11)), "status: payload must have 10 bytes, not 11"),
        (Frame(1, 0x21, b""), "run: payload must have at least 1 bytes, not 0"),
        (Frame(1, 0x83, b"\x09\x01"), "get: the device has no parameter 9"),
        (Frame(1, 0x83, b"\x01\x01"), "get: payload must have 2 bytes, not 1"),
    ],
)
def test_a_payload_that_does_not_fit_is_a_value(schema: Schema, frame: Frame, reason: str) -> None:
    """Bad bytes from a device never raise."""
    assert schema.decode(frame) == Undecodable(frame, reason)


def test_an_unknown_command_means_nothing(schema: Schema) -> None:
    """It is no error either."""
    assert schema.decode(Frame(1, 0x55, b"x")) is None


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("walk", {}, "motor has no message 'walk'; it has: file_close, file_list, file_open,"),
        ("run", {"mode": "go"}, "run: field 'note' is missing; its fields: mode, note"),
        ("run", {"mode": "go", "note": "", "x": 1}, "run: has no field 'x'"),
        ("identify", {"x": 1}, "identify: has no field 'x'; its fields: none"),
        ("run", {"mode": "fly", "note": ""}, "run: mode must be one of stop, go, not 'fly'"),
        ("run", {"mode": "go", "note": 5}, "run: note must be text, not 5"),
        ("set", {"parameter": "setpoint", "value": 6001}, "set: value must be 0 to 6000 rpm, not 6001"),
        ("set", {"parameter": "setpoint", "value": -1}, "set: value must be 0 to 6000 rpm, not -1"),
        ("set", {"parameter": "setpoint", "value": 1.5}, "set: value must be a whole number, not 1.5"),
        ("set", {"parameter": "setpoint", "value": "1"}, "set: value must be a number, not '1'"),
        ("set", {"parameter": "setpoint", "value": True}, "set: value must be a number, not True"),
        ("set", {"parameter": "nope", "value": 1}, "set: parameter must be one of the device's parameters"),
        ("get", {"parameter": 9}, "get: parameter must be one of the device's parameters (setpoint, label)"),
        ("ping", {"bytes": "0g"}, "ping: bytes must be bytes, or hex text such as 01 02, not '0g'"),
        ("ping", {"bytes": 1}, "ping: bytes must be bytes"),
        ("telemetry", {"period": 70000}, "telemetry: period must be 0 to 65535 ms, not 70000"),
        (
            "status",
            {"speed": 101, "phase": 1, "raw": [1, 2]},
            "status: speed must be -100 to 100 rpm, not 101",
        ),
        ("status", {"speed": 1, "phase": 1, "raw": [1]}, "status: raw must be a list of 2 numbers, not [1]"),
        (
            "status",
            {"speed": 1, "phase": float("nan"), "raw": [1, 2]},
            "phase must be -3.402823466e+38 to 3.402823466e+38, not nan",
        ),
    ],
)
def test_values_that_do_not_fit_name_message_field_and_what_is_allowed(
    schema: Schema, name: str, fields: dict[str, Any], message: str
) -> None:
    """One line each."""
    with pytest.raises(PayloadError) as caught:
        schema.encode(1, name, fields)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_reply_takes_true_and_false_only(schema: Schema) -> None:
    """A bool is no number."""
    with pytest.raises(PayloadError, match="done must be true or false, not 2"):
        schema.encode(1, "run", {"done": 2}, kind="reply")


EVENT = '[device]\nname = "x"\n[[event]]\nid = 0x20\nname = "e"\nfields = ['
ANOTHER = '[[parameter]]\nid = {id}\nname = "{name}"\ntype = "{type}"\n'
PARAMETER = '[device]\nname = "x"\n' + ANOTHER


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[device", "f.toml: not a TOML file: "),
        pytest.param("device = " + "[" * 100_000, "f.toml: not a TOML file: nested too deeply", id="deep"),
        pytest.param("device = " + "1" * 5_000, "f.toml: not a TOML file: ", id="long"),
        ("", "f.toml: Object missing required field `device`"),
        ("[device]\nname = 5", "f.toml: Expected `str`, got `int` - at `device.name`"),
        ('[device]\nname = ""', "f.toml: Expected `str` of length >= 1 - at `device.name`"),
        ('[device]\nname = "x"\ntype = 70000', "f.toml: Expected `int` <= 65535 - at `device.type`"),
        ('[device]\nname = "x"\ntype = -1', "f.toml: Expected `int` >= 0 - at `device.type`"),
        ('[device]\nname = "x"\ncolour = 1', "f.toml: Object contains unknown field `colour` - at `device`"),
        (EVENT.replace("0x20", "0x01") + "]", "f.toml: e: id 0x01 is ping already"),
        (EVENT.replace("0x20", "0x81") + "]", "f.toml: e: id 0x81 is ping already (standard = false in [device]"),
        (EVENT.replace("0x20", "256") + "]", "f.toml: Expected `int` <= 255 - at `event[0].id`"),
        (EVENT.replace('"e"', '"a\\nb"') + "]", r"f.toml: event 'a\nb': name must be letters, digits and _"),
        (EVENT.replace("[[event]]", "[[command]]").replace("0x20", "0x90").replace("fields", "request") + "]",
         "f.toml: e: id 0x90 has bit 7 set, so reply_id is needed"),
        (EVENT.replace("[[event]]", "[[command]]").replace("fields", "reply_id = 0x85\nreply") + "]",
         "f.toml: e: id 0x85 is telemetry already"),
        (EVENT.replace('"e"', '"ping"').replace("[[event]]", "[[command]]").replace("fields", "request") + "]",
         "f.toml: ping: two messages have the same name (standard = false in [device]"),
        ('[device]\nname = "x"\n[[parameter]]\nname = "p"\ntype = "u8"', "missing required field `id` - at `parameter[0]`"),
        ('[device]\nname = "x"\n[[parameter]]\nid = 1\ntype = "u8"', "f.toml: Object missing required field `name`"),
        (PARAMETER.format(id=1, name="p", type="u9"), "f.toml: parameter 'p': type must be one of u8, u16"),
        (PARAMETER.format(id=1, name="", type="u8"), "f.toml: parameter '': name must be letters"),
        (PARAMETER.format(id=1, name="p", type="value"), "f.toml: parameter 'p': type value is for the fields of commands"),
        (PARAMETER.format(id=1, name="p", type="parameter"), "parameter 'p': type parameter is for the fields of commands"),
        (PARAMETER.format(id=256, name="p", type="u8"), "f.toml: Expected `int` <= 255 - at `parameter[0].id`"),
        (PARAMETER.format(id=1, name="p", type="u8") + ANOTHER.format(id=1, name="q", type="u8"),
         "f.toml: parameter 'q': id 1 is p already"),
        (PARAMETER.format(id=1, name="p", type="u8") + ANOTHER.format(id=2, name="p", type="i8"),
         "f.toml: parameter 'p': another parameter has that name"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_names_the_file_and_the_key(text: str, message: str) -> None:
    """One line that says what is allowed."""
    with pytest.raises(SchemaError) as caught:
        Schema.parse(text, source="f.toml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


OWN = """
[device]
name = "own"
standard = false

[[command]]
id = 0x01
name = "start"
reply_id = 0x41
request = [{ name = "speed", type = "u8" }]
reply = [{ name = "done", type = "bool" }]

[[command]]
id = 0x90
name = "read"
reply_id = 0x90
reply = [{ name = "speed", type = "u16" }]

[[event]]
id = 0x81
name = "alarm"
"""


@pytest.fixture
def own() -> Schema:
    """The schema of a device with habits of its own."""
    return Schema.parse(OWN)


def test_a_device_may_have_ids_of_its_own(own: Schema) -> None:
    """Replies have any id, events and requests bit 7 too, and the standard commands' ids are free."""
    assert own.encode(3, "start", {"speed": 9}) == Frame(3, 0x01, b"\x09")
    assert decoded(own, Frame(3, 0x01, b"\x09")).kind == "request"
    assert decoded(own, Frame(3, 0x41, b"\x01")) == Message(
        Frame(3, 0x41, b"\x01"), "start", "reply", {"done": True}
    )
    assert decoded(own, Frame(3, 0x81)).kind == "event"
    assert own.decode(Frame(3, 0x06)) is None
    with pytest.raises(PayloadError, match="own has no message 'ping'; it has: alarm, read, start"):
        own.encode(3, "ping")


def test_a_reply_may_have_its_requests_id(own: Schema) -> None:
    """What comes from the device is then the reply."""
    assert own.encode(3, "read") == Frame(3, 0x90)
    assert decoded(own, Frame(3, 0x90, b"\x05\x00")).fields == {"speed": 5}
    assert own.decode(Frame(3, 0x90)) == Undecodable(Frame(3, 0x90), "read: payload must have 2 bytes, not 0")


def test_a_schema_tells_what_answers_a_command(own: Schema, schema: Schema) -> None:
    """The schema's reply_id, else the command with bit 7 set; nothing answers events and replies."""
    asked = {0x01: 0x41, 0x90: 0x90, 0x41: None, 0x81: None, 0x02: 0x82, 0x92: None}
    assert {cmd: own.reply_cmd(cmd) for cmd in asked} == asked
    assert (schema.reply_cmd(0x21), schema.reply_cmd(0x20), schema.reply_cmd(0x01)) == (0xA1, None, 0x81)
    assert [(one["id"], one["reply_id"]) for one in own.describe()["commands"]] == [(1, 0x41), (0x90, 0x90)]


def test_the_documentations_examples_are_schemas() -> None:
    """As they stand."""
    examples = re.findall(r"```toml\n(.*?)```", DOCUMENTATION.read_text("utf-8"), re.DOTALL)
    assert [Schema.parse(one).name for one in examples] == ["arm", "pump"]


def test_a_schema_of_nothing_has_no_message() -> None:
    """The error says so."""
    with pytest.raises(PayloadError, match="empty has no message 'ping'; it has: none"):
        Schema.parse('device = { name = "empty", standard = false }').encode(1, "ping")


def test_a_schema_is_read_from_a_file(tmp_path: Path) -> None:
    """Errors name the path; a file that is no text is no schema."""
    path = tmp_path / "motor.toml"
    path.write_text(MOTOR, "utf-8")
    assert Schema.load(path).name == "motor"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SchemaError, match=r"motor\.toml: not a TOML file: not UTF-8 text"):
        Schema.load(path)
    with pytest.raises(OSError, match="No such file"):
        Schema.load(tmp_path / "none.toml")


def test_a_schema_describes_itself_for_a_page(schema: Schema) -> None:
    """Commands with their fields, events, parameters; what is not said is left out."""
    described = schema.describe()
    assert [one["name"] for one in described["events"]] == ["status"]
    speed = described["events"][0]["fields"][0]
    assert speed == {"name": "speed", "type": "i16", "scale": 0.1, "unit": "rpm", "min": -100.0, "max": 100.0}
    assert described["parameters"][0] == {
        "id": 1,
        "name": "setpoint",
        "type": "u16",
        "max": 6000.0,
        "unit": "rpm",
    }
    assert described["commands"][-1]["request"][0]["enum"] == {"stop": 0, "go": 1}


NUMBER_TYPES = [one for one in TYPES if one[0] in "uif" and one[1].isdigit()]


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("type_", NUMBER_TYPES)
def test_every_number_type_survives_its_own_bytes(type_: str, order: str) -> None:
    """The smallest and the largest of each, in both byte orders, with the size that the name says."""
    text = f'[device]\nname = "x"\nbyte_order = "{order}"\n[[event]]\nid = 0x20\nname = "e"\n'
    schema = Schema.parse(text + f'fields = [{{ name = "n", type = "{type_}" }}]')
    bits = int(type_[1:])
    ends = {"u": (0, 2**bits - 1), "i": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1), "f": (-1.5, 0.25)}
    for value in ends[type_[0]]:
        frame = schema.encode(1, "e", {"n": value})
        assert len(frame.data) == bits // 8
        assert decoded(schema, frame).fields == {"n": value}
    if type_[0] != "f":
        with pytest.raises(PayloadError, match="n must be"):
            schema.encode(1, "e", {"n": ends[type_[0]][1] + 1})


SEQUENCED = """
[device]
name = "arm"
version = 3
sequenced = true

[[struct]]
name = "point"
description = "A place"
fields = [{ name = "x", type = "i16" }]

[[command]]
id = 0x20
name = "move"
repeatable = true
timeout = 0.5
priority = "control"
request = [{ name = "path", type = "point", count = "u8", since = 2 }]
"""


def test_a_description_has_all_that_the_file_says() -> None:
    """How commands are asked, structs, and the keys of fields."""
    described = Schema.parse(SEQUENCED).describe()
    move = described["commands"][-1]
    assert (described["version"], described["sequenced"], described["byte_order"]) == (3, True, "little")
    assert described["structs"] == {
        "point": {"description": "A place", "fields": [{"name": "x", "type": "i16"}]}
    }
    assert (move["repeatable"], move["timeout"], move["priority"], move["sequenced"]) == (
        True, 0.5, "control", True,
    )  # fmt: skip
    assert move["request"] == [{"name": "path", "type": "point", "count": "u8", "since": 2}]


@pytest.mark.parametrize(
    ("frame", "sequence", "fields"),
    [
        (Frame(1, 0x20, b"\x07"), 7, {}),
        (Frame(1, 0xA0, b"\xff"), 255, {}),
        (Frame(1, 0xFF, b"\x20\x04\x07wait"), 7, {"refused": 0x20, "code": "busy", "text": "wait"}),
        (Frame(1, 0xFF, b"\x04\x04wait"), None, {"refused": 4, "code": "busy", "text": "wait"}),
    ],
)
def test_a_sequence_byte_is_read_where_it_stands(
    frame: Frame, sequence: int | None, fields: dict[str, Any]
) -> None:
    """In front of requests and replies, and behind the code of a refusal of such a command."""
    message = decoded(Schema.parse(SEQUENCED), frame)
    assert (message.sequence, message.fields) == (sequence, fields)


@pytest.mark.parametrize("frame", [Frame(1, 0x20), Frame(1, 0xA0), Frame(1, 0xFF, b"\x20\x04")])
def test_a_payload_without_its_sequence_byte_is_undecodable(frame: Frame) -> None:
    """Where the schema says that there is one."""
    found = Schema.parse(SEQUENCED).decode(frame)
    assert isinstance(found, Undecodable)
    assert "payload must have a sequence byte as byte" in found.reason
