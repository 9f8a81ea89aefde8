"""What else is true of a host: names of its system, its adapters' addresses, the features on it."""

from __future__ import annotations

from dataclasses import dataclass

from console.lab.world.state import Adapter, Host, new_id
from console.lab.world.world import World

SOCKETS = 2
MANUFACTURER, MODEL = "Lab Systems", "Simulated R760"
ETHERNET_HEADER_BYTES = 14
"""The advanced property "Jumbo Packet" counts the header, an MTU does not."""

_RELEASES = {14393: "2016", 17763: "2019", 20348: "2022", 25398: "version 23H2", 26100: "2025"}


def caption(host: Host) -> str:
    """The system's name for people."""
    release = _RELEASES.get(host.build, f"build {host.build}")
    return f"Microsoft Windows Server {release} Datacenter"


def processor_description(host: Host) -> str:
    """Family, model and stepping; hosts whose features differ have different steppings."""
    stepping = host.processor_features.bit_count() % 16
    if host.processor_manufacturer == "AuthenticAMD":
        return f"AMD64 Family 25 Model 17 Stepping {stepping}"
    return f"Intel64 Family 6 Model 143 Stepping {stepping}"


def available_bytes(world: World, host: Host) -> int:
    """Memory that is free now, what the parent partition may still claim left out."""
    return max(world.free_bytes(host.name), 0)


def mtu_bytes(adapter: Adapter) -> int:
    return adapter.jumbo_bytes - ETHERNET_HEADER_BYTES


def flow_control(adapter: Adapter) -> int:
    """1 where priority flow control acts on the adapter's RDMA traffic."""
    return int(adapter.rdma_operational)


def adapter_guid(world: World, host: Host, adapter: Adapter) -> str:
    return "{" + str(new_id(world.dice("adapter", host.name, adapter.name))).upper() + "}"


def mac_address(world: World, host: Host, adapter: Adapter) -> str:
    """A locally administered address."""
    number = world.dice("mac", host.name, adapter.name).getrandbits(32)
    octets = (0x02, 0x1A, *number.to_bytes(4))
    return "-".join(f"{octet:02X}" for octet in octets)


@dataclass(frozen=True, slots=True)
class Feature:
    """A role or feature that Server Manager lists."""

    name: str
    title: str
    kind: str
    installed: bool


def features(host: Host) -> list[Feature]:
    """Those that a cluster of Hyper-V hosts has to do with."""
    return [
        Feature("FileAndStorage-Services", "File and Storage Services", "Role", True),
        Feature("FS-FileServer", "File Server", "Role Service", True),
        Feature("Hyper-V", "Hyper-V", "Role", True),
        Feature("Failover-Clustering", "Failover Clustering", "Feature", True),
        Feature("FS-SMBBW", "SMB Bandwidth Limit", "Feature", host.smb_bandwidth_feature),
        Feature("Data-Center-Bridging", "Data Center Bridging", "Feature", any(a.rdma for a in host.adapters)),
        Feature("RSAT-Clustering-PowerShell", "Failover Cluster Module for Windows PowerShell", "Feature", True),
        Feature("Hyper-V-PowerShell", "Hyper-V Module for Windows PowerShell", "Feature", True),
        Feature("NetworkATC", "Network ATC", "Feature", False),
    ]


def gpu_path(world: World, host: Host, model: str) -> str:
    """A GPU as a device path: vendor and device are the model's, the rest is this host's own."""
    if not model or model.startswith("\\\\?\\"):
        return model
    vendor = 0x1002 if model.upper().startswith(("AMD", "RADEON")) else 0x10DE
    device = world.dice("gpu", model).getrandbits(16)
    slot = world.dice("gpu", host.name, model).getrandbits(32)
    return f"\\\\?\\PCI#VEN_{vendor:04X}&DEV_{device:04X}&SUBSYS_000010DE&REV_A1#4&{slot:08x}&0&0008#GPUPARAV"
