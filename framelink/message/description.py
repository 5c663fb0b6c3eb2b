"""Description: a schema as JSON shows it, to the dashboard and to programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from framelink.message.catalogue import Catalogue
from framelink.message.document import DeviceEntry, EventEntry, StructEntry
from framelink.message.fields import Field
from framelink.message.messages import Command


def describe(
    device: DeviceEntry,
    catalogue: Catalogue,
    *,
    events: list[EventEntry],
    structs: Mapping[str, StructEntry],
    parameters: Mapping[int, Field],
) -> dict[str, Any]:
    """Return what there is to know; keys of fields that say nothing are left out."""
    commands = [one for key, one in catalogue.commands.items() if isinstance(key, int)]
    return {
        "name": device.name,
        "type": device.type,
        "description": device.description,
        "version": device.version,
        "sequenced": device.sequenced,
        "byte_order": device.byte_order,
        "commands": [_command(one, catalogue) for one in commands],
        "events": [_event(one, catalogue) for one in events],
        "structs": {name: _struct(one) for name, one in structs.items()},
        "parameters": [one.describe() for one in parameters.values()],
    }


def _command(command: Command, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "id": command.id,
        "reply_id": command.reply_cmd,
        "name": command.name,
        "description": command.description,
        "repeatable": command.repeatable,
        "timeout": command.timeout,
        "priority": command.priority,
        "sequenced": command.sequenced,
        "request": catalogue.by_name[command.name, "request"].layout.describe(),
        "reply": catalogue.by_name[command.name, "reply"].layout.describe(),
    }


def _event(event: EventEntry, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "id": event.id,
        "name": event.name,
        "description": event.description,
        "fields": catalogue.by_name[event.name, "event"].layout.describe(),
    }


def _struct(struct: StructEntry) -> dict[str, Any]:
    described: dict[str, Any] = msgspec.to_builtins(struct)
    del described["name"]
    return described
