"""What became of the cluster's settings that a run changes with consent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from console.planner.values import SlotReading


@dataclass(frozen=True, slots=True)
class SettingIntended:
    at: datetime
    name: str
    before: str
    after: str
    by_guard: bool = False
    """Within what was consented to, for the sake of others; else it is what the operator wants."""


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


@dataclass(frozen=True, slots=True)
class ParallelMeaningSeen:
    """What the cluster lets wait, or run, shows what MaximumParallelMigrations counts here."""

    at: datetime
    counts: SlotReading
    evidence: str

    @property
    def words(self) -> str:
        """For the log, with what to write into the configuration."""
        if self.counts is SlotReading.NODE:
            return (
                f"MaximumParallelMigrations counts the moves of one node here: {self.evidence}. Kept by node from now "
                'on; parallel_per = "node" in the configuration plans so from the start'
            )
        return (
            f"MaximumParallelMigrations seems to count the moves of one pair of nodes here: {self.evidence}. This run "
            'keeps to the stricter reading; parallel_per = "pair" in the configuration would use the other'
        )


SettingEvent: TypeAlias = (
    SettingIntended | SettingChanged | SettingFailed | SettingRestored | SettingNotRestored | ParallelMeaningSeen
)
