"""The one module of `message` that reads files; all others are pure."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from framelink.errors import SchemaError


def read_schema(path: str | Path) -> str:
    """Return the text of a schema file.

    Raises:
        OSError: The file cannot be read.
        SchemaError: It is no text.
    """
    try:
        return Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        raise SchemaError(f"{path}: not a TOML file: not UTF-8 text") from None


def read_standard() -> str:
    """Return the text of the schema that every other extends."""
    return files("framelink.message").joinpath("standard.toml").read_text("utf-8")
