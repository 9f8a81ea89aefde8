"""Conflicts that a forecast finds: the few VMs that decide how long a drain takes, or how dark a move gets."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from console.model.cluster import VirtualMachine
from console.model.identity import HostName
from console.model.outlook import MoveOutlook

from .machine import label
from .registry import Check, Facts, Family, Finding, check, vm_evidence
from .values import Fix, Severity, Subject

SLOW_S = 120.0
"""A move that is over sooner dominates nothing."""
TIMES_THE_USUAL = 4.0
SHARE_OF_ALL = 0.2
"""Twice the usual is enough when it is also this share of all moves of its host together."""


def _outlooks(facts: Facts, this: Check) -> Iterator[tuple[VirtualMachine, MoveOutlook] | Finding]:
    """Each clustered VM with its move; one open question where nothing was forecast."""
    if facts.outlook is None:
        yield this.unknown(Subject(host=facts.node), "No forecast was made.")
        return
    for vm in facts.clustered_vms():
        move = facts.outlook.moves.get(vm.id)
        if move is not None and move.live:
            yield vm, move


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


@check(
    "vm-heavy",
    Severity.ADVICE,
    Family.MACHINE,
    "The VM belongs to the slow class: it dominates the drain",
    "Live Migration Internals and Tuning, CAU drain is too slow: treat those as a separate class; the forecast",
    reads=("vms.MemoryAssigned",),
)
def heavy(facts: Facts, this: Check) -> Iterator[Finding]:
    by_host: dict[HostName, list[tuple[VirtualMachine, MoveOutlook]]] = {}
    for item in _outlooks(facts, this):
        if isinstance(item, tuple):
            by_host.setdefault(item[0].host, []).append(item)
        else:
            yield item
    for moves in by_host.values():
        durations = [move.duration_s for _, move in moves]
        usual, together = median(durations), sum(durations)
        for vm, move in moves:
            rare = move.duration_s >= min(TIMES_THE_USUAL * usual, max(2 * usual, SHARE_OF_ALL * together))
            if len(moves) > 1 and rare and move.duration_s >= SLOW_S:
                yield this.conflict(
                    Subject(vm=vm.ref, host=vm.host),
                    f"{label(vm)} takes about {_span(move.duration_s)} alone, the usual VM here {_span(usual)}: "
                    f"{move.duration_s / together:.0%} of the time of all moves from {vm.host} together.",
                    vm_evidence(vm, "forecast", move.basis),
                    Fix("Move it first, last or alone (plan --heavy), or outside the window."),
                )


@check(
    "vm-does-not-converge",
    Severity.RISKS,
    Family.MACHINE,
    "The guest writes faster than the copy catches up: a long blackout",
    "the forecast: pre-copy stalls above the stop size, the blackout sends what is left",
    reads=("vms.MemoryAssigned",),
)
def does_not_converge(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in _outlooks(facts, this):
        if not isinstance(item, tuple):
            yield item
        elif not item[1].converges:
            vm, move = item
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{label(vm)} writes to its memory faster than it is copied: expect a blackout of about "
                f"{move.blackout_s:.0f} s.",
                vm_evidence(vm, "forecast", move.basis),
                Fix("Choose a quiet hour, give it more bandwidth (fewer moves at once), or accept the pause."),
            )
