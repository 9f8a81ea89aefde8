"""Conflicts of hosts: sign-in for migration, availability, versions."""

from __future__ import annotations

from collections.abc import Iterator

from console.model.cluster import Contact, Host, MigrationAuthentication, NodeFlags, NodeState

from .registry import Check, Facts, Family, Finding, check, host_evidence, listed, on_host, quoted
from .values import Conflict, Evidence, Fix, Severity, Subject

BUILD_2025 = 26100
"""Win32_OperatingSystem.BuildNumber of Windows Server 2025."""


def _to_kerberos(host: str) -> Fix:
    return Fix(
        "First have a domain administrator set up constrained delegation between all nodes; then switch every node to "
        "Kerberos.",
        f"Set-VMHost -ComputerName {quoted(host)} -VirtualMachineMigrationAuthenticationType Kerberos",
    )


@check(
    "auth-credssp-credential-guard",
    Severity.BLOCKS,
    Family.AUTHENTICATION,
    "CredSSP is chosen on a host on which Credential Guard runs",
    "Live Migration Internals and Tuning, Credential Guard; Win32_DeviceGuard.SecurityServicesRunning has 1",
    reads=("vm-host.VirtualMachineMigrationAuthenticationType", "device-guard.SecurityServicesRunning"),
)
def credssp_under_credential_guard(facts: Facts, this: Check) -> Iterator[Finding]:
    for host in facts.hosts():
        subject = Subject(host=host.name)
        if host.migration_authentication is None:
            yield this.unknown(subject, f"{host.name}: the authentication of live migration (Get-VMHost) was not read.")
        elif host.migration_authentication is not MigrationAuthentication.CREDSSP:
            continue
        elif host.credential_guard is None:
            yield this.unknown(subject, f"{host.name}: whether Credential Guard runs (Win32_DeviceGuard) was not read.")
        elif host.credential_guard:
            yield _credssp_conflict(this, host)


def _credssp_conflict(this: Check, host: Host) -> Conflict:
    """Blocks until disproved: a move that ended well here since the last start shows that this way is spared."""
    evidence = host_evidence(host, "VirtualMachineMigrationAuthenticationType", "CredSSP")
    evidence += host_evidence(host, "SecurityServicesRunning", "1 (Credential Guard)")
    disproved = host.arrived_at is not None and host.started_at is not None and host.arrived_at > host.started_at
    if disproved and host.arrived_at is not None:
        evidence += host_evidence(host, "20415/20418 since the last start", host.arrived_at.isoformat())
    return this.conflict(
        Subject(host=host.name),
        f"{host.name} uses CredSSP for live migration while Credential Guard runs: sign-in between hosts fails. "
        + (
            "A live migration ended well since its last start all the same."
            if disproved
            else "Moves that the cluster service starts may be spared."
        ),
        evidence,
        _to_kerberos(host.name),
        Severity.ADVICE if disproved else None,
    )


@check(
    "auth-credssp-before-upgrade",
    Severity.RISKS,
    Family.AUTHENTICATION,
    "CredSSP anywhere in a cluster that has 2025 nodes",
    "Live Migration Internals and Tuning, upgrade order",
    reads=("vm-host.VirtualMachineMigrationAuthenticationType", "operating-system.BuildNumber"),
)
def credssp_before_upgrade(facts: Facts, this: Check) -> Iterator[Finding]:
    newer = [host for host in facts.hosts() if (host.build or 0) >= BUILD_2025]
    if not newer:
        return
    for host in facts.hosts():
        if host.migration_authentication is MigrationAuthentication.CREDSSP and not host.credential_guard:
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} uses CredSSP while the cluster has Windows Server 2025 nodes ({newer[0].name}): "
                "it stops working when Credential Guard comes on. Switch before the upgrade goes on.",
                host_evidence(host, "VirtualMachineMigrationAuthenticationType", "CredSSP")
                + host_evidence(newer[0], "BuildNumber", newer[0].build),
                _to_kerberos(host.name),
            )


@check(
    "auth-mixed",
    Severity.RISKS,
    Family.AUTHENTICATION,
    "Hosts differ in the authentication of live migration",
    "Live Migration Internals and Tuning, Credential Guard",
    reads=("vm-host.VirtualMachineMigrationAuthenticationType",),
)
def mixed_authentication(facts: Facts, this: Check) -> Iterator[Finding]:
    known = [host for host in facts.hosts() if host.migration_authentication is not None]
    kinds = {host.migration_authentication for host in known}
    if len(kinds) < 2:
        return
    others = [host.name for host in known if host.migration_authentication is MigrationAuthentication.KERBEROS]
    for host in known:
        if host.migration_authentication is MigrationAuthentication.CREDSSP:
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} uses CredSSP for live migration, {listed(others)} Kerberos: both ends have to agree.",
                host_evidence(host, "VirtualMachineMigrationAuthenticationType", "CredSSP"),
                _to_kerberos(host.name),
            )


@check(
    "host-migration-disabled",
    Severity.BLOCKS,
    Family.AUTHENTICATION,
    "Live migration is switched off at one end",
    "Get-VMHost VirtualMachineMigrationEnabled; Microsoft support 4558514",
    reads=("vm-host.VirtualMachineMigrationEnabled",),
)
def migration_disabled(facts: Facts, this: Check) -> Iterator[Finding]:
    for host in facts.hosts():
        if host.migration_enabled is None:
            yield this.unknown(
                Subject(host=host.name), f"{host.name}: VirtualMachineMigrationEnabled (Get-VMHost) was not read."
            )
        elif not host.migration_enabled:
            yield this.conflict(
                Subject(host=host.name),
                f"Live migration is switched off on {host.name}: nothing can leave it or arrive live.",
                host_evidence(host, "VirtualMachineMigrationEnabled", False),
                Fix("Switch it on.", f"Enable-VMMigration -ComputerName {quoted(host.name)}"),
            )


@check(
    "host-not-available",
    Severity.BLOCKS,
    Family.AUTHENTICATION,
    "A destination is not Up, or is paused, isolated, quarantined or avoids placement",
    "Get-ClusterNode State and StatusInformation, reflected module",
    reads=("nodes.State", "nodes.StatusInformation"),
)
def host_not_available(facts: Facts, this: Check) -> Iterator[Finding]:
    for host in facts.hosts():
        if host.name == facts.node or host.accepts_vms:
            continue
        subject = Subject(destination=host.name)
        if host.state is NodeState.UNKNOWN:
            yield this.unknown(subject, f"{host.name}: its state (Get-ClusterNode) was not read.")
            continue
        state = _state_of(host)
        yield this.conflict(
            subject,
            f"{host.name} takes no roles: it is {state}.",
            host_evidence(host, "State", state),
            _to_service(host),
        )


def _state_of(host: Host) -> str:
    for flag in (NodeFlags.QUARANTINED, NodeFlags.ISOLATED):
        if host.flags & flag:
            return str(flag.name).lower()
    return host.state.name.lower() if host.state is not NodeState.UP else "avoided by placement"


def _to_service(host: Host) -> Fix:
    """What brings the node back, by its state (Start-ClusterNode -ClearQuarantine: reflected module)."""
    if host.state is NodeState.PAUSED:
        command = f"Resume-ClusterNode -Name {quoted(host.name)} -Failback NoFailback"
        return Fix("Resume it when its own maintenance is over.", command)
    if host.flags & NodeFlags.QUARANTINED:
        return Fix(
            "Find out first why it left the cluster so often (its log, its network), then let it in again.",
            f"Start-ClusterNode -Name {quoted(host.name)} -ClearQuarantine",
        )
    return Fix("Bring it back when its own maintenance is over, or plan around it.")


@check(
    "host-unreachable",
    Severity.RISKS,
    Family.AUTHENTICATION,
    "A host does not answer over WinRM",
    "Live Migration Internals and Tuning, VM gets stuck: WinRM down is the first common root cause",
    reads=(),
)
def host_unreachable(facts: Facts, this: Check) -> Iterator[Finding]:
    for host in facts.hosts():
        if host.contact is Contact.ANSWERING or host.state is NodeState.DOWN:
            continue
        yield this.conflict(
            Subject(host=host.name),
            f"{host.name} does not answer over WinRM. Migrations to or from it may get stuck unseen.",
            (Evidence("WinRM", host.contact.value, host.name, host.read_at or facts.now),),
            Fix(
                "Look at the WinRM service, its listener and the firewall on that host.",
                f"Get-Service {on_host(host.name)} -Name WinRM",
            ),
        )


@check(
    "host-version-older",
    Severity.BLOCKS,
    Family.AUTHENTICATION,
    "The destination does not support the VM's configuration version",
    "Get-VMHostSupportedVersion; a VM of version 12.0 can not run on Windows Server 2022",
    reads=("supported-versions.Version", "vms.Version"),
)
def host_version_older(facts: Facts, this: Check) -> Iterator[Finding]:
    versions = frozenset(vm.version for vm in facts.clustered_vms() if vm.version is not None)
    for host in facts.hosts():
        if host.supported_vm_versions is None:
            yield this.unknown(
                Subject(destination=host.name), f"{host.name}: its versions (Get-VMHostSupportedVersion) were not read."
            )
            continue
        unsupported = versions - frozenset(host.supported_vm_versions)
        for vm in facts.clustered_vms() if unsupported else ():
            if vm.host != host.name and vm.version in unsupported:
                yield this.conflict(
                    Subject(vm=vm.ref, destination=host.name),
                    f"{vm.name} has configuration version {vm.version}, which {host.name} does not support.",
                    host_evidence(host, "Get-VMHostSupportedVersion", ", ".join(host.supported_vm_versions)),
                    Fix("Move it to a newer node, or shut it down for the window: a version can not be lowered."),
                )
