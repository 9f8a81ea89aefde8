"""A conflict is a value: code, severity, subject, sentence, evidence, fix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from console.model.identity import HostName, VmRef


class Severity(Enum):
    BLOCKS = "blocks"
    """The move would fail or must not be tried."""
    INTERRUPTS = "interrupts"
    """It would go through, but not live."""
    RISKS = "risks"
    """May fail, or hurts others."""
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a conflict is about; the cluster itself when everything is None."""

    host: HostName | None = None
    vm: VmRef | None = None
    destination: HostName | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    what: str
    value: str
    host: HostName | None
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fix:
    text: str
    powershell: str = ""
    """With the real names filled in; empty where no command mends it."""
    needs_vm_off: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    code: str
    severity: Severity
    subject: Subject
    message: str
    evidence: tuple[Evidence, ...]
    fix: Fix
    source: str
    """The fact or section it rests on."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A check that could not be made: neither clean nor a conflict."""

    code: str
    subject: Subject
    missing: str
    """What was not read and what would make it known, in a sentence."""


@dataclass(frozen=True, slots=True)
class Findings:
    conflicts: tuple[Conflict, ...] = ()
    unknown: tuple[Unknown, ...] = ()
