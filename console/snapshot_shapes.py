"""What the objects of a snapshot file hold: the model's own fields, and those that only the file has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from console.checks.registry import Ruling
from console.forecast.priors import Workload
from console.guard import Lines
from console.model.cluster import (
    AffinityRule,
    Cluster,
    ClusterSettings,
    Contact,
    Host,
    NodeState,
    VirtualMachine,
    VmState,
)
from console.model.identity import HostName
from console.planner.values import SlotReading
from console.snapshot_codec import Field, ListOf, shape_of

AS_THE_FILE: Any = object()
"""Stands for the file's own ``read_at`` where a host or VM has none; null there is "never answered"."""

HOST_EXTRAS: dict[str, Field] = {
    "link_out_bytes_per_s": Field(
        float | None, None,
        "What the host can send to others, bytes per second. Where adapters are given they decide the speed, and a "
        "lower figure here holds it back.", above_zero=True,
    ),
    "link_in_bytes_per_s": Field(float | None, None, "The same, for what it receives.", above_zero=True),
    "slots": Field(
        int | None, None,
        "Moves at once on this host, in and out together; null: what the cluster's settings say.", above_zero=True,
    ),
}  # fmt: skip

VM_EXTRAS: dict[str, Field] = {
    "id": Field(str | None, None, "The VM's GUID; without it one is made from its name."),
    "name": Field(str, doc="Names may repeat; then each needs its id."),
    "role": Field(str | None, None, "The cluster role that holds it; without it its name, where it is clustered."),
    "memory_bytes": Field(
        int | None, None, "What a move has to find room for; where it differs from the finer figures it is right."
    ),
    "class": Field(Workload | None, None, "Kind of load; null: guessed from name and processor use."),
    "dirty_bytes_per_s": Field(
        float | None, None, "Distinct bytes dirtied in the first second of a move; null: as its class does."
    ),
    "destination": Field(HostName | None, None, "A destination that is fixed; null: the plan chooses."),
}  # fmt: skip


@dataclass(frozen=True)
class LinkEntry:
    """A line that several hosts' moves cross."""

    name: str
    capacity_bytes_per_s: float = field(metadata={"above_zero": True})
    members: frozenset[HostName]


@dataclass(frozen=True)
class RulingEntry:
    severity: Ruling
    reason: str = ""


PLANNING: dict[str, Field] = {
    "memory_reserve_fraction": Field(float, 0.05, "Of each host's memory, never planned into."),
    "slots": Field(int | None, None, "Moves at once on one node; null: MaximumParallelMigrations.", above_zero=True),
    "smb_cap_fraction": Field(float | None, None, "Share of the network that SMB migrations may take; null: as set."),
    "avoid": Field(frozenset[HostName], frozenset(), "Hosts that no VM is moved to."),
    "parallel_migrations_per": Field(
        SlotReading, SlotReading.NODE, "What MaximumParallelMigrations counts: moves of a node or of a pair of nodes."
    ),
    "per_destination": Field(int | None, None, "Moves at once into one destination.", above_zero=True),
    "per_pair": Field(int | None, None, "Moves at once between one pair of nodes.", above_zero=True),
    "cluster_wide": Field(int | None, None, "Moves at once in the whole cluster.", above_zero=True),
    "guard": Field(Lines | None, None, "The lines of the guard that a run will have; null: none holds anything."),
}

_UNPLANNED = {name: each.default for name, each in PLANNING.items()}

_HOST_DOCS = {
    "state": "Roles go only to hosts that are Up; absent: Up.",
    "contact": "Whether the host answered; absent: it did.",
    "memory_bytes": "All of the host's memory; null: unknown, and then it takes nothing.",
    "memory_free_bytes": "Free for VMs now.",
    "cpu_fraction": "How busy its processors are, 0 to 1.",
    "migration_transport": "VMMigrationPerformance; null counts as Compression.",
    "fault_domain": "Rack or site; a wave of a rolling plan has one node of each.",
}
_VM_DOCS = {
    "host": "Where it is now.",
    "state": "VMState; absent: Running.",
    "clustered": "Only clustered VMs can be moved by a drain; absent: it is.",
    "priority": "0 no auto start, 1000 low, 2000 medium, 3000 high.",
    "possible_owners": "Hosts that may run it; null: all.",
    "anti_affinity": "AntiAffinityClassNames.",
}


def host_shape() -> dict[str, Field]:
    shape = _documented(shape_of(Host), _HOST_DOCS)
    shape["contact"] = replace(shape["contact"], default=Contact.ANSWERING)
    shape["read_at"] = replace(shape["read_at"], default=AS_THE_FILE)
    shape["state"] = replace(shape["state"], default=NodeState.UP)
    shape["memory_bytes"] = replace(shape["memory_bytes"], above_zero=True)
    return {"name": shape.pop("name"), **HOST_EXTRAS, **shape}


def vm_shape() -> dict[str, Field]:
    shape = _documented(shape_of(VirtualMachine), _VM_DOCS)
    del shape["ref"]
    shape["state"] = replace(shape["state"], default=VmState.RUNNING)
    shape["state_number"] = replace(shape["state_number"], default=None, kind=int | None)
    shape["read_at"] = replace(shape["read_at"], default=AS_THE_FILE)
    shape["clustered"] = replace(shape["clustered"], default=True)
    return {**VM_EXTRAS, **shape}


def _documented(shape: Mapping[str, Field], docs: Mapping[str, str]) -> dict[str, Field]:
    return {name: replace(known, doc=docs.get(name, known.doc)) for name, known in shape.items()}


def _instance() -> dict[str, Field]:
    rest = {
        name: known
        for name, known in shape_of(Cluster).items()
        if name not in ("name", "read_at", "hosts", "vms", "affinity_rules", "settings")
    }
    return {
        "schema": Field(int, doc="1; it changes only when a field is renamed or means something else."),
        "made_by": Field(str, "", "Who wrote the file."),
        "is_redacted": Field(bool, False, "Names were replaced."),
        "cluster": Field(str, doc="The cluster's name."),
        "read_at": Field(datetime, doc="When the facts were read."),
        "hosts": Field(ListOf(host_shape()), doc="The nodes."),
        "shared_links": Field(
            tuple[LinkEntry, ...], (), "Lines that several hosts share, between sites or racks: a move crosses one "
            "when exactly one of its ends is a member. capacity_bytes_per_s is above 0.",
        ),
        "vms": Field(ListOf(vm_shape()), doc="The VMs."),
        "rules": Field(tuple[AffinityRule, ...] | None, (), "Affinity rules. kind: 1 same fault domain, 2 same node, "
                       "3 different fault domain, 4 different node; groups are role names."),
        "settings": Field(ClusterSettings, ClusterSettings(), "The cluster's properties, raw as Windows stores them."),
        "planning": Field(PLANNING, _UNPLANNED, "What plans on this cluster start from."),
        "checks": Field(Mapping[str, RulingEntry], {}, "The site's own word on conflict codes."),
        **rest,
    }  # fmt: skip


INSTANCE = _instance()
"""The whole file."""
