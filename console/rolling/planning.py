"""A node's drain or return within a roll: from a fresh reading, to where the rolling plan sends its VMs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from console.checks.catalogue import Facts, run_checks
from console.clock import Clock
from console.consents import EVERY, Consents
from console.doors import seeds_of
from console.drain.roll_state import RollState, Stage
from console.drain.state import RunState
from console.forecast.values import Forecaster
from console.inventory.detailing import read_details
from console.inventory.reading import read_cluster
from console.model.cluster import Cluster
from console.model.identity import HostName
from console.planner.roll import RollOptions
from console.planner.values import Plan, PlanOptions, Progress
from console.planning import make_plan, make_return, make_wave_destinations
from console.ports import Reader
from console.site import Site

from .needs import needs_of, unmet


@dataclass(frozen=True)
class RollPlanner:
    """Plans when its turn has come; both methods raise Failure when the cluster can not be read."""

    reader: Reader
    clock: Clock
    site: Site
    forecaster: Forecaster

    async def drain(self, state: RollState, node: HostName) -> tuple[Cluster, Plan]:
        cluster = await self._read(node)
        options = options_of(state, node, self.site)
        findings = run_checks(Facts(cluster, node), self.site.check_policy)
        rolling = RollOptions(options, failback=state.failback)
        wave, left, emptied = _standing(state, node, cluster)
        kept = make_wave_destinations(cluster, wave, left, emptied, rolling, self.forecaster, findings)
        here = {vm.id for vm in cluster.vms_on(node)}
        progress = Progress(destinations={vm: host for vm, host in kept.items() if vm in here})
        plan = make_plan(cluster, node, options, self.forecaster, findings, progress)
        if plan.infeasible and EVERY in consents_of(state).leave_behind:
            stay = frozenset(item.vm.id for item in plan.infeasible)
            options = replace(options, excluded=options.excluded | stay)
            plan = make_plan(cluster, node, options, self.forecaster, findings, progress)
        return cluster, plan

    async def back(self, state: RollState, node: HostName, drained: RunState) -> tuple[Cluster, Plan]:
        """The way back of what a drain of this roll moved."""
        cluster = await self._read(None)
        findings = run_checks(Facts(cluster, None), self.site.check_policy)
        return cluster, make_return(drained, cluster, self.forecaster, findings, state.slots)

    async def _read(self, node: HostName | None) -> Cluster:
        cluster = await read_cluster(self.reader, seeds_of(self.site.options), self.clock)
        return await read_details(self.reader, cluster, node)


def options_of(state: RollState, node: HostName, site: Site) -> PlanOptions:
    """The levers that the roll was opened with; the other nodes of the wave take nothing."""
    others = {other.name for other in state.of_wave(state.nodes[node].wave)} - {node}
    levers = PlanOptions(
        slots=state.slots,
        excluded=frozenset(state.excluded),
        avoided=frozenset(state.avoided) | others,
    )
    return site.options_of(levers)


def consents_of(state: RollState) -> Consents:
    """As they were given when the roll was opened."""
    given: dict[str, set[str]] = {"interrupt": set(), "leave-behind": set(), "setting": set()}
    for consent in state.consents:
        given.setdefault(consent.kind, set()).add(consent.subject)
    settings = (text.partition("=") for text in sorted(given["setting"]))
    return Consents(
        interrupt=frozenset(given["interrupt"]),
        leave_behind=frozenset(given["leave-behind"]),
        settings=tuple((name, int(value)) for name, _, value in settings),
    )


def refusal_of(plan: Plan, consents: Consents) -> str:
    """Why a plan does not start: what nobody agreed to; empty when it may."""
    missing = refusals_of(plan, consents)
    more = f"; and {len(missing) - 3} more" if len(missing) > 3 else ""
    return "; ".join(missing[:3]) + more


def refusals_of(plan: Plan, consents: Consents) -> list[str]:
    """What of a plan needs a consent that was not given, and what has no place."""
    return [need.refusal for need in unmet(needs_of(plan), consents)]


def _standing(
    state: RollState, node: HostName, cluster: Cluster
) -> tuple[tuple[HostName, ...], tuple[HostName, ...], tuple[HostName, ...]]:
    """The wave of the node, the nodes that are to be emptied still, and those that the wave before emptied."""
    number = state.nodes[node].wave
    known = cluster.host_by_name
    going = (Stage.WAITING, Stage.DRAINING, Stage.FAILED)
    wave = tuple(n.name for n in state.of_wave(number) if n.name in known and (n.stage in going or n.name == node))
    later = tuple(n.name for n in state.nodes.values() if n.wave > number and n.name in known)
    before = state.of_wave(number - 1) if number and not state.failback else ()
    return wave, (*wave, *later), tuple(n.name for n in before if n.stage is Stage.DONE and n.name in known)
