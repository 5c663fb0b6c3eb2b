"""The codec against an independent description of the frame."""

from __future__ import annotations

from typing import Any

import construct
import pytest

from framelink.wire import Frame, Receiver, encode
from tests.support.vectors import FRAMES, format_of, frame_of
from tests.wire.construct_frame import frame_construct


@pytest.mark.parametrize("case", FRAMES["valid"], ids=lambda case: f"{case['format']}, {case['data']}")
def test_construct_and_codec_agree_on_every_variant(case: dict[str, Any]) -> None:
    """What encode writes construct reads, and what construct writes the receiver reads."""
    format, frame = format_of(case), frame_of(case)
    described = frame_construct(format)
    body = described.parse(encode(frame, format)).body.value
    assert Frame(body.get("addr", 0), body.get("cmd", 0), body.data) == frame
    built = described.build({"body": {"value": {"addr": frame.addr, "cmd": frame.cmd, "data": frame.data}}})
    assert Receiver(format).feed(built) == [frame]


@pytest.mark.parametrize("case", FRAMES["invalid"], ids=lambda case: case["format"])
def test_construct_refuses_what_the_receiver_refuses(case: dict[str, Any]) -> None:
    """A damaged frame that the receiver does not deliver is none for construct either."""
    format, wire = format_of(case), bytes.fromhex(case["wire"])
    delivered = Receiver(format).feed(wire)
    try:
        parsed = frame_construct(format).parse(wire)
    except (construct.ConstructError, OverflowError):
        assert not any(encode(frame, format) == wire for frame in delivered)
    else:
        assert [parsed.body.value.data] == [frame.data for frame in delivered]
