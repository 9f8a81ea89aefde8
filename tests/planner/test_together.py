"""Several nodes that are emptied at the same time, as one plan."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from console.forecast.forecaster import PriorForecaster
from console.model.cluster import AffinityRule, Cluster, MigrationTransport
from console.model.identity import HostName, RoleName
from console.planner.plan import plan_drain, plan_drains
from console.planner.values import Plan, PlanOptions
from console.planner.whatif import what_helps
from tests.builders import host_name, make_cluster, make_host, make_vm
from tests.planner.instances import HOSTS, check_counts, check_memory, check_rules, clusters, intervals, plan_options

HV01, HV02, HV03, HV04 = (host_name(number) for number in range(1, 5))
FORECASTER = PriorForecaster()


def together(cluster: Cluster, *nodes: HostName, **options: object) -> Plan:
    return plan_drains(cluster, nodes, PlanOptions(**options), FORECASTER)  # type: ignore[arg-type]


def test_none_takes_the_vms_of_another_and_every_vm_is_there_once() -> None:
    cluster = make_cluster(5, 6, seed=2)
    found = together(cluster, HV01, HV02)
    assert (found.node, found.nodes) == (HV01, (HV01, HV02))
    assert {move.source for move in found.moves} == {HV01, HV02}
    assert not {move.destination for move in found.moves} & {HV01, HV02}
    here = [vm.id for node in (HV01, HV02) for vm in cluster.vms_on(node)]
    assert sorted(move.vm.id for move in found.moves) == sorted(here)
    assert all(host.vms_after == 0 for host in found.after[:2])


def test_two_nodes_leave_sooner_together_than_one_after_the_other() -> None:
    cluster = make_cluster(6, 8, seed=1)
    one_by_one = sum(plan_drain(cluster, node, PlanOptions(), FORECASTER).makespan_s for node in (HV01, HV02))
    assert together(cluster, HV01, HV02).makespan_s < 0.75 * one_by_one


def test_a_node_named_twice_counts_once_and_none_is_an_error() -> None:
    cluster = make_cluster(4, 3, seed=1)
    assert together(cluster, HV01, HV01) == plan_drain(cluster, HV01, PlanOptions(), FORECASTER)
    with pytest.raises(ValueError, match="at least one node"):
        together(cluster)
    with pytest.raises(KeyError):
        together(cluster, HV01, HostName("nowhere"))


def test_all_nodes_together_have_nowhere_to_go_and_nothing_may_fail() -> None:
    cluster = make_cluster(2, 3, seed=1)
    found = together(cluster, HV01, HV02)
    assert len(found.infeasible) == 6
    assert not found.moves
    assert found.n1_after is False


def test_rules_hold_between_vms_of_different_nodes() -> None:
    one, other = make_vm("one", HV01), make_vm("other", HV02)
    apart = AffinityRule("apart", 4, True, (RoleName("one"), RoleName("other")))
    joint = AffinityRule("joint", 2, True, (RoleName("one"), RoleName("other")))
    for rule, places in ((apart, 2), (joint, 1)):
        found = together(make_cluster(4, vms=[one, other], affinity_rules=(rule,)), HV01, HV02)
        assert len({move.destination for move in found.moves}) == places


def test_what_helps_plans_both_again() -> None:
    hosts = [make_host(host_name(n), migration_transport=MigrationTransport.TCPIP) for n in range(1, 6)]
    vms = [make_vm(f"v{n}", (HV01, HV02)[n % 2], 16) for n in range(12)]
    cluster = make_cluster(hosts, vms=vms)
    plan = together(cluster, HV01, HV02)
    helps = what_helps(cluster, plan, FORECASTER)
    assert helps
    for each in helps:
        again = plan_drains(cluster, (HV01, HV02), each.options, FORECASTER)
        assert again.makespan_s == each.makespan_s < plan.makespan_s


@given(clusters(), plan_options, st.sets(st.sampled_from(HOSTS), min_size=2, max_size=3))
@settings(max_examples=40, deadline=None)
def test_limits_memory_and_the_bound_hold(cluster: Cluster, options: PlanOptions, nodes: set[HostName]) -> None:
    leaving = tuple(sorted(nodes))
    found = plan_drains(cluster, leaving, options, FORECASTER)
    assume(found.moves)
    moves = intervals(cluster, found)
    check_counts(cluster, options, found.slots, moves, leaving)
    check_memory(cluster, options.memory_reserve_fraction, moves)
    assert found.lower_bound_s <= found.makespan_s * (1 + 1e-9)
    assert not {move.destination for move in found.moves} & nodes
    check_rules(cluster, found)
