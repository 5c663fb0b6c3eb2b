"""`framelink schema`: is a schema file right, and what does it say?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelink.cli import options, output

if TYPE_CHECKING:
    from framelink.message import Field, Kind, Schema

schema = typer.Typer(
    name="schema",
    help="Check the files that describe devices.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@schema.callback()
def _schema() -> None:
    """Check the files that describe devices."""


@schema.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A schema, a TOML file.")],
    *,
    json: options.Json = False,
) -> None:
    """Say what a schema file describes, a line for each message, or what is wrong with it.

    Example: framelink schema check motor.toml
    """
    from framelink.message import Schema

    known = Schema.load(file)
    if json:
        output.write(output.json_line(_described(known)))
    else:
        output.write("".join(f"{output.one_line(line)}\n" for line in _lines(known)))


def _described(schema: Schema) -> dict[str, Any]:
    """Return the description, with the lengths that payloads may have."""
    described = schema.describe()
    for one in described["commands"]:
        one["request_bytes"] = _bytes(schema, one["name"], "request")
        one["reply_bytes"] = _bytes(schema, one["name"], "reply")
    for one in described["events"]:
        one["bytes"] = _bytes(schema, one["name"], "event")
    return described


def _lines(schema: Schema) -> Iterator[str]:
    own = {one.name for one in schema.document.command}
    yield _about(schema)
    for one in schema.document.struct:
        yield f"struct          {one.name}: {_fields(one.fields)}"
    for command in schema.commands:
        if command.name in own:
            yield _message(schema, command.id, command.name, "request")
            yield _message(schema, command.reply_cmd, command.name, "reply")
    for event in schema.document.event:
        yield _message(schema, event.id, event.name, "event")
    for number, parameter in schema.parameters.items():
        yield f"parameter {number:3}   {_field(parameter)}"


def _about(schema: Schema) -> str:
    """Return the device, and how much there is of it."""
    standard = len(schema.commands) - len(schema.document.command)
    facts = [
        f"type 0x{schema.device_type:04X}",
        *([f"version {schema.version}"] if schema.version else []),
        *(["sequenced"] if schema.sequenced else []),
        f"{_count(len(schema.document.command), 'command')} of its own and {standard} standard ones",
        _count(len(schema.document.event), "event"),
        _count(len(schema.parameters), "parameter"),
    ]
    return f"{schema.name}: {', '.join(facts)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _message(schema: Schema, cmd: int, name: str, kind: Kind) -> str:
    layout = schema.layout(name, kind)
    assert layout is not None  # it is of this schema
    return f"{kind:9} 0x{cmd:02X}  {name}: {_fields(layout.fields)} ({_bytes(schema, name, kind)} bytes)"


def _bytes(schema: Schema, name: str, kind: Kind) -> str:
    """Return the legal lengths of a message's payloads, a sequence byte not counted."""
    layout = schema.layout(name, kind)
    assert layout is not None  # it is of this schema
    return str(layout.lengths)


def _fields(fields: Sequence[Field]) -> str:
    return ", ".join(_field(one) for one in fields) or "nothing"


def _field(field: Field) -> str:
    """Return a field's name and type: `speed i16 rpm`, `points point[u8]`, `title string(8)?`."""
    size = "" if field.size is None else f"({field.size})"
    count = "" if field.count is None else f"[{field.count}]"
    unit = f" {field.unit}" if field.unit else ""
    return f"{field.name} {field.type}{size}{count}{'?' if field.may_lack else ''}{unit}"
