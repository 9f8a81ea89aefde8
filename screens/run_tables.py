"""How a run is written: moves as rows with bars, totals, slots, the guard's lines, the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console import formatting
from console.drain.state import Move, MoveState, Outcome, Phase, RunState
from console.model.units import PAGE_BYTES
from screens.columns import Column, known
from screens.drawing import Line, bar, cut, joined, sparkline, wrap
from screens.paint import Glyphs, Look
from screens.vm_columns import vm_label

_RANKS = {
    MoveState.MOVING: 0,
    MoveState.VERIFYING: 0,
    MoveState.UNKNOWN: 0,
    MoveState.CHECKING: 0,
    MoveState.FAILED: 1,
    MoveState.BLOCKED: 1,
    MoveState.QUEUED: 2,
    MoveState.HELD: 3,
    MoveState.PLANNED: 3,
}
"""What needs eyes comes first; what is over comes last."""
_LAST = 4


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A move and how long it will still take, in seconds."""

    move: Move
    left_s: float | None


def move_rows(run: RunState) -> tuple[MoveRow, ...]:
    """Moves in the order of attention, in planned order within."""
    ordered = sorted(run.moves.values(), key=lambda move: _RANKS.get(move.state, _LAST))
    return tuple(MoveRow(move, time_left_s(move, run.now)) for move in ordered)


def time_left_s(move: Move, now: datetime) -> float | None:
    """How long a move will still take: from its own progress once that says something, else from its forecast."""
    if move.state.terminal:
        return None
    if move.started_at is None:
        return move.forecast_p50_s
    gone_s = (now - move.started_at).total_seconds()
    if move.percent is not None and move.percent >= 10:
        return gone_s * (100 - move.percent) / move.percent
    return max(0.0, move.forecast_p50_s - gone_s)


def run_columns(look: Look) -> tuple[Column[MoveRow], ...]:
    """The columns of the moves."""
    return (
        Column("state", "STATE", 11, lambda r, w: state_cell(r.move.state, look.glyphs), grows=1, most=13, pinned=True,
               sort=lambda r: _RANKS.get(r.move.state, _LAST)),
        Column("vm", "VM", 14, lambda r, w: ((cut(vm_label(r.move.vm), w), "text.strong"),), grows=3, most=40,
               pinned=True, sort=lambda r: r.move.vm.name.casefold()),
        Column("to", "TO", 8, lambda r, w: formatting.plain(r.move.destination or "–"), grows=1, most=14,
               sort=lambda r: (r.move.destination or "").casefold()),
        Column("bar", "PROGRESS", 14, lambda r, w: _progress(r.move, w, look.glyphs), grows=3, most=40,
               sort=lambda r: known(-(r.move.percent or 0.0))),
        Column("left", "LEFT", 6, lambda r, w: _left(r), right=True, sort=lambda r: known(r.left_s)),
        Column("rate", "RATE", 10, lambda r, w: formatting.rate(r.move.rate_bytes_per_s) if _runs(r) else "",
               right=True, sort=lambda r: known(r.move.rate_bytes_per_s)),
        Column("pass", "PASS", 4, lambda r, w: str(r.move.pass_number or "") if _runs(r) else "", right=True),
        Column("dirty", "DIRTY", 8, lambda r, w: _dirty(r), right=True, style="text.muted"),
        Column("memory", "MEMORY", 8, lambda r, w: formatting.size(r.move.memory_bytes), right=True, style="text.muted",
               sort=lambda r: -r.move.memory_bytes),
        Column("why", "WHY", 16, lambda r, w: ((cut(formatting.plain(r.move.reason), w), "text.muted"),), grows=5),
    )  # fmt: skip


def _runs(row: MoveRow) -> bool:
    return row.move.state in (MoveState.MOVING, MoveState.UNKNOWN)


def state_cell(state: MoveState, glyphs: Glyphs) -> Line:
    """Symbol, word and colour."""
    return ((f"{glyphs.states[state.value]} {state.value}", f"state.{state.value}"),)


def _progress(move: Move, width: int, glyphs: Glyphs) -> Line:
    if move.state is MoveState.DONE:
        dark = f"dark {formatting.short_duration(move.blackout_s)}" if move.blackout_s is not None else ""
        took = formatting.short_duration(move.duration_s) if move.duration_s is not None else ""
        return ((f"{took}  {dark}".strip(), "text.muted"),)
    if move.state in (MoveState.MOVING, MoveState.VERIFYING, MoveState.UNKNOWN):
        share = (move.percent or 0.0) / 100
        word = f"{'–' if move.percent is None else f'{move.percent:.0f}'} %".rjust(6)
        return (*bar(share, width - 6, glyphs, f"state.{move.state.value}"), (word, ""))
    return ()


def _left(row: MoveRow) -> Line:
    if row.move.state.terminal:
        return ()
    return ((formatting.short_duration(row.left_s), "" if row.move.state.in_flight else "text.muted"),)


def _dirty(row: MoveRow) -> str:
    pages = row.move.dirty_pages
    return formatting.size(pages * PAGE_BYTES) if pages is not None and _runs(row) else ""


def headline(run: RunState) -> Line:
    """Phase and counts, with what holds the run in words."""
    states = [move.state for move in run.moves.values()]
    flight = len(run.in_flight)
    waiting = sum(state in (MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING) for state in states)
    return joined(
        [
            ((f"  {phase_words(run)}", "text.strong"),),
            (("STARTS PAUSED", "state.held"),) if run.paused and run.outcome is None else None,
            (("STOPPING", "text.warning"),) if run.stopping and run.outcome is None else None,
            ((f"{flight} in flight, {waiting} waiting", "text.muted"),) if run.outcome is None else None,
            *(
                _counted(states, state)
                for state in (MoveState.HELD, MoveState.BLOCKED, MoveState.FAILED, MoveState.UNKNOWN)
            ),
        ],
        "   ",
    )


def _counted(states: Sequence[MoveState], state: MoveState) -> Line | None:
    amount = states.count(state)
    return ((f"{amount} {state.value}", f"state.{state.value}"),) if amount else None


def phase_words(run: RunState) -> str:
    """Where the run is, or how it ended."""
    if run.outcome is None:
        return run.phase.value if run.phase is not Phase.MOVING else f"emptying {formatting.name(run.node)}"
    return f"ended: {run.outcome.value.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Total:
    """One of the three bars: how much of how much, and the words beside it."""

    done: float
    of: float
    words: Line


def totals(run: RunState) -> tuple[Total, Total, Total]:
    """VMs, memory and the window; the forecast of the finish is always in the last one."""
    moves = run.moves.values()
    over = [move for move in moves if move.state.terminal]
    bytes_all = sum(move.memory_bytes for move in moves)
    bytes_done = sum(move.memory_bytes * (1.0 if move.state.terminal else (move.percent or 0) / 100) for move in moves)
    return (
        Total(len(over), max(1, len(run.moves)), ((f"{len(over)} of {len(run.moves)} VMs", "text.strong"),)),
        Total(bytes_done, max(1, bytes_all), ((f"{formatting.size(bytes_done)} of {formatting.size(bytes_all)}", ""),)),
        _window(run),
    )


def _window(run: RunState) -> Total:
    end = run.window_ends_at or run.forecast_finish_p90_at or run.now
    of_s = max(1.0, (end - run.created_at).total_seconds())
    gone_s = min(of_s, max(0.0, ((run.finished_at or run.now) - run.created_at).total_seconds()))
    return Total(gone_s, of_s, finish_words(run))


def finish_words(run: RunState) -> Line:
    """The forecast of the finish, and how it stands to the window."""
    if run.finished_at is not None:
        took = (run.finished_at - run.created_at).total_seconds()
        return ((f"ended {formatting.clock_time(run.finished_at)} after {formatting.duration(took)}", "text.strong"),)
    middle, worst = run.forecast_finish_p50_at, run.forecast_finish_p90_at
    text: Line = ((f"finish {formatting.clock_time(middle)}, {formatting.clock_time(worst)} at worst", "text.strong"),)
    if run.window_ends_at is None or worst is None:
        return text
    spare_s = (run.window_ends_at - worst).total_seconds()
    if spare_s >= 0:
        return (*text, (f"  {formatting.short_duration(spare_s)} to spare", "text.good"))
    return (*text, (f"  {formatting.short_duration(-spare_s)} over", "text.bad"))


def slots_line(run: RunState, look: Look) -> Line:
    """The slots as a gauge: filled ones are in use; more than the ceiling can still be finishing."""
    used, glyphs = len(run.in_flight), look.glyphs
    free = max(0, run.slots - used)
    gauge: Line = ((glyphs.slot * used, "state.moving"), (glyphs.free * free, "text.muted"))
    words = f" {used} of {run.slots} in use" if run.slots else " 0 slots: nothing starts"
    return (("slots  ", "text.muted"), *gauge, (words, "" if run.slots else "text.warning"))


def guard_lines(run: RunState, history: Mapping[str, Sequence[float]], look: Look, width: int) -> list[Line]:
    """The guard's lines as sparklines, what it holds back and why."""
    lines: list[Line] = [(("GUARD", "text.heading"),)]
    if run.guard is None:
        return [*lines, (("no reading yet", "text.muted"),)]
    sparks = max(6, min(24, width - 32))
    for name, value in run.guard.values.items():
        text = sparkline(list(history.get(name, (value,))), sparks, look.glyphs)
        label = f"{cut(formatting.plain(name), 21):<22}"
        lines.append(((label, "text.muted"), (text, "bar.fill"), (f" {formatting.reading(value):>7}", "")))
    if run.guard.holding:
        lines.append((("holds new starts until it is calm", "text.warning"),))
    for breach in run.guard.breached:
        lines += [((row, "text.warning"),) for row in wrap(formatting.plain(breach), max(20, width - 1))]
    if not run.guard.holding and not run.guard.breached:
        lines.append((("every line is calm", "text.good"),))
    return lines


def log_lines(run: RunState, width: int, most: int = 400) -> list[Line]:
    """The newest lines of the log, oldest first, wrapped with a hanging indent."""
    lines: list[Line] = []
    for entry in run.log[-most:]:
        rows = wrap(formatting.plain(entry.text), max(20, width - 7))
        style = "text.warning" if entry.problem else ""
        lines.append(((formatting.clock_time(entry.at) + "  ", "text.muted"), (rows[0], style)))
        lines += [((" " * 7, ""), (row, style)) for row in rows[1:]]
    return lines


def move_detail(row: MoveRow | None, width: int) -> list[Line]:
    """Two lines on the move under the cursor: always why it is where it is."""
    if row is None:
        return []
    move = row.move
    reason = formatting.plain(move.reason) or _default_reason(move.state)
    facts = [
        formatting.size(move.memory_bytes),
        f"forecast {formatting.duration(move.forecast_p50_s)}, {formatting.duration(move.forecast_p90_s)} at worst",
        f"dark {formatting.duration(move.blackout_s if move.blackout_s is not None else move.blackout_forecast_s)}",
        f"attempt {move.attempts}" if move.attempts > 1 else "",
        "queued by the cluster" if move.queued_by_cluster else "",
    ]
    first = (("  ", ""), (vm_label(move.vm), "text.strong"), ("  ", ""), (reason, f"state.{move.state.value}"))
    return [first, ((cut("  " + " · ".join(fact for fact in facts if fact), width), "text.muted"),)]


def _default_reason(state: MoveState) -> str:
    return {
        MoveState.PLANNED: "waits for its turn in the plan",
        MoveState.QUEUED: "waits for a free slot",
        MoveState.HELD: "held; H releases it",
        MoveState.UNKNOWN: "contact lost: nobody knows yet how it stands",
        MoveState.VERIFYING: "arrived; being verified",
    }.get(state, state.value)


OUTCOME_WORDS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.DRAINED: ("DRAINED", "text.good"),
    Outcome.STOPPED: ("STOPPED", "text.warning"),
    Outcome.DETACHED: ("DETACHED", "text.warning"),
    Outcome.FAILED: ("FAILED", "text.bad"),
    Outcome.BLOCKED: ("BLOCKED", "text.warning"),
    Outcome.WINDOW_CLOSED: ("WINDOW CLOSED", "text.bad"),
    Outcome.CONTACT_LOST: ("CONTACT LOST", "text.bad"),
}
