"""From a snapshot file's data to the cluster and to what plans on it start from."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from console.checks.registry import SitePolicy
from console.configuration.problems import nearest
from console.forecast.forecaster import Correction, Evidence, PriorForecaster
from console.forecast.history import Learned
from console.forecast.model import PowerLaw
from console.forecast.priors import Priors, Workload, workload_of
from console.forecast.transport import Path
from console.model.cluster import Cluster, Host, MigrationTransport, NetworkAdapter, VirtualMachine
from console.model.identity import HostName, RoleName, VmId, VmRef
from console.planner.schedule import SharedLink
from console.planner.values import PlanOptions, SiteLimits
from console.snapshot_codec import Reader
from console.snapshot_shapes import AS_THE_FILE, HOST_EXTRAS, INSTANCE, VM_EXTRAS

_WITHOUT_GUID = uuid.UUID("8a6b3a52-6c1d-4a6e-9d53-7f3a0c1b2d4e")
_OWN_FIELDS = frozenset(
    {"schema", "made_by", "is_redacted", "cluster", "hosts", "shared_links", "vms", "rules", "planning", "checks"}
)
"""Of the file; all others are the cluster's own."""


@dataclass(frozen=True)
class Instance:
    """What a file holds: the cluster, and what a plan on it starts from."""

    cluster: Cluster
    options: PlanOptions = field(default_factory=PlanOptions)
    """The site's policy and limits, and the destinations that the file fixes."""
    policy: SitePolicy = field(default_factory=SitePolicy)
    dirtying: Mapping[VmId, PowerLaw] = field(default_factory=dict)
    """Where the file states it, or another class of load than the VM's facts suggest."""
    notes: tuple[str, ...] = ()
    """What was in the file and meant nothing."""

    def options_of(self, levers: PlanOptions) -> PlanOptions:
        """The operator's levers, with what the file says where no lever was touched."""
        untouched = PlanOptions()
        reserve = levers.memory_reserve_fraction
        stated = self.options
        return replace(
            levers,
            slots=stated.slots if levers.slots is None else levers.slots,
            smb_cap_fraction=stated.smb_cap_fraction if levers.smb_cap_fraction is None else levers.smb_cap_fraction,
            memory_reserve_fraction=(
                stated.memory_reserve_fraction if reserve == untouched.memory_reserve_fraction else reserve
            ),
            pinned={**stated.pinned, **levers.pinned},
            avoided=levers.avoided | stated.avoided,
            limits=levers.limits.over(stated.limits),
            guard=levers.guard or stated.guard,
        )

    def forecaster(self) -> PriorForecaster:
        """Forecasts from the earlier moves that the file holds, as a live plan's, and the dirtying that it states."""
        past = self.cluster.past
        evidence = Learned(self.cluster, past.moves) if past is not None and past.moves else None
        return PriorForecaster(evidence=_Stated(self.dirtying, evidence) if self.dirtying else evidence)


@dataclass(frozen=True)
class _Stated:
    """What a file says of its VMs' dirtying goes before what their earlier moves tell of it."""

    laws: Mapping[VmId, PowerLaw]
    evidence: Evidence | None

    def correction(self, vm: VmId, path: Path, source: HostName, destination: HostName) -> Correction:
        known = Correction() if self.evidence is None else self.evidence.correction(vm, path, source, destination)
        law = self.laws.get(vm)
        return known if law is None else replace(known, dirtying=law, basis="its size and its dirtying as stated")


def instance_of(data: Any, reader: Reader) -> Instance | None:
    """The values in the data; None when anything does not fit, with every problem in ``reader.problems``."""
    found = reader.object(data, INSTANCE, "")
    if reader.problems:
        return None
    _check_names(found, reader)
    _check_sizes(found, reader)
    if reader.problems:
        return None
    vms = [_vm(entry, found["read_at"]) for entry in found["vms"]]
    cluster = Cluster(
        name=found["cluster"],
        hosts=tuple(_host(entry, found["read_at"]) for entry in found["hosts"]),
        vms=tuple(vms),
        affinity_rules=found["rules"],
        **{name: value for name, value in found.items() if name not in _OWN_FIELDS},
    )
    policy = {code: (entry.severity, entry.reason) for code, entry in found["checks"].items()}
    return Instance(
        cluster,
        _options(found, vms),
        SitePolicy(policy),
        _dirtying(found["vms"], vms),
        tuple(f"{place}: not a field of this schema, ignored." for place in reader.unknown),
    )


# checks across fields


def _check_names(found: Mapping[str, Any], reader: Reader) -> None:
    """Every host that is named is there; names of hosts and ids of VMs are there once."""
    hosts = [entry["name"] for entry in found["hosts"]]
    _once(hosts, "hosts", "name", reader)
    _once([_vm_id(entry) for entry in found["vms"]], "vms", "id", reader)
    known = dict.fromkeys(hosts)

    def check(place: str, names: Iterable[HostName | None]) -> None:
        for name in names:
            if name is not None and name not in known:
                close = nearest(name, hosts)
                reader.complain(place, f"there is no host {name!r}" + (f"; is {close} meant?" if close else ""))

    for number, vm in enumerate(found["vms"]):
        check(f"vms.{number}.host", (vm["host"],))
        check(f"vms.{number}.destination", (vm["destination"],))
        check(f"vms.{number}.possible_owners", sorted(vm["possible_owners"] or ()))
        check(f"vms.{number}.preferred_owners", vm["preferred_owners"] or ())
    for number, link in enumerate(found["shared_links"]):
        check(f"shared_links.{number}.members", sorted(link.members))
    check("planning.avoid", sorted(found["planning"]["avoid"]))


def _once(names: list[str], place: str, field_name: str, reader: Reader) -> None:
    counts = Counter(names)
    for number, name in enumerate(names):
        if counts[name] > 1:
            reader.complain(f"{place}.{number}.{field_name}", f"{name!r} is there {counts[name]} times")


def _check_sizes(found: Mapping[str, Any], reader: Reader) -> None:
    for number, host in enumerate(found["hosts"]):
        free, whole = host["memory_free_bytes"], host["memory_bytes"]
        if free is not None and whole is not None and free > whole:
            reader.complain(f"hosts.{number}.memory_free_bytes", f"{free} is more than memory_bytes, {whole}")
    for place, value, below_one in (
        *((f"hosts.{number}.cpu_fraction", host["cpu_fraction"], False) for number, host in enumerate(found["hosts"])),
        ("planning.memory_reserve_fraction", found["planning"]["memory_reserve_fraction"], True),
        ("planning.smb_cap_fraction", found["planning"]["smb_cap_fraction"], False),
    ):
        if value is not None and (value > 1 or (below_one and value == 1)):
            reader.complain(place, f"must be {'below' if below_one else 'at most'} 1, not {value}")


# hosts


def _host(entry: Mapping[str, Any], read_at: Any) -> Host:
    facts = {name: value for name, value in entry.items() if name not in HOST_EXTRAS}
    if facts["read_at"] is AS_THE_FILE:
        facts["read_at"] = read_at
    line = max(filter(None, (entry["link_out_bytes_per_s"], entry["link_in_bytes_per_s"])), default=None)
    if facts["adapters"] is None and line is not None:
        facts["adapters"] = (NetworkAdapter("link", "", line, True),)
    return Host(**facts)


def _ports(hosts: list[Mapping[str, Any]], way: str) -> dict[HostName, float]:
    """Stated speeds that hold a host back: all where nothing else is known, else those below the adapters'.

    What compression saves comes on top of a line, so there a line as fast as the adapters is no limit of its own.
    """
    found: dict[HostName, float] = {}
    for entry in hosts:
        stated = entry[f"link_{way}_bytes_per_s"]
        speeds = [adapter.link_bytes_per_s or 0.0 for adapter in entry["adapters"] or () if adapter.up is not False]
        compresses = entry["migration_transport"] is MigrationTransport.COMPRESSION
        fastest = max(speeds, default=0.0)
        if stated is not None and (stated < fastest or (not fastest and not compresses)):
            found[entry["name"]] = stated
    return found


# VMs


def _vm_id(entry: Mapping[str, Any]) -> VmId:
    given = entry["id"]
    return VmId(given.casefold() if given else str(uuid.uuid5(_WITHOUT_GUID, entry["name"])))


def _vm(entry: Mapping[str, Any], read_at: Any) -> VirtualMachine:
    facts = {name: value for name, value in entry.items() if name not in VM_EXTRAS}
    role = entry["role"]
    if role is None and facts["clustered"]:
        role = entry["name"]
    if facts["read_at"] is AS_THE_FILE:
        facts["read_at"] = read_at
    if facts["state_number"] is None:
        facts["state_number"] = int(facts["state"])
    vm = VirtualMachine(ref=VmRef(_vm_id(entry), entry["name"], None if role is None else RoleName(role)), **facts)
    stated = entry["memory_bytes"]
    if stated is not None and stated != vm.memory_bytes:
        vm = replace(vm, memory_assigned_bytes=stated, memory_startup_bytes=stated)
    return vm


def _dirtying(entries: list[Mapping[str, Any]], vms: list[VirtualMachine]) -> dict[VmId, PowerLaw]:
    laws = Priors().dirtying
    found: dict[VmId, PowerLaw] = {}
    for entry, vm in zip(entries, vms, strict=True):
        load: Workload = entry["class"] or workload_of(vm)
        stated = entry["dirty_bytes_per_s"]
        if stated is not None:
            found[vm.id] = PowerLaw(stated, laws[load].exponent)
        elif load is not workload_of(vm):
            found[vm.id] = laws[load]
    return found


def _options(found: Mapping[str, Any], vms: list[VirtualMachine]) -> PlanOptions:
    planning, hosts = found["planning"], found["hosts"]
    fixed = {
        vm.id: entry["destination"]
        for entry, vm in zip(found["vms"], vms, strict=True)
        if entry["destination"] is not None
    }
    limits = SiteLimits(
        reading=planning["parallel_migrations_per"],
        slots_of={entry["name"]: entry["slots"] for entry in hosts if entry["slots"] is not None},
        per_destination=planning["per_destination"],
        per_pair=planning["per_pair"],
        cluster_wide=planning["cluster_wide"],
        links=tuple(SharedLink(each.name, each.capacity_bytes_per_s, each.members) for each in found["shared_links"]),
        out_bytes_per_s=_ports(hosts, "out"),
        in_bytes_per_s=_ports(hosts, "in"),
    )
    return PlanOptions(
        slots=planning["slots"],
        smb_cap_fraction=planning["smb_cap_fraction"],
        memory_reserve_fraction=planning["memory_reserve_fraction"],
        pinned=fixed,
        avoided=planning["avoid"],
        limits=limits,
        guard=planning["guard"],
    )
