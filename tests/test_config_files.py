"""TOML files → records, and what is said of those that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from framelink.config_files import load_table, parse_table, to_record
from framelink.errors import ConfigError


class Wheel(msgspec.Struct, forbid_unknown_fields=True):
    """Something in a list, with a value of a few."""

    size: Literal["small", "large"] | None = None


class Cart(msgspec.Struct, forbid_unknown_fields=True):
    """Something with a list, and with a key that takes one of two types."""

    wheel: list[Wheel] = []
    load: str | dict[str, Any] = ""


def test_a_file_becomes_a_record(tmp_path: Path) -> None:
    """By way of a table."""
    path = tmp_path / "cart.toml"
    path.write_text('load = "hay"\n[[wheel]]\nsize = "large"\n')
    assert to_record(load_table(path), Cart, "cart") == Cart([Wheel("large")], "hay")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("horse = 1", "Object contains unknown field `horse`; must be one of wheel, load"),
        ("[[wheel]]\nspokes = 8", "unknown field `spokes` - at `wheel[0]`; must be one of size"),
        (
            "[[wheel]]\nsize = 'big'",
            "Invalid enum value 'big' - at `wheel[0].size`; must be one of large, small",
        ),
        ("load = 1", "Expected `str | object`, got `int` - at `load`"),
        ("load = ", "not a TOML file: Invalid value (at end of document)"),
        pytest.param("load = " + "[" * 100_000, "not a TOML file: nested too deeply", id="deep"),
        pytest.param("load = " + "1" * 5_000, "not a TOML file: Exceeds the limit", id="long"),
    ],
)
def test_what_does_not_fit_names_source_key_and_what_is_allowed(text: str, problem: str) -> None:
    """As far as a list of words can say it."""
    with pytest.raises(ConfigError) as caught:
        to_record(parse_table(text, "cart.toml"), Cart, "cart.toml")
    assert str(caught.value).startswith("cart.toml: ")
    assert problem in str(caught.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """With its name; one that is not there is the system's error."""
    path = tmp_path / "cart.toml"
    with pytest.raises(OSError, match="No such file"):
        load_table(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"cart\.toml: not a TOML file: not UTF-8 text"):
        load_table(path)
