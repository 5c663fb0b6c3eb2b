"""FRAMES ⇄ MESSAGES.  Pure: schema text → construct structs → typed fields with units.

One module, `files`, reads files: for `Schema.load`, and the standard schema once, at import.
"""

from framelink.message.fields import TYPES, Field, Value
from framelink.message.schema import STANDARD, Kind, Message, RefusalCode, Schema, Undecodable

__all__ = [
    "STANDARD",
    "TYPES",
    "Field",
    "Kind",
    "Message",
    "RefusalCode",
    "Schema",
    "Undecodable",
    "Value",
]
