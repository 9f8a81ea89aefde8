"""Who else moves a VM: named by the traces that it leaves in the cluster, as far as there are any."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.clock import Clock
from console.drain.lease import LeaseRow, node_of
from console.drain.state import Move
from console.inventory.asking import Interview
from console.model.cluster import DrainStatus, Host
from console.model.failures import Failure
from console.model.identity import HostName
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.decode.events import EventRecord

from .control import Circle
from .leasing import Leases
from .looking import is_draining

BALANCER_EVENT = 1808
"""FailoverClustering: the cluster's balancer is about to move VMs."""


_ENDED = (DrainStatus.COMPLETED, DrainStatus.FAILED)
"""A run sets the drain flag itself only when nothing is left to move."""


@dataclass(frozen=True)
class Actors:
    """Looks for the traces of a balancer, of a drain and of another console."""

    reader: Reader
    circle: Circle
    leases: Leases
    clock: Clock

    async def who(self, move: Move, since: datetime) -> str:
        """Whoever left a trace; else that nobody did, and whether the balancer is on."""
        ends = [host for host in (move.source, move.destination) if host is not None]
        events, nodes, leases, mode = await asyncio.gather(
            asyncio.gather(*(self._events(host, since) for host in ends)),
            self.circle.told_if_possible(catalogue.cluster.NODES.bind(), decode.cluster.nodes),
            self._leases(),
            self.circle.told_if_possible(
                catalogue.cluster.CLUSTER.bind(), lambda rows, problems: rows[0].get("AutoBalancerMode") if rows else 0
            ),
        )
        return (
            _drain(nodes or (), move.source)
            or _console(leases, ends)
            or _balancer([event for told in events for event in told])
            or _nobody(mode)
        )

    async def _events(self, host: HostName, since: datetime) -> Sequence[EventRecord]:
        within_s = max(0.0, (self.clock.now() - since).total_seconds())
        try:
            told = await Interview(self.reader, host).told(
                catalogue.events.cluster_events(within_s), decode.events.records
            )
        except Failure:
            return ()
        return told or ()

    async def _leases(self) -> Sequence[LeaseRow]:
        try:
            return await self.leases.in_force()
        except Failure:
            return ()


def _drain(nodes: Sequence[Host], source: HostName) -> str:
    if any(node.name == source and (is_draining(node) or node.drain_status in _ENDED) for node in nodes):
        return f"another drain of {source} (Cluster-Aware Updating, Failover Cluster Manager or a colleague)"
    return ""


def _console(leases: Sequence[LeaseRow], ends: Sequence[HostName]) -> str:
    for row in leases:
        node = node_of(row.name)
        if node is not None and any(node.casefold() == end.casefold() for end in ends):
            return f"run {row.run} of {row.holder}, which works on {node}"
    return ""


def _balancer(events: Sequence[EventRecord]) -> str:
    event = next((event for event in events if event.id == BALANCER_EVENT), None)
    if event is None:
        return ""
    at = f" at {event.at:%H:%M:%S}" if event.at is not None else ""
    return f"the cluster's balancer (event {BALANCER_EVENT} on {event.computer}{at})"


def _nobody(mode: object) -> str:
    balancer = "the cluster's balancer is on and may be it" if mode else "the cluster's balancer is off"
    return f"somebody or something that left no trace; {balancer} (AutoBalancerMode {mode})"
