"""``drainboard hosts``: every node of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from console.composition import LiveOperations
    from console.configuration.models import ClusterOptions
    from console.model.cluster import Cluster


@click.command(name="hosts", cls=ClusterCommand)
@target_options
@json_option
def command(target: Target, as_json: bool) -> int:
    """List the cluster's hosts."""
    from console.documents import hosts_document

    from .output import print_document
    from .reports import report_hosts
    from .session import with_operations

    async def read(operations: LiveOperations) -> tuple[Cluster, ClusterOptions]:
        return await operations.read_cluster(), operations.site.options

    cluster, options = with_operations(target, read)
    if as_json:
        print_document(hosts_document(cluster, str(options.transport), str(options.authentication)))
    else:
        report_hosts(cluster)
    return 0
