"""Reads about the whole cluster; one node answers them for all."""

from __future__ import annotations

from collections.abc import Iterable

from console.model.identity import HostName, VmId
from console.windows.commands import Call, ParameterType

from .entry import NODE_NAME, Entry, Fill, Privilege, Source, Stage, cim, reads, switch, text, texts

MSCLUSTER = "root/MSCLUSTER"
STORAGE = "root/Microsoft/Windows/Storage"
VIRTUAL_MACHINE = "Virtual Machine"
"""The cluster's resource type of a VM; "Virtual Machine Configuration" is the other one every VM has."""

CLUSTER = reads(
    "cluster",
    "Reads the cluster's own settings.",
    Stage("Get-Cluster"),
    type_name="Cluster",
    properties=(
        "Name",
        "Domain",
        "MaximumParallelMigrations",
        "SetSMBBandwidthLimit",
        "SMBBandwidthLimitFactor",
        "AutoBalancerMode",
        "AutoBalancerLevel",
        "ClusterFunctionalLevel",
        "ClusterEnforcedAntiAffinity",
        "S2DEnabled",
        "AdministrativeAccessPoint",
        "DynamicQuorum",
        "WitnessDynamicWeight",
    ),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardCluster",
)

NODES = reads(
    "nodes",
    "Reads the cluster's nodes, their states and drains.",
    Stage("Get-ClusterNode"),
    type_name="ClusterNode",
    properties=(
        "Name",
        "Id",
        "State",
        "DrainStatus",
        "DrainErrorCode",
        "StatusInformation",
        "BuildNumber",
        "NodeHighestVersion",
        "NodeWeight",
        "DynamicWeight",
        "FaultDomain",
    ),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardNode",
    deadline_s=20.0,
)

_GROUP = (
    "Name",
    "Id",
    "GroupType",
    "State",
    "StatusInformation",
    "OwnerNode",
    "IsCoreGroup",
    "Priority",
    "AutoFailbackType",
    "LockedFromMoving",
    "AntiAffinityClassNames",
)

GROUPS = reads(
    "groups",
    "Reads every role and group of the cluster.",
    Stage("Get-ClusterGroup"),
    type_name="ClusterGroup",
    properties=_GROUP,
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardGroup",
    deadline_s=60.0,
)

GROUPS_OF_NODE = reads(
    "groups-of-node",
    "Reads the roles and groups that one node owns.",
    Stage("Get-ClusterNode", (Fill("Name", ParameterType.STRING, "Node", pattern=NODE_NAME),)),
    Stage("Get-ClusterGroup"),
    type_name="ClusterGroup",
    properties=_GROUP,
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardGroupOfNode",
)

GROUP_OF_VM = reads(
    "group-of-vm",
    "Reads the role of one VM.",
    Stage("Get-ClusterGroup", (Fill("VMId", ParameterType.GUID, "VMId"),)),
    type_name="ClusterGroup",
    properties=_GROUP,
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardGroupOfVM",
)

_RESOURCE = (
    "Name",
    "Id",
    "ResourceType",
    "OwnerGroup",
    "OwnerNode",
    "State",
    "StatusInformation",
    "LastOperationStatusCode",
    "ResourceSpecificData1",
)

_VM_RESOURCES = (
    Stage("Get-ClusterResource"),
    Stage("Where-Object", (text("Property", "ResourceType"), switch("EQ"), text("Value", VIRTUAL_MACHINE))),
)

VM_RESOURCES = reads(
    "vm-resources",
    "Reads the cluster resource of every VM; its ResourceSpecificData1 tells how far a move is.",
    *_VM_RESOURCES,
    type_name="ClusterResource",
    properties=_RESOURCE,
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardVMResource",
    deadline_s=60.0,
)

VM_PARAMETERS = reads(
    "vm-parameters",
    "Reads which VM each resource stands for and how the cluster's own drain would move it.",
    *_VM_RESOURCES,
    Stage("Get-ClusterParameter", (texts("Name", "VmId", "DefaultMoveType"),)),
    type_name="ClusterParameter",
    properties=("ClusterObject", "Name", "Value"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardVMParameter",
    deadline_s=60.0,
)

VM_RESOURCE_TYPE = reads(
    "vm-resource-type",
    "Reads the migration networks and the priority below which a drain saves VMs instead of moving them.",
    Stage("Get-ClusterResourceType", (text("Name", VIRTUAL_MACHINE),)),
    Stage(
        "Get-ClusterParameter",
        (texts("Name", "MigrationExcludeNetworks", "MigrationNetworkOrder", "MoveTypeThreshold"),),
    ),
    type_name="ClusterParameter",
    properties=("Name", "Value"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardVMResourceType",
)

_NODE = Stage("Get-ClusterNode", (Fill("Name", ParameterType.STRING, "Node", pattern=NODE_NAME),))

RESOURCES_OF_NODE = reads(
    "resources-of-node",
    "Reads every resource that one node owns.",
    _NODE,
    Stage("Get-ClusterResource"),
    type_name="ClusterResource",
    properties=_RESOURCE,
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardResourceOfNode",
)

POSSIBLE_OWNERS = reads(
    "possible-owners",
    "Reads which nodes may own each resource of one node.",
    _NODE,
    Stage("Get-ClusterResource"),
    Stage("Get-ClusterOwnerNode"),
    type_name="ClusterOwnerNodeList",
    properties=("ClusterObject", "OwnerNodes"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardPossibleOwner",
)

PREFERRED_OWNERS = reads(
    "preferred-owners",
    "Reads the order of owners that each role of one node prefers.",
    _NODE,
    Stage("Get-ClusterGroup"),
    Stage("Get-ClusterOwnerNode"),
    type_name="ClusterOwnerNodeList",
    properties=("ClusterObject", "OwnerNodes"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardPreferredOwner",
)

NETWORKS = reads(
    "networks",
    "Reads the cluster's networks.",
    Stage("Get-ClusterNetwork"),
    type_name="ClusterNetwork",
    properties=("Name", "Id", "Role", "State", "Metric", "Address", "AddressMask"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardNetwork",
)

NETWORK_INTERFACES = reads(
    "network-interfaces",
    "Reads which adapter of each node is on which cluster network.",
    Stage("Get-ClusterNetworkInterface"),
    type_name="ClusterNetworkInterface",
    properties=("Name", "Node", "Network", "Adapter", "Address", "State"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardNetworkInterface",
)

SHARED_VOLUMES = reads(
    "shared-volumes",
    "Reads the cluster shared volumes and their coordinators.",
    Stage("Get-ClusterSharedVolume"),
    type_name="ClusterSharedVolume",
    properties=("Name", "Id", "OwnerNode", "State"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardSharedVolume",
)

SHARED_VOLUME_STATES = reads(
    "shared-volume-states",
    "Reads each shared volume as each node sees it.",
    Stage("Get-ClusterSharedVolumeState"),
    type_name="ClusterSharedVolumeStateInfo",
    properties=(
        "Name",
        "Node",
        "StateInfo",
        "VolumeFriendlyName",
        "FileSystemRedirectedIOReason",
        "BlockRedirectedIOReason",
    ),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardSharedVolumeState",
)

AFFINITY_RULES = cim(
    "affinity-rules",
    "Reads the affinity rules.",
    MSCLUSTER,
    "MSCluster_AffinityRule",
    ("Name", "RuleType", "Enabled", "Groups"),
    function="Get-DrainboardAffinityRule",
    privilege=Privilege.CLUSTER_READ,
)

QUORUM = reads(
    "quorum",
    "Reads what the quorum rests on.",
    Stage("Get-ClusterQuorum"),
    type_name="ClusterQuorumSettings",
    properties=("QuorumResource", "QuorumType"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardQuorum",
)

STORAGE_JOBS = cim(
    "storage-jobs",
    "Reads the repairs and rebalances of Storage Spaces Direct that are on.",
    STORAGE,
    "MSFT_StorageJob",
    ("Name", "JobState", "PercentComplete", "BytesProcessed", "BytesTotal", "IsBackgroundTask"),
    function="Get-DrainboardStorageJob",
)

VIRTUAL_DISKS = cim(
    "virtual-disks",
    "Reads the health of the virtual disks of Storage Spaces Direct.",
    STORAGE,
    "MSFT_VirtualDisk",
    ("FriendlyName", "HealthStatus", "OperationalStatus"),
    function="Get-DrainboardVirtualDisk",
)

NETWORK_INTENTS = reads(
    "network-intents",
    "Reads whether Network ATC owns the networks' settings: a row for each intent on each node.",
    Stage("Get-NetIntentStatus"),
    type_name="IntentStatus",
    properties=("ConfigurationStatus", "ProvisioningStatus"),
    privilege=Privilege.HOST_READ,
    source=Source.DOCUMENTED,
    function="Get-DrainboardNetworkIntent",
)

ACCESS = reads(
    "cluster-access",
    "Reads who may read the cluster and who may change it.",
    Stage("Get-ClusterAccess"),
    type_name="ClusterAccessRule",
    properties=("IdentityReference", "AccessControlType", "ClusterRights"),
    privilege=Privilege.CLUSTER_READ,
    source=Source.REFLECTED,
    function="Get-DrainboardClusterAccess",
)

_ANY_NAME = r"\(\|(\(name=([^()*\\\x00]|\\[0-9a-f]{2})+\))+\)"

DELEGATION = reads(
    "delegation",
    "Reads to which services the nodes' computer accounts may delegate.",
    Stage(
        "Get-ADComputer",
        (
            Fill("LDAPFilter", ParameterType.STRING, "LDAPFilter", pattern=_ANY_NAME),
            texts("Properties", "msDS-AllowedToDelegateTo", "TrustedToAuthForDelegation"),
        ),
    ),
    type_name="ADComputer",
    properties=("Name", "msDS-AllowedToDelegateTo", "TrustedToAuthForDelegation"),
    privilege=Privilege.DIRECTORY,
    source=Source.DOCUMENTED,
    function="Get-DrainboardDelegation",
)
"""From a plain session on a node this is a second hop and fails, which leaves the fact unknown; an endpoint that runs
as a virtual account or a gMSA asks the directory as the node itself."""

ENTRIES: tuple[Entry, ...] = (
    CLUSTER,
    NODES,
    GROUPS,
    GROUPS_OF_NODE,
    GROUP_OF_VM,
    VM_RESOURCES,
    VM_PARAMETERS,
    VM_RESOURCE_TYPE,
    RESOURCES_OF_NODE,
    POSSIBLE_OWNERS,
    PREFERRED_OWNERS,
    NETWORKS,
    NETWORK_INTERFACES,
    SHARED_VOLUMES,
    SHARED_VOLUME_STATES,
    AFFINITY_RULES,
    QUORUM,
    STORAGE_JOBS,
    VIRTUAL_DISKS,
    NETWORK_INTENTS,
    ACCESS,
    DELEGATION,
)


def groups_of_node(node: HostName) -> Call:
    return GROUPS_OF_NODE.bind(Node=node)


def group_of_vm(vm: VmId) -> Call:
    return GROUP_OF_VM.bind(VMId=vm)


def resources_of_node(node: HostName) -> Call:
    return RESOURCES_OF_NODE.bind(Node=node)


def possible_owners(node: HostName) -> Call:
    return POSSIBLE_OWNERS.bind(Node=node)


def preferred_owners(node: HostName) -> Call:
    return PREFERRED_OWNERS.bind(Node=node)


def delegation(nodes: Iterable[HostName]) -> Call:
    """The computer accounts of some nodes, all at once."""
    names = "".join(f"(name={ldap_text(node)})" for node in nodes)
    return DELEGATION.bind(LDAPFilter=f"(|{names})")


def ldap_text(value: str) -> str:
    """A value inside an LDAP filter (RFC 4515): its own signs are written as their codes."""
    return "".join(f"\\{ord(sign):02x}" if sign in "\\*()\0" else sign for sign in value)
