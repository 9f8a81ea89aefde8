"""What a conflict's fix says, said to the lab, makes the conflict go away at the next reading."""

from __future__ import annotations

from typing import TypeAlias

import pytest

from console.checks.catalogue import CHECKS, Facts, SitePolicy, run_checks
from console.checks.values import Conflict, Subject
from console.diagnose.outlook import outlook_of
from console.forecast.forecaster import PriorForecaster
from console.inventory import read_cluster, read_details
from console.lab.engine import SessionContext
from console.lab.serve import InProcessLab
from console.lab.world.facts import AccessRule
from console.lab.world.spec import scenarios
from console.model.cluster import Cluster
from console.model.identity import HostName
from tests.labdoor import LabDoor
from tests.powershell_lines import pipeline_of

Key: TypeAlias = tuple[str, Subject, str]

CHIEF = SessionContext("LAB\\chief", "Microsoft.PowerShell", constrained=False)
BROKEN = {file.name: file.codes for file in scenarios() if file.name.startswith("broken/")}

MENDED = frozenset(
    (
        "auth-credssp-before-upgrade", "auth-credssp-credential-guard", "auth-delegation-missing", "auth-mixed",
        "cluster-balancer", "cluster-modules", "cluster-rights", "host-migration-disabled", "host-not-available",
        "limit-above-rule", "limit-default-on-fast", "network-encryption-old-rdma", "network-not-isolated",
        "network-slow-selection", "network-vmq", "network-wrong", "place-possible-owners", "role-auto-failback",
        "smb-cap-ineffective", "smb-cap-tight", "transport-mixed", "transport-rdma-unused",
        "transport-smb-without-rdma", "transport-tcpip", "vm-local-media", "vm-locked", "vm-not-clustered",
        "vm-paused", "vm-quick-migrates",
    )
)  # fmt: skip

SOMETIMES_A_SENTENCE = frozenset(("host-not-available", "smb-cap-ineffective"))
"""A node that somebody else maintains; a cap where migration does not go by SMB."""

NO_COMMAND = frozenset(
    (
        "host-name-case", "host-system-drive", "host-version-older", "limit-host-ignored", "network-speed-differs",
        "place-breaks-n1", "place-no-memory", "place-site", "smb-controls-absent", "auth-workgroup",
        "storage-migrations-in-window", "vm-backing-up", "vm-checkpoint-merging", "vm-does-not-converge", "vm-gpu-p",
        "vm-heavy", "vm-nested", "vm-not-running", "vm-storage-migrating", "vm-too-big",
    )
)  # fmt: skip
"""Time, hardware, an update or another choice mends them: there is only a sentence."""

ONLY_LOOKS = frozenset(
    (
        "cluster-csv-redirected", "cluster-drain-running", "cluster-quorum", "cluster-storage-unhealthy",
        "host-unreachable", "limit-atc-owns", "network-driver", "network-mtu", "network-none-eligible",
        "network-rdma-not-operational", "network-shared-with-csv", "place-affinity", "place-contradiction",
        "role-multiple-vms", "role-not-healthy", "role-other", "vm-checkpoints", "vm-critical", "vm-fibre-channel",
        "vm-guest-unhealthy", "vm-local-storage", "vm-recent-backup", "vm-replica", "vm-switch-missing",
        "vm-vtpm-guardian",
    )
)  # fmt: skip
"""The command shows what has to be decided; what mends it is the administrator's own choice."""

MENDED_WHEN_OFF = frozenset(
    (
        "cpu-compat-off-mixed", "cpu-compat-on-homogeneous", "cpu-dynamic-old-node", "cpu-dynamic-old-version",
        "cpu-features", "cpu-static-on-2025", "cpu-vendor", "vm-dda", "vm-persistent-memory",
    )
)  # fmt: skip
"""An outage that the administrator has to plan: the VM is shut down first."""

LATER = frozenset(("cluster-mixed-level", "vm-already-migrating", "vm-owner-sid"))
"""The command is the last step of a longer way: every node upgraded first; a drain's queue that goes on with the next
VM; a failed move that stays in the event log."""


class Broken:
    """A broken cluster that an administrator works on."""

    def __init__(self, lab: InProcessLab) -> None:
        self.lab = lab
        facts = lab.cluster.world.facts
        facts.access = (*facts.access, AccessRule(CHIEF.user, "Full"))

    async def read(self) -> tuple[Cluster, dict[Key, Conflict]]:
        door = LabDoor(self.lab)
        door.silent = {HostName(host.name) for host in self.lab.cluster.world.hosts.values() if not host.winrm}
        cluster = await read_details(door, await read_cluster(door, [HostName("HV02")], self.lab.clock), None)
        found: dict[Key, Conflict] = {}
        for node in (None, HostName("HV01")):
            facts = Facts(cluster, node, outlook_of(cluster, node, PriorForecaster()), "LAB\\admin")
            for one in run_checks(facts, SitePolicy()).conflicts:
                found[one.code, one.subject, one.message] = one
        return cluster, found

    async def type(self, host: str, line: str) -> None:
        _, errors = await self.lab.run(host, pipeline_of(line), CHIEF)
        assert not errors, f"{line}: {errors[0].message}"
        await self.lab.advance(1.0)


def _is_next(key: Key, tried: set[Key]) -> bool:
    """Two conflicts of a code, one where it takes an outage: more would only repeat the same command elsewhere."""
    again = sum(code == key[0] for code, _, _ in tried)
    return key not in tried and ((key[0] in MENDED and again < 2) or (key[0] in MENDED_WHEN_OFF and again < 1))


def _where(cluster: Cluster, conflict: Conflict) -> str:
    """The host on which the line is typed."""
    vm = conflict.subject.vm
    if vm is not None and vm.id in cluster.vm_by_id:
        return cluster.vm_by_id[vm.id].host
    return conflict.subject.host or "HV02"


def _changes(line: str) -> bool:
    return (bool(line) and not line.startswith(("(Get-Date", "ping")) and _last(line).startswith(("Set-", "("))) or (
        line.split(" ")[0] in {"Add-ClusterVirtualMachineRole", "Enable-NetAdapterVmq", "Enable-VMMigration",
                               "Grant-ClusterAccess", "Install-WindowsFeature", "Resume-ClusterNode", "Resume-VM",
                               "Stop-VM", "Update-VMVersion"}
    )  # fmt: skip


def _last(line: str) -> str:
    return line.rpartition(" | ")[2]


ALWAYS = (MENDED | MENDED_WHEN_OFF) - SOMETIMES_A_SENTENCE


@pytest.mark.parametrize("name", [name for name, codes in BROKEN.items() if ALWAYS & set(codes)])
async def test_a_fix_removes_its_conflict(name: str) -> None:
    async with InProcessLab(name) as lab:
        broken, tried = Broken(lab), set[Key]()
        cluster, found = await broken.read()
        while key := next((k for k, c in found.items() if _is_next(k, tried) and _line(c)), None):
            tried.add(key)
            line, where, vm = _line(found[key]), _where(cluster, found[key]), found[key].subject.vm
            if found[key].fix.needs_vm_off and vm is not None and not line.startswith("Stop-VM"):
                await broken.type(where, f"Stop-VM -Name '{vm.name}'")
            await broken.type(where, line)
            cluster, found = await broken.read()
            left = {(code, subject, one.fix.powershell) for (code, subject, _), one in found.items()}
            assert (*key[:2], line) not in left, f"{line} did not mend: {key[2]}"
        assert tried
        never = {code for code, _, _ in found} - {code for code, _, _ in tried}
        assert not never & ALWAYS


def _line(conflict: Conflict) -> str:
    return conflict.fix.powershell if _changes(conflict.fix.powershell) else ""


def test_every_code_is_mended_or_says_why_not() -> None:
    parts = (MENDED, NO_COMMAND, ONLY_LOOKS, MENDED_WHEN_OFF, LATER)
    assert sum(len(part) for part in parts) == len(CHECKS)
    assert frozenset().union(*parts) == set(CHECKS)
