"""Everything that the client can say, the lab answers: rows that the client's own decoders read without a doubt."""

from __future__ import annotations

from console.inventory import read_cluster, read_details
from console.inventory.fine import read_fine_facts
from console.lab.serve import InProcessLab
from console.lab.world.moving import MoveKind, Outcome
from console.lab.world.state import DrainStatus, NodeState
from console.model.identity import HostName, RoleName, VmId
from console.windows.catalogue import ENTRIES, changes
from console.windows.commands import Answer, Call, Effect
from console.windows.decode import Problems
from tests.lab.cmdlets.asking import LEASE, reads
from tests.lab.cmdlets.conftest import stir
from tests.lab.cmdlets.decoding import DECODERS
from tests.lab.cmdlets.driving import LabReader, ask, running_on

NOTHING_ON_QUIET = frozenset(
    ("affinity-rules", "storage-jobs", "virtual-disks", "network-intents", "virtual-sans", "partitionable-gpus",
     "vm-checkpoints", "vm-gpu-partitions", "vm-assigned-devices", "vm-fibre-channel")
)  # fmt: skip
"""What a quiet cluster has none of."""


def test_every_entry_that_reads_has_its_decoder_here() -> None:
    reading = {entry.id for entry in ENTRIES.values() if entry.effect is Effect.READS}
    assert set(DECODERS) == reading


async def test_every_read_is_answered_and_understood(quiet: InProcessLab) -> None:
    calls = reads(quiet, await stir(quiet))
    for id, call in calls.items():
        answer = await ask(quiet, "HV01", call)
        assert not answer.errors, f"{id}: {answer.errors[0].message}"
        _has_the_properties(id, answer)
        assert bool(answer.rows) is (id not in NOTHING_ON_QUIET), id
        problems = Problems(id)
        DECODERS[id](answer.rows, problems)
        assert not problems, problems.sentences()


def _has_the_properties(id: str, answer: Answer) -> None:
    rows = ENTRIES[id].rows
    for row in answer.rows:
        assert rows is not None
        assert tuple(row) == rows.properties


async def test_the_inventory_of_a_quiet_cluster_leaves_nothing_unknown(quiet: InProcessLab) -> None:
    reader = LabReader(quiet)
    cluster = await read_fine_facts(reader, await read_cluster(reader, [HostName("HV01")], quiet.clock))
    cluster = await read_details(reader, cluster, HostName("HV01"))
    assert cluster.problems == ()
    for host in cluster.hosts:
        assert host.problems == ()
        assert None not in (
            host.memory_bytes, host.memory_free_bytes, host.cpu_fraction, host.credential_guard,
            host.smb_bandwidth_feature, host.registry_name, host.reserves_bandwidth, host.smb_encrypts, host.delegation,
            host.started_at, host.part_of_domain, host.compatibility_vectors, host.logical_processors,
        )  # fmt: skip
        assert [adapter.name for adapter in host.adapters or ()] == ["Management", "LiveMigration", "Storage"]
    assert all(vm.details is not None and not vm.details.missing for vm in cluster.vms_on(HostName("HV01")))


async def test_progress_is_that_of_the_world(quiet: InProcessLab) -> None:
    id = await stir(quiet)
    calls, world = reads(quiet, id), quiet.cluster.world
    (move,) = world.in_flight()
    group = world.groups[move.group]
    jobs = (await ask(quiet, "HV01", calls["migration-jobs"])).rows
    assert [(row["JobState"], row["ErrorCode"]) for row in jobs] == [(10, 32768), (7, 0), (4, 0)]
    assert str(jobs[-1]["VirtualSystemName"]).lower() == str(id)
    assert not (await ask(quiet, "HV02", calls["migration-jobs"])).rows
    (counter,) = (await ask(quiet, "HV01", calls["migration-counters"])).rows
    assert counter["TransferPassNumber"] == move.passes
    assert counter["Name"] == f"{group.name}:VM Live Migration"
    (receiving,) = (await ask(quiet, "HV02", calls["migration-counters"])).rows
    assert receiving["TransferPassNumber"] == 0
    resources = (await ask(quiet, "HV03", calls["resources-in-flight"])).rows
    moving = [row for row in resources if isinstance(row["ResourceSpecificData1"], int) and row["State"] == 128]
    assert [row["OwnerGroup"] for row in moving] == [group.name]
    assert int(str(moving[0]["ResourceSpecificData1"])) >> 32 == 32774
    states = {row["Name"]: row["State"] for row in (await ask(quiet, "HV03", calls["groups-in-flight"])).rows}
    assert states.pop(group.name) == 4
    assert set(states.values()) == {0}


async def test_latency_between_two_readings_is_the_volumes_own(quiet: InProcessLab) -> None:
    call = ENTRIES["volume-latencies"].bind()
    readings = []
    for _ in range(3):
        await quiet.advance(10)
        found = DECODERS["volume-latencies"]((await ask(quiet, "HV01", call)).rows, Problems("x"))
        assert isinstance(found, dict)
        readings.append(found["Volume1"])
    latency = readings[2].read_latency_s(readings[1])
    assert latency is not None
    assert abs(latency - 0.0008) < 0.0002
    again = DECODERS["volume-latencies"]((await ask(quiet, "HV01", call)).rows, Problems("x"))
    assert isinstance(again, dict)
    assert again["Volume1"] == readings[2]


async def changed(lab: InProcessLab, call: Call, host: str = "HV02") -> Answer:
    """Send a change; nothing may be refused, and the rows are those that were asked for."""
    answer = await ask(lab, host, call)
    assert not answer.errors, answer.errors[0].message
    _has_the_properties(call.entry, answer)
    CHANGED.add(call.entry)
    return answer


CHANGED: set[str] = set()


async def test_every_change_is_carried_out(quiet: InProcessLab) -> None:
    world, node = quiet.cluster.world, HostName("HV01")
    first, second, third, *_ = (VmId(str(vm.id)) for vm in running_on(quiet, "HV01"))
    await changed(quiet, changes.pause_node(node))
    assert (world.hosts["HV01"].state, world.hosts["HV01"].drain_status) == (
        NodeState.PAUSED,
        DrainStatus.NOT_INITIATED,
    )
    await changed(quiet, changes.move_vm_live(first, HostName("HV03")), "HV01")
    await changed(quiet, changes.move_vm_live(second, HostName("HV04")), "HV01")
    await quiet.advance(3.9)
    await changed(quiet, changes.cancel_move(second))
    await changed(quiet, changes.move_vm_quick(third, HostName("HV02")))
    await quiet.advance(300)
    outcomes = [(str(move.vm), move.kind, move.outcome) for move in world.moves]
    assert outcomes == [
        (first, MoveKind.LIVE, Outcome.COMPLETED),
        (second, MoveKind.LIVE, Outcome.CANCELLED),
        (third, MoveKind.QUICK, Outcome.COMPLETED),
    ]
    await changed(quiet, changes.drain_node(node))
    await quiet.advance(900)
    assert world.hosts["HV01"].drain_status is DrainStatus.COMPLETED
    await changed(quiet, changes.resume_node(node))
    assert world.hosts["HV01"].state is NodeState.UP
    await _change_what_does_not_run(quiet)
    await _change_settings_and_leases(quiet)
    assert {entry.id for entry in ENTRIES.values() if entry.effect is Effect.CHANGES} == CHANGED


async def _change_what_does_not_run(lab: InProcessLab) -> None:
    world = lab.cluster.world
    vm = running_on(lab, "HV02")[0]
    vm.state = type(vm.state).OFF
    await changed(lab, changes.move_vm_stopped(VmId(str(vm.id)), HostName("HV03")))
    await changed(lab, changes.move_group(RoleName("Cluster Group"), HostName("HV01")))
    await changed(lab, changes.move_shared_volume("Cluster Disk 1", HostName("HV04")))
    await lab.advance(30)
    group = world.group_named("Cluster Group")
    assert group is not None
    assert (vm.host, group.owner, world.volumes["Cluster Disk 1"].coordinator) == ("HV03", "HV01", "HV04")


async def _change_settings_and_leases(lab: InProcessLab) -> None:
    settings = lab.cluster.world.settings
    await changed(lab, changes.set_parallel_migrations(4))
    await changed(lab, changes.set_smb_bandwidth(5000))
    await changed(lab, changes.set_balancer(0))
    assert (settings["MaximumParallelMigrations"], settings["SMBBandwidthLimitFactor"]) == (4, 5000)
    assert settings["AutoBalancerMode"] == 0
    (created,) = (await changed(lab, changes.create_lease(LEASE))).rows
    await changed(lab, changes.set_lease_property(LEASE, "Owner", "anna"))
    found = await ask(lab, "HV01", ENTRIES["lease-properties"].bind(Lease=LEASE))
    assert [(row["Name"], row["Value"]) for row in found.rows] == [("Owner", "anna")]
    again = await ask(lab, "HV01", changes.create_lease(LEASE))
    assert [error.code for error in again.errors] == [5010]
    await changed(lab, changes.remove_lease(LEASE, "00000000-0000-0000-0000-000000000000"))
    assert lab.cluster.world.group_named(LEASE) is not None
    await changed(lab, changes.remove_lease(LEASE, str(created["Id"])))
    assert lab.cluster.world.group_named(LEASE) is None


async def test_only_changes_are_counted_as_changes(quiet: InProcessLab) -> None:
    id = VmId(str(running_on(quiet, "HV01")[0].id))
    for call in reads(quiet, id).values():
        await ask(quiet, "HV01", call)
    assert not quiet.cluster.received.changing
    await ask(quiet, "HV01", changes.set_balancer(0))
    assert sum(quiet.cluster.received.changing.values()) == 1
