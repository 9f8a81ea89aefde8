"""How the beginning of a rolling run is written: what it would be, what has to be agreed to, what is confirmed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console import formatting
from console.drain.roll_forecast import SPREAD
from console.model.identity import VmId
from console.planner.roll import RollPlan
from console.rolling.needs import Need, NeedKind
from console.rolling.wishes import written
from screens.columns import Column
from screens.drawing import Line, clip, cut, joined, wrap
from screens.paint import Look
from screens.roll_choices import Choices, Option
from screens.vm_columns import vm_label
from screens.window import against_window

WIDTH = 72
ALL = "all"


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A VM that somebody has to agree to; without one: all of them."""

    need: Need | None
    agreed: bool

    @property
    def key(self) -> str:
        return ALL if self.need is None else str(self.need.vm.id)


def consent_rows(needs: Sequence[Need], agreed: frozenset[VmId]) -> list[ConsentRow]:
    rows = [ConsentRow(need, need.vm.id in agreed) for need in needs]
    return [ConsentRow(None, all(row.agreed for row in rows)), *rows] if len(rows) > 1 else rows


def option_columns(choices: Choices, plan: RollPlan | None) -> tuple[Column[Option], ...]:
    return (
        Column("option", "OPTION", 20, lambda o, w: ((cut(o.title, w), "text.muted"),), pinned=True),
        Column("value", "AS IT WILL BE", 30, lambda o, w: ((cut(o.shown(choices, plan), w), "text.strong"),), grows=1),
    )  # fmt: skip


def consent_columns(look: Look) -> tuple[Column[ConsentRow], ...]:
    return (
        Column("vm", "VM", 16, lambda r, w: ((cut(_name(r), w), "text.strong"),), grows=1, most=32, pinned=True),
        Column("node", "NODE", 6, lambda r, w: cut(formatting.name(r.need.node), w) if r.need else "", grows=1,
               most=16),
        Column("kind", "BECOMES", 13, lambda r, w: _kind(r, look)),
        Column("consent", "CONSENT", 12,
               lambda r, w: (("agreed", "text.good"),) if r.agreed else (("space agrees", "text.warning"),)),
        Column("why", "HOW AND WHY", 14, lambda r, w: cut(formatting.plain(r.need.why), w) if r.need else "", grows=5,
               style="text.muted"),
    )  # fmt: skip


def _name(row: ConsentRow) -> str:
    return "all of these" if row.need is None else vm_label(row.need.vm)


_KINDS = {
    NeedKind.INTERRUPT: ("interrupted", "interrupted"),
    NeedKind.STAY: ("left-behind", "stays"),
    NeedKind.NO_PLACE: ("blocked", "nowhere to go"),
}


def _kind(row: ConsentRow, look: Look) -> Line:
    if row.need is None:
        return ()
    name, word = _KINDS[row.need.kind]
    return ((f"{look.glyphs.states[name]} {word}", f"state.{name}"),)


def detail_of(row: ConsentRow | None, width: int) -> list[Line]:
    """The whole sentence of a VM, and what agreeing means."""
    if row is None or row.need is None:
        return [
            (
                (
                    cut("  What is agreed to holds for every drain of this roll, and is kept in the journal.", width),
                    "text.muted",
                ),
            )
        ]
    means = "agreeing moves it so" if row.need.kind is NeedKind.INTERRUPT else "agreeing leaves it on its node"
    text = f"{vm_label(row.need.vm)}: {formatting.plain(row.need.why)} ({means})"
    return [((line, "text.muted"),) for line in wrap(text, max(30, width - 2), "  ")[:2]]


# what it would be


def start_lines(
    plan: RollPlan | None,
    needs: tuple[Need, ...] | None,
    open_needs: int,
    now: datetime,
    window_ends_at: datetime | None,
    width: int,
) -> list[Line]:
    """What it would be, when it would be over, what has to be agreed to."""
    if plan is None:
        return [(("  Planning …", "text.muted"),), (), ()]
    nodes = sum(len(wave.nodes) for wave in plan.waves)
    moves = sum(len(wave.moves) for wave in plan.waves)
    first = ", ".join(plan.waves[0].nodes) if plan.waves else "nothing"
    what = joined(
        [
            ((f"{formatting.count(nodes, 'node')}, {formatting.count(moves, 'move')}", "text.strong"),),
            ((f"begins with {first}", ""),),
        ],
        "   ",
    )
    middle, worst = _ends(plan, now)
    ends: Line = (*_end_words(plan, middle, worst), ("   ", ""), *against_window(middle, worst, window_ends_at))
    lines = [("roll", what), ("finish", ends), ("consent", _consent(needs, open_needs))]
    return [clip(((f"  {name:<9}", "text.muted"), *line), width) for name, line in lines]


def _ends(plan: RollPlan, now: datetime) -> tuple[datetime, datetime]:
    """p50 and p90; each node late independently of the others."""
    late_s = SPREAD * math.sqrt(sum((wave.end_s - wave.start_s) ** 2 for wave in plan.waves))
    middle = now + timedelta(seconds=plan.window_s)
    return middle, middle + timedelta(seconds=late_s)


def _end_words(plan: RollPlan, middle: datetime, worst: datetime) -> Line:
    takes = formatting.duration(plan.window_s)
    return (
        (formatting.clock_time(middle), "text.strong"),
        (f", {formatting.clock_time(worst)} at worst   in {takes}", "text.muted"),
    )


def _consent(needs: tuple[Need, ...] | None, open_needs: int) -> Line:
    if needs is None:
        return (("looking for what would be interrupted …", "text.muted"),)
    if not needs:
        return (("none needed: every VM moves live and finds a place", "text.good"),)
    if open_needs:
        verb = "needs" if open_needs == 1 else "need"
        return ((f"{formatting.count(open_needs, 'VM')} {verb} your consent: press 2", "text.warning"),)
    return ((f"given for {formatting.count(len(needs), 'VM')}", "text.good"),)


# the confirmation


def confirmation_of_roll(
    plan: RollPlan,
    cluster: str,
    choices: Choices,
    needs: Sequence[Need],
    ids: frozenset[VmId],
    now: datetime,
    window_ends_at: datetime | None,
    *,
    short: bool,
) -> list[Line]:
    """What begins with a new roll: everything that was chosen and agreed to, once more."""
    nodes = sum(len(wave.nodes) for wave in plan.waves)
    moves = sum(len(wave.moves) for wave in plan.waves)
    gap: list[Line] = [] if short else [()]
    first = plan.waves[0]
    then = "its VMs go back to it" if choices.failback else "the next node empties into it"
    ends = _ends(plan, now)
    waits = "waits for your approval (A)" if choices.approve else "begins by itself"
    lines: list[Line] = [
        ((f"Roll over {formatting.count(nodes, 'node')} of {formatting.name(cluster)} now?", "text.strong"),),
        *gap,
        ((f"{formatting.count(moves, 'move')}; it begins with {', '.join(first.nodes)} "
          f"({formatting.count(len(first.moves), 'VM')}); {then}.", ""),),
        (("Finish ", ""), *_end_words(plan, *ends)),
        *_window_words(ends, window_ends_at),
        ((f"Each further node {waits}.", ""),),
        *_sentence(_hook_words(choices), "text.warning" if choices.hook else "text.muted"),
    ]  # fmt: skip
    for kind, title in (
        (NeedKind.INTERRUPT, "INTERRUPTED, with your consent"),
        (NeedKind.STAY, "Left behind, with your consent"),
    ):
        names = [vm_label(need.vm) for need in needs if need.vm.id in ids and _counts_as(need.kind) is kind]
        if names:
            more = f" and {len(names) - 6} more" if len(names) > 6 else ""
            lines += [*gap, ((f"{title} ({len(names)}):", "text.warning"),)]
            lines += _sentence(f"  {', '.join(names[:6])}{more}", "")[:2]
    settings = written(choices.settings)
    words = f"Each drain sets {settings}, and puts it back." if settings else "No setting of the cluster changes."
    return [*lines, *gap, *_sentence(words, "text.warning" if settings else "text.muted")]


def _window_words(ends: tuple[datetime, datetime], window_ends_at: datetime | None) -> list[Line]:
    """A roll that does not fit is begun all the same: what happens then is said."""
    if window_ends_at is None:
        return []
    words = against_window(*ends, window_ends_at)
    if ends[1] <= window_ends_at:
        return [words]
    return [words, (("No node begins after the window's end; a later roll goes on with the rest.", "text.warning"),)]


def _counts_as(kind: NeedKind) -> NeedKind:
    return NeedKind.STAY if kind is NeedKind.NO_PLACE else kind


def _hook_words(choices: Choices) -> str:
    if not choices.hook:
        return "Nothing is run at the empty nodes."
    within = formatting.duration(choices.hook_timeout_s)
    return f"At each empty node runs, for {within} at most: {formatting.plain(choices.hook, 200)}"


def _sentence(text: str, style: str) -> list[Line]:
    return [((row, style),) for row in wrap(text, WIDTH)]
