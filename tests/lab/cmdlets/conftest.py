"""A lab in which something is going on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from console.lab.serve import InProcessLab
from console.model.identity import HostName, VmId
from console.windows.catalogue import changes
from tests.lab.cmdlets.asking import LEASE
from tests.lab.cmdlets.driving import ask, running_on


async def stir(lab: InProcessLab) -> VmId:
    """A lease, a finished move, a failed one and one in its middle; the VM that moves now."""
    biggest, second, third, *_ = running_on(lab, "HV01")
    await ask(lab, "HV02", changes.create_lease(LEASE))
    await ask(lab, "HV02", changes.set_lease_property(LEASE, "Owner", "anna"))
    await ask(lab, "HV01", changes.move_vm_live(VmId(str(third.id)), HostName("HV03")))
    lab.cluster.mover.fail(next(iter(lab.cluster.world.pending.values())), 0x8007274C)
    await ask(lab, "HV01", changes.move_vm_live(VmId(str(second.id)), HostName("HV02")))
    await lab.advance(120)
    await ask(lab, "HV01", changes.move_vm_live(VmId(str(biggest.id)), HostName("HV02")))
    await lab.advance(6)
    return VmId(str(biggest.id))


@pytest.fixture
async def quiet() -> AsyncIterator[InProcessLab]:
    async with InProcessLab("quiet") as lab:
        yield lab
