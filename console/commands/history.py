"""``drainboard history``: every run that the journal knows; asks no cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from console.drain.roll_state import RollState
    from console.drain.state import RunState

    from .past import Unreadable

JOURNAL = click.option(
    "--journal",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="This journal instead of the configured one.",
)


@click.command(name="history", cls=ClusterCommand)
@target_options
@JOURNAL
@json_option
def command(target: Target, journal: Path | None, as_json: bool) -> int:
    """List every run and every rolling run, newest first."""
    from .output import narrate, print_document, print_table, print_text
    from .past import Unreadable, opened_journal, past_rolls, past_runs

    with opened_journal(target, journal) as opened:
        runs = list(past_runs(opened, target.cluster))
        rolled = list(past_rolls(opened, target.cluster))
    rolls = [roll for roll in rolled if not isinstance(roll, Unreadable)]
    known = [run for run in runs if not isinstance(run, Unreadable)]
    damaged = [run for run in (*runs, *rolled) if isinstance(run, Unreadable)]
    if as_json:
        print_document(
            {
                "schema": 1,
                "runs": [_document(run) for run in known],
                "rolls": [_roll_document(roll) for roll in rolls],
                "unreadable": _unreadable(damaged),
            }
        )
        return 0
    headings = ("run", "cluster", "node", "outcome", "began", ">took", ">moved", "operator")
    if known:
        print_table(headings, [_row(run) for run in known])
    elif not rolls:
        narrate("No run yet.")
    if rolls:
        if known:
            print_text()
        print_table(("roll", "cluster", "nodes done", "standing", "began", ">moved", "operator"), map(_roll_row, rolls))
    for run in damaged:
        narrate(f"{run.run}: {run.why}")
    return 0


def _unreadable(damaged: list[Unreadable]) -> list[dict[str, str]]:
    return [{"run": run.run, "why": run.why} for run in damaged]


def _moved(run: RunState) -> int:
    return sum(move.state.value in ("done", "interrupted") for move in run.moves.values())


def _duration_s(run: RunState) -> float | None:
    return None if run.finished_at is None else (run.finished_at - run.created_at).total_seconds()


def _row(run: RunState) -> tuple[str, ...]:
    from console.formatting import date_time, duration, name, plain
    from console.reporting.words import outcome

    return (
        plain(run.run),
        name(run.cluster),
        name(run.node),
        outcome(run),
        date_time(run.created_at),
        duration(_duration_s(run)),
        f"{_moved(run)} of {len(run.moves)}",
        plain(run.operator),
    )


def _document(run: RunState) -> dict[str, Any]:
    from console.formatting import plain

    return {
        "run": run.run,
        "cluster": plain(run.cluster),
        "node": run.node,
        "engine": run.engine.value,
        "outcome": None if run.outcome is None else run.outcome.value,
        "started_at": run.created_at.isoformat(),
        "finished_at": None if run.finished_at is None else run.finished_at.isoformat(),
        "duration_s": _duration_s(run),
        "forecast_s": run.forecast_s,
        "moves": len(run.moves),
        "moved": _moved(run),
        "operator": plain(run.operator),
        "settings_not_restored": [
            {"name": change.name, "value": change.before} for change in run.settings_changed if change.given_up
        ],
    }


def _roll_row(roll: RollState) -> tuple[str, ...]:
    from console.drain.roll_outlook import standing_of
    from console.formatting import date_time, name, plain

    return (
        plain(roll.roll),
        name(roll.cluster),
        f"{len(roll.nodes) - len(roll.left)} of {len(roll.nodes)}",
        plain(standing_of(roll), 60),
        date_time(roll.created_at),
        f"{roll.moved} of {roll.planned_moves}",
        plain(roll.operator),
    )


def _roll_document(roll: RollState) -> dict[str, Any]:
    from console.roll_documents import roll_run_document

    document = roll_run_document(roll)
    return {name: value for name, value in document.items() if name != "schema"}
