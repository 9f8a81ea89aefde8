"""Identities. A VM is its GUID: names repeat, may be empty, and differ from the role's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

HostName = NewType("HostName", str)
"""A cluster node's short name, as ``Get-ClusterNode`` writes it."""

VmId = NewType("VmId", str)
"""A VM's GUID: lower case, hyphens, no braces."""

RoleName = NewType("RoleName", str)
"""A cluster group's name; for a VM's role usually, not always, the VM's name."""

RunId = NewType("RunId", str)
"""One run of the console against one node, as the journal names it."""


@dataclass(frozen=True, slots=True)
class VmRef:
    """How every message, event and document names a VM."""

    id: VmId
    name: str
    role: RoleName | None
    """None when the VM is not a clustered role."""
