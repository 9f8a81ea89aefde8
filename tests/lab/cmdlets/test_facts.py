"""What is told follows the world: events, latencies, heartbeats, memory, vectors, storage, rights."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from console.checks.processor import failing_vectors
from console.lab.serve import InProcessLab
from console.lab.world.faults import WorldFaults
from console.model.identity import HostName, VmId
from console.windows import decode
from console.windows.catalogue import ENTRIES, changes, cluster, events
from console.windows.commands import Call
from console.windows.decode import Problems
from console.windows.decode.events import EventRecord
from console.windows.decode.progress import VolumeCounters
from tests.lab.cmdlets.conftest import stir
from tests.lab.cmdlets.decoding import DECODERS
from tests.lab.cmdlets.driving import ask, running_on

CROWDED = """
title = "The shared volumes and the migrations share a slow network"
host_count = 3
csv_shares_network = "Only"
[hosts]
migration_transport = "SMB"
memory_gib = 512
[[networks]]
name = "Only"
address = "10.20.0.0"
gbps = 1
[vms]
per_host = 4
off_share = 0.0
[settings]
MaximumParallelMigrations = 4
"""


async def told(lab: InProcessLab, host: str, call: Call) -> object:
    problems = Problems(call.entry)
    value = DECODERS[call.entry]((await ask(lab, host, call)).rows, problems)
    assert not problems, problems.sentences()
    return value


async def records(lab: InProcessLab, host: str) -> list[EventRecord]:
    found = await told(lab, host, events.migration_events(86400.0))
    assert isinstance(found, tuple)
    return list(found)


async def test_both_ends_of_a_move_write_what_became_of_it(quiet: InProcessLab) -> None:
    await stir(quiet)
    failed, done, _ = quiet.cluster.world.moves
    (arrived,) = (event for event in await records(quiet, "HV02") if event.id == 20415)
    assert arrived.vm == str(done.vm)
    assert arrived.blackout_s == pytest.approx(done.blackout_s, abs=0.051)
    assert arrived.at == quiet.cluster.world.wall(done.ended_s or 0.0)
    at_source = await records(quiet, "HV01")
    assert [event.id for event in at_source] == [20418, 1106, 21024, 21502]
    assert [event.failure_code for event in at_source if event.id == 1106] == [failed.hresult]
    assert {event.vm for event in at_source if event.id != 21502} == {str(done.vm), str(failed.vm)}


async def test_a_crowded_network_shows_in_latency_stalls_and_heartbeats(tmp_path: Path) -> None:
    scenario = tmp_path / "crowded.toml"
    scenario.write_text(CROWDED, "utf-8")
    async with InProcessLab(str(scenario)) as lab:
        calm = await _pressure(lab)
        for vm in running_on(lab, "HV01"):
            await ask(lab, "HV01", changes.move_vm_live(VmId(str(vm.id)), HostName("HV02")))
        crowded = await _pressure(lab)
    assert (calm[1], calm[2]) == (0.0, 0)
    assert crowded[0] > 5 * calm[0]
    assert crowded[1] > 50
    assert crowded[2] > 0


async def _pressure(lab: InProcessLab) -> tuple[float, float, int]:
    """Read latency of a volume, SMB stalls a second, heartbeats missed."""
    await lab.advance(8)
    before = await told(lab, "HV01", ENTRIES["volume-latencies"].bind())
    await lab.advance(2)
    after = await told(lab, "HV01", ENTRIES["volume-latencies"].bind())
    stalls = await told(lab, "HV01", ENTRIES["smb-stalls"].bind())
    beats = await told(lab, "HV01", ENTRIES["heartbeats"].bind())
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert isinstance(stalls, float)
    assert isinstance(beats, tuple)
    latency = _latency(after["Volume1"], before["Volume1"])
    return latency, stalls, max(beat.missing for beat in beats)


def _latency(after: VolumeCounters, before: VolumeCounters) -> float:
    found = after.read_latency_s(before)
    assert found is not None
    return found


async def test_a_node_that_is_down_misses_every_heartbeat(quiet: InProcessLab) -> None:
    WorldFaults(quiet.cluster).throw({"kind": "host-down", "host": "HV04"})
    beats = await told(quiet, "HV01", ENTRIES["heartbeats"].bind())
    assert isinstance(beats, tuple)
    assert {beat.missing == beat.limit for beat in beats if beat.missing} == {True}
    assert sum(1 for beat in beats if beat.missing) == 3  # one on each network


async def test_memory_that_a_move_needs_is_gone_at_its_destination(quiet: InProcessLab) -> None:
    vm = running_on(quiet, "HV01")[0]
    call = ENTRIES["memory-counters"].bind()
    before = (await ask(quiet, "HV02", call)).rows[0]["AvailableBytes"]
    await ask(quiet, "HV01", changes.move_vm_live(VmId(str(vm.id)), HostName("HV02")))
    await quiet.advance(4)
    after = (await ask(quiet, "HV02", call)).rows[0]["AvailableBytes"]
    assert isinstance(before, int)
    assert after == before - vm.memory_bytes


async def test_vectors_fit_where_the_processor_does(quiet: InProcessLab) -> None:
    world = quiet.cluster.world
    vm = running_on(quiet, "HV01")[0]
    world.hosts["HV02"].processor_features = 0x7FFF_FFFF
    world.hosts["HV03"].processor_manufacturer = "AuthenticAMD"
    rows = (await ask(quiet, "HV01", ENTRIES["vm-vectors"].bind())).rows
    mine = decode.host.vectors([row for row in rows if UUID(str(row["VMId"])) == vm.id], Problems("x"))
    fits = {}
    for name in world.hosts:
        host = decode.host.vectors((await ask(quiet, name, ENTRIES["host-vectors"].bind())).rows, Problems("x"))
        fits[name] = [vector.vector_id for vector in failing_vectors(mine, host)]
    assert fits == {"HV01": [], "HV02": [3], "HV03": [1], "HV04": []}


async def test_a_vm_that_is_off_has_no_vectors(quiet: InProcessLab) -> None:
    vm = running_on(quiet, "HV01")[0]
    vm.state = type(vm.state).OFF
    rows = (await ask(quiet, "HV01", ENTRIES["vm-vectors"].bind())).rows
    assert str(vm.id).upper() not in {row["VMId"] for row in rows}


async def test_a_repair_goes_on_and_ends() -> None:
    async with InProcessLab(str(Path(__file__).with_name("furnished.toml"))) as lab:
        await lab.advance(50_000)
        (job, *_) = (await ask(lab, "HV02", ENTRIES["storage-jobs"].bind())).rows
        assert job["PercentComplete"] == 50
        await lab.advance(50_001)
        assert not (await ask(lab, "HV02", ENTRIES["storage-jobs"].bind())).rows
        disks = (await ask(lab, "HV02", ENTRIES["virtual-disks"].bind())).rows
        assert {disk["HealthStatus"] for disk in disks} == {0}


async def test_delegation_that_is_not_there_is_seen(quiet: InProcessLab) -> None:
    quiet.cluster.world.hosts["HV02"].delegation = False
    call = cluster.delegation([HostName("HV01"), HostName("HV02")])
    found = await told(quiet, "HV03", call)
    assert isinstance(found, dict)
    assert [len(found[name].entries) for name in ("hv01", "hv02")] == [12, 0]
    assert [found[name].any_protocol for name in ("hv01", "hv02")] == [True, False]


async def test_a_registry_name_in_small_letters_is_seen(quiet: InProcessLab) -> None:
    quiet.cluster.world.hosts["HV02"].registry_name = "hv02"
    rows = (await ask(quiet, "HV02", ENTRIES["computer-name"].bind())).rows
    assert dict(rows[0]) == {"ReturnValue": 0, "sValue": "hv02"}


async def test_a_scenario_says_which_hosts_lack_modules(tmp_path: Path) -> None:
    scenario = tmp_path / "bare.toml"
    scenario.write_text(CROWDED + '[[host]]\nname = "HV02"\nmissing_modules = ["Hyper-V"]\n', "utf-8")
    async with InProcessLab(str(scenario)) as lab:
        call = ENTRIES["modules"].bind()
        names = [[row["Name"] for row in (await ask(lab, host, call)).rows] for host in ("HV01", "HV02")]
    assert names == [["FailoverClusters", "Hyper-V", "NetworkATC"], ["FailoverClusters", "NetworkATC"]]
