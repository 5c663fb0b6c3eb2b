"""FRAMES ⇄ MESSAGES.  Pure: schema text → construct structs → typed fields with units.

One module, `files`, reads files: for `Schema.load`, and the standard schema once, at import.
"""

from framelink.message.alarms import Alarm
from framelink.message.fields import TYPES, Field, Value
from framelink.message.messages import (
    NO_SEQUENCE,
    SEQUENCED_COMMANDS,
    Command,
    Kind,
    Message,
    Priority,
    RefusalCode,
    Undecodable,
)
from framelink.message.schema import STANDARD, Schema

__all__ = [
    "NO_SEQUENCE",
    "SEQUENCED_COMMANDS",
    "STANDARD",
    "TYPES",
    "Alarm",
    "Command",
    "Field",
    "Kind",
    "Message",
    "Priority",
    "RefusalCode",
    "Schema",
    "Undecodable",
    "Value",
]
