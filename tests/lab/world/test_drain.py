"""The native drain empties a node, within the limits, and conserves memory."""

from __future__ import annotations

from console.lab.engine import Command, PsEnum, PsObject
from console.lab.serve import InProcessLab
from console.lab.world.moving import Outcome


async def _drain_status(lab: InProcessLab) -> str:
    outputs, errors = await lab.run(
        "HV02",
        [
            Command("Get-ClusterNode", {"Name": "HV01"}),
            Command("Select-Object", {"Property": ["Name", "State", "DrainStatus"]}),
        ],
    )
    assert not errors
    (row,) = outputs
    assert isinstance(row, PsObject)
    status = row.properties["DrainStatus"]
    assert isinstance(status, PsEnum)
    return status.name


async def test_a_native_drain_moves_everything_and_ends_completed() -> None:
    async with InProcessLab("quiet") as lab:
        _, errors = await lab.run("HV02", [Command("Suspend-ClusterNode", {"Name": "HV01", "Drain": True})])
        assert not errors
        assert await _drain_status(lab) == "InProgress"
        await lab.advance(600)
        assert await _drain_status(lab) == "Completed"
        world = lab.cluster.world
        assert not world.groups_on("HV01")
        assert not world.vms_on["HV01"]
        assert {move.outcome for move in world.moves} == {Outcome.COMPLETED}
        assert not world.limits.violations
        assert world.limits.most_by_node["HV01"] == 2


async def test_memory_is_conserved_at_every_moment_of_a_drain() -> None:
    async with InProcessLab("quiet") as lab:
        world = lab.cluster.world
        total = sum(vm.memory_bytes for vm in world.vms.values() if vm.running)
        await lab.run("HV02", [Command("Suspend-ClusterNode", {"Name": "HV01", "Drain": True})])
        for _ in range(120):
            await lab.advance(1)
            held = sum(sum(host.incoming_bytes.values()) for host in world.hosts.values())
            used = sum(world.used_bytes(name) for name in world.hosts)
            assert used - held == total
            assert all(world.free_bytes(name) >= 0 for name in world.hosts)
        assert not any(host.incoming_bytes for host in world.hosts.values())


async def test_resume_without_failback_leaves_the_node_empty_and_up() -> None:
    async with InProcessLab("quiet") as lab:
        await lab.run("HV02", [Command("Suspend-ClusterNode", {"Name": "HV01", "Drain": True})])
        await lab.advance(600)
        _, errors = await lab.run("HV02", [Command("Resume-ClusterNode", {"Name": "HV01", "Failback": "NoFailback"})])
        assert not errors
        await lab.advance(600)
        assert await _drain_status(lab) == "NotInitiated"
        assert not lab.cluster.world.groups_on("HV01")


async def test_resume_with_immediate_failback_brings_the_roles_back() -> None:
    async with InProcessLab("quiet") as lab:
        before = {group.name for group in lab.cluster.world.groups_on("HV01")}
        await lab.run("HV02", [Command("Suspend-ClusterNode", {"Name": "HV01", "Drain": True})])
        await lab.advance(600)
        await lab.run("HV02", [Command("Resume-ClusterNode", {"Name": "HV01", "Failback": "Immediate"})])
        await lab.advance(600)
        assert {group.name for group in lab.cluster.world.groups_on("HV01")} == before


async def test_resuming_a_node_that_is_not_paused_says_so() -> None:
    async with InProcessLab("quiet") as lab:
        outputs, errors = await lab.run("HV02", [Command("Resume-ClusterNode", {"Name": "HV01"})])
        assert not outputs
        assert [error.native_code for error in errors] == [5058]


async def test_a_second_drain_of_a_draining_node_is_refused() -> None:
    async with InProcessLab("quiet") as lab:
        command = Command("Suspend-ClusterNode", {"Name": "HV01", "Drain": True})
        await lab.run("HV02", [command])
        _, errors = await lab.run("HV03", [command])
        assert [error.native_code for error in errors] == [5962]
