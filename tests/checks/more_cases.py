"""Causes that lie in the ground under the hosts, in the directory, in rules, in what happened, or in a forecast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from console.model.cluster import (
    AffinityRule,
    Cluster,
    GroupState,
    Host,
    MigrationTransport,
    NetworkRole,
    Role,
)
from console.model.details import MigrationFailure
from console.model.facts import Delegation, Quorum, QuorumKind, StorageJob, VirtualDisk
from console.model.identity import HostName, RoleName
from console.model.outlook import MoveOutlook, Outlook
from tests.builders import READ_AT, make_adapter, make_vm
from tests.checks.case import Case
from tests.checks.worlds import (
    HEALTHY,
    HOSTS,
    cluster_of,
    every_host,
    with_details,
    with_host,
    with_settings,
    with_vm,
)

SMB = MigrationTransport.SMB
RDMA = (make_adapter(rdma_enabled=True, rdma_operational=True),)


def of_cluster(**changes: object) -> Cluster:
    return cluster_of(whole=lambda cluster: replace(cluster, **changes))  # type: ignore[arg-type]


def no_delegation_to_hv03(cluster: Cluster) -> Cluster:
    """HV03 was added and forgotten on the others' computer accounts."""

    def without(host: Host) -> Host:
        known = host.delegation.entries if host.delegation else ()
        return replace(host, delegation=Delegation(tuple(one for one in known if one.target != "HV03"), True))

    return replace(cluster, hosts=tuple(without(host) for host in cluster.hosts))


def in_no_domain(build: int | None) -> Callable[[Cluster], Cluster]:
    def change(cluster: Cluster) -> Cluster:
        hosts = tuple(replace(host, part_of_domain=False) for host in cluster.hosts)
        return replace(cluster, hosts=(replace(hosts[0], build=build), *hosts[1:]))

    return change


def two_votes(cluster: Cluster) -> Cluster:
    """Two nodes without a witness: one has the only vote."""
    hosts = tuple(replace(host, dynamic_weight=int(place == 0)) for place, host in enumerate(cluster.hosts[:2]))
    return replace(cluster, hosts=hosts, quorum=Quorum(QuorumKind.MAJORITY, False))


def spaces_direct(**changes: object) -> Callable[[Cluster], Cluster]:
    def change(cluster: Cluster) -> Cluster:
        healthy = replace(cluster, settings=replace(cluster.settings, s2d_enabled=True), storage_jobs=())
        return replace(healthy, **({"virtual_disks": (VirtualDisk("Volume1", 0),)} | changes))  # type: ignore[arg-type]

    return change


def open_to_clients(cluster: Cluster) -> Cluster:
    return replace(
        cluster,
        networks=tuple(
            replace(network, role=NetworkRole.CLUSTER_AND_CLIENT, migration_excluded=False)
            for network in cluster.networks
        ),
    )


def unread_transport(cluster: Cluster) -> Cluster:
    return open_to_clients(
        replace(cluster, hosts=tuple(replace(host, migration_transport=None) for host in cluster.hosts))
    )


APP, OTHER = RoleName("app"), RoleName("other")
TORN = (AffinityRule("near", 2, True, (APP, OTHER)), AffinityRule("far", 4, True, (APP, OTHER)))


def two_sites(cluster: Cluster) -> Cluster:
    domains = ("Site:East/Rack:1", "Site:West/Rack:2", "Site:East/Rack:3")
    return replace(
        cluster, hosts=tuple(replace(host, fault_domain=one) for host, one in zip(cluster.hosts, domains, strict=True))
    )


def shared_role(cluster: Cluster) -> Cluster:
    owners = frozenset(HostName(name) for name in HOSTS)
    second = make_vm("second", "HV01", possible_owners=owners, details=HEALTHY)
    return replace(cluster, vms=(*cluster.vms, replace(second, ref=replace(second.ref, role=APP))))


def slow_one(cluster: Cluster) -> Outlook:
    durations = {"heavy": 1500.0}
    return Outlook({vm.id: MoveOutlook(durations.get(vm.name, 30.0), 0.5, True, True, "prior") for vm in cluster.vms})


def a_heavy_one(cluster: Cluster) -> Cluster:
    owners = frozenset(HostName(name) for name in HOSTS)
    return replace(
        cluster,
        vms=tuple(
            make_vm(name, "HV01", possible_owners=owners, details=HEALTHY) for name in ("heavy", "a", "b", "c", "d")
        ),
    )


def stalls(cluster: Cluster) -> Outlook:
    return Outlook({vm.id: MoveOutlook(400.0, 21.0, True, False, "prior") for vm in cluster.vms})


def tight(cluster: Cluster) -> Outlook:
    return Outlook({}, ((0.25, 4000.0), (0.5, 2000.0), (0.75, 1400.0), (1.0, 1000.0)), 0.25)


def capped() -> Cluster:
    settings = {"set_smb_bandwidth_limit": 1, "smb_bandwidth_limit_factor": 2500}
    smb = every_host(migration_transport=SMB, adapters=RDMA)
    return replace(smb, settings=replace(smb.settings, **settings))


OLD_RDMA = {"build": 17763, "migration_transport": SMB, "adapters": RDMA}

MORE = [
    Case("auth-delegation-missing", cluster_of(whole=no_delegation_to_hv03), with_host(delegation=None)),
    Case("auth-workgroup", cluster_of(whole=in_no_domain(20348)), with_host(part_of_domain=None)),
    Case(
        "host-name-case",
        every_host(migration_transport=SMB, registry_name="hv01"),
        every_host(migration_transport=SMB, registry_name=None),
    ),
    Case("host-system-drive", with_host(system_drive="D:")),
    Case("cluster-modules", with_host(modules=("FailoverClusters",)), with_host(modules=None)),
    Case("cluster-rights", with_host(denied=("vms",)), with_host(abilities=None)),
    Case("cluster-quorum", cluster_of(whole=two_votes), of_cluster(quorum=None)),
    Case(
        "cluster-storage-unhealthy",
        cluster_of(whole=spaces_direct(storage_jobs=(StorageJob("Repair", 4, 40),))),
        cluster_of(whole=spaces_direct(virtual_disks=None)),
    ),
    Case("network-not-isolated", cluster_of(whole=open_to_clients), cluster_of(whole=unread_transport)),
    Case(
        "network-encryption-old-rdma",
        with_host(smb_encrypts=True, **OLD_RDMA),
        with_host(smb_encrypts=None, **OLD_RDMA),
    ),
    Case("network-shared-with-csv", with_host(reserves_bandwidth=False), with_host(reserves_bandwidth=None)),
    Case("limit-atc-owns", of_cluster(network_intents=3), of_cluster(network_intents=None)),
    Case(
        "smb-controls-absent", with_settings(has_migration_controls=False), with_settings(has_migration_controls=None)
    ),
    Case("smb-cap-tight", capped(), capped(), outlook=tight, needs_outlook=False),
    Case("place-contradiction", of_cluster(affinity_rules=TORN), of_cluster(affinity_rules=None)),
    Case("place-site", cluster_of(whole=two_sites)),
    Case("role-multiple-vms", cluster_of(whole=shared_role)),
    Case("role-other", of_cluster(roles=(Role(RoleName("FS01"), 100, HostName("HV01"), GroupState.ONLINE, False),))),
    Case("storage-migrations-in-window", with_vm(operational_status=(2, 32779))),
    Case(
        "vm-owner-sid",
        with_details(failures=(MigrationFailure(21024, 0x80070534, READ_AT),)),
        with_details(failures=None),
    ),
    Case("vm-recent-backup", with_details(replication_state=0), with_details(checkpoints=None)),
    Case("vm-heavy", cluster_of(whole=a_heavy_one), cluster_of(), outlook=slow_one, needs_outlook=False),
    Case("vm-does-not-converge", cluster_of(), cluster_of(), outlook=stalls, needs_outlook=False),
]
