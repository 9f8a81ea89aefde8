"""A cluster of canned answers: what each host says to each catalogue entry, and how it fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from console.model.failures import CommandMissing, Failure, Unreachable
from console.model.identity import HostName
from console.windows.commands import Answer, Call, Effect, Row
from tests.windows import fine_rows, rows

Said = Sequence[Row] | Failure | Answer | Callable[[Call], Sequence[Row]]


@dataclass
class FakeReader:
    """Implements the Reader port over tables; counts what was asked of whom."""

    hosts: dict[str, dict[str, Said]]
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    hanging: set[str] = field(default_factory=set)
    """Hosts that never answer at all, not even with a failure."""

    async def read(self, host: HostName, call: Call) -> Answer:
        if call.effect is not Effect.READS:
            raise ValueError(call.entry)
        self.asked[host, call.entry] += 1
        await asyncio.sleep(0)
        if host in self.hanging:
            await asyncio.Event().wait()
        entries = self.hosts.get(host)
        if entries is None:
            raise unreachable(host)
        said = entries.get(call.entry)
        if said is None:
            raise CommandMissing(host, f"{call.entry} is not there.", "Install the module.")
        if isinstance(said, Failure):
            raise said
        if isinstance(said, Answer):
            return said
        return Answer(tuple(said(call) if callable(said) else said))


def unreachable(host: str) -> Unreachable:
    return Unreachable(HostName(host), "no route to it.", "Check the network.")


def cluster_answers(nodes: Mapping[str, int], placed: Mapping[str, tuple[str, str]]) -> dict[str, Said]:
    """What any node tells of a cluster.

    Args:
        nodes: state by name.
        placed: (VM id, owner) by role.
    """
    resources = {role: f"Virtual Machine {role}" for role in placed}
    return {
        "nodes": [rows.node(name, id, state) for id, (name, state) in enumerate(nodes.items(), 1)],
        "cluster": rows.CLUSTER,
        "groups": [
            *(rows.group(role, owner) for role, (_, owner) in placed.items()),
            rows.group("Cluster Group", next(iter(nodes)), 1),
        ],
        "vm-resources": [rows.resource(resources[role], owner, role) for role, (_, owner) in placed.items()],
        "vm-parameters": [
            parameter
            for role, (id, _) in placed.items()
            for parameter in (
                rows.vm_parameter(resources[role], "VmID", id),
                rows.vm_parameter(resources[role], "DefaultMoveType", 4294967295),
            )
        ],
        "vm-resource-type": rows.NETWORK_RULES,
        "networks": rows.NETWORKS,
        "network-interfaces": rows.INTERFACES,
        "shared-volumes": rows.VOLUMES,
        "shared-volume-states": rows.VOLUME_STATES,
        "affinity-rules": rows.AFFINITY,
        "resources-in-flight": [],
        "quorum": fine_rows.QUORUM,
        "storage-jobs": fine_rows.STORAGE_JOBS,
        "virtual-disks": fine_rows.VIRTUAL_DISKS,
        "network-intents": fine_rows.INTENTS,
        "delegation": fine_rows.DELEGATION,
    }


def host_answers(vms: Sequence[Row]) -> dict[str, Said]:
    """What a host tells of itself."""
    return {
        "operating-system": rows.OPERATING_SYSTEM,
        "vms": vms,
        "vm-host": rows.VM_HOST,
        "supported-versions": rows.VERSIONS,
        "switches": rows.SWITCHES,
        "processors": rows.PROCESSORS,
        "device-guard": rows.DEVICE_GUARD,
        "processor-load": rows.LOAD,
        "memory-counters": rows.MEMORY,
        "adapters": rows.ADAPTERS,
        "adapters-rdma": rows.RDMA,
        "adapters-vmq": rows.VMQ,
        "smb-bandwidth-feature": rows.FEATURE,
        "host-vectors": rows.VECTORS,
        "modules": fine_rows.MODULES,
        "abilities": fine_rows.ABILITIES,
        "computer-system": fine_rows.COMPUTER_SYSTEM,
        "computer-name": fine_rows.COMPUTER_NAME,
        "smb-server": fine_rows.SMB_SERVER,
        "traffic-classes": fine_rows.TRAFFIC_CLASSES,
        "virtual-sans": fine_rows.SANS,
        "partitionable-gpus": fine_rows.GPUS,
    }


def two_nodes() -> FakeReader:
    """HV01 with the role web01 and a VM that is no role, HV02 with the role sql01."""
    shared = cluster_answers({"HV01": 0, "HV02": 0}, {"web01": (rows.VM_A, "hv01"), "sql01": (VM_SQL, "HV02")})
    return FakeReader(
        {
            "HV01": shared | host_answers([rows.vm(rows.VM_A, "web01"), rows.vm(rows.VM_B, "stray", clustered=False)]),
            "HV02": shared | host_answers([rows.vm(VM_SQL, "sql01")]),
        }
    )


VM_SQL = "0a1b2c3d-0000-4000-8000-00000000000c"
