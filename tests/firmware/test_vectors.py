"""The C core against the vectors: compiled for this machine, and as WebAssembly."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from framelink.wire import Frame, FrameFormat
from tests.support.damage import random_splits
from tests.support.flat import FlatReceiver, NativeModule, WasmModule
from tests.support.vectors import COUNTS, FRAMES, accounts, cases_by_format, format_named, frame_of

TABLES = {"native": (0, 16, 256, 4_096), "wasm": (0, 16, 256)}
"""The kinds of CRC table; each format is built with one of them, the default format with all."""

CASES = cases_by_format()
BUILDS = [
    (kind, name, table)
    for kind, tables in TABLES.items()
    for number, name in enumerate(CASES)
    for table in (tables if name == "default" else (tables[number % len(tables)],))
]
KINDS: dict[str, Callable[[FrameFormat, int], Any]] = {"native": NativeModule, "wasm": WasmModule.of}


def test_every_vector_belongs_to_a_build() -> None:
    """The runner below runs all the cases that the files have."""
    for kind in KINDS:
        assert {name for one, name, _table in BUILDS if one == kind} == set(FRAMES["formats"])
    assert {one: sum(len(kinds.get(one, ())) for kinds in CASES.values()) for one in COUNTS} == COUNTS


@pytest.mark.parametrize(("kind", "name", "table"), BUILDS)
def test_a_build_does_what_its_vectors_say(kind: str, name: str, table: int) -> None:
    """Encoding, receiving by byte and by block, states and ledger are the vectors'."""
    loaded, ran = KINDS[kind](format_named(name), table), 0
    for case in CASES[name].get("valid", ()):
        check_valid(loaded, case)
        ran += 1
    for case in CASES[name].get("invalid", ()):
        check_invalid(loaded, case)
        ran += 1
    for case in CASES[name].get("streams", ()):
        check_stream(loaded, case)
        ran += 1
    assert ran == sum(map(len, CASES[name].values())) >= 3


def check_valid(loaded: Any, case: dict[str, Any]) -> None:
    """A valid frame is encoded to its bytes, and received from them in any split."""
    frame, wire = frame_of(case), bytes.fromhex(case["wire"])
    assert FlatReceiver(loaded).encode(frame) == wire
    for receive in WAYS:
        assert receive(FlatReceiver(loaded), b"\x00" + wire + wire) == [frame, frame]


def check_invalid(loaded: Any, case: dict[str, Any]) -> None:
    """A damaged frame is noise under the vector's reason."""
    for receive in WAYS:
        receiver = FlatReceiver(loaded)
        frames = receive(receiver, bytes.fromhex(case["wire"])) + receiver.flush()
        assert frames == [frame_of(one) for one in case["frames"]]
        assert receiver.ledger.noise == case["noise"]


def check_stream(loaded: Any, case: dict[str, Any]) -> None:
    """A stream gives the vector's frames, ledger and states."""
    stream = bytes.fromhex(case["bytes"])
    for receive in WAYS:
        receiver = FlatReceiver(loaded)
        assert receive(receiver, stream) == [frame_of(one) for one in case["frames"]]
        assert receiver.ledger.as_dict() == case["ledger"]
        assert receiver.flush() == [frame_of(one) for one in case["flush"]["frames"]]
        assert receiver.ledger.as_dict() == case["flush"]["ledger"]
    for receive in (pushed, fed_whole):
        receiver, states, ledgers = FlatReceiver(loaded), "", []
        for byte in stream:
            receive(receiver, bytes([byte]))
            states += receiver.state
            ledgers.append(receiver.ledger)
        assert states == case["states"]
        assert ledgers == accounts(case)


def pushed(receiver: FlatReceiver, stream: bytes) -> list[Frame]:
    """Receive a byte at a time, as a microcontroller does."""
    return [frame for byte in stream for frame in receiver.push(byte)]


def fed_whole(receiver: FlatReceiver, stream: bytes) -> list[Frame]:
    """Receive one block."""
    return receiver.feed(stream)


def fed_split(receiver: FlatReceiver, stream: bytes) -> list[Frame]:
    """Receive blocks of random sizes."""
    return [frame for chunk in random_splits(stream, random.Random(5), 9) for frame in receiver.feed(chunk)]


def fed_and_pushed(receiver: FlatReceiver, stream: bytes) -> list[Frame]:
    """Receive by block and by byte in turn: both keep the same state."""
    half = len(stream) // 2
    return receiver.feed(stream[:half]) + pushed(receiver, stream[half:])


WAYS = (pushed, fed_whole, fed_split, fed_and_pushed)
