"""`framelink.codegen.markdown`: a page that says all there is, and whose examples are right."""

from __future__ import annotations

import json
import re

import pytest

from framelink.codegen import markdown
from framelink.message import Message, Schema
from framelink.wire import Receiver
from tests.codegen.vectors import NAMES, schema_named

EXAMPLE = re.compile(r"^Example(?: at address 1)?(?: with `(.*)`)?:\n\n    ([0-9A-F ]+)$", re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_each_example_is_a_frame_that_says_what_is_written_above_it(name: str) -> None:
    """All requests, replies and events have one, and it is decoded to the values of the page."""
    schema = schema_named(name)
    examples = EXAMPLE.findall(markdown.generate(schema))
    assert len(examples) == 2 * len(schema.document.command) + len(schema.document.event)
    shared = {one.id for one in schema.document.command if one.reply_id == one.id}
    for written, wire in examples:
        (frame,) = Receiver(schema.format).feed(bytes.fromhex(wire))
        if frame.cmd in shared and not written:
            continue  # such a request is read as its reply
        message = schema.decode(frame)
        assert isinstance(message, Message)
        fields = json.loads(json.dumps(dict(message.fields), default=bytes.hex))
        assert fields == json.loads(written or "{}")


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_a_table_has_its_columns(name: str) -> None:
    """Descriptions with bars and line breaks do not break the page."""
    columns = 0
    for line in markdown.generate(schema_named(name)).splitlines():
        found = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert found == columns or not found or not columns
        columns = found


def rows(page: str, start: str) -> list[str]:
    """Return the rows of a page that begin so."""
    return [line for line in page.splitlines() if line.startswith(f"| {start} |")]


def test_a_row_has_offset_type_range_unit_scale_and_limits() -> None:
    """What one has to know to read the bytes by hand."""
    page = markdown.generate(schema_named("everything"))
    assert rows(page, "0 | temperature") == [
        (
            "| 0 | temperature | i16 | -40 to 125 °C | value = number × 0.1; alarm below -30 °C, "
            "warning below 0 °C, warning above 80 °C, alarm above 100 °C |"
        )
    ]
    assert rows(page, "12 | percent") == ["| 12 | percent | u8 | 0 to 100 % | of the full \\| load |"]
    assert rows(page, "3 | place") == ["| 3 | place | [point](#point) |  | since version 2 |"]
    assert rows(page, " | tag") == []
    assert rows(page, "7 | tag") == ["| 7 | tag | string, the rest |  | since version 2 |"]


def test_offsets_end_behind_a_field_of_no_certain_size() -> None:
    """Where a field is, is not said if it depends on the payload."""
    page = markdown.generate(schema_named("everything"))
    assert rows(page, "6 | some") != []
    assert [line for line in page.splitlines() if line.startswith("|  | wide |")] != []


def test_payloads_of_the_sequenced_profile_begin_with_the_sequence_byte() -> None:
    """Their other offsets are one higher."""
    page = markdown.generate(schema_named("everything_sequenced"))
    assert len(rows(page, "0 | sequence")) == 6
    assert rows(page, "1 | steps") == ["| 1 | steps | i16 | -32768 to 32767 |  |"]


def test_the_frame_of_a_variant_is_described() -> None:
    """Each part with its bytes."""
    page = markdown.generate(schema_named("variant"))
    assert rows(page, "header") == ["| header | 2 | `7E 81` |"]
    assert rows(page, "len") == ["| len | 2 | the bytes of the whole frame, high byte first |"]
    assert rows(page, "check") == ["| check | 1 | sum8 over header to data |"]
    assert rows(page, "tail") == rows(page, "addr") == []


def test_standard_commands_and_parameters_have_tables() -> None:
    """Only for devices that have them."""
    page = markdown.generate(schema_named("everything"))
    assert rows(page, "0x03") != []
    assert rows(page, "1 | setpoint") == ["| 1 | setpoint | i16 | -6000 to 6000 rpm | The speed to reach |"]
    assert rows(markdown.generate(schema_named("variant")), "0x03") == []


def test_a_device_without_messages_has_a_page() -> None:
    """It may have only its frame."""
    page = markdown.generate(Schema.parse('[device]\nname = "quiet"\nstandard = false\n'))
    assert page.startswith("# quiet\n")


def test_the_same_schema_gives_the_same_text() -> None:
    """What is generated can be compared, and kept under version control."""
    assert markdown.generate(schema_named("everything")) == markdown.generate(schema_named("everything"))
