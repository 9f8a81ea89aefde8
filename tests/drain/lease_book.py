"""The leases as the cluster keeps them: one book for every console."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from console.drain import commands as cmd
from console.drain import signals as sg
from console.drain.facts import Answered, Reply
from console.drain.lease import LeaseRow
from console.model.identity import RoleName

from .moments import moment

CLUSTER_AHEAD = timedelta(minutes=7)
"""The cluster's clock is not the console's."""


@dataclass
class LeaseBook:
    groups: dict[RoleName, tuple[str, dict[str, str]]] = field(default_factory=dict)
    refuses: bool = False
    created: int = 0

    def read(self, now_s: float) -> sg.LeaseRead:
        rows = tuple(LeaseRow(name, id, dict(properties)) for name, (id, properties) in self.groups.items())
        return sg.LeaseRead(moment(now_s), moment(now_s) + CLUSTER_AHEAD, rows)

    def carry_out(self, command: cmd.CreateLease | cmd.RenewLease | cmd.RemoveLease) -> tuple[Reply, str]:
        """The reply, and the id of a group that was created."""
        match command:
            case cmd.CreateLease(name):
                return self._create(name)
            case cmd.RenewLease(name, properties):
                if name not in self.groups:
                    return Reply(Answered.REFUSED, "no such group", 5013), ""
                self.groups[name][1].update(properties)
            case cmd.RemoveLease(name, id):
                if name in self.groups and self.groups[name][0] == id:
                    del self.groups[name]
        return Reply(Answered.DONE), ""

    def _create(self, name: RoleName) -> tuple[Reply, str]:
        if self.refuses:
            return Reply(Answered.REFUSED, "access is denied", 5), ""
        if name in self.groups:
            return Reply(Answered.REFUSED, "the object already exists", 5010), ""
        self.created += 1
        id = f"group-{self.created}"
        self.groups[name] = (id, {})
        return Reply(Answered.DONE), id
