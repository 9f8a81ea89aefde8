"""The catalogue of conflicts: every code is one function, registered with what it says of itself.

A check is a generator of :class:`Conflict` and :class:`Unknown`. It sees only :class:`Facts`: no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from console.model.cluster import Cluster, Host, VirtualMachine
from console.model.identity import HostName
from console.model.outlook import Outlook
from console.windows.powershell import quoted as quoted  # for every check

from .gaps import Gaps
from .values import Conflict, Evidence, Findings, Fix, Severity, Subject, Unknown

Finding: TypeAlias = Conflict | Unknown


class Family(Enum):
    """How the reference page groups the codes."""

    AUTHENTICATION = "Authentication and hosts"
    PROCESSOR = "Processor"
    MACHINE = "Devices, configuration and state of the VM"
    PLACEMENT = "Placement"
    NETWORK = "Transport, network, bandwidth, concurrency"
    CLUSTER = "Cluster"


@dataclass(frozen=True)
class Facts:
    """What a check may look at."""

    cluster: Cluster
    node: HostName | None = None
    """Only VMs on this node are looked at, and only moves away from it; None looks at all."""
    outlook: Outlook | None = None
    """What a forecast says of these VMs' moves; without one its codes are unknown."""
    account: str = ""
    """Who is signed in, for the commands that grant a right; empty when it is not known."""

    @property
    def now(self) -> datetime:
        return self.cluster.read_at

    def vms(self) -> tuple[VirtualMachine, ...]:
        return self.cluster.vms if self.node is None else self.cluster.vms_on(self.node)

    def clustered_vms(self) -> Iterator[VirtualMachine]:
        return (vm for vm in self.vms() if vm.clustered)

    def hosts(self) -> tuple[Host, ...]:
        """Every host that a move could start or end at."""
        return self.cluster.hosts

    def destinations(self, vm: VirtualMachine) -> Iterator[Host]:
        """Hosts that the VM could go to, whether or not they take it."""
        return (host for host in self.cluster.hosts if host.name != vm.host)


@dataclass(frozen=True, slots=True)
class Check:
    code: str
    severity: Severity
    family: Family
    title: str
    """When it fires, in one line."""
    source: str
    reads: tuple[str, ...]
    """What it rests on, as ``entry.property`` of the catalogue: where that did not come the code is unknown."""
    find: Callable[[Facts, Check], Iterator[Finding]]

    def conflict(
        self,
        subject: Subject,
        message: str,
        evidence: tuple[Evidence, ...],
        fix: Fix,
        severity: Severity | None = None,
    ) -> Conflict:
        return Conflict(self.code, severity or self.severity, subject, message, evidence, fix, self.source)

    def unknown(self, subject: Subject, missing: str) -> Unknown:
        return Unknown(self.code, subject, missing)


CHECKS: dict[str, Check] = {}
"""Every check by its code, in the order of the reference page."""

Finder: TypeAlias = Callable[[Facts, Check], Iterator[Finding]]


def check(
    code: str, severity: Severity, family: Family, title: str, source: str, *, reads: tuple[str, ...]
) -> Callable[[Finder], Finder]:
    """Register a function as the check of ``code``.

    Raises:
        ValueError: the code is taken.
    """

    def register(find: Finder) -> Finder:
        if code in CHECKS:
            raise ValueError(f"two checks with the code {code}")
        CHECKS[code] = Check(code, severity, family, title, source, reads, find)
        return find

    return register


class Ruling(Enum):
    """What a site can say of a code."""

    SILENCE = "silence"
    BLOCKS = "blocks"
    INTERRUPTS = "interrupts"
    RISKS = "risks"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """The site's own word on some codes: code → (ruling, reason). The reason shows in reports."""

    rulings: Mapping[str, tuple[Ruling, str]] = field(default_factory=dict)

    def apply(self, conflict: Conflict) -> Conflict | None:
        """The conflict as this site sees it, None when silenced."""
        if conflict.code not in self.rulings:
            return conflict
        ruling, reason = self.rulings[conflict.code]
        if ruling is Ruling.SILENCE:
            return None
        note = f"{conflict.message} (here: {ruling.value}, because {reason})"
        return replace(conflict, severity=Severity(ruling.value), message=note)


_RANK = {Severity.BLOCKS: 0, Severity.INTERRUPTS: 1, Severity.RISKS: 2, Severity.ADVICE: 3}


def run_checks(facts: Facts, policy: SitePolicy | None = None) -> Findings:
    """Run every check; the worst first, then in the order of the catalogue."""
    ruling = policy or SitePolicy()
    conflicts: list[Conflict] = []
    unknown: list[Unknown] = []
    gaps = Gaps(facts.cluster, facts.node)
    for entry in CHECKS.values():
        open_questions: list[Unknown] = []
        for finding in entry.find(facts, entry):
            if isinstance(finding, Unknown):
                open_questions.append(finding)
            elif (ruled := ruling.apply(finding)) is not None:
                conflicts.append(ruled)
        unknown += open_questions
        told = {subject for one in open_questions for subject in (one.subject.host, one.subject.destination)}
        unknown += (
            Unknown(entry.code, subject, why) for subject, why in gaps.of(entry.reads) if subject.host not in told
        )
    conflicts.sort(key=lambda conflict: _RANK[conflict.severity])
    return Findings(tuple(conflicts), tuple(unknown))


def host_evidence(host: Host, what: str, value: object) -> tuple[Evidence, ...]:
    """One thing read on a host."""
    return (Evidence(what, str(value), host.name, host.read_at),)


def on_host(host: str) -> str:
    """Which host a cmdlet of Hyper-V or of features means, wherever the line is typed."""
    return f"-ComputerName {quoted(host)}"


def vm_evidence(vm: VirtualMachine, what: str, value: object) -> tuple[Evidence, ...]:
    """One thing read of a VM, on the host that it was on."""
    return (Evidence(what, str(value), vm.host, vm.read_at),)


def resource_of(vm: VirtualMachine) -> str:
    """The pipeline that finds the VM's own resource, without the one of its configuration."""
    own = "Where-Object -Property ResourceType -EQ -Value 'Virtual Machine'"
    return f"Get-ClusterResource -VMId {quoted(vm.id)} | {own}"


def cluster_evidence(facts: Facts, what: str, value: object) -> tuple[Evidence, ...]:
    """One thing that one node told for all."""
    return (Evidence(what, str(value), None, facts.now),)


def owned(facts: Facts, fix: Fix) -> Fix:
    """The fix as it is where Network ATC owns the setting: by hand it would be set back (windowsserverdocs)."""
    if not facts.cluster.network_intents:
        return fix
    text = f"{fix.text} Network ATC owns this and sets back what is set by hand: change its overrides."
    return Fix(text, "Get-NetIntent -GlobalOverrides")


def listed(names: Iterable[str], most: int = 3) -> str:
    """A few names, and how many more there are."""
    found = list(names)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")


def untold(this: Check, hosts: Iterable[Host], what: str) -> Iterator[Finding]:
    """One open question for all the hosts together of which ``what`` was not read; none when there is no such host."""
    names = [host.name for host in hosts]
    if names:
        subject = Subject(host=names[0]) if len(names) == 1 else Subject()
        yield this.unknown(subject, f"{what} of {listed(names)} was not read.")
