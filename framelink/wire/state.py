"""The states of the receive state machine: the places in a frame."""

from __future__ import annotations

import enum

from framelink.wire.format import FrameFormat


class State(enum.Enum):
    """The place in a frame that the next byte belongs to."""

    HEADER = "header"
    ADDRESS = "address"
    COMMAND = "command"
    LENGTH = "length"
    DATA = "data"
    CHECK = "check"
    TAIL = "tail"


_STATE_OF_FIELD = {"addr": State.ADDRESS, "cmd": State.COMMAND, "len": State.LENGTH}


def places(format: FrameFormat, data_size: int) -> list[tuple[State, int]]:
    """Return a frame's places in wire order with their sizes in bytes."""
    field_sizes = {"addr": 1, "cmd": 1, "len": format.length_size}
    return [
        (State.HEADER, len(format.header)),
        *((_STATE_OF_FIELD[one], field_sizes[one]) for one in format.fields),
        (State.DATA, data_size),
        (State.CHECK, format.checker.size),
        (State.TAIL, len(format.tail)),
    ]
