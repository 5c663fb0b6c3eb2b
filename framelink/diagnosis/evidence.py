"""Evidence: what a frame format decodes of a capture, and whether chance explains that."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from framelink.diagnosis.capture import CONSTANT, Capture, column, common
from framelink.diagnosis.chains import MAX_CHECK
from framelink.diagnosis.chance import ln_chance
from framelink.wire import Frame, FrameFormat, Receiver

CHANCE_OF_CHECK = {"sum8": 2.0**-6, "xor8": 2.0**-6, "sum16": 2.0**-7}
"""How often a check agrees by chance.  Real bytes are less random than noise, so it is more than 2^-bits."""

CHANCE_OF_CRC = 2.0**-14

HYPOTHESES = 1e7
"""Formats that are tried on a capture, at most: what agrees by chance with one of so many proves little."""

CHANCE_MAX = 1e-6
"""Of all captures without frames, the share in which frames may be found."""


class Need(NamedTuple):
    """What is asked of a format, besides that chance does not explain it.

    Attributes:
        distinct: Different frames; the same one again agrees with whatever its first time did.
        share: The share of the bytes that are in frames.  Programs, pictures and texts have a structure too,
            which weak checks find here and there; frames are most of a capture.
    """

    distinct: int
    share: float


_NEED_OF_CRC = Need(5, 0.0)
_WEAK = Need(5, 0.25)
_NEED_OF_CHECK = {"sum8": _WEAK, "xor8": _WEAK, "sum16": _WEAK, "none": Need(8, 0.6)}


@dataclass(frozen=True)
class Evidence:
    """What a format makes of a capture.

    Attributes:
        format: The format.
        frames: The frames that it decodes.
        offsets: Where they begin.
        delivered: Bytes in them.
        chance: How likely bytes without any frames would give as much, by the number of formats tried.
        data: The bytes that were looked at.
    """

    format: FrameFormat
    frames: tuple[Frame, ...]
    offsets: tuple[int, ...]
    delivered: int
    chance: float
    data: bytes = field(repr=False)

    def column(self, place: int) -> list[int]:
        """Return the bytes that stand so far behind each frame's first."""
        return column(self.data, self.offsets, place)

    @property
    def share(self) -> float:
        """The share of bytes that are in frames."""
        return self.delivered / len(self.data) if self.data else 0.0

    @cached_property
    def bits(self) -> int:
        """How many bits of the capture the format foretells: header, check and tail of each frame."""
        return 8 * len(self.frames) * self._foretold()

    def _foretold(self) -> int:
        """Return how many bytes of a frame are foretold: by the check, or by being the same in all frames.

        Without a strong check that tells where data end, zeros at a frame's ends may be data; and the high
        byte of a sum mostly is zero.
        """
        format = self.format
        header = format.header if format.check != "none" else format.header.lstrip(b"\0")
        tail = format.tail if format.checker.size == MAX_CHECK else format.tail.replace(b"\0", b"")
        fields = range(len(format.header), format.head_size)
        constant = sum(common(self.column(place))[1] >= CONSTANT for place in fields)
        check = min(format.checker.size, 1 if format.check == "sum16" else MAX_CHECK)
        return len(header) + constant + check + len(tail)

    @cached_property
    def distinct(self) -> int:
        """How many different frames there are."""
        return len(set(self.frames))

    @cached_property
    def payloads(self) -> list[tuple[int, bytes]]:
        """Where the payloads stand, and what they are; formats that agree in this are equivalent."""
        head = self.format.head_size
        return [(at + head, frame.data) for at, frame in zip(self.offsets, self.frames, strict=True)]

    @property
    def convinces(self) -> bool:
        """Whether neither chance nor some other structure of the bytes explains it."""
        need = _NEED_OF_CHECK.get(self.format.check, _NEED_OF_CRC)
        return (
            self.distinct >= need.distinct
            and self.share >= need.share
            and self.chance <= CHANCE_MAX
            and (self.format.check != "none" or self._marks_are_frames())
        )

    def _marks_are_frames(self) -> bool:
        """Tell whether the header is a mark: most of its places begin frames, and it is more than zeros."""
        return bool(self.format.header.strip(b"\0")) and self.data.count(self.format.header) <= 2 * len(
            self.frames
        )


def judge(capture: Capture, format: FrameFormat) -> Evidence:
    """Decode a capture and weigh the outcome."""
    receiver = Receiver(format, locate=True)
    frames = receiver.feed(capture.data)
    offsets = list(receiver.offsets)
    frames += receiver.flush()
    offsets += receiver.offsets
    weigh = _weigh_unchecked if format.check == "none" else _weigh_checked
    unlikely = weigh(capture, format, frames, offsets) + math.log(HYPOTHESES)
    chance = math.exp(min(unlikely, 0.0))
    return Evidence(format, tuple(frames), tuple(offsets), receiver.ledger.delivered, chance, capture.data)


def _weigh_checked(capture: Capture, format: FrameFormat, frames: list[Frame], offsets: list[int]) -> float:
    """Return ln(chance) that so many of the header's places have a check that holds."""
    distinct = len(set(frames))
    chance = CHANCE_OF_CHECK.get(format.check, CHANCE_OF_CRC)
    trials = distinct + max(capture.data.count(format.header) - len(frames), 0)
    return ln_chance(trials, distinct, max(chance, _sameness(capture, format, frames, offsets)))


def _sameness(capture: Capture, format: FrameFormat, frames: list[Frame], offsets: list[int]) -> float:
    """Return how often two different frames have the same check: all-zero data, and few letters, often do."""
    places = {
        frame: at + format.head_size + len(frame.data) for frame, at in zip(frames, offsets, strict=True)
    }
    counts = Counter(capture.data[at : at + format.checker.size] for at in places.values())
    pairs = len(places) * (len(places) - 1)
    return sum(one * (one - 1) for one in counts.values()) / pairs if pairs else 1.0


def _weigh_unchecked(capture: Capture, format: FrameFormat, frames: list[Frame], offsets: list[int]) -> float:
    """Return ln(chance) that a header follows so many frames at once, or that so many end in the tail."""
    data, header, tail = capture.data, format.header, format.tail
    marks = data.count(header)
    ends = [at + format.overhead + len(one.data) for at, one in zip(offsets, frames, strict=True)]
    followed = sum(end == len(data) or data.startswith(header, end) for end in ends)
    by_header = ln_chance(len(frames), followed, marks / max(len(data), 1))
    if not tail:
        return by_header
    by_tail = ln_chance(marks, len(set(frames)), data.count(tail) / max(len(data), 1))
    return min(by_header, by_tail)
