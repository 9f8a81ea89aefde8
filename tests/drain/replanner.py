"""A planner for the small world: the first host that is up, has room and is not excluded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.forecast.values import MigrationType, MoveForecast
from console.model.identity import HostName, VmId
from console.planner.values import Infeasible, Plan, PlannedMove, PlanOptions

if TYPE_CHECKING:
    from .world import Vm, World


def plan_for(world: World, vm_id: VmId | None, wanted: HostName | None) -> Plan:
    """A way for one VM, or for all that are on the source."""
    from .world import SOURCE

    vms = [vm for vm in world.vms.values() if vm.host == SOURCE and vm_id in (None, vm.ref.id)]
    moves, infeasible = [], []
    for vm in vms:
        to = _place(world, vm, wanted)
        if to is None:
            infeasible.append(Infeasible(vm.ref, "no host takes it"))
        else:
            moves.append(planned_move(vm, SOURCE, to))
    return Plan(SOURCE, PlanOptions(), tuple(moves), (), (), tuple(infeasible), (), world.limit, 60.0, 90.0, 50.0, None)


def _place(world: World, vm: Vm, wanted: HostName | None) -> HostName | None:
    allowed = [
        name
        for name in world.node_facts().others_up
        if name not in vm.excluded and world.nodes[name].free_bytes > vm.memory_bytes + 26 * 1024**3
    ]
    return wanted if wanted in allowed else allowed[0] if allowed else None


def planned_move(vm: Vm, source: HostName, to: HostName) -> PlannedMove:
    kind = MigrationType.LIVE if vm.state == 2 else MigrationType.OFFLINE
    forecast = MoveForecast(kind, 20.0, 35.0, 1.0, 2.0, 1e9, vm.memory_bytes, True, "prior")
    return PlannedMove(vm.ref, source, to, 0.0, 20.0, vm.memory_bytes, forecast, "has room")
