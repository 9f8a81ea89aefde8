"""Reads of the leases that consoles hold on nodes: empty groups with private properties."""

from __future__ import annotations

from console.model.identity import RoleName
from console.windows.commands import Call, ParameterType

from .entry import Entry, Fill, Privilege, Source, Stage, reads, switch, text

LEASE_PREFIX = "zz-drainboard-"
"""Every lease's group is named ``zz-drainboard-<node>-<generation>``."""
LEASE_NAME = LEASE_PREFIX + r"[\w.-]{1,80}"
"""What the constrained functions take for a lease: no other group can be written on or removed by them."""
LEASE_PROPERTIES_WRITTEN = (
    "DrainboardOwner",
    "DrainboardHost",
    "DrainboardRun",
    "DrainboardExpires",
    "MaximumParallelMigrations",
    "SMBBandwidthLimitFactor",
    "AutoBalancerMode",
)
"""Private properties that a console writes: those of a lease, and the settings whose originals it notes."""

LEASES = reads(
    "leases",
    "Reads which leases there are.",
    Stage("Get-ClusterGroup"),
    Stage("Where-Object", (text("Property", "Name"), switch("Like"), text("Value", f"{LEASE_PREFIX}*"))),
    type_name="ClusterGroup",
    properties=("Name", "Id", "OwnerNode", "State"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardLease",
)

LEASE_PROPERTIES = reads(
    "lease-properties",
    "Reads the private properties of one lease.",
    Stage("Get-ClusterGroup", (Fill("Name", ParameterType.STRING, "Lease", pattern=LEASE_NAME),)),
    Stage("Get-ClusterParameter"),
    type_name="ClusterParameter",
    properties=("Name", "Value"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardLeaseProperty",
)

ENTRIES: tuple[Entry, ...] = (LEASES, LEASE_PROPERTIES)


def lease_properties(name: RoleName) -> Call:
    return LEASE_PROPERTIES.bind(Lease=name)
