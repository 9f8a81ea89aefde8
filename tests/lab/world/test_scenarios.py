"""Every scenario that comes with the lab builds, and shows what its title says."""

from __future__ import annotations

import pytest

from console.clock import ManualClock
from console.lab.serve import EPOCH
from console.lab.world.cluster import LabCluster
from console.lab.world.moving import Outcome
from console.lab.world.spec import ScenarioError, load_scenario, parse_scenario, scenario_names, scenarios
from console.lab.world.state import DrainStatus
from console.lab.world.telemetry import volume_latency_s

BREACH_S = 0.050
"""The console's own line for the latency of shared volumes."""


def cluster_of(name: str) -> LabCluster:
    return LabCluster(load_scenario(name), 1, ManualClock(EPOCH))


def drained(name: str, host: str = "HV01", seconds: float = 14400.0) -> LabCluster:
    """A cluster some time after the cluster's own drain of a host was asked for."""
    cluster = cluster_of(name)
    cluster.service.suspend(host, drain=True)
    cluster.world.advance_to(seconds)
    return cluster


@pytest.mark.parametrize("name", [name for name in scenario_names() if name != "huge"])
def test_builds(name: str) -> None:
    world = cluster_of(name).world
    assert world.vms
    assert all(world.free_bytes(host) >= 0 for host in world.hosts)


def test_article_has_its_size_and_its_defaults() -> None:
    world = cluster_of("article").world
    assert len(world.hosts) == 12
    assert {len(vms) for vms in world.vms_on.values()} == {60}
    assert world.settings["MaximumParallelMigrations"] == 1


def test_huge_is_as_large_as_a_cluster_can_be() -> None:
    world = cluster_of("huge").world
    assert (len(world.hosts), len(world.vms)) == (64, 8000)


@pytest.mark.parametrize("name", ["article", "hundred-gig", "stretched", "workgroup", "s2d"])
def test_drains_by_itself(name: str) -> None:
    cluster = drained(name)
    assert cluster.world.hosts["HV01"].drain_status is DrainStatus.COMPLETED
    assert {move.outcome for move in cluster.world.moves} == {Outcome.COMPLETED}
    assert not cluster.world.limits.violations


def test_storm_starves_the_volumes_hangs_and_fails() -> None:
    cluster = cluster_of("storm")
    world = cluster.world
    cluster.service.suspend("HV01", drain=True)
    worst = 0.0
    for moment in range(0, 1800, 5):
        world.advance_to(float(moment))
        worst = max(worst, *(volume_latency_s(world, volume, world.hosts["HV01"]) for volume in world.volumes.values()))
    assert worst > BREACH_S
    stuck = {world.vms[move.vm].name for move in world.in_flight() if move.stuck and move.vm}
    assert stuck == {"sql-stuck-01", "web-stuck-02"}
    failed = [move for move in world.moves if move.outcome is Outcome.FAILED]
    assert [world.vms[move.vm].name for move in failed if move.vm] == ["file-flaky-04"]


def test_storm_is_calm_before_anything_moves() -> None:
    world = cluster_of("storm").world
    assert max(volume_latency_s(world, v, host) for v in world.volumes.values() for host in world.hosts.values()) < 0.01


def test_upgrade_fails_where_credential_guard_meets_credssp() -> None:
    world = drained("upgrade", "HV01").world
    assert world.hosts["HV01"].drain_status is DrainStatus.FAILED
    assert {move.hresult for move in world.moves if move.kind == "Live"} == {0x8009030E}
    cluster = cluster_of("upgrade")
    group = next(group for group in cluster.world.groups_on("HV04") if group.vm and group.state == "Online")
    move = cluster.service.move_vm_role(group, "HV05", "Live")
    cluster.world.advance_to(600.0)
    assert move is not None
    assert move.outcome is Outcome.COMPLETED


def test_mixed_processors_keep_guests_among_their_own_kind() -> None:
    world = drained("mixed-cpu", "HV05").world
    live = [move for move in world.moves if move.kind == "Live"]
    assert {move.destination for move in live} == {"HV06"}


def test_gpu_partitions_go_where_the_same_cards_are() -> None:
    world = drained("gpu").world
    where = {vm.name: vm.host for vm in world.vms.values() if vm.gpu_partition or vm.assigned_device}
    assert {where["render-01"], where["render-02"], where["render-03"]} <= {"HV02", "HV03"}
    assert where["train-06"] == "HV01"


def test_stretched_sites_share_one_link() -> None:
    world = cluster_of("stretched").world
    assert {host.site for host in world.hosts.values()} == {"East", "West"}
    assert world.fabric.capacities["link/inter-site"] == 1.25e9


def test_list_gives_names_titles_and_codes() -> None:
    listed = scenarios()
    assert [each.name for each in listed] == sorted(each.name for each in listed)
    assert {"quiet", "article", "huge", "storm"} <= {each.name for each in listed}
    assert all(each.title for each in listed)


HEAD = """
title = "t"
[[networks]]
name = "N"
address = "10.0.0.0"
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("titel = 1", "title"),
        ("title =", "scenario"),
        (HEAD + '[[host]]\nname = "HV09"\n', "HV09 is not one of HV01 to HV04"),
        (HEAD + '[[vm]]\nname = "a"\nhost = "X"\n', "there is no host X"),
        (HEAD + '[[vm]]\nname = "a"\nhost = "HV01"\nmemory_gib = 9000\n', "more guest memory than it has"),
        (HEAD + '[[troubles]]\nvm = "a"\nkind = "stuck"\n', "there is no VM a"),
        (HEAD + '[[host]]\nname = "HV01"\nnetworks_down = ["M"]\n', "there is no network M"),
        (HEAD + '[[volume_states]]\nstate = "BlockRedirected"\nvolume = "V"\n', "there is no volume V"),
        (HEAD + "[settings]\nMaximum = 1\n", "Maximum is not a cluster property"),
    ],
)
def test_a_scenario_that_makes_no_sense_says_where(text: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        LabCluster(parse_scenario(text), 1, ManualClock(EPOCH))
