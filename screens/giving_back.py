"""The way back: a drained node is resumed, and the VMs that left it return; previewed as a drain is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from textual.containers import Container
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from console import formatting
from console.consents import Consents
from console.drain.state import Purpose, RunState
from console.model.cluster import Cluster, NodeState
from console.model.identity import VmId
from console.planner.values import Plan, PlannedMove
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.columns import Column
from screens.drawing import Line, clip, cut, joined
from screens.grid import Grid
from screens.helps import MOST_SLOTS
from screens.lines import Lines
from screens.messages import DetailsWanted, Failed, GoChosen, VmChosen
from screens.plan_tables import Kind, NotLive, move_columns, move_detail, not_live, verdict, vms_move
from screens.sight import Services
from screens.vm_columns import vm_label


class ReturnScreen(ConsoleScreen, inherit_bindings=False):
    """What comes back and when; below, what stays where it runs, with the reason."""

    NAME = "return"
    TOPICS = Topic.CLUSTER | Topic.RUN
    PANES = ("return-moves", "return-stays")
    BINDINGS = screen_bindings("return")

    def __init__(self, services: Services, drained: RunState) -> None:
        super().__init__(services)
        self.drained = drained
        self.slots: int | None = None
        self.plan: Plan | None = None
        self._planned_on: Cluster | None = None
        self._planned_slots: int | None = None
        self._planning = False

    def headline(self) -> str:
        return f"Return to {formatting.name(self.drained.node)}"

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.moves = Grid[PlannedMove](
            look, _columns(self), id="return-moves", key=lambda m: m.vm.id, classes="pane",
            search=lambda m: f"{m.vm.name} {m.source}", empty="Planning …",
        )  # fmt: skip
        self.stays = Grid[NotLive](
            look, _stay_columns(), id="return-stays", key=lambda r: r.vm.id, classes="pane",
            search=lambda r: f"{r.vm.name} {r.text}", empty="Every VM of its last drain comes back, or is back.",
        )  # fmt: skip
        yield Lines(look, id="return-summary", classes="summary")
        yield Lines(look, id="return-tabs", classes="section")
        yield Container(self.moves, self.stays, id="return-panes")
        yield Lines(look, id="return-detail", classes="detail")

    # -- planning ------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        super().on_mount()
        self.post_message(DetailsWanted(None))  # its VMs run everywhere now

    def show(self, changed: Topic) -> None:
        """Each reading of the cluster plans again: VMs go on moving about while one looks at this."""
        cluster = self.services.store.cluster
        outdated = cluster is not self._planned_on or self.slots != self._planned_slots
        if cluster is not None and outdated and not self._planning:
            self._planning = True
            self.run_worker(self._make(cluster, self.slots), group="return", exit_on_error=False)
        self._sum_up()

    async def _make(self, cluster: Cluster, slots: int | None) -> None:
        plan = await asyncio.to_thread(self.services.sight.plan_return, cluster, self.drained, slots)
        self._planned_on, self._planned_slots, self._planning = cluster, slots, False
        self.plan = plan
        self.moves.empty = "Nothing comes back: its VMs are there, or gone, or can not return (2 says why)."
        self.moves.set_columns(_columns(self))
        self.moves.set_items(plan.moves)
        self.stays.set_items(not_live(plan, frozenset()))
        self.show(Topic.CLUSTER)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self._planning = False
            self.moves.empty = "There is no plan: ! says why."
            self.moves.redraw()
            self.post_message(Failed(f"return to {self.drained.node}", event.worker.error))

    def _sum_up(self) -> None:
        plan = self.plan
        if plan is not None:
            lines = _summary(plan, self.services, self._node_state())
            self.query_one("#return-summary", Lines).set_lines([clip(line, self.size.width) for line in lines])
            self.query_one("#return-tabs", Lines).set_lines([self._tabs(plan)])
        self._show_detail()
        self.look_again()

    def _node_state(self) -> NodeState | None:
        cluster = self.services.store.cluster
        host = cluster.host_by_name.get(self.drained.node) if cluster else None
        return None if host is None else host.state

    def _tabs(self, plan: Plan) -> Line:
        spans: list[tuple[str, str]] = [("  ", "")]
        names = (f"come back {len(plan.moves)}", f"stay {len(plan.left_behind) + len(plan.infeasible)}")
        for number, name in enumerate(names, 1):
            shown = self.query_one(f"#{self.PANES[number - 1]}").display
            spans += [(f"{number} ", "text.key"), (f"{name}   ", "text.strong" if shown else "text.muted")]
        return tuple(spans)

    def show_pane(self, number: int) -> None:
        super().show_pane(number)
        self.call_after_refresh(self.refill, self.TOPICS)

    def _show_detail(self) -> None:
        item = self.stays.cursor_item if self.stays.has_focus else None
        lines = _stay_detail(item, self.size.width) if item else move_detail(self.moves.cursor_item, self.size.width)
        self.query_one("#return-detail", Lines).set_lines(lines)

    def on_descendant_focus(self) -> None:
        super().on_descendant_focus()
        if self.stands:
            self._show_detail()

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        self._show_detail()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        self.post_message(VmChosen(VmId(event.row)))

    # -- levers, and going on ------------------------------------------------------------------------------------

    def action_plan_more(self) -> None:
        self._set_slots(1)

    def action_plan_fewer(self) -> None:
        self._set_slots(-1)

    def _set_slots(self, step: int) -> None:
        now = self.slots or (self.plan.slots if self.plan else 1)
        self.slots = max(1, min(MOST_SLOTS, now + step))
        self.show(Topic.CLUSTER)

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {"may_resume": self._why_not}

    def _why_not(self) -> str:
        if self.plan is None or self._planning:
            return "The plan is not ready yet."
        if self.services.why_roll_holds:
            return self.services.why_roll_holds
        if self.services.store.run_is_on:
            return "A run is on already; r shows it."
        if not self.plan.moves and self._node_state() is NodeState.UP:
            return "The node is in service, and nothing would come back: there is nothing to do."
        return ""

    def action_drain_resume(self) -> None:
        if not self.refused("drain.resume") and self.plan is not None:
            self.post_message(GoChosen(self.plan, Consents(), Purpose.RETURN))


def _columns(screen: ReturnScreen) -> tuple[Column[PlannedMove], ...]:
    """As a drain's, but the way is known by where it begins."""
    source = Column[PlannedMove](
        "from", "FROM", 8, lambda m, w: cut(formatting.name(m.source), w), grows=1, most=16,
        sort=lambda m: m.source.casefold(),
    )  # fmt: skip
    columns = move_columns(screen.services.look, screen.plan)
    return tuple(source if column.key == "to" else column for column in columns if column.key != "reason")


def _stay_columns() -> tuple[Column[NotLive], ...]:
    return (
        Column("vm", "VM", 16, lambda r, w: ((cut(vm_label(r.vm), w), "text.strong"),), grows=1, most=32, pinned=True),
        Column("why", "STAYS WHERE IT RUNS, BECAUSE", 30, lambda r, w: ((cut(formatting.plain(r.text), w),
               "text.warning" if r.kind is Kind.INFEASIBLE else "text.muted"),), grows=5),
    )  # fmt: skip


def _stay_detail(row: NotLive, width: int) -> list[Line]:
    text = cut(f"  {formatting.plain(row.text)}", width)
    return [(("  ", ""), (vm_label(row.vm), "text.strong"), ("  stays where it runs", "text.muted")), ((text, ""),)]


def _summary(plan: Plan, services: Services, state: NodeState | None) -> list[Line]:
    """Three lines: what the node does first, what comes back, when that is over."""
    node = formatting.name(plan.node)
    memory = formatting.size(sum(move.memory_bytes for move in plan.moves))
    middle, worst = (services.now + timedelta(seconds=s) for s in (plan.makespan_s, plan.makespan_p90_s))
    if state is NodeState.UP:
        first: Line = ((f"{node} is in service already", "text.good"),)
    else:
        first = ((f"{node} is resumed without failback, and takes roles again", ""),)
    stay = len(plan.left_behind) + len(plan.infeasible)
    back = joined(
        [
            ((f"{vms_move(plan)} back live", "text.strong"),),
            ((f"{stay} {'stays' if stay == 1 else 'stay'} away: press 2", "text.warning"),) if stay else None,
            ((memory, "text.muted"),) if plan.moves else None,
            ((f"{plan.slots} at once", "text.muted"),) if plan.moves else None,
        ],
        "   ",
    )
    ends: Line = (
        (formatting.clock_time(middle), "text.strong"),
        (f", {formatting.clock_time(worst)} at worst   in {formatting.duration(plan.makespan_s)}   ", "text.muted"),
        *verdict(plan, services.now, services.window_ends_at),
    )
    rows = [("first", first), ("then", back), ("finish", ends if plan.moves else (("at once", ""),))]
    return [((f"  {name:<9}", "text.muted"), *line) for name, line in rows]
