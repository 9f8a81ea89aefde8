"""How a rolling run is written: a row a node, where the whole stands, and what would begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from console import formatting
from console.drain.finish import why_no_finish
from console.drain.roll_forecast import forecast_ends
from console.drain.roll_outlook import DONE, roll_outcome, standing_of
from console.drain.roll_state import RollNode, RollState, Stage
from console.drain.state import MoveState, Purpose, RunState
from console.model.identity import RunId
from console.planner.roll import RollPlan
from console.rolling.foreseen import forecasts_of
from screens.columns import Column
from screens.drawing import Line, Span, bar, clip, cut, joined, wrap
from screens.paint import Look
from screens.sight import Services
from screens.window import against_window

_LOOKS: Mapping[Stage, str] = {
    Stage.WAITING: "planned",
    Stage.DRAINING: "moving",
    Stage.DRAINED: "verifying",
    Stage.SERVICING: "verifying",
    Stage.SERVICED: "verifying",
    Stage.RESUMING: "verifying",
    Stage.RESUMED: "verifying",
    Stage.RETURNING: "moving",
    Stage.DONE: "done",
    Stage.FAILED: "failed",
    Stage.SKIPPED: "skipped",
}
"""Symbols and colours are those of a move that stands alike."""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node of a roll, or of the plan of one."""

    node: RollNode
    moved: int
    now: datetime | None = None


def rows_of(roll: RollState, drains: Mapping[RunId, RunState], now: datetime) -> list[NodeRow]:
    """In the order of the waves."""
    return [NodeRow(node, node.moved + _moving_now(node, drains), now) for node in roll.nodes.values()]


def _moving_now(node: RollNode, drains: Mapping[RunId, RunState]) -> int:
    run = drains.get(node.back if node.stage is Stage.RETURNING else node.drain) if node.drain else None  # type: ignore[arg-type]
    if run is None:
        return 0
    return sum(move.state in (MoveState.DONE, MoveState.INTERRUPTED) for move in run.moves.values())


def planned_rows(plan: RollPlan) -> list[NodeRow]:
    """What would be done, in order."""
    waves = {node: number for number, wave in enumerate(plan.waves) for node in wave.nodes}
    return [NodeRow(RollNode(each.node, waves[each.node], forecast=each), 0) for each in forecasts_of(plan)]


def roll_columns(look: Look) -> tuple[Column[NodeRow], ...]:
    return (
        Column("stage", "STAGE", 14, lambda r, w: _stage(r.node, look), most=17, pinned=True),
        Column("node", "NODE", 6, lambda r, w: ((cut(formatting.name(r.node.name), w), "text.strong"),), grows=1,
               most=24, pinned=True),
        Column("wave", "WAVE", 4, lambda r, w: str(r.node.wave + 1), right=True, style="text.muted"),
        Column("moved", "MOVES", 9, lambda r, w: _moves(r), right=True),
        Column("bar", "PROGRESS", 8, lambda r, w: _bar(r, w, look), grows=4, most=48, span=_reason),
        Column("took", "TOOK", 7, lambda r, w: _took(r), right=True),
        Column("forecast", "PLANNED", 7, lambda r, w: _foreseen(r), right=True, style="text.muted"),
        Column("hook", "HOOK", 7, lambda r, w: _hook(r.node), right=True),
    )  # fmt: skip


def _stage(node: RollNode, look: Look) -> Line:
    name = _LOOKS[node.stage]
    return ((f"{look.glyphs.states[name]} {node.stage.value}", f"state.{name}"),)


def _moves(row: NodeRow) -> str:
    foreseen = row.node.forecast
    return f"{row.moved}" if foreseen is None else f"{row.moved} of {foreseen.moves}"


def _bar(row: NodeRow, width: int, look: Look) -> Line:
    foreseen = row.node.forecast
    if foreseen is None or row.node.stage is Stage.WAITING:
        return ()
    share = min(1.0, row.moved / foreseen.moves) if foreseen.moves else 1.0
    return bar(share, width, look.glyphs, f"state.{_LOOKS[row.node.stage]}")


def _reason(row: NodeRow, width: int) -> Line | None:
    """Across the rest of the line, for a node that stands or was left out."""
    if not row.node.reason:
        return None
    style = "state.failed" if row.node.stage is Stage.FAILED else "text.muted"
    said_last = f": {row.node.told}" if row.node.stage is Stage.FAILED and row.node.exit_status else ""
    return ((cut(formatting.plain(row.node.reason + said_last), width), style),)


def _took(row: NodeRow) -> str:
    node = row.node
    if node.began_at is None or node.since is None:
        return ""
    end = node.since if node.stage.over or node.stage is Stage.FAILED else row.now or node.since
    return formatting.short_duration((end - node.began_at).total_seconds())


def _foreseen(row: NodeRow) -> str:
    foreseen = row.node.forecast
    return "" if foreseen is None else formatting.short_duration(foreseen.end_s - foreseen.start_s)


def _hook(node: RollNode) -> Line:
    if node.stage is Stage.SERVICING:
        return (("runs", "state.moving"),)
    if node.exit_status is None:
        return ()
    return ((f"exit {node.exit_status}", "text.good" if node.exit_status == 0 else "text.bad"),)


# the whole


def summary_lines(roll: RollState, drains: Mapping[RunId, RunState], services: Services, width: int) -> list[Line]:
    """How far it is; when it ends; what it does or waits for; what the operator can do about that."""
    done = sum(node.stage is Stage.DONE for node in roll.nodes.values())
    moved = sum(row.moved for row in rows_of(roll, drains, services.now))
    share = moved / roll.planned_moves if roll.planned_moves else done / max(1, len(roll.nodes))
    moves = f"{moved} of {roll.planned_moves} moves" if roll.planned_moves else f"{moved} moves"
    fill = "state.done" if roll_outcome(roll) == DONE else "bar.fill"
    far = (
        *bar(share, _BAR, services.look.glyphs, fill),
        (f"  {done} of {formatting.count(len(roll.nodes), 'node')} done", "text.strong"),
        (f"   {moves}", ""),
    )
    standing, style, advice = said(roll, services.now)
    told: list[Line] = [((row, style),) for row in wrap(standing, max(40, width - 12))[:2]]
    doing = [] if roll.closed or roll.failed else _doing(roll, drains, services)
    told = [*told, *doing] if roll.stopping else doing or told
    lines: list[Line] = [_row("nodes", far), _row("finish", _end(roll, drains, services))]
    lines += [_row("" if number else "now", line) for number, line in enumerate(told)]
    return [clip(line, width) for line in [*lines, _row("", ((advice, "text.muted"),))]]


_BAR = 20


def _row(name: str, line: Line) -> Line:
    return ((f"  {name:<9}", "text.muted"), *line)


def _end(roll: RollState, drains: Mapping[RunId, RunState], services: Services) -> Line:
    ends = forecast_ends(roll, drains, services.now)
    if ends is None:
        return (("not foreseen", "text.muted"),)
    if roll.closed:
        took_s = (ends[0] - roll.created_at).total_seconds()
        return ((formatting.clock_time(ends[0]), "text.strong"), (f"   took {formatting.duration(took_s)}", ""))
    middle, worst = (max(end, services.now) for end in ends)
    goes_on = not (roll.failed or roll.waits_for_approval is not None)
    left = formatting.duration((middle - services.now).total_seconds())
    return joined(
        [
            (
                (formatting.clock_time(middle), "text.strong"),
                (f", {formatting.clock_time(worst)} at worst", "text.muted"),
            ),
            ((f"in {left}" if goes_on else "if it went on now", ""),),
            against_window(middle, worst, services.window_ends_at),
        ],
        "   ",
    )


def _doing(roll: RollState, drains: Mapping[RunId, RunState], services: Services) -> list[Line]:
    """What each node that is out is at; where it stands still, why."""
    out = [node for node in roll.nodes.values() if node.wave <= roll.began and not node.stage.over]
    return [_at_node(node, drains, services, roll) for node in out[:3]]


def _at_node(node: RollNode, drains: Mapping[RunId, RunState], services: Services, roll: RollState) -> Line:
    name: Line = ((f"{formatting.name(node.name)} ", "text.strong"),)
    since_s = (services.now - node.since).total_seconds() if node.since else 0.0
    so_long = formatting.duration(max(0.0, since_s))
    if node.stage in (Stage.DRAINING, Stage.RETURNING):
        run = drains.get((node.back if node.stage is Stage.RETURNING else node.drain) or RunId(""))
        return (*name, *(_run_words(run) if run is not None else (("is being planned", ""),)))
    if node.stage is Stage.SERVICING:
        most = formatting.duration(roll.hook_timeout_s)
        return (*name, (f"the hook runs for {so_long}; ended after {most}", ""))
    if node.stage is Stage.RESUMING:
        return (*name, (f"is being taken back into service, for {so_long}", ""))
    return (*name, (node.stage.value, ""))


def _run_words(run: RunState) -> Line:
    """ "draining: 2 moving, 13 waiting   empty about 02:40"."""
    returns = run.purpose is Purpose.RETURN
    states = [move.state for move in run.moves.values()]
    waiting = sum(state in (MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING) for state in states)
    trouble = [
        (f"{amount} {state.value}", f"state.{state.value}")
        for state in (MoveState.UNKNOWN, MoveState.FAILED, MoveState.BLOCKED, MoveState.HELD)
        if (amount := states.count(state))
    ]
    unknown = why_no_finish(run)
    end = formatting.clock_time(run.forecast_finish_p50_at)
    word = "back" if returns else "empty"
    last: Span = (f"finish not known: {unknown}", "text.bad") if unknown else (f"{word} about {end}", "")
    holds = run.guard is not None and run.guard.holding
    return joined(
        [
            ((f"{'VMs return' if returns else 'draining'}: {len(run.in_flight)} moving, {waiting} waiting", ""),),
            *((span,) for span in trouble),
            (("the guard holds starts", "text.warning"),) if holds else None,
            (("paused", "text.warning"),) if run.paused else None,
            (last,),
        ],
        "   ",
    )


def window_is_over(roll: RollState, now: datetime) -> bool:
    """Whether nothing more may begin: also where no process was there to note it."""
    return roll.window_closed or (roll.window_ends_at is not None and now >= roll.window_ends_at)


def said(roll: RollState, now: datetime) -> tuple[str, str, str]:
    """What it does or waits for, in which colour, and what can be pressed."""
    standing = f"{standing_of(roll)[0].upper()}{formatting.plain(standing_of(roll))[1:]}."
    outcome = roll_outcome(roll)
    if outcome is not None:
        style = "text.good" if outcome == DONE else "text.warning"
        return standing, style, "A plans and begins another one." if outcome == DONE else "A begins with what is left."
    over = window_is_over(roll, now)
    if roll.failed:
        again = "T only brings the node back: the window has ended" if over else "T tries the node again"
        return standing, "text.bad", f"{again}. L leaves it as it is, S stops the roll."
    wave = roll.waits_for_approval
    if wave is not None:
        names = ", ".join(formatting.name(node.name) for node in roll.of_wave(wave))
        if over:
            ended = formatting.clock_time(roll.window_ends_at)
            return standing, "text.warning", f"The window ended at {ended}. S stops the roll; a later one goes on."
        return standing, "text.warning", f"A begins it: {names}. Nothing goes on before."
    if roll.well is False and not roll.stopping:
        return standing, "text.warning", "It is looked at again by itself; S stops the roll."
    return standing, "", "It goes on without this console. enter opens a node's drain."


def plan_lines(plan: RollPlan | None, nodes: int) -> list[Line]:
    """Where no roll was ever begun: what one would be."""
    if plan is None:
        return [(("  No rolling run was ever begun here. Planning one …", "text.muted"),)]
    moves = sum(len(wave.moves) for wave in plan.waves)
    takes = formatting.duration(plan.window_s)
    text = f"  A rolling run over all {nodes} nodes would make {moves} moves and take {takes}."
    lines: list[Line] = [((text, "text.strong"),)]
    words = [
        f"{formatting.count(amount, 'VM')} {verb}{'s' if amount == 1 else ''} {what}"
        for amount, verb, what in (
            (len(plan.infeasible), "find", "no place"),
            (len(plan.left_behind), "stay", "on a node"),
        )
        if amount
    ]
    if words:
        lines.append(((f"  {', '.join(words)}: A shows which, and asks for your consent.", "text.warning"),))
    text = "  A begins one and first asks how. space marks nodes: then it takes only those."
    return [*lines, ((text, "text.muted"),)]


def confirmation_of_wave(roll: RollState, wave: int, *, short: bool) -> list[Line]:
    """What begins with an approval."""
    nodes = roll.of_wave(wave)
    names = ", ".join(formatting.name(node.name) for node in nodes)
    moves = sum(node.forecast.moves for node in nodes if node.forecast is not None)
    then = "then the hook runs, then it is resumed" if roll.hook else "then it is resumed"
    gap: list[Line] = [] if short else [()]
    return [
        ((f"Begin wave {wave + 1} of {roll.waves} now: {names}?", "text.strong"),),
        *gap,
        ((f"{formatting.count(moves, 'VM')} move live; the empty node is verified, {then}.", ""),),
        (("It begins once quorum and storage were read as well.", "text.muted"),),
    ]
