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
from console.planner.values import Plan, PlanOptions, Progress
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
        findings = run_checks(Facts(cluster, state.node), self.site.check_policy)
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
        levers = PlanOptions(
            engine=state.engine,
            slots=max(state.per_node_limit, 1),
            memory_reserve_fraction=state.memory_reserve_fraction,
            pinned=pinned,
            excluded=stay,
        )
        return self.site.options_of(levers)
