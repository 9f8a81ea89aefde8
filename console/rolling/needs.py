"""What of a roll needs a word: VMs that it would interrupt, that would stay, that find no place; who agreed to what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from console.consents import EVERY, Consents
from console.formatting import plain
from console.model.identity import HostName, VmId, VmRef
from console.planner.roll import RollPlan
from console.planner.values import Plan, PlanOptions


class NeedKind(Enum):
    INTERRUPT = "interrupt"
    STAY = "stay"
    NO_PLACE = "no place"
    """Agreeing to it leaves the VM on its node."""


@dataclass(frozen=True, slots=True)
class Need:
    """One VM of one node, and why somebody has to agree."""

    node: HostName
    vm: VmRef
    kind: NeedKind
    why: str

    def met(self, consents: Consents) -> bool:
        """Whether that was agreed to. What has no place is planned anew once it was agreed that it stays."""
        given = consents.interrupt if self.kind is NeedKind.INTERRUPT else consents.leave_behind
        return self.kind is not NeedKind.NO_PLACE and bool(given & {EVERY, self.vm.id})

    @property
    def refusal(self) -> str:
        """Why a drain does not start without that consent."""
        name = plain(self.vm.name) or self.vm.id
        if self.kind is NeedKind.NO_PLACE:
            return f"{name} has no place: {plain(self.why)}"
        if self.kind is NeedKind.INTERRUPT:
            return f"{name} would be interrupted ({plain(self.why)}), and nobody agreed to that"
        return f"{name} would stay behind ({plain(self.why)}), and nobody agreed to that"


def needs_of(plan: Plan) -> list[Need]:
    """Of one node's drain."""
    return [
        *(Need(plan.node, item.vm, NeedKind.NO_PLACE, item.reason) for item in plan.infeasible),
        *(Need(plan.node, item.vm, NeedKind.INTERRUPT, item.how) for item in plan.interrupted),
        *(Need(plan.node, item.vm, NeedKind.STAY, item.reason) for item in plan.left_behind),
    ]


def needs_of_roll(roll: RollPlan, plan_of: Callable[[HostName, PlanOptions], Plan]) -> tuple[Need, ...]:
    """Of a whole roll, node after node, each drain planned on the cluster as it is now.

    What finds no place is told by the roll's own plan: it knows where the others will have gone by then.
    """
    found: list[Need] = []
    placeless = {item.vm.id for item in roll.infeasible}
    for node in (node for wave in roll.order for node in wave):
        drain = replace(plan_of(node, roll.options.plan), infeasible=())
        found += [need for need in needs_of(drain) if need.vm.id not in placeless]
    first = roll.order[0][0] if roll.order else HostName("")
    return (*(Need(first, item.vm, NeedKind.NO_PLACE, item.reason) for item in roll.infeasible), *found)


def unmet(needs: Iterable[Need], consents: Consents) -> list[Need]:
    return [need for need in needs if not need.met(consents)]


def agreed(needs: Sequence[Need], ids: frozenset[VmId], settings: tuple[tuple[str, int], ...] = ()) -> Consents:
    """The consents of somebody who agreed to these VMs, one by one."""
    interrupt = {str(need.vm.id) for need in needs if need.kind is NeedKind.INTERRUPT and need.vm.id in ids}
    stay = {str(need.vm.id) for need in needs if need.kind is not NeedKind.INTERRUPT and need.vm.id in ids}
    return Consents(frozenset(interrupt), frozenset(stay), settings)
