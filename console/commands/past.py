"""The runs of the past, for commands that need no cluster: from a configuration's journal, or from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from console.exits import UsageProblem
from console.journal.ledger import named, rolls_of, runs_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.model.identity import RunId
from console.paths import standard_paths

from .session import explained
from .target import Target


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


def find_roll(journal: Journal, typed: str) -> RunId | None:
    """The only rolling run that begins so; None when there is none, or a run of that very name."""
    runs = named(runs_of(journal).names(), typed)
    found = named(rolls_of(journal).names(), typed)
    if typed in runs or len(found) != 1:
        return None
    return found[0] if found[0] == typed or not runs else None


def find_run(journal: Journal, typed: str) -> RunId:
    """The run of that name; a beginning is enough when only one begins so, ``last`` is the newest.

    Raises:
        UsageProblem: none, or several.
    """
    runs = runs_of(journal).names()
    if typed == "last" and runs:
        return runs[0]
    found = named(runs, typed)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageProblem(f"{len(found)} runs begin with {typed!r}: {_some(found)}.")
    raise UsageProblem(f"There is no run {typed!r} in {journal.path}. There is: {_some(runs) or 'none yet'}.")


def _some(runs: Sequence[RunId]) -> str:
    return ", ".join(runs[:5])
