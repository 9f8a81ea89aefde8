"""The runs of the past, for commands that need no cluster: from a configuration's journal, or from a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.exits import UsageProblem
from console.journal.live import load_run
from console.journal.rolls import load_roll, rolls
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.model.identity import RunId
from console.paths import standard_paths

from .session import explained
from .target import Target

if TYPE_CHECKING:
    from console.drain.events import Event
    from console.drain.roll_state import RollState
    from console.drain.state import RunState


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A run whose lines are damaged; the others are listed all the same."""

    run: RunId
    why: str


@contextmanager
def opened_journal(target: Target, file: Path | None) -> Iterator[Journal]:
    """The journal, to read only.

    Raises:
        UsageProblem: there is none yet, or it can not be read.
    """
    path = file or journal_path(target)
    if not path.exists():
        raise UsageProblem(f"There is no journal at {path}: no run was ever started from here, or it lies elsewhere.")
    try:
        with Journal.open(path, read_only=True) as journal:
            yield journal
    except JournalUnusable as trouble:
        raise UsageProblem(str(trouble)) from None


def journal_path(target: Target) -> Path:
    """Where the runs of the configuration are kept; a lab's runs lie beside its own configuration."""
    if target.scenario is not None:
        raise UsageProblem("A lab's runs are in the journal beside its own configuration: name that by --config FILE.")
    paths = standard_paths(target.config)
    if not paths.configuration.exists():
        return paths.journal
    with explained():
        from console.configuration.loading import load_configuration

        loaded = load_configuration(paths.configuration)
    if loaded.journal.path is None and any(options.clock is not None for options in loaded.clusters.values()):
        return paths.configuration.absolute().parent / "journal.sqlite"
    return standard_paths(paths.configuration, loaded.journal.path).journal


def past_runs(journal: Journal, cluster: str | None) -> Iterator[RunState | Unreadable]:
    """Every run, newest first; with ``cluster`` only that one's."""
    for run in journal.runs():
        try:
            state = load_run(journal, run)
        except JournalUnusable as trouble:
            yield Unreadable(run, trouble.what)
            continue
        if cluster is None or state.cluster.casefold() == cluster.casefold():
            yield state


def past_rolls(journal: Journal, cluster: str | None) -> Iterator[RollState | Unreadable]:
    """Every rolling run, newest first; with ``cluster`` only that one's."""
    for roll in rolls(journal):
        try:
            state = load_roll(journal, roll)
        except JournalUnusable as trouble:
            yield Unreadable(roll, trouble.what)
            continue
        if cluster is None or state.cluster.casefold() == cluster.casefold():
            yield state


def find_roll(journal: Journal, typed: str) -> RunId | None:
    """The only rolling run that begins so; None when there is none, or a run of that very name."""
    if typed in journal.runs():
        return None
    found = [roll for roll in rolls(journal) if roll.casefold().startswith(typed.casefold())]
    also_runs = any(run.casefold().startswith(typed.casefold()) for run in journal.runs())
    exact = [roll for roll in found if roll == typed]
    return exact[0] if exact else found[0] if len(found) == 1 and not also_runs else None


def find_run(journal: Journal, typed: str) -> RunId:
    """The run of that name; a beginning is enough when only one begins so, ``last`` is the newest.

    Raises:
        UsageProblem: none, or several.
    """
    runs = journal.runs()
    if typed == "last" and runs:
        return runs[0]
    found = [run for run in runs if run == typed] or [
        run for run in runs if run.casefold().startswith(typed.casefold())
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageProblem(f"{len(found)} runs begin with {typed!r}: {_some(found)}.")
    raise UsageProblem(f"There is no run {typed!r} in {journal.path}. There is: {_some(runs) or 'none yet'}.")


def _some(runs: Iterable[RunId]) -> str:
    return ", ".join(list(runs)[:5])


def events_of(journal: Journal, run: RunId) -> tuple[Event, ...]:
    return tuple(recorded.event for recorded in journal.events(run))
