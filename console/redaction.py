"""Rename everything in a snapshot that could tell whose cluster it is, and nothing that a plan depends on.

What is not known to be harmless is renamed, so a field that is added later is safe before anybody thinks of it.
The same name gets the same new name everywhere, names keep their order, and a VM's new name keeps the hint about
its workload that the forecast takes from the old one. Sentences are dropped: nobody can vouch for what is in them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from console.forecast.priors import Workload, workload_of
from console.model.cluster import Cluster

REDACTED = "(redacted)"

_HARMLESS = frozenset(
    {
        "abilities",
        "adapter",
        "denied",
        "description",
        "driver_date",
        "driver_provider",
        "driver_version",
        "model",
        "modules",
        "processor_manufacturer",
        "processor_name",
        "service",
        "supported_vm_versions",
        "system_drive",
        "unread",
        "uplinks",
        "version",
    }
)
"""Fields that name products, not owners."""

_SENTENCES = frozenset({"missing", "problems", "status"})
_PATHS = frozenset({"configuration_path", "path", "smart_paging_path"})
_PREFIXES = (
    ("Host", "name", "HOST"),
    ("VmRef", "name", "vm"),
    ("VmRef", "role", "role"),
    ("Role", "name", "role"),
    ("ClusterNetwork", "name", "network"),
    ("NetworkAdapter", "name", "adapter"),
    ("SharedVolume", "name", "volume"),
    ("Cluster", "name", "CLUSTER"),
)
"""What a name is called by the first field that holds it; every other one is a plain ``name``."""

_KEPT_PATH_PARTS = re.compile(r"[A-Za-z]:|ClusterStorage|\.|\?|", re.IGNORECASE)
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HINTS = {Workload.DATABASE: "-sql", Workload.WEB: "-web", Workload.FILE: "-file"}

Visit: TypeAlias = Callable[[str, str, str], str]
"""(class, field, text) → the text to put there."""


def redacted(cluster: Cluster) -> Cluster:
    """The same cluster under other names."""
    names = renamed_texts(cluster)

    def rename(owner: str, field: str, text: str) -> str:
        if field in _PATHS:
            return "\\".join(_path_part(part, names) for part in text.split("\\"))
        return names[text]

    renamed = _walk(cluster, "", "", rename)
    assert isinstance(renamed, Cluster)
    return renamed


def renamed_texts(cluster: Cluster) -> dict[str, str]:
    """Every text that goes, and what it becomes."""
    found: dict[str, tuple[str, str]] = {}

    def collect(owner: str, field: str, text: str) -> str:
        for part in text.split("\\") if field in _PATHS else (text,):
            known = found.get(part)
            if known is None or _rank(owner, field) < _rank(*known):
                found[part] = (owner, field)
        return text

    _walk(cluster, "", "", collect)
    hints = {vm.name: _HINTS.get(workload_of(vm), "") for vm in cluster.vms}
    return dict(_numbered(found, hints))


def _numbered(found: dict[str, tuple[str, str]], hints: dict[str, str]) -> Iterator[tuple[str, str]]:
    for number, (text, place) in enumerate(sorted(found.items()), start=1):
        if not text:
            yield text, text
        elif _GUID.fullmatch(text):
            yield text, f"00000000-0000-4000-8000-{number:012d}"
        else:
            rank = _rank(*place)
            prefix = _PREFIXES[rank][2] if rank < len(_PREFIXES) else "name"
            yield text, f"{prefix}-{number:05d}{hints.get(text, '') if prefix == 'vm' else ''}"


def _rank(owner: str, field: str) -> int:
    places = [(known_owner, known_field) for known_owner, known_field, _ in _PREFIXES]
    return places.index((owner, field)) if (owner, field) in places else len(places)


def _path_part(part: str, names: dict[str, str]) -> str:
    """Drives and ``ClusterStorage`` tell where a file lies; a file's ending tells what it is."""
    if _KEPT_PATH_PARTS.fullmatch(part):
        return part
    ending = re.search(r"\.(?:a?vhdx?|iso|vmcx|vmrs|vsv)$", part, re.IGNORECASE)
    return names[part] + (ending.group() if ending else "")


def _walk(value: Any, owner: str, field: str, visit: Visit) -> Any:
    """A copy of the value in which ``visit`` has seen every text that may have to go."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        changes = {each.name: _walk(getattr(value, each.name), kind, each.name, visit) for each in _fields(value)}
        return dataclasses.replace(value, **changes)
    if isinstance(value, tuple):
        return tuple(_walk(item, owner, field, visit) for item in value)
    if isinstance(value, frozenset):
        return frozenset(_walk(item, owner, field, visit) for item in value)
    if not isinstance(value, str) or field in _HARMLESS:
        return value
    if field in _SENTENCES:
        return REDACTED if value else value
    return visit(owner, field, value)


def _fields(value: Any) -> tuple[dataclasses.Field[Any], ...]:
    return tuple(each for each in dataclasses.fields(value) if each.init)
