"""Values as JavaScript has them."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 110
"""Letters of a generated line, where it can be broken."""
_LARGEST_EXACT = 2**53


class Source(str):
    """Source text, which stands for itself."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Return a value as source text, in one line."""
    if isinstance(value, Source):
        return value
    if isinstance(value, dict):
        inside = ", ".join(f"{key_of(key)}: {literal(one)}" for key, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return json.dumps(value, ensure_ascii=False)
    return _number(value)


def _number(value: float) -> str:
    """Return a number; a whole one that is too large for JavaScript's is a BigInt."""
    if isinstance(value, int) and abs(value) >= _LARGEST_EXACT:
        return f"{value}n"
    return repr(int(value)) if value == int(value) and abs(value) < _LARGEST_EXACT else repr(value)


def key_of(name: str) -> str:
    """Return a property's name: quoted if need be."""
    if name == "__proto__":  # the one name that would not become a property
        return '["__proto__"]'
    return name if name.isidentifier() else json.dumps(name, ensure_ascii=False)


def rows(value: dict[str, Any], indent: str) -> str:
    """Return an object; what makes it too long for a line has lines of its own."""
    line = f"{indent}{literal(value)},"
    if len(line) <= WIDTH:
        return line
    inside = [_row(key, one, f"{indent}  ") for key, one in value.items()]
    return "\n".join([f"{indent}{{", *inside, f"{indent}}},"])


def _row(key: str, value: Any, indent: str) -> str:
    line = f"{indent}{key_of(key)}: {literal(value)},"
    if len(line) <= WIDTH or not isinstance(value, list):
        return line
    items = [
        rows(one, f"{indent}  ") if isinstance(one, dict) else f"{indent}  {literal(one)}," for one in value
    ]
    return "\n".join([f"{indent}{key_of(key)}: [", *items, f"{indent}],"])
