"""The typed confirmation before a run starts: it repeats what will be interrupted and which settings change."""

from __future__ import annotations

from collections.abc import Iterable

from console import formatting
from console.consents import Consents
from console.drain.state import Purpose
from console.model.identity import VmRef
from console.planner.values import Plan
from screens.drawing import Line, cut, wrap
from screens.plan_tables import verdict, vms_move
from screens.sight import Services
from screens.typed import TypedScreen
from screens.vm_columns import vm_label

WIDTH = 72
MOST_NAMED = 3


class ConfirmScreen(TypedScreen, inherit_bindings=False):
    """Before a drain, or before a node is taken back into service."""

    BINDINGS = TypedScreen.BINDINGS

    def __init__(self, services: Services, plan: Plan, consents: Consents, purpose: Purpose = Purpose.DRAIN) -> None:
        drains = purpose is Purpose.DRAIN
        tell = confirmation if drains else confirmation_of_return
        super().__init__(
            services,
            plan.node,
            lambda short: tell(plan, consents, services, short=short),
            go="pause the node and move its VMs" if drains else "resume the node and move its VMs back",
            cancel="nothing has been changed yet",
        )


def confirmation(plan: Plan, consents: Consents, services: Services, *, short: bool) -> list[Line]:
    """What the operator is about to start, in sentences; ``short`` for a terminal of few rows."""
    node = formatting.name(plan.node)
    memory = formatting.size(sum(move.memory_bytes for move in plan.moves))
    gap: list[Line] = [] if short else [()]
    ends = f"Takes {formatting.duration(plan.makespan_s)}, {formatting.duration(plan.makespan_p90_s)} at worst"
    lines: list[Line] = [
        ((f"Drain {node} of {formatting.name(services.sight.cluster_name)} now?", "text.strong"),),
        *gap,
        ((f"{vms_move(plan)}, {memory}, at most {plan.slots} at once.", ""),),
        ((f"{ends}; ", ""), *verdict(plan, services.now, services.window_ends_at)),
    ]
    agreed, not_agreed = _split([(i.vm, i.how) for i in plan.interrupted], consents.interrupt)
    left, refused = _split(_staying(plan), consents.leave_behind | plan.options.excluded)
    for title, items, style in (
        ("Interrupted, with your consent", agreed, "state.interrupted"),
        ("NOT moved, as their interruption was not agreed to", not_agreed, "text.warning"),
        ("Left behind, with your consent", left, "state.left-behind"),
        ("Stay WITHOUT consent: the run will end as blocked", refused, "text.warning"),
    ):
        if items:
            lines += [*gap, *(_line_of(title, items, style) if short else _block(title, items, style))]
    return [*lines, *gap, *_settings(consents)]


def confirmation_of_return(plan: Plan, consents: Consents, services: Services, *, short: bool) -> list[Line]:
    """What taking a node back into service does, in sentences."""
    node = formatting.name(plan.node)
    memory = formatting.size(sum(move.memory_bytes for move in plan.moves))
    gap: list[Line] = [] if short else [()]
    lines: list[Line] = [
        ((f"Resume {node} of {formatting.name(services.sight.cluster_name)} now?", "text.strong"),),
        *gap,
        (("First Resume-ClusterNode -Failback NoFailback: the node takes roles again.", ""),),
    ]
    if plan.moves:
        ends = f"Takes {formatting.duration(plan.makespan_s)}, {formatting.duration(plan.makespan_p90_s)} at worst"
        count, verb = formatting.count(len(plan.moves), "VM"), "moves" if len(plan.moves) == 1 else "move"
        lines += [
            ((f"Then {count} that left it {verb} back live, {memory}, at most {plan.slots} at once.", ""),),
            ((f"{ends}; ", ""), *verdict(plan, services.now, services.window_ends_at)),
        ]
    else:
        lines.append((("No VM of its last drain can come back; the node is only resumed.", "text.warning"),))
    staying = _staying(plan)
    if staying:
        title = "Stay where they run now"
        lines += [*gap, *(_line_of(title, staying, "text.muted") if short else _block(title, staying, "text.muted"))]
    return [*lines, *gap, *_settings(consents)]


def _settings(consents: Consents) -> list[Line]:
    if not consents.settings:
        return [(("No setting of the cluster changes.", "text.muted"),)]
    lines: list[Line] = [(("Settings of the cluster that change and are put back:", "text.warning"),)]
    return lines + [((f"  {name} = {value}", ""),) for name, value in consents.settings]


def _staying(plan: Plan) -> list[tuple[VmRef, str]]:
    return [(item.vm, item.reason) for item in plan.left_behind] + [(item.vm, item.reason) for item in plan.infeasible]


def _split(
    items: Iterable[tuple[VmRef, str]], agreed: frozenset[str]
) -> tuple[list[tuple[VmRef, str]], list[tuple[VmRef, str]]]:
    yes: list[tuple[VmRef, str]] = []
    no: list[tuple[VmRef, str]] = []
    for vm, text in items:
        (yes if vm.id in agreed or "all" in agreed else no).append((vm, text))
    return yes, no


def _line_of(title: str, items: list[tuple[VmRef, str]], style: str) -> list[Line]:
    names = ", ".join(vm_label(vm) for vm, _ in items)
    return [((f"{title} ({len(items)}):", style),), ((cut(f"  {names}", WIDTH), ""),)]


def _block(title: str, items: list[tuple[VmRef, str]], style: str) -> list[Line]:
    lines: list[Line] = [((f"{title} ({len(items)}):", style),)]
    for vm, text in items[:MOST_NAMED]:
        lines += [((row, ""),) for row in wrap(f"{vm_label(vm)}: {formatting.plain(text)}", WIDTH - 2, "  ")[:2]]
    if len(items) > MOST_NAMED:
        lines.append(((f"  and {len(items) - MOST_NAMED} more, in the plan", "text.muted"),))
    return lines
