"""Detect: captured bytes → the frame format that they are in, or why none can be told.  Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from framelink.diagnosis.ambiguity import ambiguities
from framelink.diagnosis.capture import TEXT_SHARE, Capture
from framelink.diagnosis.choice import choose
from framelink.diagnosis.evidence import Evidence
from framelink.diagnosis.search import search
from framelink.wire import FrameFormat

CERTAIN_CHANCE = 1e-12
CERTAIN_MARGIN = 0.1  # a second best that explains nine tenths as much leaves doubt
CERTAIN_SHARE = 0.5  # so does a capture most of which is something else

MIN_BYTES = 40  # eight of the shortest frames
ADVICE = "capture 20 frames or more, of different lengths, while the device speaks"


@dataclass(frozen=True)
class Verdict:
    """The frame format that a capture is in.

    Attributes:
        format: The format.
        frames: Frames found.
        share: The share of the bytes looked at that are in frames.
        looked_at: Bytes looked at.
        chance: An upper bound of the probability that bytes without frames would give as much.
        margin: How much less the best format of another kind explains: 0 is as much, 1 is nothing.
        open: What the bytes leave open, a sentence each.
    """

    format: FrameFormat
    frames: int
    share: float
    looked_at: int
    chance: float
    margin: float
    open: tuple[str, ...]

    @property
    def is_certain(self) -> bool:
        """Whether nothing else comes near; what is `open` is so still."""
        return self.chance <= CERTAIN_CHANCE and self.margin >= CERTAIN_MARGIN and self.share >= CERTAIN_SHARE

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON shows."""
        return {
            "found": True,
            "certain": self.is_certain,
            "format": format_table(self.format),
            "frames": self.frames,
            "share": round(self.share, 4),
            "looked_at": self.looked_at,
            "chance": self.chance,
            "margin": round(self.margin, 4),
            "open": list(self.open),
        }


@dataclass(frozen=True)
class Undetected:
    """No frame format can be told.

    Attributes:
        reason: Why, and what to do, in one line.
    """

    reason: str


def detect(data: bytes) -> Verdict | Undetected:
    """Find out in which frame format bytes are.

    At most 64 KiB are looked at.  No input makes it raise.

    Args:
        data: What a line brought: whole frames, damaged ones, and whatever was between them.
    """
    capture = Capture(data)
    if (reason := _hopeless(capture)) is not None:
        return Undetected(reason)
    is_text = capture.text_share >= TEXT_SHARE
    ranked = [one for one in search(capture) if not (is_text and one.format.check == "none")]
    if not ranked:
        return Undetected(_reason(capture, is_text=is_text))
    best = choose(capture, ranked)
    return Verdict(
        format=best.format,
        frames=len(best.frames),
        share=best.share,
        looked_at=capture.size,
        chance=best.chance,
        margin=_margin(best, ranked),
        open=ambiguities(best, ranked),
    )


def _hopeless(capture: Capture) -> str | None:
    """Return why it is not worth while to search; None if it is."""
    if capture.size < MIN_BYTES:
        return f"{capture.size or 'no'} bytes are too few to tell a frame format; {ADVICE}"
    if len(capture.places) == 1:
        byte = capture.data[0]
        return f"all bytes are 0x{byte:02X}: a line at rest or without power, or a wrong baud rate; {ADVICE}"
    return None


def _reason(capture: Capture, *, is_text: bool) -> str:
    if is_text:
        return "this is text, not frames with a len; any terminal program shows it"
    return (
        f"no frame format explains these {capture.size:,} bytes: noise, a wrong baud rate, or frames without"
        f" a len or with a check that framelink does not know; {ADVICE}"
    )


def _margin(best: Evidence, ranked: list[Evidence]) -> float:
    rivals = [one.bits for one in ranked if _is_rival(one, best)]
    return max(1 - max(rivals, default=0) / best.bits, 0.0) if best.bits else 0.0


def _is_rival(one: Evidence, best: Evidence) -> bool:
    """Tell whether a format is another explanation, and not nearly the same one."""
    if (one.format.check, one.format.check_order) != (best.format.check, best.format.check_order):
        return True
    ends = {at + len(data) for at, data in best.payloads}
    return not any(at + len(data) in ends for at, data in one.payloads)


# --- The format file --------------------------------------------------------------------------------------


def format_table(format: FrameFormat) -> dict[str, Any]:
    """Return a format as `FrameFormat.from_mapping` reads it, without what makes no difference to it."""
    table: dict[str, Any] = {
        "header": format.header.hex(" ").upper(),
        "tail": format.tail.hex(" ").upper(),
        "fields": list(format.fields),
        "length_size": format.length_size,
        "length_order": format.length_order,
        "length_counts": format.length_counts,
        "check": format.check,
        "check_order": format.check_order,
        "check_covers_header": format.check_covers_header,
    }
    idle = {
        "length_order": format.length_size == 1,
        "check_order": format.checker.size < 2,
        "check_covers_header": format.checker.size == 0,
    }
    return {key: value for key, value in table.items() if not idle.get(key)}


def format_file(verdict: Verdict, baudrate: int | None = None) -> str:
    """Return the text of a format file, for `--format`: TOML, with how sure it is as comments."""
    said = [
        _summary(verdict),
        *([f"Baud rate: {baudrate}."] if baudrate is not None else []),
        f"Each frame: {layout(verdict.format)}.",
        *(f"Open: {one}." for one in verdict.open),
    ]
    keys = [f"{key} = {_toml(value)}" for key, value in format_table(verdict.format).items()]
    return "\n".join([*(f"# {one}" for one in said), "", *keys]) + "\n"


def _summary(verdict: Verdict) -> str:
    sure = "Certain" if verdict.is_certain else "Likely"
    share = f"{verdict.frames} frames are {verdict.share:.0%} of {verdict.looked_at:,} bytes"
    return f"{sure}: {share}; {_odds(verdict.chance)}."


def _odds(chance: float) -> str:
    """Return in words how unlikely chance is."""
    exponent = math.floor(-math.log10(max(chance, 1e-300)))
    return f"by chance one time in 10^{exponent}"


def layout(format: FrameFormat) -> str:
    """Return a frame's parts in the order of the wire, such as `55 AA | addr | cmd | len | data | …`."""
    length = f"len ({format.length_size} B{_order(format.length_order) if format.length_size > 1 else ''},"
    names = {"len": f"{length} counts the {format.length_counts})"}
    check = f"{format.check}{_order(format.check_order) if format.checker.size > 1 else ''}"
    if format.check_covers_header:
        check += " over header too"
    parts = [
        format.header.hex(" ").upper(),
        *(names.get(one, one) for one in format.fields),
        "data",
        check if format.checker.size else "",
        format.tail.hex(" ").upper(),
    ]
    return " | ".join(filter(None, parts))


def _order(order: str) -> str:
    return f" {order}-endian"


def _toml(value: object) -> str:
    """Return a text, number, truth value or list of texts as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
