"""Groups of properties that several checks rest on, as ``entry.property`` of the catalogue."""

from __future__ import annotations

ROLE = (
    "groups.Name",
    "vm-resources.Name",
    "vm-resources.OwnerGroup",
    "vm-parameters.ClusterObject",
    "vm-parameters.Name",
    "vm-parameters.Value",
)
"""How a VM is found to belong to a role."""

RULES = ("affinity-rules.Name", "affinity-rules.RuleType", "affinity-rules.Enabled", "affinity-rules.Groups")

LINKS = ("adapters.Name", "adapters.Speed", "adapters.MediaConnectState")

COMPATIBILITY = ("vm-processors.VMId", "vm-processors.CompatibilityForMigrationEnabled")

NETWORKS = (
    "networks.Name",
    "networks.Id",
    "networks.Role",
    "networks.State",
    "network-interfaces.Node",
    "network-interfaces.Network",
    "network-interfaces.State",
    "vm-resource-type.Name",
    "vm-resource-type.Value",
)
"""Which networks may carry migration, and who is on them."""

CARRIERS = ("network-interfaces.Adapter", "adapters.Name", "adapters.InterfaceDescription")
"""Which adapter joins a host to a network."""
