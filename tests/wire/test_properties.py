"""What holds for every stream: against an oracle that knows no states, and under seeded damage."""

from __future__ import annotations

import dataclasses
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framelink.wire import DEFAULT_FORMAT, Frame, FrameFormat, Receiver, State, encode
from tests.support.damage import DAMAGES, random_frame, random_splits

FRAMES_A_MODE = 3_200
DAMAGED_SHARE = 0.05

GOLDEN = encode(Frame(0x01, 0x10, b"\x01\x02\x03"))
PIECES = st.one_of(
    st.binary(max_size=12),
    st.builds(lambda data: encode(Frame(1, 0x10, data)), st.binary(max_size=20)),
    st.builds(lambda end: GOLDEN[:end], st.integers(0, len(GOLDEN))),
    st.sampled_from(
        [b"\x55", b"\xaa", b"\x55\xaa", b"\r\n", b"\x55\xaa\x01\x02\xff", b"\x55\x55\xaa", GOLDEN]
    ),
)
STREAMS = st.lists(PIECES, max_size=30).map(b"".join)


def oracle(stream: bytes) -> list[Frame]:
    """Return the frames in a stream that has ended: the first from the left, then the first behind it."""
    frames, at = [], 0
    while at < len(stream):
        size = 9 + stream[at + 4] if at + 4 < len(stream) else 0
        candidate = stream[at : at + size]
        if len(candidate) == size > 0:
            frame = Frame(candidate[2], candidate[3], candidate[5:-4])
            if encode(frame) == candidate:
                frames.append(frame)
                at += size
                continue
        at += 1
    return frames


@settings(max_examples=400, deadline=None)
@given(stream=STREAMS, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_any_chunking_gives_the_oracles_frames(stream: bytes, cuts: list[int]) -> None:
    """Whatever the bytes and the chunks are, the frames are the oracle's and every byte is accounted for."""
    receiver, frames = Receiver(), []
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)})
    for begin, end in itertools.pairwise([0, *ends]):
        frames += receiver.feed(stream[begin:end])
        ledger = receiver.ledger
        assert ledger.received == end == ledger.delivered + ledger.noise_bytes + ledger.pending
        assert receiver.pending < DEFAULT_FORMAT.longest_frame
    frames += receiver.flush()
    assert frames == oracle(stream)
    assert receiver.pending == 0
    assert receiver.state is State.HEADER


@settings(max_examples=200, deadline=None)
@given(stream=STREAMS, cut=st.integers(0, 400))
def test_the_state_does_not_depend_on_the_chunks(stream: bytes, cut: int) -> None:
    """The same bytes, fed one by one or in two pieces, leave the same state and ledger."""
    bytewise, halves = Receiver(), Receiver()
    for byte in stream:
        bytewise.feed(bytes([byte]))
    halves.feed(stream[:cut])
    halves.feed(stream[cut:])
    assert (bytewise.state, bytewise.ledger) == (halves.state, halves.ledger)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_bytes_is_taken(kind: type[bytes]) -> None:
    """bytes, bytearray and memoryview give the same frames."""
    receiver = Receiver()
    frames = receiver.feed(kind(GOLDEN[:7])) + receiver.feed(kind(GOLDEN[7:]))
    assert frames == [Frame(0x01, 0x10, b"\x01\x02\x03")]


@pytest.mark.parametrize("mode", DAMAGES)
def test_no_intact_frame_is_lost(mode: str) -> None:
    """With one frame in twenty damaged, all the others are delivered, in order."""
    rng = random.Random(mode)
    intact, stream = [], []
    for _ in range(FRAMES_A_MODE):
        frame = random_frame(rng)
        wire = encode(frame)
        if rng.random() < DAMAGED_SHARE:
            stream.append(DAMAGES[mode](wire, rng))
        else:
            intact.append(frame)
            stream.append(wire)
    receiver = Receiver()
    received = [f for chunk in random_splits(b"".join(stream), rng, 700) for f in receiver.feed(chunk)]
    received += receiver.flush()
    assert len(intact) > FRAMES_A_MODE * (1 - DAMAGED_SHARE * 1.5)
    rest = iter(
        received
    )  # `in` moves it on, so the order is held too; damage may have made frames in between
    assert [frame for frame in intact if frame not in rest] == []


HOSTILE = {
    "false headers": b"\x55\xaa\x01\x02\xff",
    "a run of 55": b"\x55",
    "headers": b"\x55\xaa",
    "false headers with true tails": b"\x55\xaa\x01\x02\x04\x00\x00\x00\x00\x00\x00\r\n",
    "headers whose frames all end at tails": b"\x55\xaa\r\n\x02",
}


def work_on(stream: bytes) -> int:
    """Return the candidates read plus the bytes that the check ran over for a stream."""
    done = 0
    format = FrameFormat()
    read_head, checker = format.read_head, format.checker

    def counted_read(buffer: bytes, offset: int) -> tuple[int, int, int]:
        nonlocal done
        done += 1
        return read_head(buffer, offset)

    def counted_check(span: bytes) -> int:
        nonlocal done
        done += len(span)
        return checker.compute(span)

    vars(format).update(read_head=counted_read, checker=dataclasses.replace(checker, compute=counted_check))
    receiver = Receiver(format)
    for begin in range(0, len(stream), 4096):
        receiver.feed(stream[begin : begin + 4096])
    receiver.flush()
    assert receiver.ledger.received == len(stream)
    return done


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_costs_work_in_proportion_to_its_length(name: str) -> None:
    """Twice the input is at most 2.3 times the work, and no byte costs more than one longest frame."""
    unit = HOSTILE[name]
    small, large = work_on(unit * (40_000 // len(unit))), work_on(unit * (80_000 // len(unit)))
    assert large <= 2.3 * max(small, 1)
    assert large <= 80_000 * DEFAULT_FORMAT.longest_frame
