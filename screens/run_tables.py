"""How a run is written: moves as rows with bars, totals, slots, the guard's lines, the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console import formatting
from console.drain.finish import stuck_ones, why_no_finish
from console.drain.state import LogLine, Move, MoveState, Outcome, Pace, Phase, Purpose, RunState
from console.model.units import PAGE_BYTES
from console.planner.values import Engine
from screens.columns import Column, known
from screens.drawing import Line, bar, between, cut, horizon, joined, width_of, wrap
from screens.gauges import slots_line
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


def run_columns(look: Look, purpose: Purpose = Purpose.DRAIN) -> tuple[Column[MoveRow], ...]:
    """The columns of the moves; what does not move says why across all that come after its other end: where it goes,
    or on the way back, where it comes from."""
    returns = purpose is Purpose.RETURN

    def other_end(row: MoveRow) -> str:
        return formatting.plain((row.move.source if returns else row.move.destination) or "–")

    return (
        Column("state", "STATE", 11, lambda r, w: state_cell(r.move.state, look.glyphs), most=13, pinned=True,
               sort=lambda r: _RANKS.get(r.move.state, _LAST)),
        Column("vm", "VM", 12, lambda r, w: ((cut(vm_label(r.move.vm), w), "text.strong"),), grows=3, most=40,
               pinned=True, sort=lambda r: r.move.vm.name.casefold()),
        Column("to", "FROM" if returns else "TO", 6, lambda r, w: cut(other_end(r), w), grows=1, most=14,
               sort=lambda r: other_end(r).casefold()),
        Column("bar", "PROGRESS", 14, lambda r, w: _progress(r.move, w, look.glyphs), grows=6, most=48,
               sort=lambda r: known(-(r.move.percent or 0.0)), span=_story),
        Column("left", "LEFT", 6, lambda r, w: _left(r), right=True, sort=lambda r: known(r.left_s)),
        Column("rate", "RATE", 9, lambda r, w: formatting.rate(r.move.rate_bytes_per_s) if _runs(r) else "",
               right=True, sort=lambda r: known(r.move.rate_bytes_per_s)),
        Column("pass", "PASS", 4, lambda r, w: str(r.move.pass_number or "") if _runs(r) else "", right=True),
        Column("dirty", "DIRTY", 8, lambda r, w: _dirty(r), right=True, style="text.muted"),
        Column("memory", "MEMORY", 8, lambda r, w: formatting.size(r.move.memory_bytes), right=True, style="text.muted",
               sort=lambda r: -r.move.memory_bytes),
        Column("why", "WHY", 12, lambda r, w: ((cut(formatting.plain(r.move.reason), w), "text.warning"),), grows=2),
    )  # fmt: skip


def _story(row: MoveRow, width: int) -> Line | None:
    """For a move that has no progress to show: how it went, or what it waits for and what would unblock it."""
    move, state = row.move, row.move.state
    if state in (MoveState.MOVING, MoveState.VERIFYING):
        standing = move.pace is Pace.STUCK or (move.pace is Pace.SLOW and width < _ROOM_FOR_WHY)
        return ((cut(_stands_still(move), width), "text.warning"),) if standing else None
    if state in (MoveState.DONE, MoveState.INTERRUPTED):
        took = f"took {formatting.short_duration(move.duration_s)}" if move.duration_s is not None else ""
        dark = f"dark {formatting.short_duration(move.blackout_s)}" if move.blackout_s is not None else ""
        return ((cut(" · ".join(part for part in (took, dark) if part), width), "text.muted"),)
    if not move.reason and state is MoveState.PLANNED:
        return None
    reason = formatting.plain(move.reason) or default_reason(state)
    waits = state in (MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING)
    after = f" · then {formatting.short_duration(move.forecast_p50_s)}" if waits else ""
    return ((cut(reason + after, width), "text.muted" if waits else f"state.{state.value}"),)


_ROOM_FOR_WHY = 64
"""Cells from the bar on in which the column of reasons has a place too."""


def _stands_still(move: Move) -> str:
    """Why a move makes no progress, and what to press; the cause alone where there is no room for more."""
    cause = formatting.plain(move.reason).partition(". What can be done")[0] or "no progress"
    return f"STUCK · X: what can be done · {cause}" if move.pace is Pace.STUCK else cause


def _runs(row: MoveRow) -> bool:
    return row.move.state in (MoveState.MOVING, MoveState.UNKNOWN)


def state_cell(state: MoveState, glyphs: Glyphs) -> Line:
    """Symbol, word and colour."""
    return ((f"{glyphs.states[state.value]} {state.value}", f"state.{state.value}"),)


def _progress(move: Move, width: int, glyphs: Glyphs) -> Line:
    if move.state not in (MoveState.MOVING, MoveState.VERIFYING):
        return ()
    percent = 100.0 if move.state is MoveState.VERIFYING else move.percent  # it arrived, whatever the last look said
    share = (percent or 0.0) / 100
    word = f"{'–' if percent is None else f'{percent:.0f}'} %".rjust(6)
    slow = move.pace is not Pace.STEADY
    fill = "text.warning" if slow else f"state.{move.state.value}"
    return (*bar(share, width - 6, glyphs, fill), (word, "text.warning" if slow else ""))


def _left(row: MoveRow) -> Line:
    if row.move.state.terminal or row.move.pace is Pace.STUCK:
        return ()
    return ((formatting.short_duration(row.left_s), "" if row.move.state.in_flight else "text.muted"),)


def _dirty(row: MoveRow) -> str:
    pages = row.move.dirty_pages
    return formatting.size(pages * PAGE_BYTES) if pages is not None and _runs(row) else ""


def headline(run: RunState, look: Look, width: int) -> Line:
    """Phase and counts, with what holds the run in words; the slots at the other end."""
    states = [move.state for move in run.moves.values()]
    flight = len(run.in_flight)
    waiting = sum(state in (MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING) for state in states)
    on = run.outcome is None
    words = joined(
        [
            ((f"  {phase_words(run)}", "text.strong"),),
            (("STARTS PAUSED", "state.held"),) if run.paused and on else None,
            (("STOPPING", "text.warning"),) if run.stopping and on else None,
            ((f"{len(stuck_ones(run))} STUCK", "text.bad"),) if on and stuck_ones(run) else None,
            *(_counted(states, state) for state in _SPECIAL),
            ((f"{flight} in flight, {waiting} waiting", "text.muted"),) if on else None,
        ],
        "   ",
    )
    native = run.engine is Engine.NATIVE
    return between(words, (*slots_line(run, look), ("  ", "")), width) if on and not native else words


_SPECIAL = (MoveState.UNKNOWN, MoveState.FAILED, MoveState.BLOCKED, MoveState.HELD)


def _counted(states: Sequence[MoveState], state: MoveState) -> Line | None:
    amount = states.count(state)
    return ((f"{amount} {state.value}", f"state.{state.value}"),) if amount else None


def phase_words(run: RunState) -> str:
    """Where the run is, or how it ended."""
    node = formatting.name(run.node)
    if run.outcome is None:
        if run.phase is not Phase.MOVING:
            return str(run.phase.value)
        if run.purpose is Purpose.RETURN:
            return f"returning VMs to {node}"
        return f"the cluster's own drain empties {node}" if run.engine is Engine.NATIVE else f"emptying {node}"
    return f"ended: {run.outcome.value.replace('_', ' ')}"


_WORDS = 45
"""Cells beside the bars: the longest forecast of the finish."""


def totals(run: RunState, look: Look, width: int) -> list[Line]:
    """VMs, memory and the window as bars; the forecast of the finish is always in the last one."""
    moves = run.moves.values()
    done = sum(move.state in _MOVED for move in moves)
    stay = sum(move.state.terminal for move in moves) - done
    bytes_all = sum(move.memory_bytes for move in moves)
    bytes_done = sum(move.memory_bytes * _share_done(move) for move in moves)
    cells, glyphs = max(8, width - _WORDS - 13), look.glyphs
    vms, memory = bar(_share(done, len(moves)), cells, glyphs), bar(_share(bytes_done, bytes_all), cells, glyphs)
    return [
        _total("VMs", vms, ((f"{done} of {len(run.moves)}", "text.strong"), *_staying(stay))),
        _total("memory", memory, ((f"{formatting.size(bytes_done)} of {formatting.size(bytes_all)}", ""),)),
        _total("window", _window(run, cells, look), finish_words(run)),
    ]


_MOVED = (MoveState.DONE, MoveState.INTERRUPTED)


def _share_done(move: Move) -> float:
    """How much of a VM is over there; nothing of one that stays."""
    if move.state.terminal:
        return 1.0 if move.state in _MOVED else 0.0
    return (move.percent or 0.0) / 100


def _staying(amount: int) -> Line:
    """VMs that are settled without having moved: failed, blocked, left, skipped."""
    return ((f"   {amount} {'does' if amount == 1 else 'do'} not move", "text.warning"),) if amount else ()


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _total(name: str, drawn: Line, words: Line) -> Line:
    return ((f"  {name:<8}", "text.muted"), *drawn, ("  ", ""), *words)


def _window(run: RunState, cells: int, look: Look) -> Line:
    """The window from the run's start on; without one, until the worst forecast."""
    worst_at = run.forecast_finish_p90_at or run.now
    middle_at = run.forecast_finish_p50_at or worst_at
    end = run.window_ends_at or worst_at
    whole_s = max(1.0, (end - run.created_at).total_seconds())
    if run.finished_at is not None:
        return bar((run.finished_at - run.created_at).total_seconds() / whole_s, cells, look.glyphs)
    gone, middle, worst = ((at - run.created_at).total_seconds() / whole_s for at in (run.now, middle_at, worst_at))
    return horizon(gone, middle, worst, cells, look.glyphs, _risk(run))


def _risk(run: RunState) -> str:
    """The colour of the forecast: good while even the worst case ends in time."""
    ends_at, middle, worst = run.window_ends_at, run.forecast_finish_p50_at, run.forecast_finish_p90_at
    if ends_at is None or middle is None or worst is None:
        return "text.accent"
    return "text.good" if worst <= ends_at else "text.warning" if middle <= ends_at else "text.bad"


def finish_words(run: RunState) -> Line:
    """The forecast of the finish, and how it stands to the window."""
    if run.finished_at is not None:
        took = (run.finished_at - run.created_at).total_seconds()
        return ((f"ended {formatting.clock_time(run.finished_at)} after {formatting.duration(took)}", "text.strong"),)
    unknown = why_no_finish(run)
    if unknown:
        return ((f"finish not known: {unknown}", "text.bad"),)
    middle, worst = run.forecast_finish_p50_at, run.forecast_finish_p90_at
    text: Line = ((f"finish {formatting.clock_time(middle)}, {formatting.clock_time(worst)} at worst", "text.strong"),)
    if run.window_ends_at is None or worst is None:
        return text
    spare_s = (run.window_ends_at - worst).total_seconds()
    if spare_s >= 0:
        return (*text, (f"  {formatting.short_duration(spare_s)} to spare", "text.good"))
    return (*text, (f"  {formatting.short_duration(-spare_s)} over", _risk(run)))


def log_lines(log: Sequence[LogLine], width: int, most: int = 400) -> list[Line]:
    """The newest lines of a log, oldest first, wrapped with a hanging indent."""
    lines: list[Line] = []
    for entry in log[-most:]:
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
    reason = formatting.plain(move.reason) or default_reason(move.state)
    facts = [
        formatting.size(move.memory_bytes),
        f"forecast {formatting.duration(move.forecast_p50_s)}, {formatting.duration(move.forecast_p90_s)} at worst",
        f"dark {formatting.duration(move.blackout_s if move.blackout_s is not None else move.blackout_forecast_s)}",
        f"attempt {move.attempts}" if move.attempts > 1 else "",
        "queued by the cluster" if move.queued_by_cluster else "",
    ]
    style = "text.warning" if move.pace is not Pace.STEADY else f"state.{move.state.value}"
    return [
        *_named_reason(vm_label(move.vm), reason, style, width),
        ((cut("  " + " · ".join(fact for fact in facts if fact), width), "text.muted"),),
    ]


def _named_reason(name: str, reason: str, style: str, width: int) -> list[Line]:
    """A VM's name and why it is where it is, in two lines at the most."""
    head: Line = (("  ", ""), (name, "text.strong"), ("  ", ""))
    room = max(24, width - width_of(head) - 1)
    first = wrap(reason, room)[0]
    rest = " ".join(reason.split()[len(first.split()) :])
    return [(*head, (first, style)), *([((cut(f"  {rest}", width), style),)] if rest else [])]


def default_reason(state: MoveState) -> str:
    return {
        MoveState.PLANNED: "waits for its turn in the plan",
        MoveState.QUEUED: "waits for a free slot",
        MoveState.HELD: "held; H releases it",
        MoveState.UNKNOWN: "contact lost: nobody knows yet how it stands; it may well go on",
        MoveState.CHECKING: "read again just before it starts",
        MoveState.VERIFYING: "arrived; being verified",
    }.get(state, state.value)


OUTCOME_WORDS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.DRAINED: ("DRAINED", "text.good"),
    Outcome.RETURNED: ("RETURNED", "text.good"),
    Outcome.STOPPED: ("STOPPED", "text.warning"),
    Outcome.DETACHED: ("DETACHED", "text.warning"),
    Outcome.FAILED: ("FAILED", "text.bad"),
    Outcome.BLOCKED: ("BLOCKED", "text.warning"),
    Outcome.WINDOW_CLOSED: ("WINDOW CLOSED", "text.bad"),
    Outcome.CONTACT_LOST: ("CONTACT LOST", "text.bad"),
}
