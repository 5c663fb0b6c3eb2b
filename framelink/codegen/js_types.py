"""The type declarations of a generated JavaScript module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from framelink.codegen.js import title
from framelink.codegen.js_text import key_of
from framelink.codegen.model import Payload, all_payloads, may_be_absent, shape_of, structs_of
from framelink.codegen.words import Names, about_field, camel, one_line, quoted
from framelink.message import Field, Kind, Schema
from framelink.message.fields import Bit

_RESERVED = (
    *("Decoded", "Events", "Message", "PayloadError", "Replies", "Requests", "Undecodable", "Uint8Array"),
    *("Error", "Object", "String", "Number", "Boolean", "Record", "Encoded"),
)
_GROUPS: dict[Kind, str] = {"request": "Requests", "reply": "Replies", "event": "Events"}
_EXACT_BITS = 53  # of JavaScript's numbers
_NOTHING = "Record<string, never>"

_HEAD = """\
/** How a device with such messages identifies itself, 0 if it does not. */
export const DEVICE_TYPE: number;
"""
_FUNCTIONS = """\
/** A frame's command and payload. */
export interface Encoded {
  cmd: number;
  data: Uint8Array;
}

/** A payload that does not fit its message. */
export interface Undecodable {
  kind: "undecodable";
  message: string;
  reason: string;
}

type Of<K extends string, Fields> = {
  [M in keyof Fields]: { kind: K; message: M; fields: Fields[M]; sequence: number | null };
}[keyof Fields];

/** What a frame says; `kind` and `message` tell which fields it has. */
export type Message = Of<"request", Requests> | Of<"reply", Replies> | Of<"event", Events>;

/** A message's values that its fields may not hold; its text names message, field, and what is allowed. */
export class PayloadError extends Error {}

/** Return the command and the payload of a request; throws PayloadError for what a field may not hold. */
export function encodeRequest<M extends keyof Requests>(
  message: M,
  fields?: Requests[M],
  sequence?: number,
): Encoded;

/** As encodeRequest, of a reply: for devices that are simulated. */
export function encodeReply<M extends keyof Replies>(
  message: M,
  fields?: Replies[M],
  sequence?: number,
): Encoded;

/** As encodeRequest, of an event: for devices that are simulated. */
export function encodeEvent<M extends keyof Events>(message: M, fields?: Events[M]): Encoded;

/** Return what a frame says; null for a command that the device has not. */
export function decode(cmd: number, data: Uint8Array): Message | Undecodable | null;
"""


def declarations(schema: Schema) -> str:
    """Return the type declarations (.d.ts) of the module that `js.generate` returns."""
    return "\n".join([title(schema), _HEAD, *_Interfaces(schema).texts(), _FUNCTIONS])


@dataclass
class _Interfaces:
    """The interfaces of one module."""

    schema: Schema
    names: Names = field(default_factory=lambda: Names(_RESERVED))
    structs: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    def texts(self) -> list[str]:
        """Return the sources of all."""
        for one in structs_of(self.schema):
            self.structs[one.name] = self.names.unique(camel(one.name))
            self._add(self.structs[one.name], one.description, one.fields)
        groups: dict[Kind, list[tuple[str, str]]] = {kind: [] for kind in _GROUPS}
        for payload in all_payloads(self.schema):
            groups[payload.kind].append((payload.name, self._payload(payload)))
        return [*self.found, *(_group(kind, members) for kind, members in groups.items())]

    def _payload(self, payload: Payload) -> str:
        """Add a payload's interface, and return its name."""
        if not payload.fields:
            return _NOTHING
        name = self.names.unique(camel(f"{payload.name}_{payload.kind}"))
        self._add(name, payload.description, payload.fields)
        return name

    def _add(self, name: str, about: str, fields: Sequence[Field]) -> None:
        lines = [f"/** {_comment(about)}. */"] if about else []
        lines.append(f"export interface {name} {{")
        for one in fields:
            mark = "?" if may_be_absent(one) else ""
            lines += _described(about_field(one), f"{key_of(one.name)}{mark}: {self._type(one)};", "  ")
        self.found.append("\n".join([*lines, "}\n"]))

    def _type(self, field: Field) -> str:
        one = self._item(field)
        if field.count is None:
            return one
        return f"({one})[]" if " " in one and not one.startswith("{") else f"{one}[]"

    def _item(self, field: Field) -> str:
        shape = shape_of(field)
        if shape == "struct":
            return self.structs[field.type]
        if shape == "bits":
            return (
                "{ " + " ".join(f"{key_of(one.name)}: {_bit(one)};" for one in field.bits if one.name) + " }"
            )
        if shape == "enum":
            return f"{_labels(field.enum)} | number"
        if shape == "number":
            return "bigint" if field.type in {"u64", "i64"} else "number"
        if shape == "parameter":
            return _labels([one.name for one in self.schema.parameters.values()])
        plain = {"scaled": "number", "bool": "boolean", "bytes": "Uint8Array", "string": "string"}
        return plain.get(shape) or self._value()

    def _value(self) -> str:
        """Return the type of a value: what any of the parameters may be."""
        return (
            " | ".join(dict.fromkeys(self._type(one) for one in self.schema.parameters.values())) or "never"
        )


def _bit(bit: Bit) -> str:
    if bit.enum:
        return f"{_labels(bit.enum)} | number"
    if bit.width == 1:
        return "boolean"
    return "bigint" if bit.width > _EXACT_BITS else "number"


def _labels(labels: Sequence[str] | dict[str, int]) -> str:
    return " | ".join(map(quoted, labels)) or "never"


def _group(kind: Kind, members: Sequence[tuple[str, str]]) -> str:
    lines = [f"  {key_of(name)}: {one};" for name, one in members]
    return "\n".join(
        [f"/** Each {kind}'s fields, by its name. */", f"export interface {_GROUPS[kind]} {{", *lines, "}\n"]
    )


def _described(about: str, line: str, indent: str) -> list[str]:
    comment = [f"{indent}/** {_comment(about)}. */"] if about else []
    return [*comment, indent + line]


def _comment(text: str) -> str:
    return one_line(text).replace("*/", "* /")
