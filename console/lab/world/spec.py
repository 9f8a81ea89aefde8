"""Scenarios: what a world starts as, one TOML file each, ours or the user's."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class ScenarioError(ValueError):
    """A scenario that can not be read, or a world that it can not make."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkSpec(_Table):
    """One cluster network and the adapters that every host has on it."""

    name: str
    address: str
    prefix: int = 24
    role: Literal["None", "Cluster", "Client", "ClusterAndClient"] = "ClusterAndClient"
    metric: int = 30240
    gbps: float = Field(default=10.0, gt=0)
    adapters: int = Field(default=1, ge=1, le=4)
    rdma: bool = False
    routed: bool = False
    vmq: bool = True
    jumbo_bytes: int = 9014
    description: str = "Mellanox ConnectX-6 Dx Adapter"
    switch: str = ""
    """Name of the virtual switch on these adapters, if any."""
    excluded: bool = False
    """Listed in MigrationExcludeNetworks."""
    state: Literal["Up", "Down", "Partitioned", "Unavailable"] = "Up"


class HostSpec(_Table):
    """Settings of a host; in ``[hosts]`` for all of them, in ``[[host]]`` for the one that is named."""

    memory_gib: float | None = Field(default=None, gt=0)
    reserve_gib: float | None = Field(default=None, ge=0)
    logical_processors: int | None = Field(default=None, ge=2)
    build: int | None = None
    site: str | None = None
    state: Literal["Up", "Down", "Paused"] | None = None
    processor_manufacturer: Literal["GenuineIntel", "AuthenticAMD"] | None = None
    processor_name: str | None = None
    processor_features: int | None = None
    migration_enabled: bool | None = None
    migration_transport: Literal["TCPIP", "Compression", "SMB"] | None = None
    migration_authentication: Literal["CredSSP", "Kerberos"] | None = None
    maximum_migrations: int | None = Field(default=None, ge=0)
    credential_guard: bool | None = None
    smb_bandwidth_feature: bool | None = None
    smb_encryption: bool | None = None
    switches: list[str] | None = None
    sans: list[str] | None = None
    vm_versions: list[str] | None = None
    gpu: str | None = None
    gpu_partitions: int | None = Field(default=None, ge=0)
    system_drive: str | None = None
    registry_name: str | None = None
    delegation: bool | None = None
    winrm: bool | None = None
    missing_modules: list[str] | None = None
    """PowerShell modules that are not installed."""
    flags: list[Literal["isolated", "quarantined", "avoid-placement"]] | None = None


class NamedHostSpec(HostSpec):
    name: str
    vmq: bool | None = None
    jumbo_bytes: int | None = None
    rdma_operational: bool | None = None
    driver_version: str | None = None
    driver_date: str | None = None
    driver_provider: str | None = None
    gbps: dict[str, float] = {}
    """Speed of the adapters on a network, by the network's name, where it is not the network's own."""
    missing_modules: list[str] = []
    """PowerShell modules that are not installed here."""
    networks_down: list[str] = []
    """Networks on which this host has no link."""


class VmSpec(_Table):
    """A VM with traits of its own, beside the drawn ones."""

    name: str
    host: str
    memory_gib: float = Field(default=8.0, gt=0)
    processors: int = Field(default=4, ge=1)
    workload: Literal["idle", "web", "file", "database"] = "web"
    dirty_first_second_mib: float | None = None
    dirty_exponent: float = Field(default=0.6, gt=0, lt=1)
    state: Literal["Running", "Off", "Saved", "Paused", "RunningCritical"] = "Running"
    version: str | None = None
    clustered: bool = True
    priority: int = 2000
    move_type: Literal["cluster", "quick"] = "cluster"
    locked: bool = False
    compatibility: Literal["off", "MinimumFeatureSet", "CommonClusterFeatureSet"] = "off"
    required_features: int | None = None
    nested: bool = False
    switch: str | None = None
    local_disk: bool = False
    pass_through_disk: bool = False
    persistent_memory: bool = False
    dvd: str = ""
    dvd_pass_through: bool = False
    checkpoints: int = Field(default=0, ge=0)
    status: str | None = None
    gpu_partition: bool = False
    gpu_outgoing: bool = True
    assigned_device: str = ""
    san: str = ""
    tpm: bool = False
    shielded: bool = False
    past_failure: int = 0
    """HRESULT with which a move of it failed some days ago."""
    replication: str = "Disabled"
    replication_health: str = "NotApplicable"
    heartbeat: str = "OkApplicationsHealthy"
    anti_affinity: list[str] = []
    auto_failback: bool = False
    possible_owners: list[str] | None = None
    preferred_owners: list[str] = []
    second_vm: bool = False
    """The role holds a second VM resource (event 21124)."""
    role_state: Literal["Online", "Offline", "Failed", "PartialOnline", "Pending"] | None = None


class VmsSpec(_Table):
    """The drawn VMs."""

    per_host: int = Field(default=10, ge=0)
    memory_scale: float = Field(default=1.0, gt=0)
    maximum_memory_gib: float = Field(default=256.0, gt=0)
    off_share: float = Field(default=0.04, ge=0, le=1)
    low_priority_share: float = Field(default=0.0, ge=0, le=1)
    version: str = "12.0"
    replicated: bool = False
    """Every VM, those with traits of their own too, has a replica that is up to date."""
    compatibility: Literal["off", "MinimumFeatureSet", "CommonClusterFeatureSet"] = "off"


class VolumesSpec(_Table):
    count: int = Field(default=4, ge=0)
    size_gib: float = 20480.0
    free_gib: float = 9216.0


class RuleSpec(_Table):
    name: str
    kind: Literal["SameFaultDomain", "SameNode", "DifferentFaultDomain", "DifferentNode"]
    groups: list[str]
    enabled: bool = True


class LinkSpec(_Table):
    """A link that several hosts share, such as the one between two sites."""

    name: str
    gbps: float = Field(gt=0)
    between: tuple[str, str]
    """Two sites; moves from one to the other cross it, in either direction."""


class VolumeStateSpec(_Table):
    """How nodes see a volume, where that is not Direct."""

    state: Literal["FileSystemRedirected", "BlockRedirected", "Unavailable"]
    volume: str | None = None
    """By its name, ``Cluster Disk 1``; every volume without."""
    host: str | None = None
    """Every host without."""


class LatencySpec(_Table):
    """A spell in which the volumes answer slowly whatever the moves do: a backup window, a failing array."""

    begin_s: float = Field(ge=0)
    end_s: float = Field(gt=0)
    seconds: float = Field(gt=0)
    """Latency of an operation while it lasts."""


class AccessSpec(_Table):
    """Who may do what with the cluster."""

    identity: str
    rights: Literal["None", "Read", "Full"]


class TroubleSpec(_Table):
    """What will go wrong, by VM name or role name."""

    vm: str
    kind: Literal["stuck", "fail"]
    percent: float = Field(default=50.0, ge=0, le=100)
    hresult: int = 0x80004005
    times: int = Field(default=1, ge=1)


class PhysicsSpec(_Table):
    """Constants of the hypervisor; see :mod:`console.lab.world.transport`."""

    stop_s: float = Field(default=0.5, gt=0)
    """The last pass is one that the link would carry within this time."""
    pass_cap: int = Field(default=10, ge=1)
    stop_without_progress: bool = True
    """Switch over as soon as a pass would not be smaller than the one before it, whatever it then costs."""
    tcp_stream_bytes_per_s: float = Field(default=425e6, gt=0)
    compression_bytes_per_s_per_processor: float = Field(default=45e6, gt=0)


class Scenario(_Table):
    """A whole scenario."""

    title: str
    cluster: str = "LABCLUSTER"
    domain: str = "lab.example"
    host_count: int = Field(default=4, ge=2, le=64)
    codes: list[str] = []
    """Conflict codes that the scenario shows on purpose."""
    speed: float = Field(default=20.0, gt=0)
    """Seconds of the lab in one of life, where whoever starts it names none: fast enough to see a drain end, slow
    enough that the wire's own milliseconds, which count as many times, do not spoil its forecast."""
    workgroup: bool = False
    hosts: HostSpec = HostSpec()
    host: list[NamedHostSpec] = []
    networks: list[NetworkSpec] = Field(min_length=1)
    vms: VmsSpec = VmsSpec()
    vm: list[VmSpec] = []
    volumes: VolumesSpec = VolumesSpec()
    rules: list[RuleSpec] = []
    links: list[LinkSpec] = []
    troubles: list[TroubleSpec] = []
    volume_states: list[VolumeStateSpec] = []
    slow_storage: list[LatencySpec] = []
    access: list[AccessSpec] = []
    """In place of what a new cluster has."""
    draining: list[str] = []
    """Hosts that somebody else is draining when the world begins."""
    credssp_fails: bool = False
    """Credential Guard at either end ends moves that CredSSP would sign in, also those of the cluster service."""
    full: bool = False
    """A host may not be emptied for want of memory; without this, such a scenario is refused."""
    settings: dict[str, int] = {}
    """Cluster properties by Windows' names."""
    absent_settings: list[str] = []
    """Cluster properties that this build does not know yet."""
    virtual_machine_parameters: dict[str, int | str] = {}
    """Private properties of the resource type Virtual Machine, such as MoveTypeThreshold."""
    physics: PhysicsSpec = PhysicsSpec()
    csv_latency_s: float = Field(default=0.0008, gt=0)
    csv_shares_network: str = ""
    """Network whose load raises the volumes' latency, when migration traffic shares it."""
    storage_repair_s: float = Field(default=0.0, ge=0)
    """How long a repair of every volume still runs when the world begins (Storage Spaces Direct)."""
    network_intents: list[str] = []
    """Network ATC's intents, which then own the networks' settings."""
    smb_reservation_percent: int = Field(default=0, ge=0, le=99)
    """Bandwidth that a traffic class reserves for SMB on every host."""
    other_roles: dict[str, str] = {}
    """Roles on the first host that are no VMs: name → GroupType."""
    witness: str = "Cloud Witness"
    """The quorum witness; empty for none."""
    directory_answers: bool = True
    """Whether a node's session may ask the directory; where its credentials do not go on, it may not."""


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario that can be chosen by name."""

    name: str
    title: str
    codes: tuple[str, ...]


def _folder() -> Traversable:
    return resources.files("console.lab").joinpath("scenarios")


def _walk(folder: Traversable, prefix: str = "") -> dict[str, Traversable]:
    found: dict[str, Traversable] = {}
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.is_dir() and not entry.name.startswith("_"):
            found |= _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".toml"):
            found[prefix + entry.name.removesuffix(".toml")] = entry
    return found


def scenario_names() -> tuple[str, ...]:
    """Names of the scenarios that come with the lab."""
    return tuple(_walk(_folder()))


def scenarios() -> tuple[ScenarioFile, ...]:
    """Every scenario that comes with the lab."""
    listed = []
    for name in scenario_names():
        scenario = load_scenario(name)
        listed.append(ScenarioFile(name, scenario.title, tuple(scenario.codes)))
    return tuple(listed)


def load_scenario(name: str) -> Scenario:
    """A scenario by its name, or by the path of a TOML file.

    Raises:
        ScenarioError: there is no such scenario, or it is not valid; says everything that is wrong.
    """
    known = _walk(_folder())
    if name in known:
        text = known[name].read_text("utf-8")
    elif name.endswith(".toml") and Path(name).is_file():
        text = Path(name).read_text("utf-8")
    else:
        raise ScenarioError(f"no scenario {name!r}; there are {', '.join(known)}, or give the path of a .toml file")
    return parse_scenario(text, name)


def parse_scenario(text: str, name: str = "scenario") -> Scenario:
    """A scenario from its TOML text.

    Raises:
        ScenarioError: not TOML, or not a scenario.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(text)
        return Scenario.model_validate(raw)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{name}: {error}") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors(include_url=False)
        )
        raise ScenarioError(f"{name}: {problems}") from error
