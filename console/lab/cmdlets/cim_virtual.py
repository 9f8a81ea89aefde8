"""What WMI tells about virtual machines: ``root/virtualization/v2``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from xml.sax.saxutils import escape

from console.lab import surface
from console.lab.cmdlets.cim import provides
from console.lab.cmdlets.invocation import Scope
from console.lab.cmdlets.objects import CimShape
from console.lab.world import facts_processor, progress, telemetry
from console.lab.world.facts_processor import Vector
from console.lab.world.moving import Move, Outcome, Phase
from console.lab.world.state import Host, Transport, VirtualMachine, VmState

VIRTUALIZATION = "root/virtualization/v2"


def guests(scope: Scope) -> list[VirtualMachine]:
    """The VMs on this host, in order."""
    here = scope.world.vms_on.get(scope.host.name, {}).values()
    return sorted(here, key=lambda vm: (vm.name, str(vm.id)))


def _guid(vm: VirtualMachine) -> str:
    return str(vm.id).upper()


@dataclass(frozen=True, slots=True)
class System:
    """The host, or one VM on it."""

    host: Host
    vm: VirtualMachine | None

    @property
    def name(self) -> str:
        """Its Name: the computer's, or the VM's GUID."""
        return self.host.name if self.vm is None else _guid(self.vm)


_ENABLED = {
    VmState.RUNNING: "Enabled",
    VmState.PAUSED: "Quiesce",
    VmState.OFF: "Disabled",
    VmState.STARTING: "Starting",
}


def _enabled(_: Scope, system: System) -> int:
    name = "Enabled" if system.vm is None else _ENABLED.get(system.vm.state, "EnabledButOffline")
    return surface.value("Msvm_ComputerSystem", "EnabledState", name)


COMPUTER_SYSTEM: CimShape[System] = CimShape(
    VIRTUALIZATION,
    "Msvm_ComputerSystem",
    {
        "Name": lambda _, s: s.name,
        "ElementName": lambda _, s: s.host.name if s.vm is None else s.vm.name,
        "Caption": lambda _, s: "Hosting Computer System" if s.vm is None else "Virtual Machine",
        "Description": lambda _, s: (
            "Microsoft Hosting Computer System" if s.vm is None else "Microsoft Virtual Machine"
        ),
        "EnabledState": _enabled,
    },
)


@provides(COMPUTER_SYSTEM)
def systems(scope: Scope) -> Iterable[System]:
    return [System(scope.host, None), *(System(scope.host, vm) for vm in guests(scope))]


SECURITY: CimShape[VirtualMachine] = CimShape(
    VIRTUALIZATION,
    "Msvm_SecuritySettingData",
    {
        "InstanceID": lambda s, v: f"Microsoft:{_guid(v)}\\{facts_processor.setting_guid(s.world, v)}",
        "ElementName": lambda _, v: "Security Settings",
        "TpmEnabled": lambda _, v: v.tpm,
        "ShieldingRequested": lambda _, v: v.shielded,
        "EncryptStateAndVmMigrationTraffic": lambda _, v: v.shielded,
        "BindToHostTpm": lambda _, v: False,
        "DataProtectionRequested": lambda _, v: v.shielded,
    },
)
provides(SECURITY)(guests)


def _active(scope: Scope, host: Host) -> int:
    return scope.world.live_on(host.name)


SERVICE: CimShape[Host] = CimShape(
    VIRTUALIZATION,
    "Msvm_VirtualSystemMigrationService",
    {
        "Name": lambda _, h: "vsmgt",
        "SystemName": lambda _, h: h.name,
        "ActiveVirtualSystemMigrationCount": _active,
        "ActiveStorageMigrationCount": lambda _, h: 0,
        "MigrationServiceListenerIPAddressList": lambda _, h: [each.address for each in h.adapters if each.address],
        "Started": lambda _, h: True,
    },
)


@provides(SERVICE)
def _service(scope: Scope) -> Iterable[Host]:
    return [scope.host]


def _authentication(_: Scope, host: Host) -> int:
    name = host.migration_authentication
    return surface.value("Msvm_VirtualSystemMigrationServiceSettingData", "AuthenticationType", name)


SERVICE_SETTINGS: CimShape[Host] = CimShape(
    VIRTUALIZATION,
    "Msvm_VirtualSystemMigrationServiceSettingData",
    {
        "InstanceID": lambda _, h: "Microsoft:MigrationServiceSettingData",
        "AuthenticationType": _authentication,
        "EnableCompression": lambda _, h: h.migration_transport is Transport.COMPRESSION,
        "EnableSmbTransport": lambda _, h: h.migration_transport is Transport.SMB,
        "EnableVirtualSystemMigration": lambda _, h: h.migration_enabled,
        "MaximumActiveVirtualSystemMigration": lambda _, h: h.maximum_migrations,
        "MaximumActiveStorageMigration": lambda _, h: h.maximum_storage_migrations,
    },
)


@provides(SERVICE_SETTINGS)
def _service_settings(scope: Scope) -> Iterable[Host]:
    return [scope.host]


_ENDS = {Outcome.COMPLETED: "Completed", Outcome.FAILED: "Exception", Outcome.CANCELLED: "Terminated"}


def _job_state(_: Scope, move: Move) -> int:
    name = "Running" if move.outcome is None else _ENDS[move.outcome]
    return surface.value("Msvm_MigrationJob", "JobState", name)


def _job_error(_: Scope, move: Move) -> int:
    return surface.value("Msvm_MigrationJob", "ErrorCode", "Failed" if move.hresult else "None")


def _elapsed(scope: Scope, move: Move) -> timedelta:
    until = scope.world.now_s if move.ended_s is None else move.ended_s
    return timedelta(seconds=round(until - (move.started_s or until), 6))


def _since(move: Move) -> float:
    return move.requested_s if move.started_s is None else move.started_s


def _vm_of(scope: Scope, move: Move) -> VirtualMachine:
    assert move.vm is not None
    return scope.world.vms[move.vm]


JOB: CimShape[Move] = CimShape(
    VIRTUALIZATION,
    "Msvm_MigrationJob",
    {
        "InstanceID": lambda s, m: facts_processor.job_guid(s.world, m),
        "Name": lambda _, m: "Moving Virtual Machine",
        "ElementName": lambda _, m: "Moving Virtual Machine",
        "Caption": lambda _, m: "Moving Virtual Machine",
        "VirtualSystemName": lambda s, m: _guid(_vm_of(s, m)),
        "DestinationHost": lambda _, m: m.destination,
        "PercentComplete": lambda s, m: progress.percent(s.world, m),
        "JobState": _job_state,
        "JobStatus": lambda _, m: "Job is running" if m.outcome is None else "Job completed",
        "StatusDescriptions": lambda _, m: ["Job is running" if m.outcome is None else "Job completed"],
        "JobType": lambda _, m: surface.value("Msvm_MigrationJob", "JobType", "MovingVirtualMachine"),
        "MigrationType": lambda _, m: surface.value("Msvm_MigrationJob", "MigrationType", "VirtualMachine"),
        "ErrorCode": _job_error,
        "ErrorDescription": lambda _, m: m.message,
        "ErrorSummaryDescription": lambda _, m: m.message,
        "Cancellable": lambda _, m: m.phase in (Phase.SETUP, Phase.COPYING),
        "StartTime": lambda s, m: s.world.wall(_since(m)),
        "TimeSubmitted": lambda s, m: s.world.wall(m.requested_s),
        "TimeOfLastStateChange": lambda s, m: s.world.wall(m.ended_s if m.ended_s is not None else _since(m)),
        "ElapsedTime": _elapsed,
        "TimeBeforeRemoval": lambda _, m: timedelta(minutes=5),
        "DeleteOnCompletion": lambda _, m: True,
        "Owner": lambda _, m: m.requested_by_user or "NT AUTHORITY\\SYSTEM",
    },
)


@provides(JOB)
def _jobs(scope: Scope) -> Iterable[Move]:
    return progress.jobs_on(scope.world, scope.host.name)


VECTOR: CimShape[Vector] = CimShape(
    VIRTUALIZATION,
    "Msvm_CompatibilityVector",
    {
        "VectorId": lambda _, v: v.id,
        "CompareOperation": lambda _, v: surface.value("Msvm_CompatibilityVector", "CompareOperation", v.operation),
        "CompatibilityInfo": lambda _, v: v.value,
    },
)
"""Never enumerated: GetSystemCompatibilityVectors returns them."""


def error_instance(message: str) -> str:
    """An Msvm_Error as a method embeds it in a string: CIM-XML."""
    properties = "".join(
        f'<PROPERTY NAME="{name}" TYPE="string"><VALUE>{escape(value)}</VALUE></PROPERTY>'
        for name, value in (("ErrorSource", "Hyper-V"), ("Message", message))
    )
    return f'<INSTANCE CLASSNAME="Msvm_Error">{properties}</INSTANCE>'


SUMMARY: CimShape[VirtualMachine] = CimShape(
    VIRTUALIZATION,
    "Msvm_SummaryInformation",
    {
        "Name": lambda _, v: _guid(v),
        "ElementName": lambda _, v: v.name,
        "EnabledState": lambda s, v: _enabled(s, System(s.host, v)),
        "NumberOfProcessors": lambda _, v: v.processors,
        "ProcessorLoad": lambda s, v: telemetry.vm_cpu_percent(s.world, v),
        "MemoryUsage": lambda _, v: v.held_bytes // 1024**2,
        "Version": lambda _, v: v.version,
        "HostComputerSystemName": lambda s, v: v.host,
        "Shielded": lambda _, v: v.shielded,
    },
)
provides(SUMMARY)(guests)
