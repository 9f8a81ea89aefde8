"""What a forecast says of the moves that emptying a node takes, for the conflicts that rest on it. Pure."""

from __future__ import annotations

from dataclasses import replace

from console.forecast.forecaster import migration_type_of
from console.forecast.transport import smb_cap_fraction
from console.forecast.values import Forecaster, MigrationType
from console.model.cluster import Cluster, Host, MigrationTransport, VirtualMachine
from console.model.identity import HostName
from console.model.outlook import MoveOutlook, Outlook

CAPS = (0.25, 0.5, 0.75, 1.0)
"""Fractions of the network that a finish is told for; 1 is no cap."""


def outlook_of(cluster: Cluster, node: HostName | None, forecaster: Forecaster) -> Outlook:
    """The moves of one node's VMs, or of all, each alone on the way to the first host that could take it.

    What the SMB cap costs is told for the node, or for the host with the most VMs.
    """
    moves = {}
    for host in cluster.hosts:
        destination = _destination(cluster, host) if node in (None, host.name) else None
        for vm in cluster.vms_on(host.name) if destination is not None else ():
            if vm.clustered and destination is not None:
                moves[vm.id] = _move(cluster, vm, destination, forecaster)
    outlook = Outlook(moves)
    fullest = max(cluster.hosts, key=lambda host: len(cluster.vms_on(host.name)), default=None)
    source = fullest if node is None else cluster.host_by_name.get(node)
    return outlook if source is None else _with_caps(outlook, cluster, source, forecaster)


def _destination(cluster: Cluster, source: Host) -> Host | None:
    """A host that takes VMs, one with the same transport if there is one."""
    others = [host for host in cluster.hosts if host.name != source.name and host.accepts_vms]
    alike = [host for host in others if host.migration_transport is source.migration_transport]
    return next(iter(alike or others), None)


def _move(cluster: Cluster, vm: VirtualMachine, destination: Host, forecaster: Forecaster) -> MoveOutlook:
    forecast = forecaster.forecast(cluster, vm, destination.name)
    return MoveOutlook(
        forecast.duration_p50_s,
        forecast.blackout_p50_s,
        forecast.migration_type is MigrationType.LIVE,
        forecast.converges,
        forecast.basis,
    )


def _with_caps(outlook: Outlook, cluster: Cluster, source: Host, forecaster: Forecaster) -> Outlook:
    """When the last move ends under each cap; nothing where no cap can hold, or nothing moves live."""
    destination = _destination(cluster, source)
    if destination is None or source.migration_transport is not MigrationTransport.SMB:
        return outlook
    cap = smb_cap_fraction(cluster.settings, source, destination)
    live = [vm for vm in cluster.vms_on(source.name) if vm.clustered and migration_type_of(vm) is MigrationType.LIVE]
    if cap is None or not live:
        return outlook
    finishes = tuple(
        (fraction, _finish_s(_capped(cluster, fraction), live, destination, forecaster))
        for fraction in sorted({*CAPS, cap})
    )
    return replace(outlook, finish_by_cap=finishes, cap=cap)


def _capped(cluster: Cluster, fraction: float) -> Cluster:
    settings = replace(
        cluster.settings, set_smb_bandwidth_limit=int(fraction < 1), smb_bandwidth_limit_factor=round(fraction * 10000)
    )
    return replace(cluster, settings=settings)


def _finish_s(cluster: Cluster, vms: list[VirtualMachine], destination: Host, forecaster: Forecaster) -> float:
    """As many at once as the cluster allows, the path shared evenly; never less than the longest move."""
    slots = max(1, min(cluster.settings.maximum_parallel_migrations or 1, len(vms)))
    durations = [forecaster.forecast(cluster, vm, destination.name, sharing=slots).duration_p50_s for vm in vms]
    return max(sum(durations) / slots, *durations)
