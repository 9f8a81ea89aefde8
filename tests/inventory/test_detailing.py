"""The details of one node's VMs."""

from __future__ import annotations

from console.clock import ManualClock
from console.inventory import read_cluster, read_details
from console.model.identity import HostName, VmId
from tests.inventory.fakes import FakeReader, two_nodes, unreachable
from tests.windows import rows

HV01, HV02 = HostName("HV01"), HostName("HV02")
WEB, STRAY = VmId(rows.VM_A), VmId(rows.VM_B)


def _detailed() -> FakeReader:
    reader = two_nodes()
    reader.hosts["HV01"] |= {
        "vm-settings": [*rows.VM_SETTINGS, {**rows.VM_SETTINGS[0], "Id": rows.VM_B}],
        "vm-processors": [*rows.VM_PROCESSORS, {**rows.VM_PROCESSORS[0], "VMId": rows.VM_B}],
        "vm-disks": rows.VM_DISKS,
        "vm-optical-drives": rows.VM_DRIVES,
        "vm-adapters": rows.VM_ADAPTERS,
        "vm-checkpoints": rows.VM_CHECKPOINTS,
        "vm-gpu-partitions": rows.VM_GPUS,
        "vm-assigned-devices": rows.VM_DEVICES,
        "vm-fibre-channel": rows.VM_FIBRE,
        "vm-security-settings": rows.VM_SECURITY,
        "vm-vectors": rows.VM_VECTORS,
        "migration-events": rows.EVENTS,
        "resources-of-node": [
            rows.resource("Virtual Machine web01", "HV01", "web01"),
            rows.resource("Virtual Machine Configuration web01", "HV01", "web01"),
        ],
        "possible-owners": [
            *rows.OWNERS,
            {"ClusterObject": "Virtual Machine Configuration web01", "OwnerNodes": ["HV02"]},
        ],
        "preferred-owners": [{"ClusterObject": "web01", "OwnerNodes": ["HV02", "HV01"]}],
    }
    return reader


async def test_every_fact_is_there_and_none_is_missing() -> None:
    reader = _detailed()
    cluster = await read_details(reader, await read_cluster(reader, [HV01], ManualClock()), HV01)
    details = cluster.vm_by_id[WEB].details
    assert details is not None
    assert details.missing == ()
    assert None not in (details.processor, details.vectors, details.disks, details.optical_drives, details.security)
    assert details.fibre_channel_sans == ("SAN-A",)
    stray = cluster.vm_by_id[STRAY].details
    assert stray is not None
    assert (stray.disks, stray.vectors) == ((), None)
    assert cluster.host_by_name[HV02].compatibility_vectors is not None
    assert cluster.host_by_name[HV01].problems == ()


async def test_a_node_must_be_allowed_for_both_resources() -> None:
    reader = _detailed()
    cluster = await read_details(reader, await read_cluster(reader, [HV01], ManualClock()), HV01)
    web = cluster.vm_by_id[WEB]
    assert web.possible_owners == frozenset({HV02})
    assert web.preferred_owners == (HV02, HV01)


async def test_what_is_not_there_is_unknown_with_its_reason() -> None:
    reader = _detailed()
    del reader.hosts["HV01"]["vm-disks"]
    cluster = await read_details(reader, await read_cluster(reader, [HV01], ManualClock()), HV01)
    details = cluster.vm_by_id[WEB].details
    assert details is not None
    assert details.disks is None
    assert details.missing == (("disks", "HV01, vm-disks: vm-disks is not there. Install the module."),)
    assert "vm-disks" in cluster.host_by_name[HV01].unread
    assert details.adapters is not None


async def test_a_host_lost_half_way_leaves_the_rest_unknown() -> None:
    reader = _detailed()
    reader.hosts["HV01"]["vm-gpu-partitions"] = unreachable("HV01")
    cluster = await read_details(reader, await read_cluster(reader, [HV01], ManualClock()), HV01)
    details = cluster.vm_by_id[WEB].details
    assert details is not None
    assert details.adapters is not None
    assert [fact for fact, _ in details.missing] == [
        "gpu_partitions",
        "assigned_devices",
        "fibre_channel_sans",
        "security",
        "vectors",
        "failures",
    ]


async def test_details_and_owners_survive_the_next_reading() -> None:
    reader = _detailed()
    clock = ManualClock()
    cluster = await read_details(reader, await read_cluster(reader, [HV01], clock), HV01)
    again = await read_cluster(reader, [HV01], clock, previous=cluster)
    assert again.vm_by_id[WEB] == cluster.vm_by_id[WEB]
    assert again.host_by_name[HV02].compatibility_vectors == cluster.host_by_name[HV02].compatibility_vectors


async def test_a_vm_that_moved_away_meanwhile_has_no_known_details() -> None:
    reader = _detailed()
    cluster = await read_cluster(reader, [HV01], ManualClock())
    reader.hosts["HV01"]["vm-processors"] = []
    details = (await read_details(reader, cluster, HV01)).vm_by_id[WEB].details
    assert details is not None
    assert (details.disks, details.checkpoints) == (None, None)
    assert "disks" in dict(details.missing)
    assert "not on HV01" in dict(details.missing)["disks"]
