"""One client's outbox: bounded, the oldest frames go, and the client is told."""

from __future__ import annotations

import pytest

from framelink.hub import outbox
from framelink.hub.outbox import Outbox


def made() -> Outbox:
    """Return an outbox whose gap messages are readable."""
    return Outbox(lambda dropped, first, last: f"gap {dropped} {first}-{last}".encode())


def test_messages_leave_in_order_answers_first() -> None:
    """Answers, then the latest of each link, then frames."""
    box = made()
    assert not box
    box.put_frame(1, b"frame 1")
    box.put_latest("links/a", b"old")
    box.put_latest("links/a", b"new")
    box.put_answer(b"answer")
    assert box
    assert box.take() == [b"answer", b"new", b"frame 1"]
    assert not box


def test_the_oldest_frames_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the client is told how many, from where to where."""
    monkeypatch.setattr(outbox, "MAX_FRAMES", 3)
    box = made()
    for offset in range(1, 8):
        box.put_frame(offset, b"%d" % offset)
    assert box.dropped == 4
    assert box.take() == [b"gap 4 1-4", b"5", b"6", b"7"]
    box.put_frame(8, b"8")
    assert box.take() == [b"8"]


def test_the_oldest_frames_go_when_they_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes are bounded as well."""
    monkeypatch.setattr(outbox, "MAX_FRAME_BYTES", 100)
    box = made()
    for offset in range(1, 5):
        box.put_frame(offset, bytes(40))
    assert box.take() == [b"gap 2 1-2", bytes(40), bytes(40)]


def test_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest stays for the next one."""
    monkeypatch.setattr(outbox, "BATCH_BYTES", 100)
    box = made()
    for offset in range(1, 6):
        box.put_frame(offset, bytes(40))
    assert [len(box.take()), len(box.take()), len(box.take())] == [3, 2, 0]


def test_answers_are_in_batches_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As is what the links tell."""
    monkeypatch.setattr(outbox, "BATCH_BYTES", 100)
    box = made()
    for n in range(3):
        box.put_answer(bytes(60))
        box.put_latest(f"links/{n}", bytes(50))
    assert [list(map(len, box.take())) for _ in range(3)] == [[60, 60], [60, 50], [50, 50]]
    assert not box


@pytest.mark.parametrize(("limit", "most", "size"), [("MAX_ANSWERS", 2, 1), ("MAX_ANSWER_BYTES", 100, 50)])
def test_an_outbox_is_full_when_two_answers_are_too_many_or_too_long(
    monkeypatch: pytest.MonkeyPatch, limit: str, most: int, size: int
) -> None:
    """They are never dropped; frames do not count."""
    monkeypatch.setattr(outbox, limit, most)
    box = made()
    box.put_answer(bytes(size))
    box.put_frame(1, bytes(200))
    assert not box.is_full
    box.put_answer(bytes(size))
    assert box.is_full
    assert len(box.take()) == 3
    assert not box.is_full


def test_the_first_frame_is_the_first_that_the_client_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting, or dropped and not yet told."""
    monkeypatch.setattr(outbox, "MAX_FRAMES", 2)
    box = made()
    assert box.first_frame is None
    box.put_frame(5, b"5")
    assert box.first_frame == 5
    for offset in (7, 8, 9):
        box.put_frame(offset, b"frame")
    assert box.first_frame == 5
    assert box.take() == [b"gap 2 5-7", b"frame", b"frame"]
    assert box.first_frame is None
