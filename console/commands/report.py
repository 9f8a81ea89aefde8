"""``drainboard report``: one run for the change ticket; asks no cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .history import JOURNAL
from .target import ClusterCommand, Target, target_options

if TYPE_CHECKING:
    from console.journal.store import Journal
    from console.model.identity import RunId

FORMATS = ("md", "html", "json", "csv")


@click.command(name="report", cls=ClusterCommand)
@click.argument("run")
@target_options
@JOURNAL
@click.option("--format", "form", type=click.Choice(FORMATS), default="md", show_default=True, help="What to write.")
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Write here instead of to the terminal.")  # fmt: skip
def command(run: str, target: Target, journal: Path | None, form: str, output: Path | None) -> int:
    """Report RUN, also a rolling one: what moved, when, how long, who agreed.

    A name's beginning is enough; "last" is the newest run.
    """
    import sys

    from console.exits import UsageProblem

    from .output import narrate
    from .past import find_roll, opened_journal

    with opened_journal(target, journal) as opened:
        roll = find_roll(opened, run)
        text = _of_run(opened, run, form) if roll is None else _of_roll(opened, roll, form)
    if output is None:
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding).replace("\r\n", "\n"))
        return 0
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise UsageProblem(f"{output} can not be written: {error.strerror or error}.") from None
    narrate(f"Wrote {output}.")
    return 0


def _of_run(journal: Journal, typed: str, form: str) -> str:
    from console.exits import UsageProblem
    from console.journal.ledger import runs_of
    from console.journal.trouble import JournalUnusable
    from console.reporting.facts import report_of
    from console.reporting.formats import Format, render

    from .past import find_run

    chosen = find_run(journal, typed)
    try:
        report = report_of(runs_of(journal).events(chosen))
    except (JournalUnusable, KeyError, ValueError) as error:
        raise UsageProblem(
            f"Run {chosen} can not be told from {journal.path}: its lines are damaged ({error})."
        ) from None
    return render(report, Format(form))


def _of_roll(journal: Journal, roll: RunId, form: str) -> str:
    from console.exits import UsageProblem
    from console.journal.ledger import rolls_of
    from console.journal.trouble import JournalUnusable
    from console.reporting.formats import Format
    from console.reporting.rolls import render_roll

    try:
        return render_roll(rolls_of(journal).events(roll), Format(form))
    except (JournalUnusable, KeyError, ValueError) as error:
        raise UsageProblem(
            f"Roll {roll} can not be told from {journal.path}: its lines are damaged ({error})."
        ) from None
