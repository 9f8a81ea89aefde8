"""What would help most: the same drain planned again with one lever moved, and how much sooner it would end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from console import formatting
from console.model.cluster import Cluster, MigrationTransport
from console.model.identity import HostName
from console.planner.values import Plan, PlanOptions

Planner = Callable[[Cluster, HostName, PlanOptions], Plan]
MOST_SLOTS = 16
_WORTH_S = 1.0
_SHARES = (0.25, 0.5, 0.75)
_TRANSPORTS = {
    MigrationTransport.COMPRESSION: "compression",
    MigrationTransport.SMB: "SMB",
    MigrationTransport.TCPIP: "TCP/IP",
}


@dataclass(frozen=True, slots=True)
class Help:
    """One lever: what to do, and how many seconds the drain would then end sooner."""

    text: str
    saves_s: float


def what_would_help(plan: Plan, cluster: Cluster, planner: Planner, most: int = 5) -> tuple[Help, ...]:
    """The levers that shorten this plan, the best first; every one was planned, none is guessed."""
    found = []
    for text, world, options in _levers(plan, cluster):
        other = planner(world, plan.node, options)
        if len(other.infeasible) <= len(plan.infeasible) and plan.makespan_s - other.makespan_s >= _WORTH_S:
            found.append(Help(text, plan.makespan_s - other.makespan_s))
    return tuple(sorted(found, key=lambda help: -help.saves_s)[:most])


def _levers(plan: Plan, cluster: Cluster) -> Iterator[tuple[str, Cluster, PlanOptions]]:
    options = plan.options
    for slots in (plan.slots * 2, plan.slots * 4):
        if slots <= MOST_SLOTS:
            yield f"{slots} moves at once instead of {plan.slots}", cluster, replace(options, slots=slots)
    if plan.slots > 1:
        yield f"1 move at once instead of {plan.slots}", cluster, replace(options, slots=1)
    longest = max(plan.moves, key=lambda move: move.end_s - move.start_s, default=None)
    if longest is not None:
        name = formatting.plain(longest.vm.name, 40) or formatting.UNNAMED
        yield f"leaving {name} where it is", cluster, replace(options, excluded=options.excluded | {longest.vm.id})
    yield from _wires(plan, cluster)


def _wires(plan: Plan, cluster: Cluster) -> Iterator[tuple[str, Cluster, PlanOptions]]:
    host = cluster.host_by_name.get(plan.node)
    if host is None or host.migration_transport is None:
        return
    if host.migration_transport is MigrationTransport.SMB:
        now = plan.options.smb_cap_fraction
        for share in _SHARES:
            if now is None or share > now:
                text = f"SMB with {formatting.percent(share)} of the bandwidth"
                yield text, cluster, replace(plan.options, smb_cap_fraction=share)
    for transport, word in _TRANSPORTS.items():
        if transport is not host.migration_transport:
            hosts = tuple(replace(other, migration_transport=transport) for other in cluster.hosts)
            yield f"{word} as the transport of every host", replace(cluster, hosts=hosts), plan.options
