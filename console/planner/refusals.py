"""Why a host can not take a VM, and how the fewest such rules are told when none can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from console.model.cluster import Contact, Host, NodeState, VirtualMachine
from console.model.identity import HostName

from .values import Infeasible
from .words import count_text


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a host can not take a VM: a short rule, the same for all hosts it refuses, and a sentence."""

    rule: str
    text: str


Blocked = Callable[[VirtualMachine, HostName], Sequence[Refusal]]
"""The conflicts that block a VM's way to a host; empty when none does."""


def host_refusal(host: Host, avoided: frozenset[HostName]) -> Refusal | None:
    """Why a host takes nothing at all, whatever the VM; None when it may."""
    if host.name in avoided:
        return Refusal("avoided hosts", "avoided by choice")
    if host.state is NodeState.PAUSED:
        return Refusal("host state", "is paused")
    if host.state is not NodeState.UP:
        return Refusal("host state", f"is {host.state.name.lower()}")
    if not host.accepts_vms:
        return Refusal("host state", "takes no roles now (isolated, quarantined or avoiding placement)")
    if host.contact is not Contact.ANSWERING:
        return Refusal("host contact", "does not answer, its free memory is not known")
    if host.migration_enabled is False:
        return Refusal("live migration disabled", "has live migration switched off")
    if host.memory_bytes is None or host.memory_free_bytes is None:
        return Refusal("unknown memory", "its memory could not be read")
    return None


def hopeless(given_up: Infeasible) -> bool:
    """Whether no other order of placing could help: nothing of it depends on where others go."""
    return (
        not any(
            rule == "memory" or rule.startswith(("affinity rule", "AntiAffinityClassNames")) for rule in given_up.rules
        )
        or "pinned" in given_up.rules
    )


def clash_text(every: Mapping[HostName, Sequence[Refusal]], rules: Sequence[str]) -> str:
    """One clause a rule of the clash, with the hosts that it refuses."""
    clauses: list[str] = []
    explained: set[HostName] = set()
    for rule in rules:
        hosts = [
            (name, each.text)
            for name, found in every.items()
            if name not in explained
            for each in found
            if each.rule == rule
        ]
        if not hosts:
            continue
        explained.update(name for name, _ in hosts)
        name, text = hosts[0]
        others = f" (and {count_text(len(hosts) - 1, 'other host')} alike)" if len(hosts) > 1 else ""
        clauses.append(f"{name} {text}{others}")
    return f"no host can take it: {'; '.join(clauses)}"
