"""Findings: what the doctor tells, each with its fix, the worst first."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class Severity(enum.IntEnum):
    """How bad a finding is."""

    REMARK = 1
    WARNING = 2
    FAULT = 3


@dataclass(frozen=True)
class Finding:
    """One thing that was seen.

    Attributes:
        severity: How bad it is.
        topic: What it is about, for programs.
        seen: What was seen.
        fix: What to do; empty for a remark that asks for nothing.
    """

    severity: Severity
    topic: str
    seen: str
    fix: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON shows."""
        return {
            "severity": self.severity.name.lower(),
            "topic": self.topic,
            "seen": self.seen,
            "fix": self.fix,
        }
