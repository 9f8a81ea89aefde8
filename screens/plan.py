"""The plan of one host's drain: never changes anything, and every lever plans again at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from textual.containers import Container
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from console import formatting
from console.consents import Consents
from console.drain.settings import PARALLEL_MIGRATIONS, SMB_FACTOR
from console.model.cluster import Cluster, MigrationTransport
from console.model.identity import HostName, VmId
from console.planner.values import HeavyClass, HostAfter, Plan, PlannedMove, PlanOptions
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.drawing import Line, clip
from screens.grid import Grid
from screens.helps import MOST_SLOTS, Help, what_would_help
from screens.lines import Lines, Pager
from screens.messages import CommandsChosen, DetailsWanted, Failed, GoChosen, VmChosen
from screens.plan_tables import (
    NotLive,
    after_columns,
    changes,
    exception_detail,
    move_columns,
    move_detail,
    not_live,
    not_live_columns,
    notes_lines,
    slots_to_set,
    summary,
)
from screens.sight import Services

BANDWIDTHS = (None, 0.1, 0.25, 0.5, 0.75, 1.0)


class PlanScreen(ConsoleScreen, inherit_bindings=False):
    """Moves, what is not moved live, hosts afterwards, notes: four panes, one at a time where there is no room."""

    NAME = "plan"
    TOPICS = Topic.CLUSTER
    PANES = ("plan-moves", "plan-not-live", "plan-after", "plan-notes")
    BINDINGS = screen_bindings("plan")

    def __init__(self, services: Services, node: HostName) -> None:
        super().__init__(services)
        self.node = node
        self.options = PlanOptions()
        self.plan: Plan | None = None
        self.agreed: frozenset[str] = frozenset()
        """Ids of VMs to whose interruption or staying the operator agreed."""
        self.planning = False
        self.helps: tuple[Help, ...] | None = None
        """What would shorten this plan; None while it is computed."""
        self._footing: object = None
        self._side = 0

    def headline(self) -> str:
        return f"Plan of {formatting.name(self.node)}"

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.moves = Grid[PlannedMove](
            look, move_columns(look, None), id="plan-moves", key=lambda m: m.vm.id, markable=True, classes="pane",
            search=lambda m: f"{m.vm.name} {m.destination} {m.reason} {' '.join(m.conflicts)}", empty="Planning …",
        )  # fmt: skip
        self.exceptions = Grid[NotLive](
            look, not_live_columns(look), id="plan-not-live", key=lambda r: r.vm.id, markable=True, classes="pane",
            search=lambda r: f"{r.vm.name} {r.text}", empty="Every VM moves live.",
        )  # fmt: skip
        self.after = Grid[HostAfter](
            look, after_columns(look), id="plan-after", key=lambda h: h.host, search=lambda h: h.host, classes="pane"
        )
        yield Lines(look, id="plan-summary", classes="summary")
        yield Lines(look, id="plan-tabs", classes="section")
        with_side = Container(self.exceptions, self.after, Pager(look, id="plan-notes", classes="pane"), id="plan-side")
        yield Container(self.moves, with_side, id="plan-panes")
        yield Lines(look, id="plan-detail", classes="detail")

    def on_mount(self) -> None:
        super().on_mount()
        self.post_message(DetailsWanted(self.node))

    # -- planning ------------------------------------------------------------------------------------------------

    def show(self, changed: Topic) -> None:
        if self._outdated():
            self.replan(self.options)
        elif self.plan is not None:
            self._sum_up()

    def _outdated(self) -> bool:
        """No plan yet, or the facts that decide where VMs may go have changed since."""
        cluster = self.services.store.cluster
        return cluster is not None and not self.planning and footing(cluster, self.node) != self._footing

    def replan(self, options: PlanOptions) -> None:
        """Plan with these levers. While one planning is under way only the newest levers wait: a held key never
        piles up plannings, and the screen goes on."""
        self.options = options
        self.helps = None
        if self.services.store.cluster is not None and not self.planning:
            self.planning = True
            self.run_worker(self._planned(), group="plan", exit_on_error=False)
        if self.plan is not None:
            self._sum_up()

    async def _planned(self) -> None:
        sight = self.services.sight
        while True:
            cluster, options = self.services.store.cluster, self.options
            assert cluster is not None
            plan = await asyncio.to_thread(sight.plan, cluster, self.node, options)
            self._footing = footing(cluster, self.node)
            self._take(plan, last=options == self.options)
            if options == self.options:
                break
        self.run_worker(self._helped(plan, cluster), group="helps", exclusive=True, exit_on_error=False)

    async def _helped(self, plan: Plan, cluster: Cluster) -> None:
        helps = await asyncio.to_thread(what_would_help, plan, cluster, self.services.sight.plan)
        if plan is self.plan and not self.planning:
            self.helps = helps
            self._show_notes(plan)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.planning = False
            self.moves.empty = "There is no plan: ! says why."
            self.moves.redraw()
            self.post_message(Failed(f"plan of {self.node}", event.worker.error))

    def _take(self, plan: Plan, *, last: bool) -> None:
        self.planning = not last
        self.plan = plan
        look = self.services.look
        self.moves.empty = "Nothing moves."
        self.moves.set_columns(move_columns(look, plan))
        self.moves.set_items(plan.moves)
        self.after.set_items(plan.after)
        self._show_notes(plan)
        if plan.interrupted or plan.left_behind or plan.infeasible:
            self._show_side(self._side or 2)
        else:
            self._show_side(self._side or 3)
        self._show_exceptions()

    def _show_notes(self, plan: Plan) -> None:
        notes = self.query_one("#plan-notes", Pager)
        notes.set_lines(notes_lines(plan, self.helps, notes.size.width or 60))

    def _show_side(self, number: int) -> None:
        """The pane that stays below or beside the moves where there is room."""
        for position, id in enumerate(self.PANES[1:], 2):
            self.query_one(f"#{id}").set_class(position == number, "-side")

    def _show_exceptions(self) -> None:
        if self.plan is not None:
            self.exceptions.set_items(not_live(self.plan, self.agreed))
            self._sum_up()

    def _sum_up(self) -> None:
        plan = self.plan
        if plan is None:
            return
        lines = summary(plan, self.services.now, self.services.window_ends_at, self.agreed, self.size.width)
        changed = changes(self.options, self._settings(plan))
        if self.planning:
            changed = (*changed, ("  planning …", "state.checking"))
        elif not self.services.store.knows_details(self.node):
            text = "  conflicts not all known yet: finer facts of its VMs are being read …"
            changed = (*changed, (text, "state.checking"))
        self.query_one("#plan-summary", Lines).set_lines([clip(line, self.size.width) for line in (*lines, changed)])
        self.query_one("#plan-tabs", Lines).set_lines([self._tabs(plan)])
        self._show_detail()
        self.look_again()

    def _tabs(self, plan: Plan) -> Line:
        rows = len(plan.interrupted) + len(plan.left_behind) + len(plan.infeasible)
        names = (f"moves {len(plan.moves)}", f"not live {rows}", "hosts afterwards", "what would help")
        spans: list[tuple[str, str]] = [("  ", "")]
        for number, name in enumerate(names, 1):
            shown = self.query_one(f"#{self.PANES[number - 1]}").display
            spans += [(f"{number} ", "text.key"), (f"{name}   ", "text.strong" if shown else "text.muted")]
        return tuple(spans)

    def _show_detail(self) -> None:
        detail = self.query_one("#plan-detail", Lines)
        if self.exceptions.has_focus:
            detail.set_lines(exception_detail(self.exceptions.cursor_item, self.size.width))
        else:
            detail.set_lines(move_detail(self.moves.cursor_item, self.size.width))

    def show_pane(self, number: int) -> None:
        if number > 1:
            self._side = number
            self._show_side(number)
        super().show_pane(number)
        if self.plan is not None:
            self.call_after_refresh(self.refill, self.TOPICS)

    def on_descendant_focus(self) -> None:
        super().on_descendant_focus()
        if self.stands:
            self._show_detail()

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        self._show_detail()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        if event.grid != "plan-after":
            self.post_message(VmChosen(VmId(event.row)))

    def on_grid_marks_changed(self, event: Grid.MarksChanged) -> None:
        if event.grid == "plan-not-live" and event.marks != self.agreed:
            self.agreed = event.marks
            self._show_exceptions()

    # -- levers --------------------------------------------------------------------------------------------------

    def _chosen(self) -> frozenset[VmId]:
        if self.exceptions.has_focus:
            row = self.exceptions.cursor_item
            return frozenset({row.vm.id}) if row is not None else frozenset()
        return frozenset(move.vm.id for move in self.moves.marked)

    def action_plan_more(self) -> None:
        self._set_slots(1)

    def action_plan_fewer(self) -> None:
        self._set_slots(-1)

    def _set_slots(self, step: int) -> None:
        now = self.options.slots or (self.plan.slots if self.plan else 1)
        self.replan(replace(self.options, slots=max(1, min(MOST_SLOTS, now + step))))

    def _why_no_bandwidth(self) -> str:
        cluster = self.services.store.cluster
        host = cluster.host_by_name.get(self.node) if cluster else None
        if host is None or host.migration_transport is not MigrationTransport.SMB:
            return "Bandwidth can be shared out only with the SMB transport; this host uses another one."
        return ""

    def action_plan_bandwidth(self) -> None:
        if self.refused("plan.bandwidth"):
            return
        index = BANDWIDTHS.index(self.options.smb_cap_fraction) + 1
        self.replan(replace(self.options, smb_cap_fraction=BANDWIDTHS[index % len(BANDWIDTHS)]))

    def action_plan_hold(self) -> None:
        self.replan(replace(self.options, held=self.options.held ^ self._chosen()))

    def action_plan_exclude(self) -> None:
        self.replan(replace(self.options, excluded=self.options.excluded ^ self._chosen()))

    def action_plan_pin(self) -> None:
        pinned = dict(self.options.pinned)
        for vm in self._chosen():
            hosts = self._destinations()
            position = hosts.index(pinned[vm]) + 1 if vm in pinned else 0
            pinned.pop(vm, None)
            if position < len(hosts):
                pinned[vm] = hosts[position]
        self.replan(replace(self.options, pinned=pinned))

    def _destinations(self) -> list[HostName]:
        cluster = self.services.store.cluster
        return [host.name for host in cluster.hosts if host.accepts_vms and host.name != self.node] if cluster else []

    def action_plan_avoid(self) -> None:
        host = self.after.cursor_item.host if self.after.has_focus and self.after.cursor_item else None
        move = self.moves.cursor_item
        chosen = host or (move.destination if move else None)
        if self.options.avoided and not self.after.has_focus:
            self.replan(replace(self.options, avoided=frozenset()))
        elif chosen is not None and chosen != self.node:
            self.replan(replace(self.options, avoided=self.options.avoided ^ {chosen}))

    def action_plan_heavy(self) -> None:
        classes = list(HeavyClass)
        self.replan(replace(self.options, heavy=classes[(classes.index(self.options.heavy) + 1) % len(classes)]))

    def action_plan_free(self) -> None:
        self.replan(PlanOptions())

    # -- going on ------------------------------------------------------------------------------------------------

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {"may_go": self._why_not_go, "plan_smb": self._why_no_bandwidth}

    def _why_not_go(self) -> str:
        if self.plan is None or self.planning:
            return "The plan is not ready yet."
        if self.services.why_roll_holds:
            return self.services.why_roll_holds
        if self.services.store.run_is_on:
            return "A drain is on already; r shows it."
        return "" if self.plan.moves or self.plan.interrupted else "There is nothing that this plan would move."

    def consents(self, plan: Plan) -> Consents:
        """What was agreed to on this screen, in the shape that a run takes."""
        interrupt = frozenset(item.vm.id for item in plan.interrupted) & self.agreed
        left = {item.vm.id for item in plan.left_behind} | {item.vm.id for item in plan.infeasible}
        return Consents(interrupt, frozenset(left) & (self.agreed | self.options.excluded), self._settings(plan))

    def _settings(self, plan: Plan) -> tuple[tuple[str, int], ...]:
        """The cluster's settings that the levers ask for: changed when the run begins, put back when it ends."""
        cluster, cap = self.services.store.cluster, self.options.smb_cap_fraction
        slots = slots_to_set(plan, cluster) if cluster is not None and self.options.slots is not None else None
        wanted = ((SMB_FACTOR, None if cap is None else round(cap * 10_000)), (PARALLEL_MIGRATIONS, slots))
        return tuple((name, value) for name, value in wanted if value is not None)

    def action_drain_go(self) -> None:
        if not self.refused("drain.go") and self.plan is not None:
            self.post_message(GoChosen(self.plan, self.consents(self.plan)))

    def action_plan_commands(self) -> None:
        if self.plan is not None:
            self.post_message(CommandsChosen(self.plan))


def footing(cluster: Cluster, node: HostName) -> object:
    """What a plan stands on: the node's VMs with their states and whether their finer facts are known, and which hosts
    take VMs."""
    vms = frozenset((vm.id, vm.state_number, vm.details is not None) for vm in cluster.vms_on(node))
    return vms, frozenset(host.name for host in cluster.hosts if host.accepts_vms)
