"""The rules of the cluster's own drain: order, kinds of moves, slots, targets, what is left."""

from __future__ import annotations

from console.clock import ManualClock
from console.lab.serve import EPOCH
from console.lab.world.cluster import LabCluster
from console.lab.world.moving import MoveKind, Outcome
from console.lab.world.spec import parse_scenario
from console.lab.world.state import DrainStatus, NodeState

SCENARIO = """
title = "A few VMs of every kind"
host_count = 3
[hosts]
memory_gib = 128
[[networks]]
name = "LiveMigration"
address = "10.0.0.0"
gbps = 10
[vms]
per_host = 0
[settings]
MaximumParallelMigrations = 1
"""
VMS = {
    "low": 1000,
    "medium": 2000,
    "high": 3000,
    "other": 2000,
}


def cluster_of(extra: str = "", **traits: str) -> LabCluster:
    vms = "".join(
        f'[[vm]]\nname = "{name}"\nhost = "HV01"\npriority = {priority}\n{traits.get(name, "")}\n'
        for name, priority in VMS.items()
    )
    return LabCluster(parse_scenario(SCENARIO + extra + vms), 1, ManualClock(EPOCH))


def names(cluster: LabCluster) -> list[str]:
    """VMs in the order in which their moves began."""
    begun = [move for move in cluster.world.moves if move.started_s is not None and move.vm is not None]
    begun.sort(key=lambda move: (move.started_s or 0.0, move.number))
    return [cluster.world.vms[move.vm].name for move in begun if move.vm]


def test_low_priority_is_paused_at_once_and_the_others_go_live_by_priority() -> None:
    cluster = cluster_of()
    cluster.service.suspend("HV01", drain=True)
    kinds = {cluster.world.groups[move.group].name: move.kind for move in cluster.world.moves}
    assert kinds == {"high": MoveKind.LIVE, "medium": MoveKind.LIVE, "other": MoveKind.LIVE, "low": MoveKind.QUICK}
    waiting = {group.name for group in cluster.world.groups.values() if group.queued}
    assert waiting == {"medium", "other"}
    cluster.world.advance_to(600)
    assert names(cluster) == ["high", "low", "medium", "other"]
    assert cluster.world.hosts["HV01"].drain_status is DrainStatus.COMPLETED
    assert cluster.world.limits.most_by_node["HV01"] == 1


def test_the_threshold_and_the_vm_decide_what_is_paused() -> None:
    low = cluster_of("[virtual_machine_parameters]\nMoveTypeThreshold = 1000\n", medium='move_type = "quick"')
    low.service.suspend("HV01", drain=True)
    kinds = {low.world.groups[move.group].name: move.kind for move in low.world.moves}
    assert (kinds["low"], kinds["medium"]) == (MoveKind.LIVE, MoveKind.QUICK)


def test_a_target_takes_everything() -> None:
    cluster = cluster_of()
    cluster.service.suspend("HV01", drain=True, target="HV03")
    cluster.world.advance_to(600)
    assert {vm.host for vm in cluster.world.vms.values()} == {"HV03"}
    assert cluster.world.hosts["HV01"].drain_target == 3


def test_a_locked_role_stays_and_the_node_stays_paused() -> None:
    cluster = cluster_of(medium="locked = true")
    cluster.service.suspend("HV01", drain=True)
    cluster.world.advance_to(600)
    host = cluster.world.hosts["HV01"]
    assert (host.drain_status, host.drain_error, host.state) == (DrainStatus.FAILED, 5960, NodeState.PAUSED)
    assert [group.name for group in cluster.world.groups_on("HV01")] == ["medium"]


def test_resuming_half_way_stops_new_moves_and_lets_those_in_flight_arrive() -> None:
    cluster = cluster_of()
    cluster.service.suspend("HV01", drain=True)
    cluster.world.advance_to(2.0)
    cluster.service.resume("HV01", "NoFailback")
    cluster.world.advance_to(600)
    ends = {cluster.world.groups[move.group].name: move.outcome for move in cluster.world.moves}
    assert ends == {
        "high": Outcome.COMPLETED,
        "low": Outcome.COMPLETED,
        "medium": Outcome.CANCELLED,
        "other": Outcome.CANCELLED,
    }


def test_a_destination_with_its_slots_taken_is_waited_for() -> None:
    cluster = cluster_of('[[vm]]\nname = "there"\nhost = "HV02"\nmemory_gib = 64\n')
    group = cluster.world.group_named("there")
    assert group is not None
    cluster.service.move_vm_role(group, "HV03", "Live")
    cluster.service.suspend("HV01", drain=True)
    assert [cluster.world.groups[move.group].name for move in cluster.world.in_flight()] == ["there", "low"]
    cluster.world.advance_to(1200)
    assert cluster.world.hosts["HV01"].drain_status is DrainStatus.COMPLETED
    assert not cluster.world.limits.violations
