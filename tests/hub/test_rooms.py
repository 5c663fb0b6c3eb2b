"""Rooms and patterns."""

from __future__ import annotations

import pytest

from framelink.errors import ConfigError
from framelink.hub.rooms import frame_room, link_room, matches, pattern_problem, require_link_name


@pytest.mark.parametrize(
    ("pattern", "room", "expected"),
    [
        ("frames/a/1/32", "frames/a/1/32", True),
        ("frames/a/1/32", "frames/a/1/33", False),
        ("frames/+/1/+", "frames/b/1/7", True),
        ("frames/+/1/+", "frames/b/2/7", False),
        ("frames/a/#", "frames/a/1/2", True),
        ("frames/a/#", "frames/b/1/2", False),
        ("frames/#", "links/a", False),
        ("#", "links/a", True),
        ("#", "frames/a/1/2", True),
        ("links/+", "links/a", True),
        ("+/a/#", "frames/a/1/2", True),
        ("links/a/#", "links/a", True),
        ("+/+", "frames/a/1/2", False),
    ],
)
def test_patterns_cover_rooms_as_in_mqtt(pattern: str, room: str, expected: bool) -> None:
    """+ is one level, # is all that follow."""
    assert pattern_problem(pattern) is None
    assert matches(pattern, room) is expected


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("frames/#/1", "# must be the whole last level"),
        ("frames/a#", "# must be the whole last level"),
        ("frames/a+/1/2", "+ must be a whole level"),
        ("secrets/x", "begins with none of frames, links, + or #"),
        ("", "begins with none of"),
        ("frames//1/2", "has an empty level"),
        ("frames/a", "has 2 levels; rooms of frames have 4"),
        ("links/a/b", "has 3 levels; rooms of links have 2"),
        ("frames/" + "x" * 200, "is longer than 200 characters"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_told(pattern: str, problem: str) -> None:
    """In words."""
    assert problem in (pattern_problem(pattern) or "")


def test_rooms_are_named_for_what_is_in_them() -> None:
    """Numbers in decimal."""
    assert frame_room("a", 255, 32) == "frames/a/255/32"
    assert link_room("a") == "links/a"


@pytest.mark.parametrize("name", ["", "a/b", "+", "a#", "x" * 65, "a\n"])
def test_a_name_that_cannot_stand_in_a_room_is_refused(name: str) -> None:
    """A good one is not."""
    require_link_name("ttyUSB0 (left)")
    with pytest.raises(ConfigError, match="a link's name has 1 to 64 characters"):
        require_link_name(name)
