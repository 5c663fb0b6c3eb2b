"""What waits for a host that does not take it at once."""

from __future__ import annotations

from firmware_sim.backlog import BACKLOG_AGE, Backlog
from firmware_sim.ports import BACKLOG_BYTES


def test_pieces_come_out_in_order_and_in_parts() -> None:
    """A part that was taken does not come again."""
    backlog = Backlog()
    backlog.put(b"abc", 0.0)
    backlog.put(b"de", 0.0)
    backlog.taken(len(backlog.first(0.0)) - 1)
    assert backlog.first(0.0) == b"c"
    backlog.taken(1)
    assert backlog.first(0.0) == b"de"
    backlog.taken(2)
    assert (backlog.first(0.0), bool(backlog), backlog.dropped) == (b"", False, 0)


def test_the_oldest_pieces_make_room_and_are_counted() -> None:
    """Bounded in bytes."""
    backlog = Backlog()
    for number in range(3):
        backlog.put(bytes([number]) * (BACKLOG_BYTES // 2), 0.0)
    assert backlog.first(0.0)[:1] == b"\x01"
    assert backlog.dropped == BACKLOG_BYTES // 2


def test_what_nobody_hears_for_long_is_lost() -> None:
    """A host that opens the line later hears what is said then; a piece that is under way is finished."""
    backlog = Backlog()
    backlog.put(b"begun", 0.0)
    backlog.put(b"old", 0.0)
    backlog.put(b"new", BACKLOG_AGE)
    backlog.taken(1)
    assert backlog.first(BACKLOG_AGE + 0.1) == b"egun"
    backlog.taken(4)
    assert backlog.first(BACKLOG_AGE + 0.1) == b"new"
    assert backlog.dropped == 3


def test_a_piece_that_is_under_way_is_finished() -> None:
    """What comes behind it is lost instead; every byte is counted once, as taken or as dropped."""
    backlog = Backlog()
    backlog.put(bytes(BACKLOG_BYTES), 0.0)
    backlog.taken(100)
    backlog.put(b"next", 0.0)
    assert (len(backlog.first(0.0)), backlog.dropped) == (BACKLOG_BYTES - 100, 4)
    backlog.lose(b"gone")
    backlog.clear()
    assert (bool(backlog), backlog.dropped) == (False, 8)
