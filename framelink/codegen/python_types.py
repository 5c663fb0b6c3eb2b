"""The dataclasses of a generated Python module: one for each payload, struct and bit field."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from framelink.codegen.model import may_be_absent, shape_of
from framelink.codegen.words import about_bit, about_field, free, one_line, quoted
from framelink.message import Field
from framelink.message.fields import Bit

WIDTH = 100
"""Letters of a generated line, where it can be broken."""
TYPES = ("Any", "Frame", "Literal", "Mapping", "bool", "bytes", "dict", "float", "int", "list", "str")
"""What annotations are made of, which no name in a class may hide."""
RESERVED = frozenset(
    {*keyword.kwlist, *TYPES, "KIND", "MESSAGE", "classmethod", "frame", "from_fields", "self", "to_fields"}
)
"""What is not free as the name of a field."""

_LABEL = r'"(?:[^"\\]|\\.)*"'
_LABELS = re.compile(rf"(.*?)Literal\[({_LABEL}(?:, {_LABEL})*)\](.*)")


@dataclass(frozen=True)
class Part:
    """A field of a dataclass.

    Attributes:
        key: Its name in a message's fields.
        name: Its name in the dataclass.
        type: Its type, as source text.
        about: What is to be said of it.
        record: The class of its value, or of each of them; empty if that is a plain value.
        is_list: Whether there are several.
        is_optional: Whether a payload may end before it.
    """

    key: str
    name: str
    type: str
    about: str
    record: str = ""
    is_list: bool = False
    is_optional: bool = False

    @property
    def reading(self) -> str:
        """The expression of its value from the mapping `fields`."""
        plain = f"fields[{quoted(self.key)}]"
        if self.record and self.is_list:
            value = f"[{self.record}.from_fields(one) for one in {plain}]"
        else:
            value = f"{self.record}.from_fields({plain})" if self.record else plain
        if not self.is_optional:
            return value
        return f"{value} if {quoted(self.key)} in fields else None"

    def writing(self, value: str) -> str:
        """Return the expression of what the mapping has for a value."""
        if not self.record:
            return value
        return f"[one.to_fields() for one in {value}]" if self.is_list else f"{value}.to_fields()"


def docstring(text: str, indent: str) -> str:
    """Return a docstring of one line."""
    return f'{indent}"""{docline(text)}"""'


def docline(text: str) -> str:
    """Return text that is safe in a docstring."""
    return one_line(text).replace("\\", "\\\\").replace('"', "'")


def part_of(field: Field, record: str, structs: dict[str, str], parameters: Sequence[str]) -> Part:
    """Return a payload's or struct's field; `record` is the class of its bits, if it has some."""
    shape = shape_of(field)
    name = free(field.name, {*RESERVED, *structs.values()})
    about = about_field(field)
    record = structs[field.type] if shape == "struct" else record
    one = record or _plain_type(field, parameters)
    is_list, is_optional = field.count is not None, may_be_absent(field)
    text = f"list[{one}]" if is_list else one
    return Part(
        field.name, name, f"{text} | None" if is_optional else text, about, record, is_list, is_optional
    )


def _plain_type(field: Field, parameters: Sequence[str]) -> str:
    shape = shape_of(field)
    if shape == "enum":
        return f"{literal(field.enum)} | int"  # a newer device may have more
    if shape == "parameter":
        return literal(parameters) if parameters else "str"
    if shape == "number":
        return "float" if field.type[0] == "f" else "int"
    return {"scaled": "float", "bool": "bool", "bytes": "bytes", "string": "str", "value": "Any"}[shape]


def literal(labels: Iterable[str]) -> str:
    """Return the type of some texts."""
    return f"Literal[{', '.join(map(quoted, labels))}]"


def bit_parts(bits: Iterable[Bit]) -> list[Part]:
    """Return the parts of a bit field that have a name."""
    return [
        Part(one.name, free(one.name, RESERVED), _bit_type(one), about_bit(one)) for one in bits if one.name
    ]


def _bit_type(bit: Bit) -> str:
    if bit.enum:
        return f"{literal(bit.enum)} | int"
    return "bool" if bit.width == 1 else "int"


def dataclass_text(name: str, about: str, parts: Sequence[Part], message: tuple[str, str] | None) -> str:
    """Return the source of a dataclass; `message` is the name and the kind of the message that it is."""
    base = "(_Payload)" if message else ""
    lines = [
        "@dataclass(frozen=True, slots=True)",
        f"class {name}{base}:",
        *_class_docstring(about, parts),
        "",
    ]
    if message:
        lines += [
            f"    MESSAGE: ClassVar = {quoted(message[0])}",
            f"    KIND: ClassVar = {quoted(message[1])}",
            "",
        ]
    for one in parts:
        lines += _annotation(one)
    lines += [""] if parts else []
    return "\n".join([*lines, *_to_fields(parts), "", *_from_fields(name, parts), ""])


def _class_docstring(about: str, parts: Sequence[Part]) -> list[str]:
    told = [f"        {one.name}: {docline(one.about)}." for one in parts if one.about]
    if not told:
        return [docstring(f"{about}.", "    ")]
    return [f'    """{docline(about)}.', "", "    Attributes:", *told, '    """']


def _annotation(part: Part) -> list[str]:
    default = " = None" if part.is_optional else ""
    return wrapped(f"    {part.name}: ", part.type, default)


def wrapped(start: str, text: str, end: str) -> list[str]:
    """Return a line that has a type in it; one that is too long gets a line for each label of the type."""
    found = _LABELS.fullmatch(text)
    if len(start + text + end) <= WIDTH or not found:
        return [start + text + end]
    before, labels, after = found.groups()
    indent = " " * (len(start) - len(start.lstrip()))
    items = [f"{indent}    {one}," for one in re.findall(_LABEL, labels)]
    return [f"{start}{before}Literal[", *items, f"{indent}]{after}{end}"]


def _to_fields(parts: Sequence[Part]) -> list[str]:
    lines = [
        "    def to_fields(self) -> dict[str, Any]:",
        docstring("Return it as framelink has it.", "        "),
    ]
    always = [f"{quoted(one.key)}: {one.writing(f'self.{one.name}')}" for one in parts if not one.is_optional]
    maybe = [one for one in parts if one.is_optional]
    if not maybe:
        return [*lines, *_bracketed("        return {", always, "}")]
    lines += _bracketed("        fields: dict[str, Any] = {", always, "}")
    for one in maybe:
        value = f"self.{one.name}"
        lines += [
            f"        if {value} is not None:",
            f"            fields[{quoted(one.key)}] = {one.writing(value)}",
        ]
    return [*lines, "        return fields"]


def _from_fields(name: str, parts: Sequence[Part]) -> list[str]:
    argument = "fields" if parts else "_fields"
    lines = [
        "    @classmethod",
        f"    def from_fields(cls, {argument}: Mapping[str, Any]) -> {name}:",
        docstring("Return it of what framelink has.", "        "),
    ]
    return [*lines, *_bracketed("        return cls(", [f"{one.name}={one.reading}" for one in parts], ")")]


def _bracketed(start: str, items: Sequence[str], end: str) -> list[str]:
    """Return items between brackets, in one line if they are few."""
    line = start + ", ".join(items) + end
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(start) - len(start.lstrip()))
    return [start, *(f"{indent}    {one}," for one in items), indent + end]
