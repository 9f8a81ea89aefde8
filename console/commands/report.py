"""``drainboard report``: one run for the change ticket; asks no cluster."""

from __future__ import annotations

from pathlib import Path

import click

from .history import JOURNAL
from .target import ClusterCommand, Target, target_options

FORMATS = ("md", "html", "json", "csv")


@click.command(name="report", cls=ClusterCommand)
@click.argument("run")
@target_options
@JOURNAL
@click.option("--format", "form", type=click.Choice(FORMATS), default="md", show_default=True, help="What to write.")
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Write here instead of to the terminal.")  # fmt: skip
def command(run: str, target: Target, journal: Path | None, form: str, output: Path | None) -> int:
    """Report RUN (a name's beginning is enough; "last" is the newest): what moved, when, how long, who agreed."""
    import sys

    from console.exits import UsageProblem
    from console.reporting.facts import report_of
    from console.reporting.formats import Format, render

    from .output import narrate
    from .past import events_of, find_run, opened_journal

    with opened_journal(target, journal) as opened:
        chosen = find_run(opened, run)
        events = events_of(opened, chosen)
        try:
            report = report_of(events)
        except (KeyError, ValueError) as error:
            raise UsageProblem(
                f"Run {chosen} can not be told from {opened.path}: its lines are damaged ({error})."
            ) from None
    text = render(report, Format(form))
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
