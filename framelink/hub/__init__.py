"""MESSAGES ⇄ BROWSERS: rooms, sessions, outboxes, the server; knows no serial lines."""

from framelink.hub.hub import Hub
from framelink.hub.protocol import Command, echo, plain
from framelink.hub.rooms import require_link_name

__all__ = ["Command", "Hub", "echo", "plain", "require_link_name"]
