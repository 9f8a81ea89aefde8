"""The whole vocabulary: everything that can be said to Windows, by subject.

``ENTRIES`` is the list that tests, the constrained endpoint's export and the doctor read; each module beside it offers
functions that bind its entries to calls (an entry without open parameters is bound by ``ENTRY.bind()``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import changes, cluster, events, host, leases, progress, session, vms
from .entry import Entry, Fill, Privilege, Rows, ScriptStage, Source, Stage

ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        entry.id: entry
        for module in (cluster, host, vms, progress, leases, events, session, changes)
        for entry in module.ENTRIES
    }
)
"""Every entry by its id."""

__all__ = [
    "ENTRIES",
    "Entry",
    "Fill",
    "Privilege",
    "Rows",
    "ScriptStage",
    "Source",
    "Stage",
    "changes",
    "cluster",
    "events",
    "host",
    "leases",
    "progress",
    "session",
    "vms",
]
