"""Conflicts of the ground that hosts stand on: directory, names, drives, modules, rights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from console.model.cluster import Cluster, Host, MigrationAuthentication, MigrationTransport, NodeState
from console.model.facts import Delegation
from console.windows import catalogue
from console.windows.modules import OPERATE_ENDPOINT, PLAIN_ENDPOINT

from .authentication import BUILD_2025
from .gaps import commands_of
from .registry import (
    Check,
    Facts,
    Family,
    Finding,
    check,
    cluster_evidence,
    host_evidence,
    listed,
    on_host,
    quoted,
    untold,
)
from .values import Fix, Severity, Subject

SERVICES = ("Microsoft Virtual System Migration Service", "cifs")
"""What a computer account has to be trusted to delegate to, on every other node."""

MODULES = {"FailoverClusters": "RSAT-Clustering-PowerShell", "Hyper-V": "Hyper-V-PowerShell"}
"""Module → the feature that brings it."""

_OFFERING = Fix(
    f"Name an endpoint that offers them in the configuration: {OPERATE_ENDPOINT}, which drainboard jea export writes, "
    f"or {PLAIN_ENDPOINT}."
)
_ON_DEMAND = frozenset((catalogue.cluster.DELEGATION.id,))
"""Entries whose refusal says nothing about the rights that a drain takes."""


Principals: TypeAlias = frozenset[tuple[str, str, bool]]


def principals_of(delegation: Delegation) -> Principals:
    """(service, short name of the target, with its domain), in small letters."""
    return frozenset(
        (entry.service.casefold(), entry.target.casefold(), entry.qualified) for entry in delegation.entries
    )


def missing_entries(known: Principals, destination: str, domain: str) -> tuple[str, ...]:
    """The principals that are not among the entries: of each service with the short and with the full name."""
    full = f"{destination}.{domain}" if domain else f"{destination}.<domain>"
    return tuple(
        f"{service}/{full if qualified else destination}"
        for service in SERVICES
        for qualified in (False, True)
        if (service.casefold(), destination.casefold(), qualified) not in known
    )


@check(
    "auth-delegation-missing",
    Severity.RISKS,
    Family.AUTHENTICATION,
    "Kerberos is chosen and a host's computer account may not delegate to another node",
    "Live Migration Internals and Tuning, Credential Guard; msDS-AllowedToDelegateTo, TrustedToAuthForDelegation",
    reads=("vm-host.VirtualMachineMigrationAuthenticationType",),
)
def delegation_missing(facts: Facts, this: Check) -> Iterator[Finding]:
    kerberos = [
        host
        for host in facts.hosts()
        if host.migration_authentication is MigrationAuthentication.KERBEROS
        and host.part_of_domain is not False
        and facts.node in (None, host.name)
    ]
    unread = [host for host in kerberos if host.delegation is None or host.delegation.any_protocol is None]
    yield from untold(this, unread, "The delegation (an account that may ask the directory reads it)")
    for host in kerberos:
        if host.delegation is not None:
            yield from _delegation_of(facts, this, host, host.delegation)


def _delegation_of(facts: Facts, this: Check, host: Host, delegation: Delegation) -> Iterator[Finding]:
    domain = facts.cluster.settings.domain or ""
    spared = "Moves that the cluster service starts are believed not to need it."
    if delegation.any_protocol is False:
        yield this.conflict(
            Subject(host=host.name),
            f"{host.name} may delegate for Kerberos sign-ins only, not for any protocol. {spared}",
            host_evidence(host, "TrustedToAuthForDelegation", False),
            Fix(
                'On its computer account (Delegation) choose "Use any authentication protocol", as a domain '
                "administrator.",
                f"Get-ADComputer -Identity {quoted(host.name)} -Properties TrustedToAuthForDelegation",
            ),
        )
    known = principals_of(delegation)
    for other in facts.hosts():
        missing = missing_entries(known, other.name, domain) if other.name != host.name else ()
        if missing:
            values = ", ".join(quoted(principal) for principal in missing)
            yield this.conflict(
                Subject(host=host.name, destination=other.name),
                f"{host.name} may not delegate to {listed(missing, 4)}. {spared}",
                host_evidence(host, "msDS-AllowedToDelegateTo lacks", "; ".join(missing)),
                Fix(
                    "Add the entries to its computer account, as a domain administrator. They hold once the domain "
                    "controllers have them and the node has a new Kerberos ticket.",
                    f"Set-ADComputer -Identity {quoted(host.name)} -Add @{{ 'msDS-AllowedToDelegateTo' = {values} }}",
                ),
            )


@check(
    "auth-workgroup",
    Severity.BLOCKS,
    Family.AUTHENTICATION,
    "The nodes are in no domain: live migration takes 2025 on each, certificates and the same local accounts",
    "Live Migration Internals and Tuning, workgroup clusters; Win32_ComputerSystem.PartOfDomain",
    reads=("computer-system.PartOfDomain", "operating-system.BuildNumber"),
)
def workgroup(facts: Facts, this: Check) -> Iterator[Finding]:
    yield from untold(this, (host for host in facts.hosts() if host.part_of_domain is None), "Domain membership")
    outside = [host for host in facts.hosts() if host.part_of_domain is False]
    if not outside:
        return
    older = [host for host in facts.hosts() if host.build is not None and host.build < BUILD_2025]
    names = listed(host.name for host in outside)
    if older:
        yield this.conflict(
            Subject(),
            f"{names} are in no domain and {older[0].name} is older than Windows Server 2025: nothing can prove one "
            "node to another, so live migration fails.",
            host_evidence(outside[0], "PartOfDomain", False) + host_evidence(older[0], "BuildNumber", older[0].build),
            Fix("Upgrade every node to Windows Server 2025, or join the nodes to a domain."),
        )
    else:
        yield this.conflict(
            Subject(),
            f"{names} are in no domain: live migration rests on certificates and on the same local account "
            "with the same password on every node.",
            host_evidence(outside[0], "PartOfDomain", False),
            Fix("Look whether that account and the certificates are on every node."),
            Severity.ADVICE,
        )


@check(
    "host-name-case",
    Severity.RISKS,
    Family.AUTHENTICATION,
    "SMB is chosen and a node's registry does not spell its name in capitals",
    "Microsoft support 4558514: 0x80042001 and 0x8007000D",
    reads=("vm-host.VirtualMachineMigrationPerformanceOption",),
)
def name_case(facts: Facts, this: Check) -> Iterator[Finding]:
    smb = [host for host in facts.hosts() if host.migration_transport is MigrationTransport.SMB]
    yield from untold(this, (host for host in smb if host.registry_name is None), "The registry's ComputerName")
    for host in smb:
        if host.registry_name is not None and host.registry_name != host.registry_name.upper():
            yield this.conflict(
                Subject(host=host.name),
                f"The registry of {host.name} spells its name {host.registry_name}: migrations over SMB may fail with "
                "0x80042001 or 0x8007000D.",
                host_evidence(host, "ComputerName", host.registry_name),
                Fix(
                    "Write the value ComputerName under HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\"
                    f"ComputerName as {host.registry_name.upper()}, and restart the node once it is empty; until then "
                    "migrate by Compression."
                ),
            )


@check(
    "host-system-drive",
    Severity.BLOCKS,
    Family.AUTHENTICATION,
    "A node's system drive has another letter than the others'",
    "Microsoft support 4558514: 20413, fails at 90 to 100 %; Win32_OperatingSystem.SystemDrive",
    reads=("operating-system.SystemDrive",),
)
def system_drive(facts: Facts, this: Check) -> Iterator[Finding]:
    known = [(host, host.system_drive.upper()) for host in facts.hosts() if host.system_drive]
    drives = Counter(drive for _, drive in known)
    if len(drives) < 2:
        return
    usual = drives.most_common(1)[0][0]
    for host, drive in known:
        if drive != usual:
            yield this.conflict(
                Subject(host=host.name),
                f"Windows of {host.name} is on {drive}, of most hosts on {usual}; moves to and from it fail near their "
                "end (event 20413).",
                host_evidence(host, "SystemDrive", drive),
                Fix("Shut its VMs down to move them; then install the node anew on the same letter."),
            )


@check(
    "cluster-modules",
    Severity.BLOCKS,
    Family.CLUSTER,
    "A PowerShell module that the console speaks through is missing on a node",
    "Get-Module -ListAvailable; features RSAT-Clustering-PowerShell, Hyper-V-PowerShell",
    reads=("modules.Name",),
)
def modules(facts: Facts, this: Check) -> Iterator[Finding]:
    answering = _standing(facts.cluster)
    yield from untold(this, (host for host in answering if host.modules is None), "Get-Module -ListAvailable")
    for host in answering:
        there = {name.casefold() for name in host.modules or MODULES}
        missing = [name for name in MODULES if name.casefold() not in there]
        if missing:
            features = ",".join(quoted(MODULES[name]) for name in missing)
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} lacks the PowerShell module {' and '.join(missing)}, through which this console speaks.",
                host_evidence(host, "Get-Module -ListAvailable", ", ".join(host.modules or ()) or "none"),
                Fix(
                    "Install it; no restart is needed.",
                    f"Install-WindowsFeature {on_host(host.name)} -Name {features}",
                ),
            )


@check(
    "cluster-rights",
    Severity.BLOCKS,
    Family.CLUSTER,
    "The signed-in account cannot read, or cannot move",
    "error 5 and CommandNotFoundException; Get-ClusterAccess",
    reads=(),
)
def rights(facts: Facts, this: Check) -> Iterator[Finding]:
    answering = _standing(facts.cluster)
    yield from untold(
        this, (host for host in answering if host.abilities is None), "Which commands this session may run"
    )
    yield from _access(facts, this)
    if denied := [entry for entry in facts.cluster.denied if entry not in _ON_DEMAND]:
        yield this.conflict(
            Subject(),
            f"This account may not run {listed(commands_of(denied))} for the cluster: it takes {_privileges(denied)}.",
            cluster_evidence(facts, "access denied", ", ".join(denied)),
            _grant(facts),
        )
    for host in answering:
        if denied := [entry for entry in host.denied if entry not in _ON_DEMAND]:
            yield this.conflict(
                Subject(host=host.name),
                f"This account may not run {listed(commands_of(denied))} on {host.name}: it takes "
                f"{_privileges(denied)}.",
                host_evidence(host, "access denied", ", ".join(denied)),
                Fix(f"Give the account {_privileges(denied)}."),
            )
        if lacking := lacking_commands(host):
            yield this.conflict(
                Subject(host=host.name),
                f"This session on {host.name} may not run {' nor '.join(lacking)}: it can look, but not move.",
                host_evidence(host, "Get-Command", ", ".join(host.abilities or ()) or "none of them"),
                _OFFERING,
            )


def lacking_commands(host: Host) -> tuple[str, ...]:
    """The commands of a drain that this session may not run, neither by themselves nor as the endpoint's functions.

    Empty also where the module itself is missing: that is a conflict of its own.
    """
    if host.abilities is None or "FailoverClusters" not in (host.modules or ("FailoverClusters",)):
        return ()
    able = set(host.abilities)
    needed = {
        "Move-ClusterVirtualMachineRole": catalogue.changes.MOVE_VM_LIVE.constrained_function,
        "Suspend-ClusterNode": catalogue.changes.PAUSE_NODE.constrained_function,
    }
    return tuple(name for name, function in needed.items() if not {name, function} & able)


def _access(facts: Facts, this: Check) -> Iterator[Finding]:
    """What the cluster's own list says of this very account; groups that it is in can not be seen from here."""
    own = [rule for rule in facts.cluster.access or () if rule.identity.casefold() == facts.account.casefold()]
    refused = [rule for rule in own if not rule.allows]
    if refused or (own and not any(rule.full for rule in own)):
        yield this.conflict(
            Subject(),
            f"The cluster lets {facts.account} {'do nothing' if refused else 'only read'}.",
            cluster_evidence(facts, "Get-ClusterAccess", "denied" if refused else "Read"),
            _grant(facts),
        )


def _privileges(entries: list[str]) -> str:
    known = (catalogue.ENTRIES[entry] for entry in entries if entry in catalogue.ENTRIES)
    return " and ".join(dict.fromkeys(entry.privilege.value for entry in known)) or "more rights"


def _grant(facts: Facts) -> Fix:
    line = f"Grant-ClusterAccess -User {quoted(facts.account)} -Full" if facts.account else "Get-ClusterAccess"
    return Fix("Let an administrator of the cluster give this account full control of it.", line)


def _standing(cluster: Cluster) -> list[Host]:
    return [host for host in cluster.hosts if host.state is not NodeState.DOWN]
