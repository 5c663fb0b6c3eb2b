"""FRAMES ⇄ MESSAGES.  Pure: schema files → construct structs → typed fields with units."""

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
