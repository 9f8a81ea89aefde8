"""What did not come of that which a check rests on: never clean, said once for all the hosts that did not tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from console.model.cluster import Cluster, Contact, Host, NodeState
from console.model.identity import HostName
from console.windows import catalogue

from .values import Subject

_OF_VMS = frozenset(entry.id for entry in (*catalogue.vms.ENTRIES, catalogue.events.MIGRATION_EVENTS))
_OF_CLUSTER = frozenset(entry.id for entry in catalogue.cluster.ENTRIES)
_NAMED = 5
"""Hosts that a sentence names before it only counts."""


class Gaps:
    """Looks up, for properties of the catalogue, which hosts did not tell them."""

    def __init__(self, cluster: Cluster, node: HostName | None) -> None:
        self._cluster = frozenset(cluster.unread)
        looked_at = [host for host in cluster.hosts if host.state is not NodeState.DOWN]
        self._everywhere = _by_need(looked_at)
        self._at_node = self._everywhere if node is None else _by_need([h for h in looked_at if h.name == node])

    def of(self, reads: tuple[str, ...]) -> Iterator[tuple[Subject, str]]:
        """A subject and a sentence for the cluster, and one for all hosts together."""
        if lost := [need for need in reads if _lost(need, self._cluster)]:
            yield Subject(), f"The cluster did not tell {_named(lost)}. {_advice(lost)}"
        by_host: dict[HostName, None] = {}
        properties: dict[str, None] = {}
        for need in _with_identity(reads):
            for host in self._hosts(need):
                by_host[host] = None
                properties[need] = None
        if by_host:
            hosts = list(by_host)
            names = ", ".join(hosts[:_NAMED]) + (f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else "")
            subject = Subject(host=hosts[0]) if len(hosts) == 1 else Subject()
            yield subject, f"{names} did not tell {_named(list(properties))}. {_advice(list(properties))}"

    def _hosts(self, need: str) -> list[HostName]:
        entry = need.partition(".")[0]
        if entry in _OF_CLUSTER:
            return []
        known = self._at_node if entry in _OF_VMS else self._everywhere
        return [*known.get(need, ()), *known.get(entry, ()), *known.get("", ())]


def _by_need(hosts: list[Host]) -> dict[str, list[HostName]]:
    """Hosts by what they did not tell; under the empty text those that never told anything."""
    found: dict[str, list[HostName]] = {}
    for host in hosts:
        for need in ("",) if host.contact is Contact.NEVER else host.unread:
            found.setdefault(need, []).append(host.name)
    return found


def _lost(need: str, unread: frozenset[str]) -> bool:
    return need in unread or need.partition(".")[0] in unread


@cache
def _with_identity(reads: tuple[str, ...]) -> tuple[str, ...]:
    """A VM whose Id did not come is not looked at at all."""
    return (*reads, "vms.Id") if any(need.partition(".")[0] in _OF_VMS for need in reads) else reads


def _named(needs: list[str]) -> str:
    parts = (need.partition(".") for need in needs)
    return ", ".join(
        f"{property} ({command_of(entry)})" if property else command_of(entry) for entry, _, property in parts
    )


def command_of(entry_id: str) -> str:
    """A catalogue entry as an administrator would call it: the cmdlet that gives its rows, or the class it reads."""
    entry = catalogue.ENTRIES[entry_id]
    named = [stage.name for stage in entry.pipeline if isinstance(stage, catalogue.Stage)]
    getting = [name for name in named if name.startswith("Get-") and name != "Get-CimInstance"]
    if getting:
        return getting[-1]
    return entry.rows.type_name.rpartition(":")[2] if entry.rows else entry.id


def commands_of(entries: Iterable[str]) -> list[str]:
    """Each once, in order; what is no entry of the catalogue as it is."""
    return list(dict.fromkeys(command_of(one) if one in catalogue.ENTRIES else one for one in entries))


def _advice(needs: list[str]) -> str:
    rights = dict.fromkeys(catalogue.ENTRIES[need.partition(".")[0]].privilege.value for need in needs)
    return f"It takes {' and '.join(rights)}; the problems of the reading say why it failed."
