"""Frame: a value."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from framelink.errors import FormatError, FramelinkError
from framelink.wire import Frame


def test_a_frame_is_a_value() -> None:
    """Equal content means equal frames, hashes included; copies and pickles are equal too."""
    frame = Frame(addr=1, cmd=2, data=bytearray(b"x"))
    assert frame == Frame(1, 2, b"x") != Frame(1, 2, b"y")
    assert len({frame, Frame(1, 2, b"x")}) == 1
    assert copy.deepcopy(frame) == pickle.loads(pickle.dumps(frame)) == frame
    assert type(frame.data) is bytes


def test_a_frame_cannot_be_changed() -> None:
    """Setting an attribute raises."""
    frame: Any = Frame(1, 2, b"x")
    for name in ("addr", "cmd", "data", "other"):
        with pytest.raises(AttributeError):
            setattr(frame, name, 1)


def test_a_frame_prints_readably_and_shortens_long_data() -> None:
    """Numbers and data in hex, on one line."""
    assert repr(Frame(1, 0x10, b"\x01\xff")) == "Frame(addr=0x01, cmd=0x10, data=[01 ff])"
    assert repr(Frame(1, 2, bytes(20))).endswith("00 … +4 bytes])")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"addr": 256}, "addr must be an integer from 0 to 255, not 256"),
        ({"addr": -1}, "addr must be"),
        ({"cmd": "1"}, "cmd must be an integer from 0 to 255, not '1'"),
        ({"data": "text"}, "data must be bytes, not str"),
        ({"data": 5}, "data must be bytes, not int"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(arguments: dict[str, Any], message: str) -> None:
    """Misuse raises a ValueError that is also framelink's own."""
    with pytest.raises(FormatError, match=message) as caught:
        Frame(**arguments)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, FramelinkError)
