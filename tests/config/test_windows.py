"""A window is open when its owner would say so, also across midnight."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.configuration.choices import Day
from console.configuration.models import Window
from console.configuration.windows import next_opening

ZONE = timezone(timedelta(hours=2))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def window(**options: object) -> Window:
    return Window.model_validate(options)


@pytest.mark.parametrize(
    ("now", "starts", "ends"),
    [
        ("2026-01-01 01:00", "2026-01-01 02:00", "2026-01-01 04:00"),
        ("2026-01-01 02:00", "2026-01-01 02:00", "2026-01-01 04:00"),
        ("2026-01-01 03:59", "2026-01-01 02:00", "2026-01-01 04:00"),
        ("2026-01-01 04:00", "2026-01-02 02:00", "2026-01-02 04:00"),
    ],
)
def test_the_opening_is_the_present_one_or_the_next(now: str, starts: str, ends: str) -> None:
    opening = next_opening(window(start="02:00", end="04:00"), at(now))
    assert (opening.starts_at, opening.ends_at) == (at(starts), at(ends))


def test_an_end_before_the_start_is_on_the_next_day() -> None:
    night = window(start="22:00", end="04:00", days=["friday"])
    opening = next_opening(night, at("2026-01-03 03:00"))  # a Saturday
    assert (opening.starts_at, opening.ends_at) == (at("2026-01-02 22:00"), at("2026-01-03 04:00"))
    assert next_opening(night, at("2026-01-03 04:00")).starts_at == at("2026-01-09 22:00")


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.sets(st.sampled_from(list(Day)), min_size=1),
    st.integers(1, 1440),
)
def test_an_opening_ends_after_now_lasts_as_long_as_said_and_starts_on_a_named_day(
    moment: datetime, days: set[Day], minutes: int
) -> None:
    now = moment.replace(tzinfo=ZONE)
    opening = next_opening(window(start="23:30", duration_minutes=minutes, days=sorted(days)), now)
    assert opening.ends_at > now
    assert opening.ends_at - opening.starts_at == timedelta(minutes=minutes)
    assert list(Day)[opening.starts_at.weekday()] in days
    assert opening.starts_at <= now + timedelta(days=7)
