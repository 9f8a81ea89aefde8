"""``drainboard snapshot``: the cluster as a file, for offline plans, what-ifs and bug reports."""

from __future__ import annotations

from pathlib import Path

import click

from .target import ClusterCommand, Target, json_option, target_options


@click.command(name="snapshot", cls=ClusterCommand)
@target_options
@click.option("--redact", is_flag=True, help="Rename everything that could tell whose cluster it is.")
@click.option(
    "--output", "-o", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write here, not to stdout."
)
@click.option("--schema", "only_schema", is_flag=True, help="Print the file's JSON schema instead; reads no cluster.")
@json_option
def command(target: Target, redact: bool, output: Path | None, only_schema: bool, as_json: bool) -> int:
    """Save what was read of the cluster as one JSON document (it is JSON with or without --json)."""
    import json

    from console.composition import LiveOperations
    from console.exits import UsageProblem
    from console.planner.values import PlanOptions
    from console.snapshot import schema, snapshot_of

    from .output import narrate, print_document
    from .session import read_all, with_operations

    async def taken(operations: LiveOperations) -> dict[str, object]:
        site = operations.site
        options = site.options_of(PlanOptions())
        cluster = operations.with_evidence(await read_all(operations))
        return snapshot_of(cluster, redact=redact, options=options, policy=site.check_policy)

    document = schema() if only_schema else with_operations(target, taken)
    if output is None:
        print_document(document)
        return 0
    try:
        output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"{output} cannot be written: {error.strerror}.") from None
    narrate(f"Written: {output}")
    return 0
