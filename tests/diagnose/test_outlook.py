"""What a forecast tells the checks: who is slow, who stalls, what a cap costs."""

from __future__ import annotations

from dataclasses import replace

from console.checks.catalogue import Facts, run_checks
from console.diagnose.outlook import outlook_of
from console.forecast.forecaster import PriorForecaster
from console.model.cluster import Cluster, MigrationTransport, NodeState, VmState
from console.model.identity import HostName
from tests.builders import make_cluster, make_host, make_settings, make_vm

HV01 = HostName("HV01")


def site(**settings: object) -> Cluster:
    hosts = [make_host(name, migration_transport=MigrationTransport.SMB) for name in ("HV01", "HV02")]
    vms = [
        make_vm("big", "HV01", 900),
        *(make_vm(f"vm{number}", "HV01", 4) for number in range(6)),
        make_vm("off", "HV01", 4, state=VmState.OFF),
        make_vm("elsewhere", "HV02", 4),
    ]
    return make_cluster(hosts=hosts, vms=vms, settings=make_settings(**settings))


def test_every_clustered_vm_of_the_node_has_a_move_and_the_off_one_is_not_live() -> None:
    cluster = site()
    outlook = outlook_of(cluster, HV01, PriorForecaster())
    by_name = {vm.name: outlook.moves.get(vm.id) for vm in cluster.vms}
    assert by_name["elsewhere"] is None
    assert by_name["off"] is not None
    assert not by_name["off"].live
    assert by_name["big"] is not None
    assert by_name["vm1"] is not None
    assert by_name["big"].duration_s > 20 * by_name["vm1"].duration_s


def test_the_big_one_is_heavy_and_the_cap_is_tight() -> None:
    cluster = site(set_smb_bandwidth_limit=1, smb_bandwidth_limit_factor=2500)
    outlook = outlook_of(cluster, HV01, PriorForecaster())
    assert outlook.cap == 0.25
    finishes = [seconds for _, seconds in outlook.finish_by_cap]
    assert finishes == sorted(finishes, reverse=True)
    codes = {one.code for one in run_checks(Facts(cluster, HV01, outlook)).conflicts}
    assert {"vm-heavy", "smb-cap-tight"} <= codes


def test_without_a_cap_there_is_nothing_to_say_of_it() -> None:
    outlook = outlook_of(site(set_smb_bandwidth_limit=0), HV01, PriorForecaster())
    assert outlook.finish_by_cap == ()


def test_without_a_destination_nothing_is_forecast() -> None:
    cluster = site()
    paused = replace(cluster, hosts=(cluster.hosts[0], replace(cluster.hosts[1], state=NodeState.PAUSED)))
    assert outlook_of(paused, HV01, PriorForecaster()).moves == {}
