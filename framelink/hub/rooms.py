"""Rooms: the paths that frames and links are published under, and the patterns that clients subscribe to.

Rooms are `frames/<link>/<addr>/<cmd>` (numbers in decimal) and `links/<link>`.  In a pattern `+` stands for
one level and a final `#` for all that follow, as in MQTT.
"""

from __future__ import annotations

import functools
import re

from framelink.errors import ConfigError

ROOTS = {"frames": 4, "links": 2}
"""First level → how many levels a room below it has."""

MAX_PATTERN = 200  # characters; a room's longest name has 64 + 18
LINK_NAME = re.compile(r"[^/+#\x00-\x1f\x7f]{1,64}")  # what may stand for one level in a room


def frame_room(link: str, addr: int, cmd: int) -> str:
    """Return the room of a link's frames with that address and command."""
    return f"frames/{link}/{addr}/{cmd}"


def link_room(link: str) -> str:
    """Return the room of what a link tells about itself."""
    return f"links/{link}"


def require_link_name(name: str) -> None:
    """Check that a name can stand in a room.

    Raises:
        ConfigError: It cannot.
    """
    if not LINK_NAME.fullmatch(name):
        raise ConfigError(f"a link's name has 1 to 64 characters, no /, + or #; not {name!r}")


def pattern_problem(pattern: str) -> str | None:
    """Return what is wrong with a pattern, None if nothing is."""
    levels = pattern.split("/")
    if len(pattern) > MAX_PATTERN:
        return f"is longer than {MAX_PATTERN} characters"
    if any("#" in one for one in levels[:-1]) or levels[-1] not in ("#", levels[-1].replace("#", "")):
        return "# must be the whole last level"
    if any("+" in one and one != "+" for one in levels):
        return "+ must be a whole level"
    if levels[0] not in (*ROOTS, "+", "#"):
        return f"begins with none of {', '.join(ROOTS)}, + or #"
    if "" in levels:
        return "has an empty level"
    depth = ROOTS.get(levels[0], max(ROOTS.values()))
    named = len(levels) - (levels[-1] == "#")
    if named > depth or (levels[0] in ROOTS and named < depth and levels[-1] != "#"):
        return f"has {named} levels; rooms of {levels[0]} have {depth}"
    return None


@functools.lru_cache(maxsize=4_096)  # patterns × rooms that are in use at a time; a miss costs microseconds
def matches(pattern: str, room: str) -> bool:
    """Tell whether a valid pattern covers a room."""
    wanted, given = pattern.split("/"), room.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        if len(given) < len(wanted):
            return False
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(w in ("+", g) for w, g in zip(wanted, given, strict=True))
