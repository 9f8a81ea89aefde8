"""What would help most: one change at a time, planned anew, and told by what it saves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from console.forecast.transport import smb_cap_fraction
from console.forecast.values import Forecaster
from console.model.cluster import Cluster, MigrationTransport

from .plan import plan_drains
from .refusals import Blocked
from .values import Engine, Plan, PlanOptions, SlotReading
from .words import count_text, duration_text

_WORTH_TELLING = 0.01
"""Of the makespan."""
_MOST_SLOTS = 4
_VMS_TRIED = 3
_CAPS = (0.25, 0.5, 0.75, 1.0)

_TRANSPORT_WORDS = {
    MigrationTransport.TCPIP: "TCP/IP",
    MigrationTransport.COMPRESSION: "compression",
    MigrationTransport.SMB: "SMB",
}


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One change, and the plan's finish with it."""

    change: str
    """In words, as advice: ``4 moves at once instead of 2``."""
    options: PlanOptions
    """The levers with this change, ready to be planned with."""
    makespan_s: float
    saved_s: float

    @property
    def text(self) -> str:
        return f"{self.change}: saves {duration_text(self.saved_s)}, done after {duration_text(self.makespan_s)}"


def what_helps(
    cluster: Cluster, plan: Plan, forecaster: Forecaster, *, blocked: Blocked | None = None
) -> tuple[WhatIf, ...]:
    """Changes that would shorten the plan, the most helpful first. Each is computed by planning with it; a lever's
    further step is told only where it saves more than the one before."""
    found: list[WhatIf] = []
    worth_s = _WORTH_TELLING * plan.makespan_s
    for lever in (
        _more_slots(plan),
        _fewer_slots(plan),
        _wider_cap(cluster, plan),
        _other_transports(cluster, plan),
        _fewer_vms(plan),
    ):
        saved_by_less_s = 0.0
        for change, options in lever if _has_levers(plan) else ():
            other = plan_drains(cluster, plan.nodes, options, forecaster, blocked=blocked)
            saved_s = plan.makespan_s - other.makespan_s
            needed_s = worth_s + (saved_by_less_s if options.excluded == plan.options.excluded else 0.0)
            if saved_s > needed_s and len(other.infeasible) <= len(plan.infeasible):
                found.append(WhatIf(change, options, other.makespan_s, saved_s))
                saved_by_less_s = saved_s
    return tuple(sorted(found, key=lambda each: (-each.saved_s, each.change)))


def _has_levers(plan: Plan) -> bool:
    return bool(plan.moves) and plan.options.engine is Engine.PLANNED


def _more_slots(plan: Plan) -> Iterator[tuple[str, PlanOptions]]:
    if plan.options.limits.reading is SlotReading.PAIR and plan.options.slots is None:
        return
    slots = 2 * plan.slots
    while slots <= _MOST_SLOTS:
        yield f"{slots} moves at once instead of {plan.slots}", replace(plan.options, slots=slots)
        slots *= 2


def _fewer_slots(plan: Plan) -> Iterator[tuple[str, PlanOptions]]:
    """Where the guard is foreseen to hold, fewer at once may never come near its line."""
    if plan.holds and plan.slots > 1:
        fewer = plan.slots // 2
        words = f"{count_text(fewer, 'move')} at once instead of {plan.slots}, which the guard does not hold"
        yield words, replace(plan.options, slots=fewer)


def _wider_cap(cluster: Cluster, plan: Plan) -> Iterator[tuple[str, PlanOptions]]:
    source = cluster.host_by_name[plan.node]
    transport = plan.options.transport if plan.options.transport is not None else source.migration_transport
    if transport is not MigrationTransport.SMB:
        return
    caps = [smb_cap_fraction(cluster.settings, source, cluster.host_by_name[move.destination]) for move in plan.moves]
    if None in caps:
        return
    now = plan.options.smb_cap_fraction or min(cap for cap in caps if cap is not None)
    for cap in _CAPS:
        if cap > now:
            words = f"an SMB bandwidth limit of {cap:.0%} instead of {now:.0%}"
            yield words, replace(plan.options, smb_cap_fraction=cap)


def _other_transports(cluster: Cluster, plan: Plan) -> Iterator[tuple[str, PlanOptions]]:
    now = plan.options.transport
    if now is None:
        now = cluster.host_by_name[plan.node].migration_transport
    if now is None:
        return
    for transport, words in _TRANSPORT_WORDS.items():
        if transport is not now:
            yield f"{words} instead of {_TRANSPORT_WORDS[now]}", replace(plan.options, transport=transport)


def _fewer_vms(plan: Plan) -> Iterator[tuple[str, PlanOptions]]:
    longest = sorted(plan.moves, key=lambda move: (-move.forecast.duration_p50_s, move.vm.id))
    for move in longest[:_VMS_TRIED]:
        excluded = plan.options.excluded | {move.vm.id}
        yield f"leaving {move.vm.name or move.vm.id} out", replace(plan.options, excluded=excluded)
