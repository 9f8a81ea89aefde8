"""Which decoder reads the rows of which entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from console.model.cluster import Contact, Host
from console.model.details import VmDetails
from console.model.identity import HostName, VmId
from console.runner import leasing
from console.windows import decode
from console.windows.commands import Row
from console.windows.decode import Problems
from console.windows.decode.cluster import MigrationRules
from console.windows.decode.details import AllDetails

Decoder: TypeAlias = Callable[[Sequence[Row], Problems], object]
Overlay: TypeAlias = Callable[[Host, Sequence[Row], Problems], Host]
Laid: TypeAlias = Callable[[AllDetails, Sequence[Row], Problems], AllDetails]

HOST = Host(HostName("HV01"), Contact.NEVER, None)
AT = datetime(2026, 1, 1, tzinfo=UTC)


def _host(overlay: Overlay) -> Decoder:
    return lambda rows, problems: overlay(HOST, rows, problems)


def _details(overlay: Laid) -> Decoder:
    def read(rows: Sequence[Row], problems: Problems) -> object:
        known: dict[VmId, VmDetails] = {}
        for row in rows:
            named = row.get("VMId") or row.get("Id") or row.get("InstanceID")
            guid = decode.values.guid_within(named) if isinstance(named, str) else None
            if guid is not None:
                known[VmId(guid)] = VmDetails()
        return overlay(known, rows, problems)

    return read


_cluster, _facts, _progress, _on = decode.cluster, decode.facts, decode.progress, decode.host

DECODERS: Mapping[str, Decoder] = {
    "cluster": _cluster.settings,
    "nodes": _cluster.nodes,
    "groups": _cluster.groups,
    "groups-of-node": _cluster.groups,
    "group-of-vm": _cluster.groups,
    "vm-resources": _cluster.resources,
    "vm-parameters": _cluster.vm_parameters,
    "vm-resource-type": _cluster.migration_rules,
    "resources-of-node": _cluster.resources,
    "possible-owners": _cluster.owners,
    "preferred-owners": _cluster.owners,
    "networks": lambda rows, problems: _cluster.networks(rows, MigrationRules(), problems),
    "network-interfaces": _cluster.interfaces,
    "shared-volumes": lambda rows, problems: decode.volumes.shared_volumes(rows, (), problems),
    "shared-volume-states": decode.volumes.volume_states,
    "affinity-rules": _cluster.affinity_rules,
    "quorum": _facts.quorum,
    "cluster-access": _facts.access,
    "storage-jobs": _facts.storage_jobs,
    "virtual-disks": _facts.virtual_disks,
    "network-intents": _facts.network_intents,
    "delegation": _facts.delegations,
    "vm-host": _host(_on.with_vm_host),
    "supported-versions": _host(_on.with_supported_versions),
    "adapters": _host(lambda host, rows, problems: _on.with_adapters(host, rows, (), (), problems)),
    "adapters-rdma": _host(lambda host, rows, problems: _on.with_adapters(host, _ports(rows), rows, (), problems)),
    "adapters-vmq": _host(lambda host, rows, problems: _on.with_adapters(host, _ports(rows), (), rows, problems)),
    "switches": _host(_on.with_switches),
    "virtual-sans": _host(_on.with_virtual_sans),
    "partitionable-gpus": _host(_on.with_gpus),
    "operating-system": _host(_on.with_operating_system),
    "computer-system": _host(_on.with_computer_system),
    "processors": _host(_on.with_processors),
    "device-guard": _host(_on.with_device_guard),
    "processor-load": _host(_on.with_processor_load),
    "memory-counters": _host(_on.with_memory_counters),
    "smb-bandwidth-feature": _host(_on.with_smb_bandwidth_feature),
    "host-vectors": _host(_on.with_vectors),
    "smb-server": _host(_on.with_smb_server),
    "traffic-classes": _host(_on.with_traffic_classes),
    "computer-name": _host(_on.with_computer_name),
    "modules": _host(_on.with_modules),
    "abilities": _host(_on.with_abilities),
    "vms": lambda rows, problems: decode.vms.virtual_machines(rows, HOST.name, AT, problems),
    "vm": lambda rows, problems: decode.vms.virtual_machines(rows, HOST.name, AT, problems),
    "vm-settings": _details(decode.details.with_settings),
    "vm-processors": _details(decode.details.with_processors),
    "vm-disks": _details(decode.details.with_disks),
    "vm-optical-drives": _details(decode.details.with_optical_drives),
    "vm-adapters": _details(decode.details.with_adapters),
    "vm-checkpoints": _details(decode.details.with_checkpoints),
    "vm-gpu-partitions": _details(decode.details.with_gpu_partitions),
    "vm-assigned-devices": _details(decode.details.with_assigned_devices),
    "vm-fibre-channel": _details(decode.details.with_fibre_channel),
    "vm-security-settings": _details(decode.details.with_security),
    "vm-vectors": _details(decode.details.with_vectors),
    "vm-compatibility": decode.compatibility.needs,
    "vm-compatibility-check": decode.compatibility.verdict,
    "resources-in-flight": _cluster.resources,
    "groups-in-flight": _cluster.groups_in_flight,
    "migration-jobs": _progress.jobs,
    "migration-counters": _progress.counters,
    "volume-latencies": _progress.volume_counters,
    "heartbeats": _progress.heartbeats,
    "smb-stalls": _progress.smb_stalls_per_s,
    "leases": leasing._groups,
    "lease-properties": leasing._named_values,
    "migration-events": decode.events.records,
    "cluster-events": decode.events.records,
}


def _ports(rows: Sequence[Row]) -> list[Row]:
    """Rows of Get-NetAdapter for the adapters that another cmdlet's rows name."""
    return [{**_PORT, "Name": row.get("Name")} for row in rows]


_PORT: Row = {
    "InterfaceDescription": "An adapter",
    "Speed": 10**10,
    "MediaConnectState": 1,
    "MtuSize": 9000,
    "DriverVersionString": "1.0",
    "DriverDate": "2026-01-01",
    "DriverProvider": "Someone",
}
