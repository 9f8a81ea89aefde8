"""Time and memory of all checks over a large cluster, after its facts were read.

Run ``python tests/bench/checks.py [hosts] [vms-per-host]``; 64 hosts of 125 VMs by default: 8,000 VMs, each of which
could go to 63 hosts. Ends with 1 when it takes more than 3 seconds or 300 MB.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from dataclasses import replace

from console.checks.catalogue import Facts, run_checks
from console.model.cluster import Cluster, NetworkInterface
from console.model.details import (
    CompatibilityMode,
    CompatibilityVector,
    Disk,
    OpticalDrive,
    ProcessorSettings,
    SecuritySettings,
    VirtualAdapter,
    VmDetails,
)
from console.model.facts import Delegation, DelegationEntry, Quorum, QuorumKind
from console.model.identity import HostName
from console.model.outlook import MoveOutlook, Outlook
from tests.builders import make_cluster, make_host, make_vm

SECONDS, MEGABYTES = 3.0, 300.0
SERVICES = ("Microsoft Virtual System Migration Service", "cifs")


def vectors(value: int) -> tuple[CompatibilityVector, ...]:
    """As many as a host tells, one object each time: nothing is shared that would not be in life."""
    return tuple(CompatibilityVector(number, (0, 1, 2, 5)[number % 4], value) for number in range(30))


def large_cluster(hosts: int, vms_per_host: int) -> Cluster:
    """Every fact is known; one host in eight is of another processor."""
    names = [HostName(f"HV{number + 1:02d}") for number in range(hosts)]
    owners = frozenset(names)
    built = [
        make_host(
            name,
            compatibility_vectors=vectors(0b1111),
            processor_name="Xeon A" if number % 8 else "Xeon B",
            node_weight=1, dynamic_weight=1, system_drive="C:", registry_name=name, part_of_domain=True,
            modules=("FailoverClusters", "Hyper-V"),
            abilities=("Move-ClusterVirtualMachineRole", "Suspend-ClusterNode"),
            smb_encrypts=False, reserves_bandwidth=True, virtual_sans=(), gpus=(),
            delegation=Delegation(
                tuple(
                    DelegationEntry(service, other, full)
                    for service in SERVICES
                    for other in names
                    for full in (False, True)
                ),
                True,
            ),
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    vms = [
        make_vm(f"vm-{name}-{number:03d}", name, 8, possible_owners=frozenset(owners), details=details(number))
        for name in names
        for number in range(vms_per_host)
    ]
    base = make_cluster(hosts=built, vms=vms)
    interfaces = tuple(
        NetworkInterface(name, network.name, "25 GbE Adapter pNIC1", True)
        for name in names
        for network in base.networks
    )
    settings = replace(base.settings, domain="corp.example", witness_weight=1, has_migration_controls=True)
    return replace(
        base,
        interfaces=interfaces,
        settings=settings,
        quorum=Quorum(QuorumKind.MAJORITY, True),
        network_intents=0,
        access=(),
    )


def details(number: int) -> VmDetails:
    return VmDetails(
        processor=ProcessorSettings(True, CompatibilityMode.COMMON_CLUSTER_FEATURE_SET, False),
        vectors=vectors(0b1111),
        disks=(Disk(f"C:\\ClusterStorage\\CSV1\\{number}.vhdx", False, 1),),
        optical_drives=(OpticalDrive("", 0),),
        adapters=(VirtualAdapter("Network Adapter", "Compute", True),),
        checkpoints=(),
        gpu_partitions=(),
        assigned_devices=(),
        fibre_channel_sans=(),
        security=SecuritySettings(False, False),
        failures=(),
    )


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    hosts, vms_per_host = (int(text) for text in (sys.argv[1:] or ["64", "125"]))
    cluster = large_cluster(hosts, vms_per_host)
    outlook = Outlook({vm.id: MoveOutlook(10.0, 0.5, True, True, "prior") for vm in cluster.vms})
    before = megabytes()
    started = time.perf_counter()
    findings = run_checks(Facts(cluster, outlook=outlook))
    seconds = time.perf_counter() - started
    print(f"{len(cluster.vms)} VMs x {hosts - 1} hosts: {seconds:.2f} s, {megabytes():.0f} MB ({before:.0f} MB before)")
    counts = Counter(conflict.code for conflict in findings.conflicts)
    print(f"{len(findings.conflicts)} conflicts, {len(findings.unknown)} unknown: {dict(counts)}")
    return int(seconds > SECONDS or megabytes() > MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
