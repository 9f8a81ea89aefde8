"""``drainboard check``: everything that would stop, slow or spoil a live migration."""

from __future__ import annotations

from pathlib import Path

import click

from .target import ClusterCommand, Target, json_option, target_options


@click.command(name="check", cls=ClusterCommand)
@click.argument("node", required=False)
@click.option("--node", "named", metavar="NODE", help="The same as the argument.")
@target_options
@click.option(
    "--from",
    "snapshot",
    metavar="SNAPSHOT",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Check offline, on a file that `drainboard snapshot` wrote.",
)
@json_option
def command(node: str | None, named: str | None, target: Target, snapshot: Path | None, as_json: bool) -> int:
    """List the conflicts of the cluster, or of emptying NODE. Ends with 3 when one of them blocks."""
    from console.checks.values import Severity
    from console.documents import check_document
    from console.exits import ExitCode

    from .checked import checked
    from .output import print_document
    from .reports import report_findings

    if node and named and node.casefold() != named.casefold():
        raise click.UsageError(f"Which node: {node} or {named}? Name one.")
    findings, host = checked(target, snapshot, node or named)
    if as_json:
        print_document(check_document(findings, host))
    else:
        report_findings(findings)
    blocks = any(conflict.severity is Severity.BLOCKS for conflict in findings.conflicts)
    return int(ExitCode.BLOCKED if blocks else ExitCode.DONE)
