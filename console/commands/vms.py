"""``drainboard vms``: every VM, or those of one host."""

from __future__ import annotations

import click

from .target import ClusterCommand, Target, json_option, target_options


@click.command(name="vms", cls=ClusterCommand)
@click.option("--host", metavar="HOST", help="Only the VMs on this host.")
@target_options
@json_option
def command(host: str | None, target: Target, as_json: bool) -> int:
    """List the cluster's virtual machines."""
    from console.documents import vms_document

    from .names import find_host
    from .output import print_document
    from .reports import report_vms
    from .session import with_operations

    cluster = with_operations(target, lambda operations: operations.read_cluster())
    vms = cluster.vms if host is None else cluster.vms_on(find_host(cluster, host))
    if as_json:
        print_document(vms_document(cluster, vms))
    else:
        report_vms(vms)
    return 0
