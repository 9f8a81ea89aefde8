"""``drainboard history``: every run that the journal knows; asks no cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from console.drain.events import Event
    from console.drain.roll_events import RollEvent
    from console.drain.roll_state import RollState
    from console.drain.state import RunState
    from console.journal.ledger import Damaged

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
    from console.journal.ledger import rolls_of, runs_of

    from .output import narrate, print_document
    from .past import opened_journal

    with opened_journal(target, journal) as opened:
        runs, rolls = runs_of(opened).listing(), rolls_of(opened).listing()
    known = [run for run in runs.known if _is_of(target, run)]
    rolled = [roll for roll in rolls.known if _is_of(target, roll)]
    damaged: list[Damaged[Event] | Damaged[RollEvent]] = [*runs.damaged, *rolls.damaged]
    if as_json:
        print_document(
            {
                "schema": 1,
                "runs": [_document(run) for run in known],
                "rolls": [_roll_document(roll) for roll in rolled],
                "unreadable": [{"run": each.name, "why": each.why} for each in damaged],
            }
        )
        return 0
    if known or rolled:
        _tables(known, rolled)
    else:
        narrate("No run yet.")
    for each in damaged:
        narrate(str(each))
    return 0


def _is_of(target: Target, told: RunState | RollState) -> bool:
    return target.cluster is None or told.cluster.casefold() == target.cluster.casefold()


def _tables(runs: list[RunState], rolls: list[RollState]) -> None:
    from .output import print_table, print_text

    if runs:
        headings = ("run", "cluster", "node", "outcome", "began", ">took", ">moved", "operator")
        print_table(headings, [_row(run) for run in runs])
    if runs and rolls:
        print_text()
    if rolls:
        print_table(("roll", "cluster", "nodes done", "standing", "began", ">moved", "operator"), map(_roll_row, rolls))


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
