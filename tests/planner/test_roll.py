"""Rolling plans: few moves, short windows, and never too much out at once."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from console.checks.catalogue import Facts, run_checks
from console.forecast.forecaster import PriorForecaster
from console.model.cluster import Cluster, MigrationTransport, NodeState
from console.model.identity import HostName
from console.model.units import GIB
from console.planner.choices import roll_choices
from console.planner.plan import plan_drain
from console.planner.roll import RollOptions, RollPlan, plan_roll, widest_wave
from console.planner.values import Engine, PlanOptions
from console.planner.whatif import what_helps
from console.planning import make_roll
from tests.builders import host_name, make_cluster, make_host, make_settings, make_vm


def roll(cluster: Cluster, *nodes: HostName, **options: object) -> RollPlan:
    every = nodes or tuple(host.name for host in cluster.hosts)
    return plan_roll(cluster, every, RollOptions(**options), PriorForecaster())  # type: ignore[arg-type]


@pytest.mark.parametrize(("hosts", "vms", "memory_gib"), [(8, 20, 512.0), (8, 20, 400.0), (5, 8, 512.0)])
def test_following_the_empty_node_takes_little_more_than_one_move_a_vm(hosts: int, vms: int, memory_gib: float) -> None:
    found = roll(make_cluster(hosts, vms, seed=3, host_memory_gib=memory_gib))
    assert not found.infeasible
    assert found.lower_bound_moves <= found.moves_per_vm <= 1 + 1.05 / hosts
    for before, after in zip(found.waves, found.waves[1:], strict=False):
        assert memory_gib < 512 or {move.destination for move in after.moves} == set(before.nodes)
        assert after.start_s == before.end_s


def test_the_least_loaded_goes_first_and_a_spare_saves_the_second_move() -> None:
    vms = [make_vm(f"v{host}{number}", host_name(host), 8) for host in (1, 2, 3) for number in range(2 + host)]
    hosts = [make_host(host_name(number), memory_free_bytes=400 * GIB) for number in range(1, 5)]
    found = roll(make_cluster(hosts, vms=vms))
    assert found.order[0] == (host_name(4),), "it is empty"
    assert found.moves_per_vm == found.lower_bound_moves == 1.0
    some = roll(make_cluster(hosts, vms=vms), host_name(2), host_name(3))
    assert some.lower_bound_moves == some.moves_per_vm == 1.0


def test_wider_waves_take_more_moves_and_less_time_and_failback_puts_all_back() -> None:
    cluster = make_cluster(8, 10, seed=1)
    names = [host.name for host in cluster.hosts]
    *ways, failback = roll_choices(cluster, names, RollOptions(), PriorForecaster())
    assert [way.wave for way in ways] == list(range(1, widest_wave(cluster, names, PlanOptions()) + 1))
    assert [way.window_s for way in ways] == sorted((way.window_s for way in ways), reverse=True)
    assert [way.moves_per_vm for way in ways] == sorted(way.moves_per_vm for way in ways)
    assert (failback.failback, failback.moves_per_vm) == (True, 2.0)


def test_waves_keep_room_for_one_more_loss_and_one_node_of_each_fault_domain() -> None:
    racks = [make_host(host_name(n), memory_free_bytes=500 * GIB, fault_domain=f"rack {n % 2}") for n in range(1, 9)]
    cluster = make_cluster(racks, vms=[make_vm(f"v{n}", host_name(n), 8) for n in range(1, 9)])
    found = roll(cluster, wave=4)
    assert found.widest_wave == 2
    for wave in found.waves:
        assert len({cluster.host_by_name[node].fault_domain for node in wave.nodes}) == len(wave.nodes)
        assert wave.n1 is True
    assert any("are not possible" in note for note in found.notes)
    full = [make_host(host_name(n), memory_free_bytes=100 * GIB) for n in range(1, 9)]
    assert widest_wave(make_cluster(full, vms=[]), [host.name for host in full], PlanOptions()) == 1
    direct = make_cluster(8, 2, settings=make_settings(s2d_enabled=True))
    assert roll(direct, wave=3).widest_wave == 1


def test_no_node_leaves_with_the_only_other_one_that_can_take_its_vms() -> None:
    pair = frozenset({host_name(1), host_name(2)})
    vms = [make_vm(f"v{n}", host_name(1 + n % 6), 8, possible_owners=pair if n % 6 < 2 else None) for n in range(12)]
    hosts = [make_host(host_name(n), memory_free_bytes=480 * GIB) for n in range(1, 7)]
    found = roll(make_cluster(hosts, vms=vms), wave=2)
    assert not found.infeasible
    assert len(found.waves) == 3, "the others still leave two at a time"
    assert all(set(wave.nodes) != pair for wave in found.waves)


def test_a_choice_that_nobody_would_take_is_not_told() -> None:
    cluster = make_cluster(12, 6, seed=4)
    names = [host.name for host in cluster.hosts]
    *ways, failback = roll_choices(cluster, names, RollOptions(), PriorForecaster())
    assert failback.failback
    for one, other in itertools.combinations(ways, 2):
        assert one.moves_per_vm < other.moves_per_vm
        assert one.window_s > other.window_s


def test_vms_without_a_place_count_neither_as_moved_nor_in_the_bound() -> None:
    vms = [make_vm(f"v{n}", host_name(1 + n % 4), 8) for n in range(16)]
    pinned_down = [make_vm(f"p{n}", host_name(1), 8, possible_owners=frozenset({host_name(1)})) for n in range(3)]
    found = roll(make_cluster(4, vms=[*vms, *pinned_down]))
    assert len(found.infeasible) == 3
    assert found.vms == 16
    assert found.moves_per_vm >= found.lower_bound_moves


def test_a_fixed_destination_holds_until_that_host_is_emptied_itself() -> None:
    vms = [make_vm(f"v{n}", host_name(1 + n % 4), 8) for n in range(8)]
    found = roll(make_cluster(4, vms=vms), plan=PlanOptions(pinned={vms[0].id: host_name(3)}))
    assert not found.infeasible
    went = [move.destination for wave in found.waves for move in wave.moves if move.vm == vms[0].ref]
    assert host_name(3) in went


def test_service_is_part_of_the_window_and_each_wave_waits_for_approval() -> None:
    cluster = make_cluster(4, 3, seed=1)
    quick, slow = roll(cluster), roll(cluster, service_s=600.0)
    assert slow.window_s == pytest.approx(quick.window_s + 4 * 600.0)
    assert slow.waves[0].end_s - slow.waves[0].empty_at_s == 600.0
    assert "waits for approval" in slow.notes[0]


def test_what_has_no_place_is_named_and_stays() -> None:
    giant = make_vm("giant", host_name(2), 300)
    hosts = [make_host(host_name(n), memory_free_bytes=200 * GIB) for n in range(1, 4)]
    found = roll(make_cluster(hosts, vms=[giant, make_vm("v", host_name(1), 8)]))
    assert [each.vm.name for each in found.infeasible] == ["giant"]


def test_a_wave_has_at_least_one_node_and_nodes_are_known() -> None:
    with pytest.raises(ValueError, match="at least one node"):
        roll(make_cluster(3, 1), wave=0)
    with pytest.raises(KeyError):
        roll(make_cluster(3, 1), HostName("nowhere"))


# what would help


def helps(transport: MigrationTransport, **options: object) -> list[str]:
    hosts = [make_host(host_name(n), migration_transport=transport, memory_free_bytes=300 * GIB) for n in range(1, 5)]
    vms = [make_vm(f"v{n}", host_name(1), 8 + n) for n in range(12)]
    cluster = make_cluster(hosts, vms=vms, settings=make_settings(maximum_parallel_migrations=1))
    plan = plan_drain(cluster, host_name(1), PlanOptions(**options), PriorForecaster())  # type: ignore[arg-type]
    found = what_helps(cluster, plan, PriorForecaster())
    assert [each.saved_s for each in found] == sorted((each.saved_s for each in found), reverse=True)
    for each in found:
        again = plan_drain(cluster, host_name(1), each.options, PriorForecaster())
        assert again.makespan_s == each.makespan_s == pytest.approx(plan.makespan_s - each.saved_s)
    return [each.change for each in found]


def test_what_helps_is_planned_and_ranked() -> None:
    changes = helps(MigrationTransport.TCPIP)
    assert changes[0] == "4 moves at once instead of 1"
    assert {"2 moves at once instead of 1", "compression instead of TCP/IP", "leaving v11 out"} <= set(changes)
    assert "TCP/IP instead of SMB" not in helps(MigrationTransport.SMB)


def test_a_wider_smb_limit_is_told_only_as_far_as_it_helps() -> None:
    changes = helps(MigrationTransport.SMB, smb_cap_fraction=0.05)
    assert "an SMB bandwidth limit of 25% instead of 5%" in changes
    assert "an SMB bandwidth limit of 100% instead of 5%" not in changes


def test_nothing_helps_a_plan_that_the_cluster_makes_itself() -> None:
    assert helps(MigrationTransport.TCPIP, engine=Engine.NATIVE) == []


def test_a_node_that_was_drained_before_is_in_service_after_its_wave() -> None:
    """Without that its VMs would be counted out of the cluster's room for the whole roll."""
    cluster = make_cluster(4, 10, seed=2, host_memory_gib=256.0)
    first = cluster.hosts[0].name
    vms = tuple(vm for vm in cluster.vms if vm.host != first)
    hosts = tuple(
        replace(host, state=NodeState.PAUSED, memory_free_bytes=host.memory_bytes) if host.name == first else host
        for host in cluster.hosts
    )
    cluster = replace(cluster, hosts=hosts, vms=vms)
    plan = make_roll(
        cluster, [host.name for host in hosts], RollOptions(), PriorForecaster(), run_checks(Facts(cluster, None))
    )
    assert plan.order[0] == (first,)
    assert not plan.infeasible
    assert {move.destination for move in plan.waves[1].moves} == {first}
    assert plan.moves_per_vm == 1.0
