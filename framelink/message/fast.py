"""Fast: decodes frames of one length in one function, for payloads whose fields always take the same bytes.

The constructs of a layout say what a payload is; what is here says the same in Python, ten times as fast, as
`namedtuple` and `dataclass` do it: the function's text is made of the fields, once.  Telemetry is all of this
kind.  A payload of any other length is left to the layout.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from framelink.message.fields import Field
from framelink.message.labels import labels_of
from framelink.message.messages import Kind, Message
from framelink.message.parts import Part
from framelink.message.scaling import formula_of
from framelink.message.values import as_it_is, reader_of_one
from framelink.wire import Frame

MAX_VALUES: Final = (
    256  # numbers of a payload; the text of more takes long to compile, and their time is their own
)

Decode = Callable[[Frame], Any]

_TEXT: Final = """
def decode(frame):
    data = frame[2]
    if len(data) != {size}:
        return others(frame)
    {places} = unpack(data)
    return Message(frame, {name!r}, {kind!r}, {fields}, {sequence})
"""


def is_fast(parts: Sequence[Part]) -> bool:
    """Tell whether the fields always take the same bytes, and are few, in one byte order."""
    if any(one.step for one in parts) or len(frozenset[str]().union(*(one.orders for one in parts))) > 1:
        return False
    return sum(one.span for one in parts) < MAX_VALUES


def fast_decoder(
    name: str,
    kind: Kind,
    parts: Sequence[Part],
    parameters: Mapping[int, Field],
    *,
    sequenced: bool,
    others: Decode,
) -> Decode:
    """Return what makes a message of a frame; `others` does it for payloads of another length.

    It raises PayloadError for a parameter that the device has not.
    """
    codes = "B" * sequenced + "".join(one.codes for one in parts)
    is_big = any("big" in one.orders for one in parts)
    payload = struct.Struct(f"{'>' if is_big else '<'}{codes}")
    writer = _Writer(parameters)
    sequence = writer.next_place() if sequenced else None
    text = _TEXT.format(
        size=payload.size,
        name=name,
        kind=kind,
        fields=writer.mapping(parts),
        sequence=sequence,
        places=f"[{', '.join(writer.places)}]",
    )
    known: dict[str, Any] = {
        "unpack": payload.unpack,
        "others": others,
        "Message": Message,
        **writer.functions,
    }
    exec(text, known)  # noqa: S102 - what stands in it is numbers, and names that are identifiers
    decode: Decode = known["decode"]
    return decode


class _Writer:
    """Writes values in Python, of numbers in the order in which `struct` unpacks them.

    Attributes:
        places: The names of these numbers.
        functions: Name → what the values call.
    """

    def __init__(self, parameters: Mapping[int, Field]) -> None:
        self._parameters = parameters
        self.places: list[str] = []
        self.functions: dict[str, Any] = {}

    def next_place(self) -> str:
        """Return the name of the next number."""
        self.places.append(f"v{len(self.places)}")
        return self.places[-1]

    def mapping(self, parts: Sequence[Part]) -> str:
        """Return fields by name."""
        return f"{{{', '.join(f'{one.field.name!r}: {self._value(one)}' for one in parts)}}}"

    def _value(self, part: Part) -> str:
        if isinstance(part.field.count, int):
            return f"[{', '.join(self._value(part.item) for _ in range(part.field.count))}]"
        return self.mapping(part.members) if part.members else self._one(part.field, self.next_place())

    def _one(self, field: Field, place: str) -> str:
        if field.enum:
            return f"{self._function(labels_of(field.enum).get)}({place}, {place})"
        if field.is_scaled:
            return formula_of(field, place)
        read = reader_of_one(field, self._parameters)
        return place if read is as_it_is else f"{self._function(read)}({place})"

    def _function(self, function: Callable[..., Any]) -> str:
        name = f"f{len(self.functions)}"
        self.functions[name] = function
        return name
