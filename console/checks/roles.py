"""Conflicts of what a node owns besides VMs."""

from __future__ import annotations

from collections.abc import Iterator

from console.model.cluster import GroupState

from .registry import Check, Facts, Family, Finding, check, cluster_evidence, quoted
from .values import Fix, Severity, Subject

INTERRUPTED = {
    100: "a file server",
    101: "a print server",
    102: "a DHCP server",
    103: "a DTC",
    104: "message queuing",
    105: "a WINS server",
    106: "a DFS namespace server",
    107: "a generic application",
    108: "a generic service",
    109: "a generic script",
    110: "an iSNS server",
    112: "a session broker",
    113: "an iSCSI target",
    115: "a Hyper-V Replica Broker",
    116: "scheduled tasks",
}
"""GroupType (reflected module) of roles that go offline to move. Core groups, volumes and a Scale-Out File Server,
which runs on every node at once, are none of them."""


@check(
    "role-other",
    Severity.RISKS,
    Family.CLUSTER,
    "The node owns a role that is no VM: it goes offline for a moment to move; only advice while no node is named",
    "Get-ClusterGroup GroupType, reflected module; Move-ClusterGroup documentation",
    reads=("groups.Name", "groups.GroupType", "groups.OwnerNode", "groups.State"),
)
def other_role(facts: Facts, this: Check) -> Iterator[Finding]:
    for role in facts.cluster.roles:
        kind = INTERRUPTED.get(role.group_type)
        if kind is None or role.core or role.owner is None or role.state is not GroupState.ONLINE:
            continue
        if facts.node not in (None, role.owner):
            continue
        yield this.conflict(
            Subject(host=role.owner),
            f"{role.owner} owns {role.name}, {kind}: when the node is emptied it moves offline, and its clients have "
            "to connect again.",
            cluster_evidence(facts, "Get-ClusterGroup GroupType", f"{role.name} {role.group_type}"),
            Fix(
                "Tell those who use it, or move it at a better time.",
                f"Get-ClusterGroup -Name {quoted(role.name)} | Get-ClusterResource",
            ),
            None if facts.node else Severity.ADVICE,
        )
