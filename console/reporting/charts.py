"""Charts as inline SVG: when each VM moved against its forecast, and what the guard read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from console.drain.state import Move, RunState
from console.formatting import clock_time, duration, name, reading

from .facts import Reading

WIDTH, LABEL, ROW = 900, 200, 18
_MOST_POINTS = 600


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


class _Scale:
    """Moments to pixels."""

    def __init__(self, first: datetime, last: datetime) -> None:
        self.first = first
        self.span_s = max((last - first).total_seconds(), 1.0)

    def x(self, moment: datetime) -> float:
        return LABEL + (moment - self.first).total_seconds() / self.span_s * (WIDTH - LABEL - 10)

    def width(self, seconds: float) -> float:
        return max(seconds / self.span_s * (WIDTH - LABEL - 10), 1.0)

    def axis(self, height: int) -> list[str]:
        parts = []
        for step in range(5):
            moment = self.first + timedelta(seconds=self.span_s * step / 4)
            x = _number(self.x(moment))
            parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{height - 16}"/>')
            anchor = "end" if step == 4 else "start" if step == 0 else "middle"
            label = clock_time(moment, seconds=True)
            parts.append(f'<text class="axis" x="{x}" y="{height - 3}" text-anchor="{anchor}">{label}</text>')
        return parts


def moves_chart(state: RunState) -> str:
    """One row a VM that moved: the bar is the fact, the frame around it the forecast (p50); empty without any."""
    moved = [move for move in state.moves.values() if move.started_at is not None]
    if not moved:
        return ""
    last = max(_end(move, state) for move in moved)
    first = min(move.started_at for move in moved if move.started_at is not None)
    scale = _Scale(first, last)
    height = ROW * len(moved) + 20
    parts = scale.axis(height)
    for place, move in enumerate(sorted(moved, key=lambda item: item.started_at or first)):
        parts += _bar(scale, move, state, place * ROW)
    return _svg(height, "When each VM moved", parts)


def _end(move: Move, state: RunState) -> datetime:
    return move.finished_at or state.finished_at or state.now


def _bar(scale: _Scale, move: Move, state: RunState, top: int) -> list[str]:
    assert move.started_at is not None
    x, end = _number(scale.x(move.started_at)), _end(move, state)
    fact_s = (end - move.started_at).total_seconds()
    told = f"{name(move.vm.name)} to {move.destination}: {move.state.value}, {duration(fact_s)}"
    told += f", forecast {duration(move.forecast_p50_s)}" if move.forecast_p50_s else ""
    shown = escape(name(move.vm.name)[:28])
    return [
        f'<text class="label" x="{LABEL - 6}" y="{top + 13}" text-anchor="end">{shown}</text>',
        f'<rect class="fact {move.state.value}" x="{x}" y="{top + 4}" height="10" '
        f'width="{_number(scale.width(fact_s))}"><title>{escape(told)}</title></rect>',
        f'<rect class="forecast" x="{x}" y="{top + 2}" height="14" '
        f'width="{_number(scale.width(move.forecast_p50_s))}"/>',
    ]


def guard_chart(title: str, values: Sequence[Reading], line: float | None) -> str:
    """One of the guard's readings over time, with its line; empty without two readings."""
    if len(values) < 2:
        return ""
    shown = values[:: max(1, len(values) // _MOST_POINTS)]
    top = max(line or 0.0, *(item.value for item in values)) or 1.0
    scale, height = _Scale(values[0].at, values[-1].at), 110

    def y(value: float) -> str:
        return _number(8 + (1 - value / top) * (height - 34))

    points = " ".join(f"{_number(scale.x(item.at))},{y(item.value)}" for item in shown)
    parts = [*scale.axis(height), f'<polyline class="reading" points="{points}"/>']
    parts.append(f'<text class="label" x="{LABEL - 6}" y="20" text-anchor="end">{escape(title[:28])}</text>')
    parts.append(f'<text class="label" x="{LABEL - 6}" y="36" text-anchor="end">up to {reading(top)}</text>')
    if line is not None:
        parts.append(f'<line class="limit" x1="{LABEL}" x2="{WIDTH - 10}" y1="{y(line)}" y2="{y(line)}"/>')
    return _svg(height, title, parts)


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
    return head + "".join(parts) + "</svg>"
