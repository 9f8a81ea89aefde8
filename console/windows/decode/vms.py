"""Get-VM rows into virtual machines. Property names and numbers: reflected Hyper-V module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.model.cluster import Heartbeat, VirtualMachine, VmState
from console.model.identity import HostName, VmRef
from console.windows.commands import Row

from .values import Problems, Reader

_CRITICAL = range(32785, 32797)
"""VMState RunningCritical to FastSavingCritical."""

_UNNAMED = frozenset((32781, 32782, 32783, 32784))
"""ForceShutdown, ForceReboot, Hibernated, ComponentServicing: attested, no state of the model's own."""


def virtual_machines(
    rows: Sequence[Row], host: HostName, read_at: datetime, problems: Problems
) -> tuple[VirtualMachine, ...]:
    """The VMs that were seen on ``host``, not yet joined with their roles.

    A row without a readable Id is left out: nothing could be done with that VM.
    """
    found = (_virtual_machine(Reader(row, problems), host, read_at, problems) for row in rows)
    return tuple(vm for vm in found if vm is not None)


def _virtual_machine(read: Reader, host: HostName, read_at: datetime, problems: Problems) -> VirtualMachine | None:
    id = read.vm_id("Id")
    if id is None:
        return None
    number = read.number("State")
    return VirtualMachine(
        ref=VmRef(id, read.text("Name") or "", None),
        host=host,
        state=_state(number, problems),
        state_number=-1 if number is None else number,
        clustered=bool(read.truth("IsClustered")),
        read_at=read_at,
        operational_status=read.numbers("OperationalStatus", nullable=False) or (),
        memory_assigned_bytes=read.size("MemoryAssigned"),
        memory_startup_bytes=read.size("MemoryStartup"),
        memory_demand_bytes=read.size("MemoryDemand", nullable=True),
        dynamic_memory=read.truth("DynamicMemoryEnabled"),
        processors=read.size("ProcessorCount"),
        cpu_percent=read.size("CPUUsage", nullable=True),
        version=read.text("Version"),
        generation=read.size("Generation"),
        uptime_s=read.duration_s("Uptime", nullable=True),
        heartbeat=read.enum("Heartbeat", Heartbeat, nullable=True),
        status=read.text("Status", nullable=True) or "",
    )


def _state(number: int | None, problems: Problems) -> VmState:
    if number is None:
        return VmState.UNKNOWN
    if number in _CRITICAL:
        return VmState.CRITICAL
    if number in _UNNAMED:
        return VmState.OTHER
    try:
        return VmState(number)
    except ValueError:
        problems.add("State", f"has the value {number}, which this version does not know")
        return VmState.UNKNOWN
