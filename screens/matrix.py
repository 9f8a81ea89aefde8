"""Which VM can go to which host: a row a VM, a column a host, the worst of what stands between them in each cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from console import formatting
from console.checks.values import Conflict, Findings, Severity, Unknown
from console.model.cluster import Cluster, Host, VirtualMachine
from console.model.identity import HostName, VmId
from console.planning import concerns
from screens.columns import Column
from screens.drawing import Line, cut
from screens.paint import Look
from screens.vm_columns import vm_label

STYLES = {
    Severity.BLOCKS: "text.bad",
    Severity.INTERRUPTS: "state.interrupted",
    Severity.RISKS: "text.warning",
    Severity.ADVICE: "text.accent",
}
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_SYMBOLS = {
    Severity.BLOCKS: "failed", Severity.INTERRUPTS: "interrupted", Severity.RISKS: "blocked", Severity.ADVICE: "queued",
}  # fmt: skip
_WIDEST = 10


class _Mark(NamedTuple):
    symbol: str
    style: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A VM with what was found about it, and what could not be checked."""

    vm: VirtualMachine
    conflicts: tuple[Conflict, ...]
    unknown: tuple[Unknown, ...]


def matrix_rows(findings: Findings, cluster: Cluster, severities: Sequence[Severity]) -> list[MatrixRow]:
    """The VMs about which anything was found, those with the worst first."""
    conflicts: defaultdict[VmId, list[Conflict]] = defaultdict(list)
    unknown: defaultdict[VmId, list[Unknown]] = defaultdict(list)
    for conflict in findings.conflicts:
        if conflict.subject.vm is not None and conflict.severity in severities:
            conflicts[conflict.subject.vm.id].append(conflict)
    for gap in findings.unknown:
        if gap.subject.vm is not None:
            unknown[gap.subject.vm.id].append(gap)
    rows = [
        MatrixRow(vm, tuple(conflicts[vm.id]), tuple(unknown[vm.id]))
        for vm in cluster.vms
        if vm.id in conflicts or vm.id in unknown
    ]
    return sorted(rows, key=lambda row: min((_RANKS[c.severity] for c in row.conflicts), default=len(_RANKS)))


def matrix_columns(cluster: Cluster, look: Look) -> tuple[Column[MatrixRow], ...]:
    """The VM, where it is, and every host as a destination."""
    hosts = tuple(_host_column(host, look) for host in cluster.hosts)
    return (
        Column("vm", "VM", 18, lambda r, w: ((cut(vm_label(r.vm.ref), w), "text.strong"),), grows=1, most=32,
               pinned=True, sort=lambda r: r.vm.name.casefold()),
        Column("on", "ON", 8, lambda r, w: cut(formatting.plain(r.vm.host), w), style="text.muted", pinned=True,
               sort=lambda r: r.vm.host.casefold()),
        *hosts,
    )  # fmt: skip


def _host_column(host: Host, look: Look) -> Column[MatrixRow]:
    name = formatting.name(host.name)
    width = min(_WIDEST, max(5, len(name)))

    def cell(row: MatrixRow, width: int) -> Line:
        mark = _mark(row, host.name, look)
        return ((" " * ((width - 1) // 2) + mark.symbol, mark.style),)

    return Column(f"host {host.name}", cut(name, width), width, cell)


def _mark(row: MatrixRow, host: HostName, look: Look) -> _Mark:
    """The worst of one VM on one destination; its own host is where it is."""
    states = look.glyphs.states
    if host == row.vm.host:
        return _Mark(look.glyphs.dash, "text.off")
    found = [c.severity for c in row.conflicts if concerns(c.subject, row.vm.id, row.vm.host, host)]
    if found:
        worst = min(found, key=lambda severity: _RANKS[severity])
        return _Mark(states[_SYMBOLS[worst]], STYLES[worst])
    if any(concerns(gap.subject, row.vm.id, row.vm.host, host) for gap in row.unknown):
        return _Mark(states["unknown"], "state.unknown")
    return _Mark(states["done"], "text.good")


def legend(look: Look) -> Line:
    """What the symbols of the cells mean."""
    spans: list[tuple[str, str]] = []
    for severity in (Severity.BLOCKS, Severity.INTERRUPTS, Severity.RISKS):
        spans.append((f"{look.glyphs.states[_SYMBOLS[severity]]} {severity.value}  ", STYLES[severity]))
    return (
        *spans,
        (f"{look.glyphs.states['unknown']} unknown  ", "state.unknown"),
        (f"{look.glyphs.states['done']} ok", "text.good"),
    )
