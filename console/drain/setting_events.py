"""What became of the cluster's settings that a run changes with consent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class SettingIntended:
    at: datetime
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SettingChanged:
    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class SettingFailed:
    """The change was refused (the value is as before) or unanswered (it has to be put back all the same)."""

    at: datetime
    name: str
    reason: str
    may_have_changed: bool = False


@dataclass(frozen=True, slots=True)
class SettingRestored:
    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class SettingNotRestored:
    at: datetime
    name: str
    reason: str


SettingEvent: TypeAlias = SettingIntended | SettingChanged | SettingFailed | SettingRestored | SettingNotRestored
