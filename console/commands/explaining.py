"""The evidence behind a VM's forecast, in values, as a document and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from console.exits import UsageProblem
from console.forecast.forecaster import PriorForecaster, guest_of, migration_type_of
from console.forecast.history import FinishedMove, SiteConstants, VmLearned
from console.forecast.priors import workload_of
from console.forecast.values import MigrationType, MoveForecast
from console.formatting import plain
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.learning import (
    Forgotten,
    forgotten_file,
    learned,
    moves_of_journal,
    read_forgotten,
    write_forgotten,
)
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName
from console.site import Site

from .names import find_vm
from .output import print_table, print_text
from .session import opened_site, with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Way:
    """One possible destination: what is forecast, what the priors alone say, what was learned."""

    destination: HostName
    forecast: MoveForecast
    prior: MoveForecast
    learned: VmLearned


@dataclass(frozen=True, slots=True)
class Explanation:
    vm: VirtualMachine
    site: SiteConstants
    moves: tuple[FinishedMove, ...]
    """Of this VM, latest first."""
    forgotten: int
    """Moves of this VM that count for nothing."""
    ways: tuple[Way, ...]


def explain_vm(target: Target, typed: str) -> Explanation:
    """Read cluster and journal, and forecast the VM's move to every other host.

    Raises:
        CommandEnded: no such VM, no connection, or a journal that can not be read.
    """

    async def work(operations: LiveOperations) -> Explanation:
        cluster = await operations.read_cluster()
        vm = find_vm(cluster, typed)
        moves = _moves(operations.site, cluster.name)
        return _explained(cluster, vm, moves, _forgotten(operations.site))

    return with_operations(target, work)


def _explained(cluster: Cluster, vm: VirtualMachine, moves: list[FinishedMove], forgotten: Forgotten) -> Explanation:
    evidence = learned(cluster, moves, forgotten)
    priors, informed = PriorForecaster(), PriorForecaster(evidence=evidence)
    ways = [
        Way(
            host.name,
            informed.forecast(cluster, vm, host.name),
            priors.forecast(cluster, vm, host.name),
            evidence.about(vm.id, priors.path(cluster, vm.host, host.name, guest_of(vm)), vm.host, host.name),
        )
        for host in cluster.hosts
        if host.name != vm.host
    ]
    own = [move for move in moves if move.vm == vm.id]
    kept = sorted((move for move in own if forgotten.keeps(move)), key=lambda move: move.finished_at, reverse=True)
    return Explanation(vm, evidence.site, tuple(kept), len(own) - len(kept), tuple(ways))


def forget_vm(target: Target, typed: str) -> str:
    """Write down that earlier moves no longer count; returns what was done, in a sentence.

    Raises:
        CommandEnded: the journal knows no such VM, or the file can not be written.
    """
    with opened_site(target) as site:
        now = site.clock().now()
        forgotten = _forgotten(site)
        path = forgotten_file(site.paths.state)
        if typed == "all":
            changed, what = forgotten.with_everything(now), "All moves up to now count"
        else:
            wanted = typed.strip("{}").casefold()
            known = [move for move in _moves(site, None) if wanted in (move.vm, move.name.casefold())]
            ids = {move.vm for move in known}
            if len(ids) != 1:
                why = "knows no finished move of" if not ids else "knows several VMs called"
                raise UsageProblem(f"The journal {why} {typed!r}; name a VM by its id, or all.")
            count = "One earlier move" if len(known) == 1 else f"{len(known)} earlier moves"
            verb = "counts" if len(known) == 1 else "count"
            changed, what = forgotten.with_vm(known[0].vm, now), f"{count} of {plain(typed)} {verb}"
        try:
            write_forgotten(path, changed)
        except OSError as error:
            raise UsageProblem(f"{plain(str(path))} can not be written: {error.strerror or error}.") from None
    return f"{what} for nothing in forecasts. Remove {plain(str(path))} to bring them back."


def _moves(site: Site, cluster: str | None) -> list[FinishedMove]:
    if not site.paths.journal.exists():
        return []
    try:
        with Journal.open(site.paths.journal, read_only=True) as journal:
            return moves_of_journal(journal, cluster)
    except JournalUnusable as error:
        raise UsageProblem(str(error)) from None


def _forgotten(site: Site) -> Forgotten:
    path = forgotten_file(site.paths.state)
    try:
        return read_forgotten(path)
    except (ValueError, OSError) as error:
        raise UsageProblem(f"{plain(str(path))} can not be read: {plain(str(error))}. Remove it.") from None


def explanation_document(found: Explanation) -> dict[str, Any]:
    """The document of ``forecast explain --json``."""
    vm = found.vm
    return {
        "schema": 1,
        "vm": {"name": vm.name, "id": vm.id, "host": vm.host, "memory_bytes": vm.memory_bytes},
        "migration_type": migration_type_of(vm).value,
        "workload": workload_of(vm).value,
        "cluster": asdict(found.site),
        "moves": [_move(move) for move in found.moves],
        "moves_forgotten": found.forgotten,
        "destinations": [
            {
                "destination": way.destination,
                "forecast": _forecast(way.forecast),
                "prior": _forecast(way.prior),
                "learned": asdict(way.learned),
            }
            for way in found.ways
        ],
    }


def _move(move: FinishedMove) -> dict[str, Any]:
    return {
        "run": move.run,
        "source": move.source,
        "destination": move.destination,
        "finished_at": move.finished_at.isoformat(),
        "duration_s": move.duration_s,
        "blackout_s": move.blackout_s,
        "bytes": move.bytes_sent,
        "sharing": move.sharing,
        "passes": len(move.passes),
    }


def _forecast(found: MoveForecast) -> dict[str, Any]:
    return {**asdict(found), "migration_type": found.migration_type.value}


def report_explanation(found: Explanation) -> None:
    """The same for people."""
    vm, site = found.vm, found.site
    print_text(f"{plain(vm.name)} ({vm.id}) on {vm.host}, {vm.memory_bytes / 2**30:.1f} GiB")
    how = migration_type_of(vm)
    if how is not MigrationType.LIVE:
        print_text(f"It would go {how.value}: nothing is learned from live migrations for that.")
    print_text(f"Taken for: {workload_of(vm).value}, by its name and its processors")
    if site.moves:
        print_text(
            f"{site.moves} finished moves of this cluster: {site.overhead_s:.1f} s a move copy nothing, "
            f"{site.rate_factor * 100:.0f} % of the expected rate"
        )
    else:
        print_text("No finished move of this cluster is known: priors alone.")
    if found.forgotten:
        print_text(f"Forgotten moves of this VM: {found.forgotten}")
    _report_moves(found.moves)
    headings = ("to", ">p50", ">p90", ">blackout p50", ">p90", ">prior p50", "rests on")
    rows = [_way(way) for way in found.ways]
    print_text()
    print_table(headings, rows)


def _report_moves(moves: tuple[FinishedMove, ...]) -> None:
    for move in moves[:_SHOWN]:
        dark = "" if move.blackout_s is None else f", dark for {move.blackout_s:.1f} s"
        took = "" if move.duration_s is None else f" took {move.duration_s:.0f} s"
        print_text(f"  {move.finished_at:%Y-%m-%d %H:%M} {move.source} → {move.destination}{took}{dark}")


def _way(way: Way) -> tuple[str, ...]:
    said = way.forecast
    return (
        way.destination,
        f"{said.duration_p50_s:.0f} s",
        f"{said.duration_p90_s:.0f} s",
        f"{said.blackout_p50_s:.1f} s",
        f"{said.blackout_p90_s:.1f} s",
        f"{way.prior.duration_p50_s:.0f} s",
        said.basis,
    )
