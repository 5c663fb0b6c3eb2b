"""The typed client of a generated Python module, for programs that wait and for asyncio."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import dataclass

from framelink.codegen.model import events_of, own_commands, standard_commands
from framelink.codegen.python_records import Records
from framelink.codegen.python_types import TYPES, WIDTH, Part, docstring, wrapped
from framelink.codegen.words import Names, camel, quoted
from framelink.message.document import CommandEntry


@dataclass(frozen=True)
class Flavour:
    """What is different where a program waits and where it is asyncio's."""

    prefix: str
    define: str
    wait: str
    iterator: str
    loop: str
    device: str


SYNC = Flavour("", "def", "", "Iterator", "for", "Device")
ASYNC = Flavour("Async", "async def", "await ", "AsyncIterator", "async for", "AsyncDevice")


def clients(records: Records) -> list[str]:
    """Return the sources of both clients."""
    return [_client(records, flavour) for flavour in (SYNC, ASYNC)]


def _client(records: Records, flavour: Flavour) -> str:
    schema, methods = records.schema, Names((*keyword.kwlist, *TYPES, "device"))
    name = records.names.unique(flavour.prefix + camel(schema.name))
    lines = [
        f"class {name}:",
        docstring(f"{schema.description or schema.name}, typed: of `link.device(addr, SCHEMA)`.", "    "),
        "",
        f"    def __init__(self, device: {flavour.device}) -> None:",
        "        self.device = device",
        "",
    ]
    for command in own_commands(schema):
        lines += _command(command, records, flavour, methods)
    for event in events_of(schema):
        lines += _event(event.name, event.description, records, flavour, methods)
    if {"get", "set"} <= {one.name for one in standard_commands(schema)}:
        lines += _parameters(records, flavour, methods)
    return "\n".join(lines)


def _command(command: CommandEntry, records: Records, flavour: Flavour, methods: Names) -> list[str]:
    request = records.payloads[command.name, "request"]
    reply = records.payloads[command.name, "reply"]
    parts = records.parts[request]
    method = methods.unique(command.name)
    given = f"{request}({', '.join(one.name for one in parts)}).to_fields()" if parts else "{}"
    about = command.description or f"Ask for {command.name}"
    return [
        *_signature(f"    {flavour.define} {method}(", parts, f") -> {reply}:"),
        docstring(f"{about}.", "        "),
        *_call("        _reply = ", f"{flavour.wait}self.device.request(", [quoted(command.name), given]),
        f"        return {reply}.from_fields(_reply.fields)",
        "",
    ]


def _signature(start: str, parts: Sequence[Part], end: str) -> list[str]:
    arguments = ["self", *(f"{one.name}: {one.type}{' = None' if one.is_optional else ''}" for one in parts)]
    line = start + ", ".join(arguments) + end
    return [line] if len(line) <= WIDTH else [start, *(f"        {one}," for one in arguments), "    " + end]


def _call(start: str, call: str, arguments: Sequence[str]) -> list[str]:
    line = start + call + ", ".join(arguments) + ")"
    if len(line) <= WIDTH:
        return [line]
    return [start + call, *(f"            {one}," for one in arguments), "        )"]


def _event(name: str, about: str, records: Records, flavour: Flavour, methods: Names) -> list[str]:
    kind = records.payloads[name, "event"]
    events = f"self.device.events({quoted(name)})"
    return [
        f"    def {methods.unique(f'{name}_events')}(self) -> {flavour.iterator}[{kind}]:",
        docstring(f"{about or f'The events {name}'}, as they come from now on.", "        "),
        f"        return ({kind}.from_fields(one.fields) {flavour.loop} one in {events})",
        "",
    ]


def _parameters(records: Records, flavour: Flavour, methods: Names) -> list[str]:
    """Return two methods for each parameter: read it, and change it."""
    lines: list[str] = []
    for one in records.schema.parameters.values():
        part = records.parameters[one.name]
        about, key = part.about or one.name, quoted(one.name)
        get, change = methods.unique(f"get_{one.name}"), methods.unique(f"set_{one.name}")
        given = f'{{"parameter": {key}, "value": {part.writing("value")}}}'
        lines += [
            *_signature(f"    {flavour.define} {get}(", [], f") -> {part.type}:"),
            docstring(f"Read the parameter {one.name}: {about}.", "        "),
            *_value(part, "get", f'{{"parameter": {key}}}', flavour),
            *_signature(f"    {flavour.define} {change}(", [part], f") -> {part.type}:"),
            docstring("Change it; return the value now in force.", "        "),
            *_value(part, "set", given, flavour),
        ]
    return lines


def _value(part: Part, command: str, given: str, flavour: Flavour) -> list[str]:
    """Return the body of a method that asks and returns the value in the reply."""
    return [
        *_call("        _reply = ", f"{flavour.wait}self.device.request(", [quoted(command), given]),
        "        fields: Mapping[str, Any] = _reply.fields",
        *wrapped("        found: ", part.type, f" = {part.reading}"),
        "        return found",
        "",
    ]
