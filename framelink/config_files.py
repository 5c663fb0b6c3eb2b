"""TOML files → tables → records, and one line that says what is wrong with one and what is allowed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from framelink.errors import ConfigError

T = TypeVar("T")


def load_table(path: str | Path) -> dict[str, Any]:
    """Return what stands in a TOML file.

    Raises:
        OSError: The file cannot be read.
        ConfigError: It is no TOML file; the message names it.
    """
    try:
        text = Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a TOML file: not UTF-8 text") from None
    return parse_table(text, str(path))


def parse_table(text: str, source: str) -> dict[str, Any]:
    """Return what stands in TOML text.

    Raises:
        ConfigError: It is no TOML; the message begins with `source`.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{source}: not a TOML file: nested too deeply") from None
    except ValueError as error:  # a TOMLDecodeError, or a number too long for int()
        raise ConfigError(f"{source}: not a TOML file: {error}") from None


def to_record(table: dict[str, Any], kind: type[T], source: str) -> T:
    """Return a table as a record of a msgspec type.

    Raises:
        ConfigError: It does not fit; the message begins with `source`, and names the key and what is allowed.
    """
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        problem = str(error)
        allowed = ", ".join(_allowed(problem, kind))
        advice = f"; must be one of {allowed}" if allowed else ""
        raise ConfigError(f"{source}: {problem.replace('$.', '')}{advice}") from None


def _allowed(problem: str, kind: type) -> Iterator[str]:
    """Yield what may stand in place of an unknown key or value; nothing if the problem is another one."""
    place = re.search(r" - at `\$(.*)`$", problem, re.DOTALL)
    found = _types_at(re.findall(r"\.\w+|\[", place[1]) if place else [], inspect.type_info(kind))
    for one in found:
        if problem.startswith("Object contains unknown field") and isinstance(one, inspect.StructType):
            yield from (field.encode_name for field in one.fields)
        if problem.startswith("Invalid enum value") and isinstance(one, inspect.LiteralType):
            yield from map(str, one.values)


def _types_at(path: list[str], kind: inspect.Type) -> Iterator[inspect.Type]:
    """Yield the types that may stand at the end of a path of `.key` and `[`, for any index."""
    if isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _types_at(path, one)
    elif not path:
        yield kind
    elif isinstance(kind, inspect.ListType):
        yield from _types_at(path[1:], kind.item_type)
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            if path[0] == f".{field.encode_name}":
                yield from _types_at(path[1:], field.type)
