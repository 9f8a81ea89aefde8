"""Which module each cmdlet of the catalogue is in, and the names of the console's own endpoints.

Inside a constrained session's functions the session's own, crippled Select-Object would win over the real one, so
every command is written with its module.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PLAIN_ENDPOINT = "Microsoft.PowerShell"
"""The session configuration that every Windows server has; any other is taken for a constrained one."""
MODULE = "Drainboard"
"""The module that holds the console's functions on a node."""
WATCH_ENDPOINT, OPERATE_ENDPOINT = "Drainboard.Watch", "Drainboard.Operate"
WATCH_ROLE, OPERATE_ROLE = "DrainboardWatch", "DrainboardOperate"
"""Role capabilities: their names have to be unique on a node, whatever else is installed there."""

_CMDLETS = {
    "ActiveDirectory": ("Get-ADComputer",),
    "CimCmdlets": ("Get-CimInstance", "Invoke-CimMethod"),
    "DcbQos": ("Get-NetQosTrafficClass",),
    "FailoverClusters": (
        "Add-ClusterGroup", "Get-Cluster", "Get-ClusterAccess", "Get-ClusterGroup", "Get-ClusterNetwork",
        "Get-ClusterNetworkInterface", "Get-ClusterNode", "Get-ClusterOwnerNode", "Get-ClusterParameter",
        "Get-ClusterQuorum", "Get-ClusterResource", "Get-ClusterResourceType", "Get-ClusterSharedVolume",
        "Get-ClusterSharedVolumeState", "Move-ClusterGroup", "Move-ClusterSharedVolume",
        "Move-ClusterVirtualMachineRole", "Remove-ClusterGroup", "Resume-ClusterNode", "Set-ClusterParameter",
        "Suspend-ClusterNode",
    ),
    "Hyper-V": (
        "Get-VM", "Get-VMAssignableDevice", "Get-VMDvdDrive", "Get-VMFibreChannelHba", "Get-VMGpuPartitionAdapter",
        "Get-VMHardDiskDrive", "Get-VMHost", "Get-VMHostPartitionableGpu", "Get-VMHostSupportedVersion",
        "Get-VMNetworkAdapter", "Get-VMProcessor", "Get-VMSan", "Get-VMSnapshot", "Get-VMSwitch",
    ),
    "Microsoft.PowerShell.Core": ("ForEach-Object", "Get-Command", "Get-Module", "Where-Object"),
    "Microsoft.PowerShell.Diagnostics": ("Get-WinEvent",),
    "Microsoft.PowerShell.Utility": ("Select-Object",),
    "NetAdapter": ("Get-NetAdapter", "Get-NetAdapterRdma", "Get-NetAdapterVmq"),
    "NetworkATC": ("Get-NetIntentStatus",),
    "ServerManager": ("Get-WindowsFeature",),
    "SmbShare": ("Get-SmbServerConfiguration",),
}  # fmt: skip

MODULE_OF: Mapping[str, str] = MappingProxyType(
    {cmdlet: module for module, cmdlets in _CMDLETS.items() for cmdlet in cmdlets}
)
"""By cmdlet."""


def qualified(cmdlet: str) -> str:
    """``Module\\Cmdlet``."""
    return f"{MODULE_OF[cmdlet]}\\{cmdlet}"
