"""How a rolling run is written: a row a node, where the whole stands, and what would begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from console import formatting
from console.drain.roll_forecast import forecast_ends
from console.drain.roll_outlook import DONE, roll_outcome, standing_of
from console.drain.roll_state import RollNode, RollState, Stage
from console.drain.state import MoveState, RunState
from console.model.identity import RunId
from console.planner.roll import RollPlan
from console.rolling.foreseen import forecasts_of
from screens.columns import Column
from screens.drawing import Line, bar, cut, joined, wrap
from screens.paint import Look
from screens.sight import Services

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
    return ((cut(formatting.plain(row.node.reason), width), style),)


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
    """How far it is and when it ends; what it does or waits for; what the operator can do about that."""
    done = sum(node.stage is Stage.DONE for node in roll.nodes.values())
    moved = sum(row.moved for row in rows_of(roll, drains, services.now))
    moves = f"{moved} of {roll.planned_moves} moves" if roll.planned_moves else f"{moved} moves"
    first: Line = (
        ("  ", ""),
        (f"{done} of {len(roll.nodes)} nodes done", "text.strong"),
        (f"   {moves}", ""),
        *_end(roll, drains, services),
    )
    standing, style, advice = said(roll)
    lines = [((row, style),) for row in wrap(standing, max(40, width - 4), "  ")[:2]]
    return [first, *lines, ((f"  {advice}", "text.muted"),)]


def _end(roll: RollState, drains: Mapping[RunId, RunState], services: Services) -> Line:
    ends = forecast_ends(roll, drains, services.now)
    if ends is None:
        return ()
    end, _ = ends
    if roll.closed:
        took_s = (end - roll.created_at).total_seconds()
        return ((f"   took {formatting.duration(took_s)}", ""),)
    end = max(end, services.now)
    left = formatting.duration((end - services.now).total_seconds())
    late = services.window_ends_at is not None and end > services.window_ends_at
    words = f"   ends about {formatting.clock_time(end)}, in {left}"
    return joined(
        [((words, "text.warning" if late else ""),), (("after the window", "text.bad"),) if late else None], " "
    )


def said(roll: RollState) -> tuple[str, str, str]:
    """What it does or waits for, in which colour, and what can be pressed."""
    standing = f"{standing_of(roll)[0].upper()}{formatting.plain(standing_of(roll))[1:]}."
    outcome = roll_outcome(roll)
    if outcome is not None:
        style = "text.good" if outcome == DONE else "text.warning"
        return standing, style, "A plans and begins another one." if outcome == DONE else "A begins with what is left."
    if roll.failed:
        return standing, "text.bad", "T tries the node again, L leaves it as it is, S stops the roll."
    wave = roll.waits_for_approval
    if wave is not None:
        names = ", ".join(formatting.name(node.name) for node in roll.of_wave(wave))
        return standing, "text.warning", f"A begins it: {names}. Nothing goes on before."
    if roll.well is False and not roll.stopping:
        return standing, "text.warning", "It is looked at again by itself; S stops the roll."
    return standing, "", "Everything goes on without this console."


def plan_lines(plan: RollPlan | None, nodes: int) -> list[Line]:
    """Where no roll was ever begun: what one would be."""
    if plan is None:
        return [(("  No rolling run was ever begun here. Planning one …", "text.muted"),)]
    moves = sum(len(wave.moves) for wave in plan.waves)
    takes = formatting.duration(plan.window_s)
    text = f"  A rolling run over all {nodes} nodes would make {moves} moves and take {takes}."
    lines: list[Line] = [((text, "text.strong"),)]
    if plan.infeasible or plan.left_behind:
        stay = len(plan.infeasible) + len(plan.left_behind)
        words = f"  {formatting.count(stay, 'VM')} can not move or would stay: agree by the command drainboard roll."
        lines.append(((words, "text.warning"),))
    first = ", ".join(plan.waves[0].nodes) if plan.waves else "nothing"
    return [*lines, ((f"  A begins with {first}; each further node waits for you again.", "text.muted"),)]


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
