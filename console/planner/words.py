"""How plans say sizes, numbers and lists: one place, plain English."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.units import GIB, MIB


def size_text(size_bytes: float) -> str:
    """``12 GiB``, ``1.5 GiB``, ``512 MiB``."""
    if abs(size_bytes) < GIB:
        return f"{size_bytes / MIB:.0f} MiB"
    gib = size_bytes / GIB
    return f"{gib:.0f} GiB" if gib >= 10 or gib == int(gib) else f"{gib:.1f} GiB"


def count_text(count: int, noun: str) -> str:
    """``1 move``, ``3 moves``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def list_text(items: Sequence[str], most: int = 3) -> str:
    """``a, b and c``; beyond ``most`` the rest is counted."""
    shown = list(items[:most])
    left = len(items) - len(shown)
    if left:
        return f"{', '.join(shown)} and {left} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def duration_text(seconds: float) -> str:
    """``45 s``, ``12 min``, ``2 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def percent_text(fraction: float) -> str:
    """``85 %``."""
    return f"{100 * fraction:.0f} %"
