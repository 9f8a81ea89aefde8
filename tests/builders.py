"""Valid model values for tests, without a cluster: no randomness except through a seed, no clock.

Every identifier is stable: the same name gives the same GUID in every process.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from console.model.cluster import (
    Cluster,
    ClusterNetwork,
    ClusterSettings,
    Contact,
    GroupState,
    Heartbeat,
    Host,
    MigrationAuthentication,
    MigrationTransport,
    NetworkAdapter,
    NetworkRole,
    NodeState,
    VirtualMachine,
    VmState,
)
from console.model.identity import HostName, RoleName, VmId, VmRef
from console.model.units import GIB, UNSET, bits_to_bytes_per_s

READ_AT = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
"""When every built fact was read: two in the morning."""

LINK_25GBE = bits_to_bytes_per_s(25e9)
"""Bytes per second of a 25 GbE adapter."""

_NAMESPACE = uuid.UUID("6f1d0c3e-6f0a-5a52-9d4a-3a1c2b7e9f10")


def stable_guid(text: str) -> str:
    """A GUID that only depends on the text: lower case, hyphens, no braces."""
    return str(uuid.uuid5(_NAMESPACE, text))


def make_adapter(
    name: str = "pNIC1", *, link_bytes_per_s: float | None = LINK_25GBE, up: bool | None = True, **overrides: Any
) -> NetworkAdapter:
    """A 25 GbE adapter that is up, without working RDMA."""
    values: dict[str, Any] = {
        "name": name,
        "description": f"25 GbE Adapter {name}",
        "link_bytes_per_s": link_bytes_per_s,
        "up": up,
        "mtu_bytes": 9000,
        "rdma_enabled": False,
        "rdma_operational": False,
        "vmq_enabled": True,
        "driver_version": "24.10.26603.0",
        "driver_date": "2025-03-01",
        "driver_provider": "Mellanox Technologies Ltd.",
    }
    return NetworkAdapter(**(values | overrides))


def make_host(name: str, **overrides: Any) -> Host:
    """A node of Windows Server 2025 that is up, with 512 GiB (all free) and two 25 GbE adapters, compression."""
    values: dict[str, Any] = {
        "name": HostName(name),
        "contact": Contact.ANSWERING,
        "read_at": READ_AT,
        "state": NodeState.UP,
        "build": 26100,
        "memory_bytes": 512 * GIB,
        "memory_free_bytes": 512 * GIB,
        "logical_processors": 64,
        "processor_manufacturer": "GenuineIntel",
        "processor_name": "Intel(R) Xeon(R) Gold 6430",
        "cpu_fraction": 0.25,
        "migration_enabled": True,
        "migration_transport": MigrationTransport.COMPRESSION,
        "migration_authentication": MigrationAuthentication.KERBEROS,
        "maximum_virtual_machine_migrations": 2,
        "credential_guard": True,
        "smb_bandwidth_feature": True,
        "supported_vm_versions": ("9.0", "10.0", "11.0", "12.0"),
        "adapters": (make_adapter("pNIC1"), make_adapter("pNIC2")),
        "switches": ("Compute",),
        "migrations_in_flight": 0,
    }
    return Host(**(values | overrides))


def make_vm(
    name: str, host: str, memory_gib: float = 8.0, *, guid_of: str | None = None, **overrides: Any
) -> VirtualMachine:
    """A running, clustered generation 2 VM whose role has its name. ``guid_of`` seeds the GUID where names repeat."""
    memory_bytes = int(memory_gib * GIB)
    values: dict[str, Any] = {
        "ref": VmRef(VmId(stable_guid(guid_of or f"vm {name}")), name, RoleName(name)),
        "host": HostName(host),
        "state": VmState.RUNNING,
        "clustered": True,
        "read_at": READ_AT,
        "operational_status": (2,),
        "memory_assigned_bytes": memory_bytes,
        "memory_startup_bytes": memory_bytes,
        "memory_demand_bytes": memory_bytes // 2,
        "dynamic_memory": False,
        "processors": 4,
        "cpu_percent": 10,
        "version": "12.0",
        "generation": 2,
        "uptime_s": 86400.0,
        "heartbeat": Heartbeat.OK_APPLICATIONS_HEALTHY,
        "status": "Operating normally",
        "role_state": GroupState.ONLINE,
        "priority": 2000,
        "default_move_type": UNSET,
        "possible_owners": None,
        "preferred_owners": (),
        "auto_failback": False,
        "resource_name": f"Virtual Machine {name}",
    }
    values |= overrides
    values["host"] = HostName(values["host"])
    if not values["clustered"] and "ref" not in overrides:
        values["ref"] = VmRef(values["ref"].id, name, None)
        values |= {"role_state": None, "resource_name": None, "priority": None}
    if values["state"] in (VmState.OFF, VmState.SAVED) and "memory_assigned_bytes" not in overrides:
        values["memory_assigned_bytes"] = 0
    values.setdefault("state_number", int(values["state"]))
    return VirtualMachine(**values)


def make_networks() -> tuple[ClusterNetwork, ...]:
    """A management network, excluded from migration, and a migration network, first in order."""
    return (
        ClusterNetwork(
            "Management", stable_guid("net Management"), NetworkRole.CLUSTER_AND_CLIENT, True, 70384, "10.0.0.0", True
        ),
        ClusterNetwork(
            "LiveMigration", stable_guid("net LiveMigration"), NetworkRole.CLUSTER, True, 30384, "10.0.1.0", False, 0
        ),
    )


def make_settings(**overrides: Any) -> ClusterSettings:
    """Windows' defaults of 2025, with two parallel migrations."""
    values: dict[str, Any] = {
        "maximum_parallel_migrations": 2,
        "set_smb_bandwidth_limit": 1,
        "smb_bandwidth_limit_factor": 2500,
        "auto_balancer_mode": 0,
        "auto_balancer_level": 1,
        "functional_level": 12,
        "enforced_anti_affinity": False,
        "s2d_enabled": False,
        "move_type_threshold": 1000,
    }
    return ClusterSettings(**(values | overrides))


def host_name(number: int) -> HostName:
    """HV01, HV02, …"""
    return HostName(f"HV{number:02d}")


def make_cluster(
    hosts: int | Sequence[Host] = 4,
    vms_per_host: int = 10,
    *,
    vms: Sequence[VirtualMachine] | None = None,
    host_memory_gib: float = 512.0,
    vm_memory_gib: float | Sequence[float] = (4.0, 8.0, 16.0, 32.0),
    seed: int | None = None,
    settings: ClusterSettings | None = None,
    **overrides: Any,
) -> Cluster:
    """A cluster HV01 … with VMs vm-0101 … whose hosts' free memory is what the VMs leave of it.

    Args:
        hosts: how many, or the hosts themselves (their free memory is kept as given).
        vms: the VMs themselves, in place of ``vms_per_host``.
        vm_memory_gib: one size for all, or sizes dealt round-robin; drawn at random when ``seed`` is given.
        overrides: fields of :class:`Cluster`.
    """
    sizes = (vm_memory_gib,) if isinstance(vm_memory_gib, int | float) else tuple(vm_memory_gib)
    names = [host_name(n + 1) for n in range(hosts)] if isinstance(hosts, int) else [host.name for host in hosts]
    if vms is None:
        random_source = random.Random(seed)
        vms = [
            make_vm(
                f"vm-{h + 1:02d}{n + 1:02d}",
                name,
                sizes[(h + n) % len(sizes)] if seed is None else random_source.choice(sizes),
            )
            for h, name in enumerate(names)
            for n in range(vms_per_host)
        ]
    built = [_host_with(name, int(host_memory_gib * GIB), vms) for name in names] if isinstance(hosts, int) else hosts
    values: dict[str, Any] = {
        "name": "CLUSTER1",
        "read_at": READ_AT,
        "networks": make_networks(),
        "affinity_rules": (),
        "settings": settings or make_settings(),
    }
    return Cluster(hosts=tuple(built), vms=tuple(vms), **(values | overrides))


def _host_with(name: HostName, memory_bytes: int, vms: Sequence[VirtualMachine]) -> Host:
    used = sum(vm.memory_assigned_bytes or 0 for vm in vms if vm.host == name)
    return make_host(name, memory_bytes=memory_bytes, memory_free_bytes=max(0, memory_bytes - used))
