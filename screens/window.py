"""How an end stands to the maintenance window, in words and a colour."""

from __future__ import annotations

from datetime import datetime

from console import formatting
from screens.drawing import Line


def against_window(middle: datetime, worst: datetime, window_ends_at: datetime | None) -> Line:
    """For an end that is foreseen: its p50 and its p90."""
    if window_ends_at is None:
        return (("no window given", "text.muted"),)
    spare_s = (window_ends_at - worst).total_seconds()
    if spare_s >= 0:
        return ((f"{formatting.duration(spare_s)} to spare", "text.good"),)
    if middle <= window_ends_at:
        return ((f"may overrun the window by {formatting.duration(-spare_s)}", "text.warning"),)
    over_s = (middle - window_ends_at).total_seconds()
    return ((f"OVERRUNS the window by {formatting.duration(over_s)}", "text.bad"),)
