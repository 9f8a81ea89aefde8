"""A move that a conflict forbids, tried all the same, fails as Windows fails it: with its error and its event."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.lab.engine import Command
from console.lab.serve import InProcessLab
from console.lab.world.moving import Outcome
from console.lab.world.state import Host, VirtualMachine
from console.model.identity import HostName, VmId
from console.windows import decode
from console.windows.catalogue import changes, events
from console.windows.decode import Problems
from console.windows.decode.events import FAILED_IDS
from tests.lab.cmdlets.driving import ask, running_on

Break = Callable[[VirtualMachine, Host], None]


def _no_switch(vm: VirtualMachine, host: Host) -> None:
    host.switches.clear()


def _other_processor(vm: VirtualMachine, host: Host) -> None:
    host.processor_manufacturer = "AuthenticAMD"


def _local_disk(vm: VirtualMachine, host: Host) -> None:
    vm.disks[0].path = "D:\\VMs\\data.vhdx"


def _disabled(vm: VirtualMachine, host: Host) -> None:
    host.migration_enabled = False


@pytest.mark.parametrize("cause", [_no_switch, _other_processor, _local_disk, _disabled])
async def test_it_fails_with_the_error_and_the_event(cause: Break) -> None:
    async with InProcessLab("quiet") as lab:
        vm = running_on(lab, "HV01")[0]
        cause(vm, lab.cluster.world.hosts["HV02"])
        await ask(lab, "HV01", changes.move_vm_live(VmId(str(vm.id)), HostName("HV02")))
        await lab.advance(120)
        (move,) = lab.cluster.world.moves
        assert move.outcome is Outcome.FAILED
        assert move.hresult & 0x80000000
        assert vm.host == "HV01"
        told = decode.events.records((await ask(lab, "HV01", events.migration_events(3600.0))).rows, Problems("x"))
        failed = [event for event in told if event.id in FAILED_IDS and event.vm == str(vm.id)]
        assert failed
        assert {event.failure_code for event in failed if event.failure_code is not None} == {move.hresult}


async def test_a_native_drain_can_not_empty_a_role_of_two_vms() -> None:
    async with InProcessLab("broken/roles") as lab:
        world = lab.cluster.world
        kinds = {group.id: [one.kind for one in world.resources_in(group.id)] for group in world.groups.values()}
        double = next(group for group in world.groups.values() if kinds[group.id].count("Virtual Machine") > 1)
        await lab.run("HV02", [Command("Suspend-ClusterNode", {"Name": double.owner, "Drain": True})])
        node = double.owner
        await lab.advance(1800)
        assert double.owner == node
        assert world.hosts[node].drain_status.value == "Failed"
        assert {21124, 1137, 1677} <= {event.id for event in world.log.of(node)}
