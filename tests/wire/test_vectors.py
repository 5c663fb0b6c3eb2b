"""Receivers and encoders, in Python and in C, against the vectors."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from framelink.wire import DEFAULT_FORMAT, Frame, Receiver
from framelink.wire.engine import LANGUAGE
from tests.support.damage import random_splits
from tests.support.engines import ENCODERS, RECEIVERS
from tests.support.vectors import COUNTS, FOLDER, FRAMES, LETTERS, STREAMS, accounts, format_of, frame_of
from tools import make_vectors

in_every_language = pytest.mark.parametrize("language", RECEIVERS)


def splits(stream: bytes) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield every way in which a vector is fed."""
    yield "whole", [stream]
    yield "bytewise", [bytes([byte]) for byte in stream]
    for seed in range(3):
        yield f"split at random, seed {seed}", random_splits(stream, random.Random(seed), 9)


def fed(receiver: Receiver, chunks: Iterable[bytes]) -> list[Frame]:
    """Feed all chunks and return the frames."""
    return [frame for chunk in chunks for frame in receiver.feed(chunk)]


def test_all_vectors_are_there() -> None:
    """The runners below run as many cases as the files had when they were made, in each language."""
    counts = {
        "valid": len(FRAMES["valid"]),
        "invalid": len(FRAMES["invalid"]),
        "streams": len(STREAMS["streams"]),
    }
    assert counts == COUNTS
    assert sum(counts.values()) >= 150
    assert list(RECEIVERS) == list(ENCODERS) == sorted({"Python", LANGUAGE}, reverse=True)


def test_the_committed_vectors_are_what_the_generator_makes(tmp_path: Path) -> None:
    """Nobody has edited them by hand, nor changed the generator without running it."""
    make_vectors.main(tmp_path)
    for name in ("frames.json", "streams.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


@in_every_language
@pytest.mark.parametrize("case", FRAMES["valid"], ids=lambda case: f"{case['format']}, {case['data']}")
def test_a_valid_frame_is_encoded_and_received_in_any_split(case: dict[str, Any], language: str) -> None:
    """Encoding gives the vector's bytes; receiving them, however split, gives the frame back."""
    format, frame, wire = format_of(case), frame_of(case), bytes.fromhex(case["wire"])
    assert ENCODERS[language](frame, format) == wire
    if format == DEFAULT_FORMAT:
        assert ENCODERS[language](frame) == wire
    for how, chunks in splits(wire + wire):
        receiver = RECEIVERS[language](format)
        assert fed(receiver, chunks) == [frame, frame], how
        assert receiver.ledger.delivered == 2 * len(wire)
    receiver = RECEIVERS[language](format)
    assert fed(receiver, [b"\x00" + wire + b"\x01\x02"]) + receiver.flush() == [frame]


@in_every_language
@pytest.mark.parametrize("case", FRAMES["invalid"], ids=lambda case: case["format"])
def test_a_damaged_frame_gives_what_the_vector_says(case: dict[str, Any], language: str) -> None:
    """Damage is noise under the reason that the vector names, however the bytes are split."""
    for how, chunks in splits(bytes.fromhex(case["wire"])):
        receiver = RECEIVERS[language](format_of(case))
        frames = fed(receiver, chunks) + receiver.flush()
        assert frames == [frame_of(one) for one in case["frames"]], how
        assert dict(receiver.ledger.noise) == case["noise"], how


@in_every_language
@pytest.mark.parametrize("case", STREAMS["streams"], ids=lambda case: case["name"])
def test_a_stream_gives_frames_offsets_and_ledger_in_any_split(case: dict[str, Any], language: str) -> None:
    """Frames, their offsets and the ledger are the vector's, before and after silence."""
    for how, chunks in splits(bytes.fromhex(case["bytes"])):
        receiver = RECEIVERS[language](format_of(case), locate=True)
        found = []
        for chunk in chunks:
            frames = receiver.feed(chunk)
            found += list(zip(receiver.offsets, frames, strict=True))
        assert found == [(one["offset"], frame_of(one)) for one in case["frames"]], how
        assert receiver.ledger.as_dict() == case["ledger"], how
        flushed = receiver.flush()
        given_up = list(zip(receiver.offsets, flushed, strict=True))
        assert given_up == [(one["offset"], frame_of(one)) for one in case["flush"]["frames"]], how
        assert receiver.ledger.as_dict() == case["flush"]["ledger"], how


@in_every_language
@pytest.mark.parametrize("case", STREAMS["streams"], ids=lambda case: case["name"])
def test_state_and_ledger_after_every_byte_are_the_vectors(case: dict[str, Any], language: str) -> None:
    """They follow the bytes, not the chunks."""
    receiver, states, ledgers = RECEIVERS[language](format_of(case)), "", []
    for byte in bytes.fromhex(case["bytes"]):
        receiver.feed(bytes([byte]))
        states += LETTERS[receiver.state.value]
        ledgers.append(receiver.ledger)
    assert states == case["states"]
    assert ledgers == accounts(case)
