"""Cmdlets that an administrator mends a cluster with: settings of hosts, VMs, roles and rights."""

from __future__ import annotations

from collections.abc import Iterable

from console.lab.cmdlets import errors
from console.lab.cmdlets.cim_host import ports
from console.lab.cmdlets.clusters import named
from console.lab.cmdlets.hyper_v import by_name
from console.lab.cmdlets.invocation import Invocation, answers, matches
from console.lab.cmdlets.shapes import FUNCTIONAL_LEVELS
from console.lab.cmdlets.vm_shapes import Part
from console.lab.engine import PsObject, PsValue
from console.lab.world.build_vms import add_role
from console.lab.world.facts import AccessRule
from console.lab.world.service import ClusterRefusal
from console.lab.world.state import Host, Resource, Transport, VirtualMachine, VmState

_MODULE_OF_FEATURE = {"hyper-v-powershell": "Hyper-V", "rsat-clustering-powershell": "FailoverClusters"}


def _hosts(call: Invocation) -> list[Host]:
    """By -ComputerName, else this one."""
    wanted = call.texts("ComputerName")
    if wanted is None:
        return [call.scope.host]
    names = {name.partition(".")[0].casefold() for name in wanted}
    return [host for host in call.world.hosts.values() if host.name.casefold() in names]


@answers("Set-VMHost", changes=True)
def set_vm_host(call: Invocation) -> Iterable[PsValue]:
    performance = call.text("VirtualMachineMigrationPerformanceOption")
    authentication = call.text("VirtualMachineMigrationAuthenticationType")
    at_once = call.arguments.get("MaximumVirtualMachineMigrations")
    for host in _hosts(call):
        if performance is not None:
            host.migration_transport = Transport(performance)
        if authentication is not None:
            host.migration_authentication = authentication
        if isinstance(at_once, int):
            host.maximum_migrations = at_once
    return []


@answers("Enable-VMMigration", changes=True)
def enable_vm_migration(call: Invocation) -> Iterable[PsValue]:
    for host in _hosts(call):
        host.migration_enabled = True
    return []


@answers("Set-VMDvdDrive", changes=True)
def set_vm_dvd_drive(call: Invocation) -> Iterable[PsValue]:
    """Another medium in each drive of the pipeline, none for an empty path."""
    path = call.text("Path") or ""
    for part in (value.instance for value in call.input if isinstance(value, PsObject)):
        if isinstance(part, Part):
            part.vm.dvd_path, part.vm.dvd_kind = path, "ISO" if path else "None"
    return []


@answers("Resume-VM", changes=True)
def resume_vm(call: Invocation) -> Iterable[PsValue]:
    for vm in by_name(call, call.texts("Name") or []):
        if vm.state is VmState.PAUSED:
            vm.state = VmState.RUNNING
    return []


@answers("Stop-VM", changes=True)
def stop_vm(call: Invocation) -> Iterable[PsValue]:
    for vm in by_name(call, call.texts("Name") or []):
        if vm.running:
            vm.state = VmState.OFF
    call.scope.cluster.touch()
    return []


def _that_are_off(call: Invocation, names: list[str]) -> Iterable[VirtualMachine]:
    """The VMs of these names; one that is not off is an error."""
    for vm in by_name(call, names):
        if vm.state is VmState.OFF:
            yield vm
        else:
            call.error(errors.vm_not_off(call.cmdlet, vm.name))


@answers("Set-VMProcessor", changes=True)
def set_vm_processor(call: Invocation) -> Iterable[PsValue]:
    mode = call.text("CompatibilityForMigrationMode")
    for vm in _that_are_off(call, call.texts("VMName") or []):
        if "CompatibilityForMigrationEnabled" in call.arguments:
            vm.compatibility_enabled = bool(call.arguments["CompatibilityForMigrationEnabled"])
        if mode is not None:
            vm.compatibility_mode = mode
    return []


@answers("Update-VMVersion", changes=True)
def update_vm_version(call: Invocation) -> Iterable[PsValue]:
    """To the newest that this host knows."""
    for vm in _that_are_off(call, call.texts("Name") or []):
        vm.version = max(call.scope.host.vm_versions, key=lambda version: [int(part) for part in version.split(".")])
    return []


@answers("Set-ClusterOwnerNode", changes=True)
def set_owner_node(call: Invocation) -> Iterable[PsValue]:
    world, owners = call.world, tuple(call.texts("Owners") or ())
    unknown = [name for name in owners if name.casefold() not in {host.casefold() for host in world.hosts}]
    for name in unknown:
        refusal = ClusterRefusal(5042, f"The cluster node '{name}' was not found.", name)
        call.error(errors.cluster(call.cmdlet, refusal))
    if unknown:
        return []
    if "Group" in call.arguments:
        for group in named(call, world.groups.values(), lambda one: one.name, 5013, "The cluster group", "Group"):
            group.preferred_owners = owners
    resources = call.instances(Resource)
    if "Resource" in call.arguments:
        known = world.resources.values()
        resources += named(call, known, lambda one: one.name, 5007, "The cluster resource", "Resource")
    for resource in resources:
        resource.possible_owners = owners
    call.scope.cluster.touch()
    return []


@answers("Add-ClusterVirtualMachineRole", changes=True)
def add_vm_role(call: Invocation) -> Iterable[PsValue]:
    world, identifier = call.world, call.text("VMId")
    for vm in list(world.vms.values()):
        if str(vm.id) == identifier and not vm.clustered:
            vm.clustered = True
            add_role(world, vm, 2000, world.dice("role", vm.id))
    call.scope.cluster.touch()
    return []


@answers("Update-ClusterFunctionalLevel", changes=True)
def update_functional_level(call: Invocation) -> Iterable[PsValue]:
    """Up to what the oldest node knows."""
    builds = [host.build for host in call.world.hosts.values()]
    newest = max(FUNCTIONAL_LEVELS.values())
    level = min(FUNCTIONAL_LEVELS.get(build, newest) for build in builds)
    call.world.settings["ClusterFunctionalLevel"] = level
    call.scope.cluster.touch()
    return []


@answers("Grant-ClusterAccess", changes=True)
def grant_access(call: Invocation) -> Iterable[PsValue]:
    facts, rights = call.world.facts, "Full" if call.flag("Full") else "Read"
    users = call.texts("User") or []
    known = {user.casefold() for user in users}
    kept = [rule for rule in facts.access if rule.identity.casefold() not in known]
    facts.access = (*kept, *(AccessRule(user, rights) for user in users))
    return []


@answers("Install-WindowsFeature", changes=True)
def install_feature(call: Invocation) -> Iterable[PsValue]:
    host, facts = call.scope.host, call.world.facts
    for name in (feature.casefold() for feature in call.texts("Name") or []):
        if name == "fs-smbbw":
            host.smb_bandwidth_feature = True
        elif name in _MODULE_OF_FEATURE:
            lacking = facts.missing_modules.get(host.name, ())
            facts.missing_modules[host.name] = tuple(one for one in lacking if one != _MODULE_OF_FEATURE[name])
    return []


@answers("Set-SmbServerConfiguration", changes=True)
def set_smb_server(call: Invocation) -> Iterable[PsValue]:
    if "EncryptData" in call.arguments:
        call.scope.host.smb_encryption = call.flag("EncryptData")
    return []


@answers("Enable-NetAdapterVmq", changes=True)
def enable_vmq(call: Invocation) -> Iterable[PsValue]:
    patterns = call.texts("Name") or []
    for port in ports(call.scope):
        if any(matches(pattern, port.adapter.name) for pattern in patterns):
            port.adapter.vmq = True
    return []


@answers("Set-ADComputer", changes=True)
def set_ad_computer(call: Invocation) -> Iterable[PsValue]:
    """More services that a host's account may delegate to."""
    added = call.arguments.get("Add")
    given = dict(added).get("msDS-AllowedToDelegateTo") if isinstance(added, dict) else None
    services = [str(one) for one in (given if isinstance(given, list) else [given]) if one]
    for host in call.world.hosts.values():
        if host.name.casefold() == (call.text("Identity") or "").casefold():
            host.delegated_services += [one for one in services if one not in host.delegated_services]
    return []
