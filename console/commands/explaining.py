"""The evidence behind a VM's forecast, in values, as a document and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from console.exits import UsageProblem
from console.forecast.forecaster import PriorForecaster, guest_of, migration_type_of
from console.forecast.history import Learned, VmLearned
from console.forecast.priors import workload_of
from console.forecast.site import SiteConstants
from console.forecast.values import MigrationType, MoveForecast
from console.formatting import plain
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.learning import (
    Forgotten,
    all_moves,
    forgotten_file,
    moves_of_journal,
    read_forgotten,
    write_forgotten,
)
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName, VmId
from console.model.past import FinishedMove, Origin
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
    origins: Mapping[Origin, int]
    """Who tells of how many moves of the cluster."""
    silent: tuple[HostName, ...]
    """Hosts whose logs could not be read."""


def explain_vm(target: Target, typed: str) -> Explanation:
    """Read cluster, journal and event logs, and forecast the VM's move to every other host.

    Raises:
        CommandEnded: no such VM, no connection, or a journal that can not be read.
    """

    async def work(operations: LiveOperations) -> Explanation:
        cluster = await operations.read_cluster()
        vm = find_vm(cluster, typed)
        cluster = await operations.read_details(cluster, vm.host)
        moves = all_moves(cluster, _moves(operations.site, cluster.name))
        return _explained(cluster, cluster.vm_by_id.get(vm.id, vm), moves, _forgotten(operations.site))

    return with_operations(target, work)


def _explained(cluster: Cluster, vm: VirtualMachine, moves: list[FinishedMove], forgotten: Forgotten) -> Explanation:
    evidence = Learned(cluster, [move for move in moves if forgotten.keeps(move)])
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
    silent = () if cluster.past is None else cluster.past.silent
    return Explanation(vm, evidence.site, tuple(kept), len(own) - len(kept), tuple(ways), evidence.origins, silent)


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
            ids = {move.vm for move in known} or _id_as_typed(wanted)
            if len(ids) != 1:
                why = "knows no finished move of" if not ids else "knows several VMs called"
                raise UsageProblem(f"The journal {why} {typed!r}; name a VM by its id, or all.")
            changed, what = forgotten.with_vm(min(ids), now), f"Earlier moves of {plain(typed)} count"
        try:
            write_forgotten(path, changed)
        except OSError as error:
            raise UsageProblem(f"{plain(str(path))} can not be written: {error.strerror or error}.") from None
    return f"{what} for nothing in forecasts. Remove {plain(str(path))} to bring them back."


def _id_as_typed(wanted: str) -> set[VmId]:
    """A VM of which only the hosts' logs tell is forgotten by its id."""
    try:
        return {VmId(str(UUID(wanted)))}
    except ValueError:
        return set()


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
        "cluster": {
            **asdict(found.site),
            "moves_of_journal": found.origins.get(Origin.JOURNAL, 0),
            "moves_of_event_logs": found.origins.get(Origin.EVENT_LOG, 0),
            "logs_not_read": list(found.silent),
        },
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
        "origin": move.origin.value,
        "told_by": move.told_by,
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
            f"{site.moves} finished moves of this cluster ({_origins(found)}): "
            f"{site.overhead_s:.1f} s a move copy nothing, {site.rate_factor * 100:.0f} % of the expected rate"
        )
    else:
        print_text("No finished move of this cluster is known: priors alone.")
    for host in found.silent:
        print_text(f"The event log of {host} could not be read: it gives no evidence.")
    if found.forgotten:
        print_text(f"Forgotten moves of this VM: {found.forgotten}")
    _report_moves(found.moves)
    _report_law(found)
    headings = ("to", ">p50", ">p90", ">blackout p50", ">p90", ">prior p50", "rests on")
    rows = [_way(way) for way in found.ways]
    print_text()
    print_table(headings, rows)


def _origins(found: Explanation) -> str:
    told = ((Origin.JOURNAL, "from the journal"), (Origin.EVENT_LOG, "from the hosts' event logs"))
    return ", ".join(f"{count} {words}" for origin, words in told if (count := found.origins.get(origin, 0)))


def _report_law(found: Explanation) -> None:
    """Where the figures of its dirtying come from."""
    learned = next((way.learned for way in found.ways), None)
    if learned is None or learned.dirtying is None:
        print_text("Its dirtying: prior for such a VM")
        return
    law = learned.dirtying
    seen = "the passes of its moves" if learned.dirtying_from == "passes" else "how long its moves took"
    size = f"{law.bytes_in_first_second / 1e6:.0f} MB in the first second"
    print_text(f"Its dirtying: {size} · t^{law.exponent:.1f}, told by {seen}")


def _report_moves(moves: tuple[FinishedMove, ...]) -> None:
    for move in moves[:_SHOWN]:
        dark = "" if move.blackout_s is None else f", dark for {move.blackout_s:.1f} s"
        took = "" if move.duration_s is None else f" took {move.duration_s:.0f} s"
        told = f"event log of {move.told_by}" if move.origin is Origin.EVENT_LOG else f"journal, run {plain(move.run)}"
        print_text(f"  {move.finished_at:%Y-%m-%d %H:%M} {move.source} → {move.destination}{took}{dark} ({told})")


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
