"""One contract for both kinds of endpoint: the exported functions, run by the lab, say what the plain pipelines say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.drain.state import Outcome
from console.inventory.detailing import read_details
from console.inventory.fine import read_fine_facts
from console.inventory.reading import read_cluster
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.model.failures import CommandFailed, CommandMissing
from console.model.identity import HostName, RoleName, VmId
from console.windows.catalogue import ENTRIES, changes
from console.windows.commands import Call, Effect
from console.windows.modules import OPERATE_ENDPOINT, WATCH_ENDPOINT
from tests.lab.cmdlets.asking import LEASE, reads
from tests.lab.cmdlets.conftest import stir
from tests.lab.cmdlets.driving import running_on
from tests.labdoor import LabDoor, run_until_done
from tests.runner.drains import Drain

HV01, HV02 = HostName("HV01"), HostName("HV02")


@pytest.fixture
async def lab(exported: Path) -> AsyncIterator[InProcessLab]:
    async with InProcessLab("quiet", sessions=exported) as running:
        yield running


@pytest.mark.parametrize("endpoint", [WATCH_ENDPOINT, OPERATE_ENDPOINT])
async def test_every_read_brings_the_same_rows(lab: InProcessLab, endpoint: str) -> None:
    calls = reads(lab, await stir(lab))
    plain, constrained = LabDoor(lab), LabDoor(lab, endpoint)
    assert set(calls) == {entry.id for entry in ENTRIES.values() if entry.effect is Effect.READS}
    for id, call in calls.items():
        if id == "abilities":
            continue
        before, answer = await plain.read(HV01, call), await constrained.read(HV01, call)
        assert answer.errors == before.errors, id
        assert answer.rows == before.rows, id


async def test_abilities_are_the_functions(lab: InProcessLab) -> None:
    names = ("Get-VM", "Suspend-ClusterNode", "Suspend-DrainboardNode", "Get-DrainboardVM")
    call = ENTRIES["abilities"].bind(Name=names)
    for endpoint, able in ((WATCH_ENDPOINT, names[3:]), (OPERATE_ENDPOINT, names[2:])):
        with pytest.raises(CommandMissing):
            await LabDoor(lab, endpoint).read(HV01, call)
        answer = await LabDoor(lab, endpoint).read(HV01, ENTRIES["abilities"].bind(Name=able))
        assert [(row["Name"], row["ModuleName"]) for row in answer.rows] == [(name, "Drainboard") for name in able]


def _every_change(lab: InProcessLab) -> list[Call]:
    """One call of each changing entry, in an order in which all succeed."""
    first, second, third, *_ = (VmId(str(vm.id)) for vm in running_on(lab, "HV01"))
    other = next(group.name for group in lab.cluster.world.groups.values() if group.vm is None)
    volume = next(iter(lab.cluster.world.volumes))
    return [
        changes.create_lease(LEASE),
        changes.set_lease_property(LEASE, "DrainboardOwner", "anna"),
        changes.set_lease_property(LEASE, "MaximumParallelMigrations", ""),
        changes.set_parallel_migrations(3),
        changes.set_smb_bandwidth(5000),
        changes.set_balancer(0),
        changes.pause_node(HV01),
        changes.move_vm_live(first, HV02),
        changes.cancel_move(first),
        changes.move_vm_quick(second, HV02),
        changes.move_vm_stopped(third, HV02),
        changes.move_group(RoleName(other), HV02),
        changes.move_shared_volume(volume, HV02),
        changes.drain_node(HV01, HV02),
        changes.resume_node(HV01),
    ]


async def _all_changed(exported: Path, endpoint: str) -> tuple[list[object], object]:
    async with InProcessLab("quiet", sessions=exported) as lab:
        door = LabDoor(lab, endpoint)
        answers: list[object] = []
        for call in _every_change(lab):
            answer = await door.change(HV02, call)
            assert not answer.errors, (call.entry, answer.errors)
            answers.append(answer)
        id = str((await door.read(HV02, ENTRIES["leases"].bind())).rows[0]["Id"])
        answers.append(await door.change(HV02, changes.remove_lease(LEASE, id)))
        answers.append((await door.read(HV02, ENTRIES["leases"].bind())).rows)
        await lab.advance(600)
        settings = dict(lab.cluster.world.settings)
        return answers, (settings, [(move.vm, move.kind, move.outcome) for move in lab.cluster.world.moves])


async def test_every_change_does_the_same(exported: Path) -> None:
    plain = await _all_changed(exported, "Microsoft.PowerShell")
    assert await _all_changed(exported, OPERATE_ENDPOINT) == plain


async def test_who_watches_can_change_nothing(lab: InProcessLab) -> None:
    door = LabDoor(lab, WATCH_ENDPOINT)
    for call in _every_change(lab):
        with pytest.raises(CommandMissing):
            await door.change(HV01, call)
    assert not lab.cluster.received.changing


@pytest.mark.parametrize(
    "call",
    [
        changes.resume_node(HostName("*")),
        changes.remove_lease(RoleName("Cluster Group"), "0a1b2c3d-0000-4000-8000-000000000001"),
        changes.create_lease(RoleName("Files")),
        changes.set_balancer(9),
    ],
    ids=lambda call: call.entry,
)
async def test_what_the_functions_do_not_take_is_refused_before_a_command_runs(lab: InProcessLab, call: Call) -> None:
    door = LabDoor(lab, OPERATE_ENDPOINT)
    groups = set(lab.cluster.world.groups)
    answer = await door.change(HV01, call)
    assert answer.errors[0].identifier.startswith("ParameterArgumentValidationError,")
    assert not answer.rows
    assert set(lab.cluster.world.groups) == groups


async def test_the_inventory_is_the_same(lab: InProcessLab) -> None:
    found = []
    for endpoint in ("Microsoft.PowerShell", OPERATE_ENDPOINT):
        door = LabDoor(lab, endpoint)
        cluster = await run_until_done(lab, read_cluster(door, [HV01], lab.clock))
        cluster = await run_until_done(lab, read_details(door, await read_fine_facts(door, cluster), HV01))
        assert not cluster.problems
        found.append(cluster)
    plain, constrained = found
    assert [vm.id for vm in plain.vms] == [vm.id for vm in constrained.vms]
    assert plain.vms == constrained.vms
    assert plain.settings == constrained.settings


async def test_a_drain_through_the_operating_endpoint_empties_the_node(exported: Path, tmp_path: Path) -> None:
    async with InProcessLab("quiet", sessions=exported) as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            drain = Drain(lab, LabDoor(lab, OPERATE_ENDPOINT), journal, tmp_path)
            await drain.open()
            state = await drain.finish()
    assert state.outcome is Outcome.DRAINED
    assert state.verified_empty
    assert not lab.cluster.world.groups_on("HV01")
    assert not lab.cluster.world.limits.violations


async def test_a_read_of_what_is_not_there_fails_as_the_plain_one(lab: InProcessLab) -> None:
    call = ENTRIES["group-of-vm"].bind(VMId="0a1b2c3d-0000-4000-8000-00000000ffff")
    said = []
    for endpoint in ("Microsoft.PowerShell", WATCH_ENDPOINT):
        with pytest.raises(CommandFailed) as caught:
            await LabDoor(lab, endpoint).read(HV01, call)
        said.append((caught.value.what, caught.value.code))
    assert said[0] == said[1]
