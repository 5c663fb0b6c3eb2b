"""Values as Lua has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

WIDTH = 110
"""Letters of a generated line, where it can be broken."""
_KEYWORDS = frozenset(
    (
        *("and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in"),
        *("local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while"),
    )
)
_ESCAPED = re.compile(r'[\x00-\x1f\x7f"\\]')


class Source(str):
    """Source text, which stands for itself."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Return a value as source text, in one line."""
    if isinstance(value, Source):
        return value
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {literal(one)}" for key, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return f"{{ {', '.join(map(literal, value))} }}" if value else "{}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return '"' + "".join(f"\\x{one:02x}" for one in value) + '"'
    return _text(value) if isinstance(value, str) else _number(value)


def _text(text: str) -> str:
    return '"' + _ESCAPED.sub(lambda found: f"\\{ord(found.group()):03d}", text) + '"'


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def _key(name: str) -> str:
    return name if name.isascii() and name.isidentifier() and name not in _KEYWORDS else f"[{_text(name)}]"


def rows(entries: Sequence[dict[str, Any]], indent: str) -> list[str]:
    """Return tables, a line each; one that is too long has a line for each of its members."""
    return [_row(literal(one), one, "", indent) for one in entries]


def _row(line: str, value: Any, key: str, indent: str) -> str:
    whole = f"{indent}{key}{line},"
    if len(whole) <= WIDTH or not isinstance(value, (dict, list)):
        return whole
    deeper = f"{indent}  "
    if isinstance(value, dict):
        inside = [_row(literal(one), one, f"{_key(name)} = ", deeper) for name, one in value.items()]
    else:
        inside = [_row(literal(one), one, "", deeper) for one in value]
    return "\n".join([f"{indent}{key}{{", *inside, f"{indent}}},"])
