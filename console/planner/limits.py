"""From settings, levers and forecasts to the limits that a schedule keeps, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from console.forecast.forecaster import migration_type_of
from console.forecast.values import MigrationType, MoveForecast
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName

from .schedule import Limits
from .values import OFFLINE_AT_ONCE, Engine, PlanOptions, SlotReading
from .words import count_text

HOST_MIGRATIONS_DEFAULT = 2
"""MaximumVirtualMachineMigrations as Windows sets it, where neither cluster nor host tells."""


def slots_per_node(cluster: Cluster, host_limit: int | None, options: PlanOptions) -> int:
    """Moves at once on one node: the lever, else MaximumParallelMigrations, else the host's own limit.

    Raises:
        ValueError: the lever is below 1.
    """
    if options.slots is not None:
        if options.slots < 1:
            raise ValueError(f"a drain needs at least one slot, got {options.slots}")
        return options.slots
    return _allowed(cluster, host_limit)


def _allowed(cluster: Cluster, host_limit: int | None) -> int:
    return max(1, cluster.settings.maximum_parallel_migrations or host_limit or HOST_MIGRATIONS_DEFAULT)


def takes_a_slot(vm: VirtualMachine) -> bool:
    """Whether its move counts against the limits of live migrations; one that is off or saved only changes owner."""
    return migration_type_of(vm) is not MigrationType.OFFLINE


def accepting_hosts(cluster: Cluster) -> int:
    """How many hosts take VMs."""
    return sum(host.accepts_vms for host in cluster.hosts)


def at_once(cluster: Cluster, node: HostName, options: PlanOptions, accepting: int | None = None) -> int:
    """The most moves that ``node`` can take part in under this plan.

    Read per node, MaximumParallelMigrations is that number. Read per pair it holds for each destination, so the
    node's own number is the lever, or as many as all destinations take together. What is stated for the node
    itself counts in place of either; a lever can only lower it.

    Args:
        accepting: hosts that take VMs, where many nodes are asked about.
    """
    site = options.limits
    slots = slots_per_node(cluster, cluster.host_by_name[node].maximum_virtual_machine_migrations, options)
    if site.reading is SlotReading.PAIR and options.slots is None:
        others = (accepting_hosts(cluster) if accepting is None else accepting) - cluster.host_by_name[node].accepts_vms
        slots *= max(1, others)
    stated = site.slots_of.get(node)
    if stated is not None:
        slots = stated if options.slots is None else min(stated, slots)
    return max(1, slots if site.cluster_wide is None else min(slots, site.cluster_wide))


def pair_limit(cluster: Cluster, options: PlanOptions, source: HostName) -> int | None:
    """Moves at once between ``source`` and one other node; None: no such limit."""
    pair = options.limits.per_pair
    if options.limits.reading is not SlotReading.PAIR:
        return pair
    allowed = _allowed(cluster, cluster.host_by_name[source].maximum_virtual_machine_migrations)
    return allowed if pair is None else min(pair, allowed)


def limits_of(
    cluster: Cluster,
    sources: Sequence[HostName],
    destinations: Iterable[HostName],
    options: PlanOptions,
    ports: tuple[Mapping[HostName, float], Mapping[HostName, float]],
) -> Limits:
    """All limits of a schedule between these hosts.

    Args:
        ports: bytes per second (out, in) that forecasts imply; stated ones can only lower them.
    """
    site = options.limits
    hosts = dict.fromkeys((*sources, *sorted(destinations)))
    accepting = accepting_hosts(cluster)
    per_node = {host: at_once(cluster, host, options, accepting) for host in hosts}
    pair = pair_limit(cluster, options, sources[0])
    out, into = (
        {
            host: min(implied.get(host, float("inf")), stated.get(host, float("inf")))
            for host in hosts
            if host in implied or host in stated
        }
        for implied, stated in zip(ports, (site.out_bytes_per_s, site.in_bytes_per_s), strict=True)
    )
    inflow = {} if site.per_destination is None else dict.fromkeys(hosts, site.per_destination)
    offline = None if options.engine is Engine.NATIVE else OFFLINE_AT_ONCE  # the cluster itself counts none of them
    return Limits(per_node, out, into, site.links, site.cluster_wide, pair, inflow, offline_slots=offline)


def implied_ports(
    forecasts: Sequence[tuple[HostName, MoveForecast, MoveForecast]], sources: Sequence[HostName], sharing: int
) -> tuple[dict[HostName, float], dict[HostName, float]]:
    """Bytes per second (out, in) of the hosts, from forecasts (destination, alone, shared).

    Where a move gets slower by sharing, the path is the limit: what all sharers reach together is its capacity.
    """
    capacity: dict[HostName, float] = {}
    hosts: set[HostName] = set()
    for host, solo, shared in forecasts:
        hosts.add(host)
        slower = sharing > 1 and shared.rate_bytes_per_s < solo.rate_bytes_per_s
        if shared.migration_type is MigrationType.LIVE and slower:
            reached = shared.rate_bytes_per_s * shared.link_weight * sharing
            capacity[host] = max(capacity.get(host, 0.0), reached)
    held_back = bool(capacity) and hosts <= capacity.keys()
    return (dict.fromkeys(sources, max(capacity.values())) if held_back else {}), capacity


def notes_on(cluster: Cluster, options: PlanOptions, slots: int) -> tuple[str, ...]:
    """What an operator should know of the limits that were kept."""
    limit = cluster.settings.maximum_parallel_migrations
    by_pair = options.limits.reading is SlotReading.PAIR
    notes: list[str] = []
    if limit is None:
        notes.append(
            f"MaximumParallelMigrations is not known: planned with {count_text(slots, 'move')} at once per node."
        )
    elif by_pair:
        notes.append(
            f"Plans {count_text(limit, 'move')} at once per pair of nodes (MaximumParallelMigrations is read per pair"
            " here; Microsoft's reference says per node)."
        )
    elif slots > limit:
        notes.append(f"Plans {slots} moves at once, the cluster allows {limit} (MaximumParallelMigrations).")
    else:
        notes.append(
            f"Plans {count_text(slots, 'move')} at once per node, in and out together (MaximumParallelMigrations is"
            " read per node, the stricter of its two readings)."
        )
    if options.native_target is not None:
        notes.append(
            f"The cluster is asked to send everything to {options.native_target} (Suspend-ClusterNode -TargetNode), and"
            " chooses the order itself: these are a forecast of what it will do."
        )
    elif options.engine is Engine.NATIVE:
        notes.append("The cluster chooses destinations and order itself: these are a forecast of what it will do.")
    return tuple(notes)
