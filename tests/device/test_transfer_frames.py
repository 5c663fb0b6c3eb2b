"""The frames of transfers, byte for byte those of the standard schema."""

from __future__ import annotations

from typing import Any

import pytest

from framelink.device import transfer_frames as frames
from framelink.message import STANDARD
from framelink.wire import DEFAULT_FORMAT, Frame

REQUESTS: dict[str, tuple[Frame, dict[str, Any]]] = {
    "file_open": (
        frames.open_frame(3, frames.WRITE, "µ.bin", 70_000, 0xDEADBEEF),
        {"mode": "write", "size": 70_000, "crc": 0xDEADBEEF, "name": "µ.bin"},
    ),
    "file_write": (
        frames.write_frame(3, 7, 70_000, b"data"),
        {"handle": 7, "offset": 70_000, "data": b"data"},
    ),
    "file_read": (frames.read_frame(3, 7, 70_000), {"handle": 7, "offset": 70_000}),
    "file_close": (frames.close_frame(3, 7), {"handle": 7}),
    "file_list": (frames.list_frame(3, 300), {"index": 300}),
}
ANSWERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "file_open": (
        frames.Opened(7, 250, 32, 70_000, 0xDEADBEEF, 500),
        {"handle": 7, "block": 250, "window": 32, "size": 70_000, "crc": 0xDEADBEEF, "next": 500},
    ),
    "file_write": (
        frames.Written(7, 250, 500, 5),
        {"handle": 7, "offset": 250, "next": 500, "map": 5},
    ),
    "file_read": (frames.Block(7, 250, b"data"), {"handle": 7, "offset": 250, "data": b"data"}),
    "file_close": (frames.Closed(7, 0xDEADBEEF), {"handle": 7, "crc": 0xDEADBEEF}),
    "file_list": (
        frames.Listed(300, 70_000, 0xDEADBEEF, "µ.bin"),
        {"index": 300, "size": 70_000, "crc": 0xDEADBEEF, "name": "µ.bin"},
    ),
    "refusal": (
        frames.Refused(0x70, 3, "no such file"),
        {"refused": 0x70, "code": 3, "text": "no such file"},
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_those_of_the_schema(name: str) -> None:
    """Both pack the same bytes."""
    frame, fields = REQUESTS[name]
    assert frame == STANDARD.encode(3, name, fields)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_those_of_the_schema(name: str) -> None:
    """What the schema packs is read; bytes behind what is known are a newer device's, too few are none."""
    answer, fields = ANSWERS[name]
    frame = STANDARD.encode(3, name, fields, kind="reply")
    assert frames.answer_of(frame) == answer
    fixed = {
        "file_open": 16,
        "file_write": 13,
        "file_read": 5,
        "file_close": 5,
        "file_list": 10,
        "refusal": 2,
    }[name]
    assert frames.answer_of(frame._replace(data=frame.data[: fixed - 1])) is None
    if len(frame.data) == fixed:
        assert frames.answer_of(frame._replace(data=frame.data + b"more")) == answer


def test_other_frames_answer_nothing() -> None:
    """Other replies, other refusals, events."""
    assert frames.answer_of(Frame(3, 0x81)) is None
    assert frames.answer_of(Frame(3, 0xFF, b"\x20\x01")) is None
    assert frames.answer_of(Frame(3, 0x20, b"\x20\x01")) is None


def test_the_most_that_frames_hold() -> None:
    """Names stand behind nine bytes, data behind five."""
    assert frames.most_name_bytes(DEFAULT_FORMAT) == 246
    assert frames.most_block_bytes(DEFAULT_FORMAT) == 250
