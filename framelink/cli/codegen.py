"""`framelink codegen`: what a schema says, as source text of other languages."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from framelink.cli import output


class LanguageName(enum.StrEnum):
    """The languages; a test holds them to framelink.codegen's, which is imported when it is used."""

    C = "c"
    PYTHON = "python"
    JS = "js"
    WIRESHARK = "wireshark"
    MARKDOWN = "markdown"


def codegen(
    language: Annotated[
        LanguageName,
        typer.Argument(
            metavar="LANGUAGE", help="c, python, js, wireshark (a dissector) or markdown (a reference page)."
        ),
    ],
    schema: Annotated[Path, typer.Argument(metavar="SCHEMA.toml", help="What the device's frames mean.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write it instead of to standard output; js: its type declarations go beside it.",
        ),
    ] = None,
) -> None:
    """Write a schema as a C header, a Python or JavaScript module, a Wireshark dissector, or a page.

    Example: framelink codegen python motor.toml -o motor.py
    """
    from framelink.codegen.languages import LANGUAGES
    from framelink.message import Schema

    chosen, loaded = LANGUAGES[language], Schema.load(schema)
    text = chosen.generate(loaded)
    if out is None:
        output.write(text)
        return
    out.write_text(text, "utf-8", newline="\n")
    for ending, generate in chosen.companions.items():
        companion(out, ending).write_text(generate(loaded), "utf-8", newline="\n")


def companion(path: Path, ending: str) -> Path:
    """Return the file beside another: `motor.d.ts` beside `motor.js`, `motor.d.mts` beside `motor.mjs`."""
    return path.with_suffix(ending.replace(".ts", ".mts") if path.suffix == ".mjs" else ending)
