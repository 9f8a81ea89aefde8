"""From what an operator types to a host or a VM; what matches several is an error that lists them."""

from __future__ import annotations

from collections.abc import Iterable

from console.configuration.problems import nearest
from console.exits import UsageProblem
from console.formatting import name as shown
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName


def find_host(cluster: Cluster, typed: str) -> HostName:
    """The node of that name; case does not count, as for Windows.

    Raises:
        UsageProblem: there is none; with the nearest name.
    """
    by_folded = {host.name.casefold(): host.name for host in cluster.hosts}
    found = by_folded.get(typed.casefold())
    if found is None:
        raise UsageProblem(f"{shown(cluster.name)} has no host {typed!r}.{_hint(typed, by_folded.values())}")
    return found


def find_hosts(cluster: Cluster, typed: Iterable[str]) -> tuple[HostName, ...]:
    """The nodes of those names, each once.

    Raises:
        UsageProblem: there is no such node; with the nearest name.
    """
    return tuple(dict.fromkeys(find_host(cluster, text) for text in typed))


def find_vm(cluster: Cluster, typed: str) -> VirtualMachine:
    """The VM with that id, else the only one with that name.

    Raises:
        UsageProblem: none, or several; those are listed with their ids.
    """
    wanted = typed.strip("{}").casefold()
    found = [vm for vm in cluster.vms if vm.id == wanted] or [
        vm for vm in cluster.vms if vm.name.casefold() == typed.casefold()
    ]
    if not found:
        raise UsageProblem(f"There is no VM {typed!r}.{_hint(typed, (vm.name for vm in cluster.vms))}")
    if len(found) > 1:
        which = "\n".join(f"  {vm.id} on {vm.host}" for vm in found)
        raise UsageProblem(f"{len(found)} VMs are called {typed!r}; name one by its id:\n{which}")
    return found[0]


def _hint(typed: str, names: Iterable[str]) -> str:
    close = nearest(typed, names)
    return f" Did you mean {shown(close)}?" if close else ""
