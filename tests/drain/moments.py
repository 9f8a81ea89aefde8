"""The tests' time: seconds from one night's 02:00."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.drain import signals as sg

EPOCH = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def fresh(signal: sg.Signal, at_s: float) -> sg.Signal:
    """The signal as it is delivered: stamped with the moment of its delivery."""
    return replace(signal, at=moment(at_s))
