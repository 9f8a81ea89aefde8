"""One answer of a healthy cluster for every entry that only conflicts rest on."""

from __future__ import annotations

from console.windows.commands import EnumValue, Row
from tests.windows.rows import named

QUORUM: list[Row] = [{"QuorumResource": named("Cloud Witness"), "QuorumType": EnumValue(1, "Majority")}]
STORAGE_JOBS: list[Row] = [
    {
        "Name": "Repair",
        "JobState": 7,
        "PercentComplete": 100,
        "BytesProcessed": 10,
        "BytesTotal": 10,
        "IsBackgroundTask": True,
    }
]
VIRTUAL_DISKS: list[Row] = [{"FriendlyName": "Volume1", "HealthStatus": 0, "OperationalStatus": [2]}]
INTENTS: list[Row] = [{"ConfigurationStatus": "Success", "ProvisioningStatus": "Completed"}]
DELEGATION: list[Row] = [
    {
        "Name": name,
        "msDS-AllowedToDelegateTo": [
            f"{service}/{other}{domain}"
            for service in ("Microsoft Virtual System Migration Service", "cifs")
            for domain in ("", ".corp.example")
        ],
        "TrustedToAuthForDelegation": True,
    }
    for name, other in (("HV01", "HV02"), ("HV02", "HV01"))
]
MODULES: list[Row] = [{"Name": name, "Version": "2.0.0.0"} for name in ("FailoverClusters", "Hyper-V", "NetworkATC")]
ABILITIES: list[Row] = [
    {"Name": name, "CommandType": EnumValue(8, "Cmdlet"), "ModuleName": "FailoverClusters"}
    for name in ("Move-ClusterVirtualMachineRole", "Suspend-ClusterNode", "Resume-ClusterNode", "Move-ClusterGroup")
]
COMPUTER_SYSTEM: list[Row] = [{"Name": "HV01", "Domain": "corp.example", "PartOfDomain": True}]
COMPUTER_NAME: list[Row] = [{"ReturnValue": 0, "sValue": "HV01"}]
SMB_SERVER: list[Row] = [{"EncryptData": False, "RejectUnencryptedAccess": True}]
TRAFFIC_CLASSES: list[Row] = [
    {"Name": "[Default]", "Priority": [0, 1, 2, 4, 5, 6, 7], "BandwidthPercentage": 50},
    {"Name": "SMB", "Priority": [3], "BandwidthPercentage": 50},
]
SANS: list[Row] = [{"Name": "SAN-A"}]
GPUS: list[Row] = [
    {
        "Name": "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_14A9#4#{064092b3}\\GPUPARAV",
        "PartitionCount": 16,
        "ValidPartitionCounts": [16, 8, 4, 2, 1],
        "AvailableVRAM": 1000,
        "TotalVRAM": 16000,
    }
]
