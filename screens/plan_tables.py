"""How a plan is written: its summary, its moves as a Gantt chart in cells, what is not moved live, hosts afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from console import formatting
from console.forecast.values import MigrationType
from console.model.cluster import Cluster
from console.model.identity import VmRef
from console.planner.values import HeavyClass, HostAfter, Plan, PlannedMove, PlanOptions, SlotReading
from screens.columns import Column, known
from screens.drawing import Line, cut, fitting, joined, stretch, wrap
from screens.helps import Help
from screens.paint import Look
from screens.vm_columns import memory_cell, vm_label
from screens.window import against_window


class Kind(Enum):
    """Why a VM of the node does not simply move live."""

    INTERRUPTED = "interrupted"
    LEFT_BEHIND = "left-behind"
    INFEASIBLE = "blocked"


@dataclass(frozen=True, slots=True)
class NotLive:
    """A row of the separate list; consent to it is given by marking it."""

    kind: Kind
    vm: VmRef
    text: str
    agreed: bool
    chosen: bool = False
    """The operator excluded it in this plan."""


def not_live(plan: Plan, agreed: frozenset[str]) -> tuple[NotLive, ...]:
    """Everything that is interrupted, left behind or without a destination."""
    rows = [NotLive(Kind.INTERRUPTED, item.vm, item.how, item.vm.id in agreed) for item in plan.interrupted]
    for left in plan.left_behind:
        chosen = left.vm.id in plan.options.excluded
        rows.append(NotLive(Kind.LEFT_BEHIND, left.vm, left.reason, chosen or left.vm.id in agreed, chosen))
    for item in plan.infeasible:
        text = item.reason + (f" ({', '.join(item.rules)})" if item.rules else "")
        rows.append(NotLive(Kind.INFEASIBLE, item.vm, text, item.vm.id in agreed))
    return tuple(rows)


def summary(
    plan: Plan, now: datetime, window_ends_at: datetime | None, agreed: frozenset[str], width: int
) -> list[Line]:
    """Three lines: what moves, when it ends against the window, how good the plan is."""
    interrupted = len(plan.interrupted)
    rest = len(plan.left_behind) + len(plan.infeasible)
    open_consents = sum(not row.agreed for row in not_live(plan, agreed))
    memory = sum(move.memory_bytes for move in plan.moves)
    what = fitting(
        [
            ((vms_move(plan), "text.strong"),),
            ((_wanted(open_consents), "text.warning"),) if open_consents else None,
            ((f"{interrupted} interrupted", "state.interrupted"),) if interrupted else None,
            ((f"{rest} {'stays' if rest == 1 else 'stay'}", "state.left-behind"),) if rest else None,
            ((formatting.size(memory), "text.muted"),),
        ],
        width - 12,
        "   ",
    )
    return [_row("moves", what), _row("finish", _finish(plan, now, window_ends_at)), _row("quality", _quality(plan))]


def vms_move(plan: Plan) -> str:
    """``60 VMs move``, ``1 VM moves``."""
    return formatting.count(len(plan.moves), "VM") + (" moves" if len(plan.moves) == 1 else " move")


def _wanted(open_consents: int) -> str:
    return f"{open_consents} {'needs' if open_consents == 1 else 'need'} your consent: press 2"


def _row(name: str, line: Line) -> Line:
    return ((f"  {name:<9}", "text.muted"), *line)


def _finish(plan: Plan, now: datetime, window_ends_at: datetime | None) -> Line:
    middle, worst = (now + timedelta(seconds=s) for s in (plan.makespan_s, plan.makespan_p90_s))
    finish: Line = (
        (formatting.clock_time(middle), "text.strong"),
        (f", {formatting.clock_time(worst)} at worst", "text.muted"),
    )
    lasts: Line = ((f"in {formatting.duration(plan.makespan_s)}", ""),)
    return joined([finish, lasts, verdict(plan, now, window_ends_at)], "   ")


def verdict(plan: Plan, now: datetime, window_ends_at: datetime | None) -> Line:
    """How the plan's end stands to the window, if it started now."""
    return against_window(
        now + timedelta(seconds=plan.makespan_s), now + timedelta(seconds=plan.makespan_p90_s), window_ends_at
    )


def _quality(plan: Plan) -> Line:
    spare: dict[bool | None, Line] = {
        True: (("N+1 holds after", "text.good"),),
        False: (("N+1 is LOST after", "text.bad"),),
        None: (("N+1 unknown", "text.muted"),),
    }
    parts: list[Line] = [spare[plan.n1_after], ((gain_words(plan), ""),), ((f"{plan.slots} at once", "text.muted"),)]
    return joined(parts, "   ")


def gain_words(plan: Plan) -> str:
    """How far the plan can be from the best possible one."""
    gain = max(0.0, 1 - 1 / plan.ratio) if plan.ratio > 0 else 0.0
    return "nothing is left to gain" if gain < 0.005 else f"at most {gain * 100:.0f} % could still be gained"


def slots_to_set(plan: Plan, cluster: Cluster) -> int | None:
    """What MaximumParallelMigrations has to be for as many moves at once as the plan has; None when it allows them."""
    limit = cluster.settings.maximum_parallel_migrations
    counts_per_node = plan.options.limits.reading is SlotReading.NODE
    return plan.slots if counts_per_node and limit is not None and plan.slots > limit else None


def changes(options: PlanOptions, settings: tuple[tuple[str, int], ...] = ()) -> Line:
    """The levers that were moved, and what they change on the cluster, for the line under the summary."""
    parts = [
        f"{options.slots} slots" if options.slots is not None else "",
        f"bandwidth {formatting.percent(options.smb_cap_fraction)}" if options.smb_cap_fraction is not None else "",
        f"{len(options.held)} held" if options.held else "",
        f"{len(options.excluded)} left out" if options.excluded else "",
        f"{len(options.pinned)} sent by hand" if options.pinned else "",
        f"avoids {', '.join(sorted(map(formatting.name, options.avoided)))}" if options.avoided else "",
        f"heavy ones {options.heavy.value}" if options.heavy is not HeavyClass.AS_PLANNED else "",
    ]
    given = [part for part in parts if part]
    if not given:
        return ()
    asked = ", ".join(f"{name} = {value}" for name, value in settings)
    note: Line = ((f"   sets {asked}, put back at the end", "text.warning"),) if settings else ()
    return _row("changed", ((", ".join(given), "text.accent"), *note))


def move_columns(look: Look, plan: Plan | None) -> tuple[Column[PlannedMove], ...]:
    """The moves' table; the Gantt chart's axis is this plan's length."""
    total_s = max((move.end_s for move in plan.moves), default=1.0) if plan else 1.0
    options = plan.options if plan else PlanOptions()
    return (
        Column("vm", "VM", 16, lambda m, w: ((cut(vm_label(m.vm), w), "text.strong"),), grows=2, most=40, pinned=True,
               sort=lambda m: m.vm.name.casefold()),
        Column("memory", "MEMORY", 8, lambda m, w: formatting.size(m.memory_bytes), right=True,
               sort=lambda m: -m.memory_bytes),
        Column("to", "TO", 8, lambda m, w: _destination(m, options), grows=1, most=16,
               sort=lambda m: m.destination.casefold()),
        Column("bar", "", 14, lambda m, w: _gantt(m, total_s, w, look, options), grows=6, most=90,
               heading=lambda w: axis(total_s, w), sort=lambda m: (m.start_s, m.end_s)),
        Column("time", "FORECAST", 12, _forecast, right=True, sort=lambda m: -m.forecast.duration_p50_s),
        Column("dark", "DARK", 5, lambda m, w: formatting.short_duration(m.forecast.blackout_p50_s), right=True,
               style="text.muted", sort=lambda m: -m.forecast.blackout_p50_s),
        Column("class", "CLASS", 7, lambda m, w: _class(m)),
        *(
            Column[PlannedMove]("conflicts", "CONFLICTS", 10, _conflicts, sort=lambda m: -len(m.conflicts))
            for _ in range(any(move.conflicts for move in (plan.moves if plan else ())))
        ),
        Column("reason", "REASON", 36, lambda m, w: formatting.plain(m.reason), grows=3, style="text.muted"),
    )  # fmt: skip


def axis(total_s: float, width: int) -> str:
    """``0 ───── 20m ───── 41m`` in exactly ``width`` cells."""
    end = formatting.short_duration(total_s)
    middle = formatting.short_duration(total_s / 2)
    room = width - 1 - len(end)
    if room < len(middle) + 6:
        return "0" + " " * max(1, room) + end
    left = width // 2 - 1 - len(middle) // 2
    return ("0" + " " * left + middle).ljust(1 + room) + end


def _destination(move: PlannedMove, options: PlanOptions) -> Line:
    pinned = move.vm.id in options.pinned
    return ((formatting.name(move.destination), "text.accent" if pinned else ""),)


def _gantt(move: PlannedMove, total_s: float, width: int, look: Look, options: PlanOptions) -> Line:
    style = "bar.fill"
    if move.vm.id in options.held:
        style = "state.held"
    elif move.forecast.migration_type is not MigrationType.LIVE:
        style = "state.interrupted"
    elif not move.forecast.converges:
        style = "bar.full"
    return stretch(move.start_s, move.end_s, total_s, width, look.glyphs, style)


def _forecast(move: PlannedMove, width: int) -> Line:
    middle = formatting.short_duration(move.forecast.duration_p50_s)
    worst = formatting.short_duration(move.forecast.duration_p90_s)
    return ((middle, ""), (f" ≤{worst:>5}", "text.muted"))


def _conflicts(move: PlannedMove, width: int) -> Line:
    return ((cut(", ".join(move.conflicts), width), "text.warning"),)


def _class(move: PlannedMove) -> Line:
    kind = move.forecast.migration_type
    if kind is MigrationType.LIVE and not move.forecast.converges:
        return (("heavy", "text.bad"),)
    return ((kind.value, "text.muted" if kind is MigrationType.LIVE else "state.interrupted"),)


def move_detail(move: PlannedMove | None, width: int) -> list[Line]:
    """Why this destination, why not at once, what stands against it."""
    if move is None:
        return []
    forecast = move.forecast
    first: Line = (
        ("  ", ""),
        (vm_label(move.vm), "text.strong"),
        (f" → {formatting.name(move.destination)}: ", "text.muted"),
        (formatting.plain(move.reason), ""),
    )
    middle, worst = formatting.duration(forecast.blackout_p50_s), formatting.duration(forecast.blackout_p90_s)
    facts = (
        f"  {formatting.size(forecast.bytes_to_send)} at {formatting.rate(forecast.rate_bytes_per_s)}"
        f" · dark {middle}, {worst} at worst"
        f" · {formatting.plain(forecast.basis)}"
    )
    waits = f"  waits: {formatting.plain(move.waits_for)}" if move.waits_for else "  starts at once"
    conflicts = f" · conflicts {', '.join(move.conflicts)}" if move.conflicts else ""
    return [first, ((cut(facts, width), "text.muted"),), ((waits, "text.muted"), (conflicts, "text.warning"))]


def not_live_columns(look: Look) -> tuple[Column[NotLive], ...]:
    """The list of what is interrupted or stays."""
    return (
        Column("vm", "VM", 16, lambda r, w: ((cut(vm_label(r.vm), w), "text.strong"),), grows=1, most=32, pinned=True),
        Column("kind", "BECOMES", 13, lambda r, w: _kind(r, look)),
        Column("consent", "CONSENT", 12, lambda r, w: _consent(r)),
        Column("why", "HOW AND WHY", 20, lambda r, w: formatting.plain(r.text), grows=5, style="text.muted"),
    )  # fmt: skip


def _kind(row: NotLive, look: Look) -> Line:
    words = {Kind.INTERRUPTED: "interrupted", Kind.LEFT_BEHIND: "stays", Kind.INFEASIBLE: "nowhere to go"}
    return ((f"{look.glyphs.states[row.kind.value]} {words[row.kind]}", f"state.{row.kind.value}"),)


def _consent(row: NotLive) -> Line:
    if row.chosen:
        return (("your choice", "text.good"),)
    return (("agreed", "text.good"),) if row.agreed else (("space agrees", "text.warning"),)


def after_columns(look: Look) -> tuple[Column[HostAfter], ...]:
    """Hosts before and after."""
    return (
        Column("host", "HOST", 12, lambda h, w: ((formatting.name(h.host), "text.strong"),), grows=1, most=24,
               pinned=True),
        Column("before", "MEMORY NOW", 16, lambda h, w: memory_cell(_before(h), w, look.glyphs), grows=2, most=30,
               sort=lambda h: known(_before(h))),
        Column("after", "AFTERWARDS", 16, lambda h, w: memory_cell(_after(h), w, look.glyphs), grows=2, most=30,
               sort=lambda h: known(_after(h))),
        Column("free", "FREE THEN", 9, lambda h, w: formatting.size(h.memory_free_after_bytes), right=True),
        Column("vms", "VMs", 12, lambda h, w: f"{h.vms_before} → {h.vms_after}", right=True),
    )  # fmt: skip


def _before(host: HostAfter) -> float | None:
    return _used(host, host.memory_free_before_bytes)


def _after(host: HostAfter) -> float | None:
    return _used(host, host.memory_free_after_bytes)


def _used(host: HostAfter, free: int | None) -> float | None:
    if not host.memory_bytes or free is None:
        return None
    return 1 - free / host.memory_bytes


def notes_lines(plan: Plan, helps: tuple[Help, ...] | None, width: int) -> list[Line]:
    """What would help most, computed; then the planner's remarks as paragraphs."""
    lines: list[Line] = [(("  WHAT WOULD HELP", "text.heading"),), *_help_lines(helps, width), ()]
    lines.append((("  NOTES", "text.heading"),))
    for note in plan.notes or ("The planner has no remarks.",):
        lines += [((row, ""),) for row in wrap(formatting.plain(note), max(20, width - 2), "  ")]
    return lines


def _help_lines(helps: tuple[Help, ...] | None, width: int) -> list[Line]:
    if helps is None:
        return [(("  being computed …", "text.muted"),)]
    if not helps:
        return [(("  No single lever shortens this plan.", "text.muted"),)]
    return [
        (
            (f"  {formatting.short_duration(help.saves_s):>6} sooner", "text.good"),
            (f"  {cut(help.text, max(20, width - 19))}", ""),
        )
        for help in helps
    ]


def exception_detail(row: NotLive | None, width: int) -> list[Line]:
    """The whole sentence on what is interrupted or stays."""
    if row is None:
        return []
    first: Line = (("  ", ""), (vm_label(row.vm), "text.strong"), ("  ", ""), *_consent(row))
    return [
        first,
        *(((text, "text.muted"),) for text in wrap(formatting.plain(row.text), max(30, width - 2), "  ")[:2]),
    ]
