"""A schema as TOML text again, for modules that carry their schema with them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from framelink.message import Schema

_FIRST = ("id", "reply_id")
_HEX = (*_FIRST, "type")
_DELETE = chr(0x7F)  # the one control character that JSON leaves in strings and TOML does not


def toml_of(schema: Schema) -> str:
    """Return the text of a schema file that says the same: without comments and defaults."""
    document = schema.document
    tables = [("device", document.device), ("frame", document.frame)]
    lists = ("struct", "command", "event", "parameter")
    parts = [_table(f"[{name}]", _plain(entry)) for name, entry in tables if entry]
    parts += [_table(f"[[{name}]]", _plain(one)) for name in lists for one in getattr(document, name)]
    return "\n".join(parts)


def _plain(entry: Any) -> dict[str, Any]:
    """Return what a record says, without what it says by default."""
    if isinstance(entry, dict):
        return entry
    found = {}
    for info in msgspec.structs.fields(entry):
        value = getattr(entry, info.name)
        default = None if info.default_factory is msgspec.NODEFAULT else info.default_factory()
        if value not in (info.default, default):
            found[info.name] = msgspec.to_builtins(value)
    return found


def _table(header: str, entry: dict[str, Any]) -> str:
    numbered = sorted(entry.items(), key=lambda item: item[0] not in _FIRST)
    return "".join(
        [f"{header}\n", *(f"{key} = {_hex(key, value) or _lines(value)}\n" for key, value in numbered)]
    )


def _hex(key: str, value: Any) -> str:
    """Return the numbers of messages and devices as people write them; empty for others."""
    return f"0x{value:02X}" if key in _HEX and isinstance(value, int) else ""


def _lines(value: Any) -> str:
    """Return a value of a table; a list of tables has one line for each."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + "".join(f"    {_inline(one)},\n" for one in value) + "]"
    return _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_inline(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, float) and not isinstance(value, bool):
        return repr(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
    return json.dumps(value, ensure_ascii=False).replace(_DELETE, "\\u007f")


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "_").replace("_", "a").isalnum()
    return key if bare else _inline(key)
