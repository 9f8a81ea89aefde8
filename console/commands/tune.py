"""``drainboard tune``: settings that would make moves faster or safer."""

from __future__ import annotations

from pathlib import Path

import click

from .target import ClusterCommand, Target, json_option, target_options


@click.command(name="tune", cls=ClusterCommand)
@click.argument("node", required=False)
@target_options
@click.option(
    "--from",
    "snapshot",
    metavar="SNAPSHOT",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Advise offline, on a file that `drainboard snapshot` wrote.",
)
@json_option
def command(node: str | None, target: Target, snapshot: Path | None, as_json: bool) -> int:
    """Advise settings that would make moves faster or safer; with NODE also what would shorten its drain. Changes
    nothing."""
    from console.documents import tune_document
    from console.exits import ExitCode

    from .output import print_document
    from .reports import report_advice
    from .tuned import tuned

    advice = tuned(target, snapshot, node)
    if as_json:
        print_document(tune_document(advice.findings, advice.node, advice.helps))
    else:
        report_advice(advice.findings, advice.helps)
    return int(ExitCode.DONE)
