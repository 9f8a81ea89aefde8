"""The instruments of a run: slots, the link's rate, and the guard's readings against the lines they must keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from console import formatting, guard
from console.drain.state import RunState
from screens.drawing import Line, cut, sparkline, wrap
from screens.paint import Look

Show = Callable[[float], str]


def _milliseconds(value: float) -> str:
    return f"{value * 1000:.3g} ms"


_READINGS: Mapping[str, tuple[str, Show]] = {
    guard.CSV_LATENCY: ("CSV latency", _milliseconds),
    guard.MISSED_HEARTBEATS: ("lost heartbeats", formatting.reading),
    guard.HOST_CPU: ("busiest CPU", formatting.percent),
    guard.FREE_MEMORY: ("least free RAM", formatting.percent),
    guard.REDIRECTED: ("redirected I/O", lambda value: f"{formatting.reading(value)}/s"),
    guard.SMB_STALLS: ("SMB stalls", lambda value: f"{formatting.reading(value)}/s"),
}
"""Label and unit of each of the guard's lines."""
_LABEL, _VALUE = 16, 16


def slots_line(run: RunState, look: Look) -> Line:
    """The slots as a gauge: filled ones are in use; more than the ceiling can still be finishing."""
    used, glyphs = run.occupied_slots, look.glyphs
    free = max(0, run.allowed_slots - used)
    gauge: Line = ((glyphs.slot * used, "state.moving"), (glyphs.free * free, "text.muted"))
    if not run.slots:
        words: Line = ((" 0 slots: nothing starts", "text.warning"),)
    elif run.allowed_slots < run.slots:
        words = ((f" {used} of {run.allowed_slots}, the guard keeps back {run.slots - run.allowed_slots}",
                  "text.warning"),)  # fmt: skip
    else:
        words = ((f" {used} of {run.slots} in use", ""),)
    return (("slots ", "text.muted"), *gauge, *words)


def gauge_lines(
    run: RunState, rates: Sequence[float], history: Mapping[str, Sequence[float]], lines: guard.Lines, look: Look,
    width: int,
) -> list[Line]:  # fmt: skip
    """A row for the link and one for each reading; a full column is the guard's line, crossing it changes colour."""
    sparks = max(4, min(40, width - _LABEL - _VALUE - 1))
    now = rates[-1] if rates else None
    rows = [_row("link", sparkline(list(rates), sparks, look.glyphs), formatting.rate(now), "bar.fill")]
    if run.guard is None:
        return [*rows, (("no reading of the guard yet", "text.muted"),)]
    for name, value in run.guard.values.items():
        rows.append(_reading(name, value, history.get(name, (value,)), lines.limit_of(name), look, sparks))
    return rows


def _reading(name: str, value: float, seen: Sequence[float], limit: float | None, look: Look, sparks: int) -> Line:
    label, show = _READINGS.get(name, (cut(formatting.plain(name), _LABEL - 1), formatting.reading))
    floor = name == guard.FREE_MEMORY
    crossed = limit is not None and (value < limit if floor else value > limit)
    against = "" if limit is None else f" {'≥' if floor else '≤'} {show(limit)}"
    top = 1.0 if floor else limit
    style = "text.bad" if crossed else "bar.fill"
    return _row(label, sparkline(list(seen), sparks, look.glyphs, top), show(value), style, against)


def _row(label: str, sparks: str, value: str, style: str, against: str = "") -> Line:
    return (
        (f"{label:<{_LABEL}}", "text.muted"),
        (sparks, style),
        (f" {value}", "text.bad" if style == "text.bad" else "text.strong"),
        (against, "text.muted"),
    )


def guard_words(run: RunState, width: int) -> list[Line]:
    """What the guard holds back and why, in sentences."""
    if run.guard is None:
        return []
    lines: list[Line] = []
    if run.guard.holding:
        lines.append((("HOLDING new starts until every line is calm", "text.warning"),))
    for breach in run.guard.breached:
        lines += [((row, "text.warning"),) for row in wrap(formatting.plain(breach), max(20, width - 1))]
    if not lines:
        lines.append((("every line is calm", "text.good"),))
    held_down = (change for change in run.settings_changed if change.by_guard and change.after != change.wanted)
    for change in held_down if run.closing_as is None else ():
        words = f"{change.name} turned down to {formatting.plain(change.after)}, of {formatting.plain(change.wanted)}"
        lines += [((row, "text.warning"),) for row in wrap(words, max(20, width - 1))]
    return lines
