"""The languages that a schema can be written in: name → what makes its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from framelink.codegen import c, js, js_types, markdown, python, wireshark
from framelink.message import Schema

Generator = Callable[[Schema], str]


@dataclass(frozen=True)
class Language:
    """How a schema is written in a language.

    Attributes:
        about: What its text is.
        ending: How its file's name ends.
        generate: Makes its text.
        companions: Endings of further files, which belong beside it, and what makes them.
    """

    about: str
    ending: str
    generate: Generator
    companions: Mapping[str, Generator] = field(default_factory=dict)


LANGUAGES: Final[Mapping[str, Language]] = {
    "c": Language("a C header for firmware", ".h", c.generate),
    "python": Language("a typed Python module", ".py", python.generate),
    "js": Language(
        "an ES module, and its type declarations", ".js", js.generate, {".d.ts": js_types.declarations}
    ),
    "wireshark": Language("a Wireshark dissector in Lua", ".lua", wireshark.generate),
    "markdown": Language("a reference page", ".md", markdown.generate),
}
"""Every language, by the name that the command line has for it."""
