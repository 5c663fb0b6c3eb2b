"""Frame: a value, the same one in both languages."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from typing import Any

import pytest

from framelink.errors import FormatError, FramelinkError
from framelink.wire import Frame
from tests.support.engines import FRAMES, run_python

FIELDS = (1, 0x10, b"\x01\xff")
PROTOCOLS = list(range(pickle.HIGHEST_PROTOCOL + 1))
every_kind = pytest.mark.parametrize("kind", FRAMES.values(), ids=FRAMES)


@every_kind
def test_a_frame_is_a_value(kind: type[Frame]) -> None:
    """Equal content means equal frames, hashes included; what it is made of is copied."""
    data = bytearray(b"x")
    frame = kind(addr=1, cmd=2, data=data)
    data[0] = 0
    assert frame == kind(1, 2, b"x") != kind(1, 2, b"y")
    assert len({frame, kind(1, 2, b"x")}) == 1
    assert type(frame.data) is bytes
    assert kind() == kind(0, 0, b"")


@every_kind
def test_a_frame_is_like_the_tuple_of_its_fields(kind: type[Frame]) -> None:
    """It unpacks, compares, hashes, indexes and matches like (addr, cmd, data)."""
    frame: Any = kind(*FIELDS)
    addr, cmd, data = frame
    assert (addr, cmd, data) == FIELDS == (frame.addr, frame.cmd, frame.data)
    assert frame == FIELDS
    assert not frame != FIELDS  # noqa: SIM202 - the tuple is asked first
    assert hash(frame) == hash(FIELDS)
    assert frame < (2,) < kind(2, 0, b"") <= kind(2, 0, b"") < kind(2, 1)
    assert (frame[0], frame[-1], frame[:2], len(frame)) == (1, b"\x01\xff", (1, 0x10), 3)
    assert (frame.index(0x10), frame.count(1), 0x10 in frame) == (1, 1, True)
    assert issubclass(kind, Sequence)
    assert frame not in (None, "text", 5, [1, 0x10, b"\x01\xff"])
    with pytest.raises(TypeError):
        _ = frame < 5
    with pytest.raises(IndexError):
        frame[3]


@every_kind
def test_a_frame_matches_patterns(kind: type[Frame]) -> None:
    """By position, by name, and as a sequence."""
    match kind(*FIELDS):
        case kind(1, cmd, data=data):
            assert (cmd, data) == FIELDS[1:]
        case _:
            pytest.fail("the class pattern")
    match kind(*FIELDS):
        case [addr, *rest]:
            assert (addr, *rest) == FIELDS
        case _:
            pytest.fail("the sequence pattern")


@every_kind
def test_a_frame_with_other_values_is_made_with_replace(kind: type[Frame]) -> None:
    """As of any named tuple; the values are checked."""
    frame: Any = kind(*FIELDS)
    assert frame._replace(cmd=3) == (1, 3, b"\x01\xff")
    assert type(frame._replace()) is kind
    assert frame._asdict() == {"addr": 1, "cmd": 0x10, "data": b"\x01\xff"}
    assert kind._fields == ("addr", "cmd", "data")
    assert kind._make(FIELDS) == frame
    with pytest.raises(FormatError, match="cmd must be"):
        frame._replace(cmd=300)
    with pytest.raises(TypeError):
        frame._replace(color=1)


@every_kind
def test_a_frame_cannot_be_changed(kind: type[Frame]) -> None:
    """Setting or deleting an attribute raises."""
    frame: Any = kind(1, 2, b"x")
    for name in ("addr", "cmd", "data", "other"):
        with pytest.raises(AttributeError):
            setattr(frame, name, 1)
        with pytest.raises(AttributeError):
            delattr(frame, name)


@every_kind
def test_a_frame_prints_readably_and_shortens_long_data(kind: type[Frame]) -> None:
    """Numbers and data in hex, on one line."""
    assert repr(kind(1, 0x10, b"\x01\xff")) == "Frame(addr=0x01, cmd=0x10, data=[01 ff])"
    assert repr(kind()) == "Frame(addr=0x00, cmd=0x00, data=[])"
    assert repr(kind(1, 2, bytes(16))) == f"Frame(addr=0x01, cmd=0x02, data=[{'00 ' * 15}00])"
    assert repr(kind(1, 2, bytes(20))).endswith("00 … +4 bytes])")
    assert repr(kind(0xFE, 0xFF, bytes(3_000))).endswith("00 … +2984 bytes])")


@every_kind
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"addr": 256}, "addr must be an integer from 0 to 255, not 256"),
        ({"addr": -1}, "addr must be an integer from 0 to 255, not -1"),
        ({"addr": 1 << 80}, f"addr must be an integer from 0 to 255, not {1 << 80}"),
        ({"addr": None, "data": 5}, "addr must be an integer from 0 to 255, not None"),
        ({"cmd": "1"}, "cmd must be an integer from 0 to 255, not '1'"),
        ({"cmd": 1.0}, r"cmd must be an integer from 0 to 255, not 1\.0"),
        ({"data": "text"}, "data must be bytes, not str"),
        ({"data": 5}, "data must be bytes, not int"),
        ({"data": [1, 2]}, "data must be bytes, not list"),
        ({"data": None}, "data must be bytes, not NoneType"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(
    kind: type[Frame], arguments: dict[str, Any], message: str
) -> None:
    """Misuse raises a ValueError that is also framelink's own."""
    with pytest.raises(FormatError, match=f"^{message}$") as caught:
        kind(**arguments)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, FramelinkError)


@every_kind
def test_every_kind_of_bytes_and_of_integers_is_taken(kind: type[Frame]) -> None:
    """A view of every second byte, too; a bool is an integer, and becomes a plain one."""
    for data in (b"abc", bytearray(b"abc"), memoryview(b"abc"), memoryview(b"a-b-c")[::2]):
        assert kind(1, 2, data).data == b"abc"
    assert kind(1, 2, memoryview(b"abcd").cast("H")).data == b"abcd"
    assert type(kind(True, 2).addr) is int


@every_kind
def test_a_subclass_may_add_to_a_frame(kind: type[Frame]) -> None:
    """Attributes and methods of its own."""

    class Seen(kind):  # type: ignore[misc, valid-type]
        def __new__(cls, *fields: Any, when: float) -> Any:
            made = super().__new__(cls, *fields)
            made.when = when
            return made

    seen = Seen(*FIELDS, when=1.5)
    assert seen == kind(*FIELDS) == seen
    assert hash(seen) == hash(FIELDS)
    assert (seen.data, seen.when) == (b"\x01\xff", 1.5)
    assert repr(seen) == repr(kind(*FIELDS))
    with pytest.raises(AttributeError):
        seen.addr = 2


class Marked(Frame):
    """A subclass that can be pickled, with an attribute."""


def test_copies_and_pickles_of_a_frame_are_equal() -> None:
    """In every protocol; a subclass keeps its attributes."""
    marked = Marked(*FIELDS)
    marked.mark = "here"  # type: ignore[attr-defined]
    for protocol in PROTOCOLS:
        assert pickle.loads(pickle.dumps(Frame(*FIELDS), protocol)) == Frame(*FIELDS)
        loaded = pickle.loads(pickle.dumps(marked, protocol))
        assert (type(loaded), loaded, loaded.mark) == (Marked, marked, "here")
    for copied in (copy.copy(Frame(*FIELDS)), copy.deepcopy(Frame(*FIELDS))):
        assert (type(copied), copied) == (Frame, FIELDS)


@pytest.mark.parametrize("pure", [False, True])
def test_pickles_of_one_language_are_read_in_the_other(pure: bool) -> None:
    """A recording may be made on one machine and read on another."""
    ours = [pickle.dumps(Frame(*FIELDS), protocol).hex() for protocol in PROTOCOLS]
    code = (
        f"import pickle; frames = [pickle.loads(bytes.fromhex(one)) for one in {ours}];"
        f" print(*[pickle.dumps(frame, n).hex() for frame, n in zip(frames, {PROTOCOLS})])"
    )
    back = run_python(code, pure=pure).split()
    assert [pickle.loads(bytes.fromhex(one)) for one in back] == [FIELDS] * len(PROTOCOLS)
