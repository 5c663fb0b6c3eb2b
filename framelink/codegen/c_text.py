"""Text of a C header: comments, definitions, lists of statements."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from framelink.codegen.words import one_line

WIDTH = 110
INDENT = "    "
INT = range(-0x8000, 0x8000)
"""What an int can hold on every machine."""
_MARKS = re.compile(r"/(?=\*)|\*(?=/)|\?(?=\?)")  # `/*`, `*/` and `??`, which mean something in a comment


def remark(text: str) -> str:
    """Return text on one line as it may stand in a comment."""
    return _MARKS.sub(lambda mark: f"{mark[0]} ", one_line(text))


def comment(text: str) -> list[str]:
    """Return a comment on lines of its own; nothing if there is nothing to say."""
    if not text:
        return []
    lines = textwrap.wrap(remark(text), WIDTH - 6, break_long_words=False, break_on_hyphens=False)
    return [
        f"{'/*' if line is lines[0] else ' *'} {line}{' */' if line is lines[-1] else ''}" for line in lines
    ]


def beside(code: str, text: str) -> str:
    """Return a line of code with a comment behind it, if there is something to say."""
    return f"{code} /* {remark(text)} */" if text else code


def constants(names: Mapping[str, int], *, tag: str = "", form: str = "{}") -> list[str]:
    """Return an enum of names and numbers; definitions where an int cannot hold all of them."""
    if all(number in INT for number in names.values()):
        lines = [f"{INDENT}{name} = {form.format(number)}," for name, number in names.items()]
        return [f"enum {tag} {{".replace("  ", " "), *lines, "};"]
    return [f"#define {name} {number_literal(number)}" for name, number in names.items()]


def number_literal(number: int) -> str:
    """Return a whole number of up to 64 bits as C takes it on every machine."""
    if number in INT:
        return str(number)
    if 0 < number <= 0xFFFF:
        return f"{number}U"
    if number < -0x8000_0000:
        return f"(-INT64_C({-number - 1}) - 1)"
    if number < 0:
        return f"(-INT32_C({-number - 1}) - 1)"
    if number <= 0x7FFF_FFFF:
        return f"INT32_C({number})"
    if number <= 0xFFFF_FFFF:
        return f"UINT32_C({number})"
    return f"INT64_C({number})" if number <= 0x7FFF_FFFF_FFFF_FFFF else f"UINT64_C({number})"


def function(head: str, body: Sequence[str]) -> list[str]:
    """Return a function."""
    return [*folded(head), "{", *(INDENT + one for one in body), "}", ""]


def folded(code: str, behind: str = ",") -> list[str]:
    """Return code on several lines if it is long, folded behind commas, or behind something else."""
    whole = re.sub(f"(?<!{behind}) ", "\0", code)
    lines = textwrap.wrap(
        whole, WIDTH, subsequent_indent=INDENT, break_long_words=False, break_on_hyphens=False
    )
    return [one.replace("\0", " ") for one in lines]


def macro(name: str, lines: Iterable[str]) -> list[str]:
    """Return the definition of a macro of several lines."""
    return " \\\n".join([f"#define {name}", *(f"{INDENT}{one}" for one in lines)]).split("\n")
