"""When a maintenance window is open. Pure: the moment is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .choices import Day
from .models import Window


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of a window; both ends carry the time zone of the moment that was asked about."""

    starts_at: datetime
    ends_at: datetime


def next_opening(window: Window, now: datetime) -> Opening:
    """The opening that ``now`` lies in, else the next one. ``now`` carries the zone that the times are meant in."""
    first = now.date() - timedelta(days=1)
    openings = (_opening(window, first + timedelta(days=offset), now) for offset in range(10))
    return next(opening for opening in openings if opening is not None and opening.ends_at > now)


def _opening(window: Window, day: date, now: datetime) -> Opening | None:
    if tuple(Day)[day.weekday()] not in window.days:
        return None
    starts_at = datetime.combine(day, window.start, now.tzinfo)
    if window.duration_minutes is not None:
        return Opening(starts_at, starts_at + timedelta(minutes=window.duration_minutes))
    assert window.end is not None, "the model wants an end or a duration"
    ends_on = day if window.end > window.start else day + timedelta(days=1)
    return Opening(starts_at, datetime.combine(ends_on, window.end, now.tzinfo))
