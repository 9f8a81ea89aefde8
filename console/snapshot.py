"""A cluster as a file: every fact that was read and every one that was not, so that a plan needs no cluster.

The file is the planning instance: hosts, shared links, VMs, rules and settings, units in the names; ``null`` is
*unknown*. The published schema is :func:`schema` (docs/snapshot.schema.json). Bug reports, what-ifs and tests use the
same file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console import __version__
from console.checks.registry import SitePolicy
from console.forecast.priors import workload_of
from console.model.cluster import Cluster, Host, VirtualMachine
from console.model.identity import HostName, VmId
from console.planner.schedule import SharedLink
from console.planner.values import PlanOptions
from console.redaction import redacted, renamed_texts
from console.snapshot_codec import Reader, plain, schema_of_shape
from console.snapshot_reading import Instance, instance_of
from console.snapshot_shapes import INSTANCE

SCHEMA = 1
_MOST_TOLD = 20
"""Problems in one message."""


class SnapshotUnreadable(Exception):
    """The file is no snapshot that this version understands; the text says why, with every place."""


def snapshot_of(
    cluster: Cluster,
    *,
    redact: bool = False,
    options: PlanOptions | None = None,
    policy: SitePolicy | None = None,
) -> dict[str, Any]:
    """The document of a cluster as it was read; ``redact`` renames everything that could tell whose it is.

    Args:
        options: what plans on this cluster start from.
        policy: the site's own word on conflict codes.
    """
    shown, names = (redacted(cluster), renamed_texts(cluster)) if redact else (cluster, {})
    chosen = options or PlanOptions()
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "made_by": f"drainboard {__version__}",
        "is_redacted": redact,
        "cluster": shown.name,
        "read_at": plain(shown.read_at),
        "hosts": [_host_entry(host, chosen, names) for host in shown.hosts],
        "shared_links": [_link_entry(link, number, names) for number, link in enumerate(chosen.limits.links)],
        "vms": [_vm_entry(vm, chosen, names) for vm in shown.vms],
        "rules": plain(shown.affinity_rules),
        "settings": plain(shown.settings),
        "planning": _planning_entry(chosen, names),
        "checks": _rulings(policy or SitePolicy(), redact),
    }
    for name in INSTANCE:
        if name not in document:
            document[name] = plain(getattr(shown, name))
    return document


def _host_entry(host: Host, options: PlanOptions, names: Mapping[str, str]) -> dict[str, Any]:
    facts = plain(host)
    back = {new: old for old, new in names.items()}
    name = HostName(back.get(host.name, host.name))
    limits, line = options.limits, _line(host)
    extras = {
        "link_out_bytes_per_s": limits.out_bytes_per_s.get(name, line),
        "link_in_bytes_per_s": limits.in_bytes_per_s.get(name, line),
        "slots": limits.slots_of.get(name),
    }
    return {"name": facts.pop("name"), **extras, **facts}


def _line(host: Host) -> float | None:
    """Bytes per second each way of the fastest adapter that is up."""
    speeds = [adapter.link_bytes_per_s for adapter in host.adapters or () if adapter.up is not False]
    return max((speed for speed in speeds if speed), default=None)


def _vm_entry(vm: VirtualMachine, options: PlanOptions, names: Mapping[str, str]) -> dict[str, Any]:
    facts = plain(vm)
    del facts["ref"]
    back = {new: old for old, new in names.items()}
    pinned = options.pinned.get(VmId(back.get(vm.id, vm.id)))
    return {
        "id": vm.id,
        "name": vm.name,
        "role": vm.ref.role,
        "memory_bytes": vm.memory_bytes,
        "class": workload_of(vm).value,
        "dirty_bytes_per_s": None,
        "destination": None if pinned is None else names.get(pinned, pinned),
        **facts,
    }


def _link_entry(link: SharedLink, number: int, names: Mapping[str, str]) -> dict[str, Any]:
    members = sorted(names.get(host, host) for host in link.members)
    name = f"link-{number + 1}" if names else link.name
    return {"name": name, "capacity_bytes_per_s": link.capacity_bytes_per_s, "members": members}


def _planning_entry(options: PlanOptions, names: Mapping[str, str]) -> dict[str, Any]:
    limits = options.limits
    return {
        "memory_reserve_fraction": options.memory_reserve_fraction,
        "slots": options.slots,
        "smb_cap_fraction": options.smb_cap_fraction,
        "avoid": sorted(names.get(host, host) for host in options.avoided),
        "parallel_migrations_per": limits.reading.value,
        "per_destination": limits.per_destination,
        "per_pair": limits.per_pair,
        "cluster_wide": limits.cluster_wide,
        "guard": plain(options.guard),
    }


def _rulings(policy: SitePolicy, redact: bool) -> dict[str, dict[str, str]]:
    return {
        code: {"severity": ruling.value, "reason": "(redacted)" if redact else reason}
        for code, (ruling, reason) in sorted(policy.rulings.items())
    }


# reading


def read_snapshot(path: Path) -> Instance:
    """Read a file back into the values that it was written from.

    Raises:
        SnapshotUnreadable: no such file, not JSON, another schema, or values that do not fit.
    """
    try:
        return parse_snapshot(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise SnapshotUnreadable(f"{path} cannot be read: {error}") from None


def parse_snapshot(text: str, name: str) -> Instance:
    """Like :func:`read_snapshot`, from the file's text; ``name`` is what problems call it."""
    try:
        data = json.loads(text)
        version = data["schema"]
    except RecursionError:
        raise SnapshotUnreadable(f"{name} is not a snapshot: it is nested too deeply.") from None
    except (ValueError, KeyError, TypeError):
        raise SnapshotUnreadable(f'{name} is not a snapshot: no JSON object with a "schema".') from None
    if version != SCHEMA:
        raise SnapshotUnreadable(f"{name} has schema {version!r}; this version reads {SCHEMA}.")
    reader = Reader()
    instance = instance_of(data, reader)
    if instance is None:
        told = [f"  {plain_text}" for plain_text in reader.problems[:_MOST_TOLD]]
        more = len(reader.problems) - _MOST_TOLD
        told += [f"  and {more} more"] if more > 0 else []
        raise SnapshotUnreadable("\n".join([f"{name} does not fit the snapshot's schema:", *told]))
    return instance


def schema() -> dict[str, Any]:
    """The JSON schema of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Drainboard snapshot",
        "description": "A cluster as it was read, and what plans on it start from. null is unknown, never zero.",
        **schema_of_shape(INSTANCE),
    }
