"""A new plan for what is left of a run, from a fresh look at the cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace

from console.checks.catalogue import Facts, run_checks
from console.clock import Clock
from console.drain.state import MoveState, RunState
from console.forecast.values import Forecaster
from console.inventory.detailing import read_details
from console.inventory.reading import read_cluster
from console.model.cluster import Cluster
from console.model.identity import HostName, VmId
from console.model.past import Past
from console.planner.values import Plan, PlanOptions, Progress, SiteLimits, SlotReading
from console.planning import make_plan, progress_of
from console.ports import Reader
from console.site import Site


@dataclass
class FreshPlanner:
    """See :data:`console.runner.carrying.Replanner`."""

    reader: Reader
    clock: Clock
    site: Site
    forecaster: Forecaster
    _past: Past | None = None
    """Earlier moves change nothing between two looks; what happened since, the run knows."""

    async def __call__(self, state: RunState, vm: VmId | None, wanted: HostName | None) -> Plan:
        cluster = await self._read(state)
        options = self._options(state, vm, wanted)
        seen = explained_by_pause(cluster) if state.node_paused else cluster
        findings = run_checks(Facts(seen, state.node), self.site.check_policy)
        progress = self._progress(state, vm)
        plan = make_plan(cluster, state.node, options, self.forecaster, findings, progress)
        tried = frozenset(state.moves[vm].tried) if vm in state.moves and vm is not None else frozenset()
        move = next((item for item in plan.moves if item.vm.id == vm), None)
        if wanted is None and move is not None and move.destination in tried:
            elsewhere = replace(options, avoided=options.avoided | tried)
            other = make_plan(cluster, state.node, elsewhere, self.forecaster, findings, progress)
            if any(item.vm.id == vm for item in other.moves):
                return other
        return plan

    async def _read(self, state: RunState) -> Cluster:
        seeds = (*(HostName(node.name) for node in self.site.options.nodes), state.node)
        cluster = await read_cluster(self.reader, tuple(dict.fromkeys(seeds)), self.clock)
        cluster = await read_details(self.reader, replace(cluster, past=self._past), state.node)
        self._past = cluster.past
        return cluster

    def _progress(self, state: RunState, vm: VmId | None) -> Progress:
        """The run so far; a VM that is to go elsewhere is looked at as if nothing had been planned for it."""
        so_far = progress_of(state, self.clock.now())
        kept = {other: host for other, host in so_far.destinations.items() if other != vm}
        return replace(so_far, done=so_far.done - {vm}, destinations=kept)

    def _options(self, state: RunState, vm: VmId | None, wanted: HostName | None) -> PlanOptions:
        stay = frozenset(
            move.vm.id
            for move in state.moves.values()
            if move.state in (MoveState.LEFT_BEHIND, MoveState.SKIPPED) and move.vm.id != vm
        )
        pinned = {vm: wanted} if vm is not None and wanted is not None else {}
        by_node = state.parallel_per is SlotReading.NODE
        levers = PlanOptions(
            engine=state.engine,
            slots=max(state.per_node_limit if by_node else state.slots, 1),
            limits=SiteLimits(
                reading=state.parallel_per,
                per_destination=state.destination_limit,
                per_pair=state.pair_limit,
                cluster_wide=state.cluster_limit,
            ),
            memory_reserve_fraction=state.memory_reserve_fraction,
            pinned=pinned,
            excluded=stay,
        )
        return self.site.options_of(levers)


_DEGRADED, _HEALTHY = 1, 0
_NOT_BEGUN = frozenset({2, 5})
"""MSFT_StorageJob.JobState: new, suspended."""


def explained_by_pause(cluster: Cluster) -> Cluster:
    """The storage as it would be without this run's own pause.

    On Storage Spaces Direct pausing may put the node's disks into maintenance: its virtual disks are degraded and
    their repairs wait until the node is resumed. That must not block the very drain that paused it; a disk that is
    unhealthy, or a repair that runs, still does.
    """
    disks, jobs = cluster.virtual_disks, cluster.storage_jobs
    return replace(
        cluster,
        virtual_disks=None
        if disks is None
        else tuple(replace(disk, health=_HEALTHY) if disk.health == _DEGRADED else disk for disk in disks),
        storage_jobs=None if jobs is None else tuple(job for job in jobs if job.state not in _NOT_BEGUN),
    )
