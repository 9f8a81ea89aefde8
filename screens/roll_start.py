"""Before a rolling run begins: what it would be, how it goes about it, what has to be agreed to. Nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from textual.widget import Widget
from textual.worker import Worker, WorkerState

from console.actions import Action
from console.exits import CommandEnded
from console.journal.trouble import JournalUnusable
from console.model.failures import Failure
from console.model.identity import HostName, VmId
from console.planner.roll import RollPlan
from console.rolling.needs import Need, NeedKind, agreed, unmet
from console.rolling.wishes import program_of
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.drawing import Line, wrap
from screens.entry import EntryScreen
from screens.grid import Grid
from screens.lines import Lines
from screens.messages import DetailsWanted, Failed
from screens.roll_choices import Choices, Option, choices_of, options_of_roll
from screens.roll_start_tables import (
    ALL,
    ConsentRow,
    confirmation_of_roll,
    consent_columns,
    consent_rows,
    detail_of,
    option_columns,
    start_lines,
)
from screens.sight import Services
from screens.typed import TypedScreen


class RollStartScreen(ConsoleScreen, inherit_bindings=False):
    """Options above, consents below; ``A`` goes on to the typed confirmation.

    Args:
        nodes: to roll over; empty: all of the cluster.
        continues: the stopped roll whose rest they are.
    """

    NAME = "roll-start"
    TITLE = "New rolling run"
    TOPICS = Topic.CLUSTER
    PANES = ("start-options", "start-consents")
    BINDINGS = screen_bindings("roll-start")

    def __init__(self, services: Services, nodes: tuple[HostName, ...], continues: str) -> None:
        super().__init__(services)
        self.nodes = nodes
        self.continues = continues
        self.choices: Choices = choices_of(services.sight.roll_defaults)
        self.plan: RollPlan | None = None
        self.needs: tuple[Need, ...] | None = None
        """What has to be agreed to; None while it is looked for."""
        self.ids: frozenset[VmId] = frozenset()
        """VMs that were agreed to."""
        self.planning = False
        self._planned_for: object = None

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.options = Grid[Option](
            look, option_columns(self.choices, None), id="start-options", key=lambda o: o.key, search=lambda o: o.title
        )
        self.consents = Grid[ConsentRow](
            look, consent_columns(look), id="start-consents", key=lambda r: r.key, markable=True,
            search=lambda r: r.need.vm.name if r.need else ALL, empty="Looking for what would be interrupted …",
        )  # fmt: skip
        yield Lines(look, id="start-summary", classes="summary")
        yield self.options
        yield self.consents
        yield Lines(look, id="start-detail", classes="detail")

    def on_mount(self) -> None:
        super().on_mount()
        self.options.set_items(options_of_roll())
        self.post_message(DetailsWanted(None))

    # -- planning ------------------------------------------------------------------------------------------------

    def show(self, changed: Topic) -> None:
        if self._planned_for is None:
            self._replan()
        self._sum_up()

    def _excluded(self) -> frozenset[VmId]:
        """What was agreed to stay is planned as staying."""
        stays = {need.vm.id for need in self.needs or () if need.kind is not NeedKind.INTERRUPT}
        return frozenset(self.ids & stays)

    def _replan(self) -> None:
        """Plan anew when what decides it has changed; one planning at a time, the newest wish last."""
        if self.services.store.cluster is None:
            return
        wanted = self.choices.options(self._excluded())
        if wanted == self._planned_for:
            return
        self._planned_for = wanted
        if not self.planning:
            self.planning = True
            self.run_worker(self._make(), group="roll-start", exit_on_error=False)

    async def _make(self) -> None:
        sight = self.services.sight
        while True:
            cluster, wanted = self.services.store.cluster, self._planned_for
            assert cluster is not None, "asked only with one"
            options = self.choices.options(self._excluded())
            nodes = tuple(node for node in self.nodes if node in cluster.host_by_name)
            plan = await asyncio.to_thread(sight.plan_roll, cluster, nodes, options)
            self.plan = plan
            self._sum_up()
            needs = await asyncio.to_thread(sight.roll_needs, cluster, plan)
            if wanted == self._planned_for:
                break
        self.needs = needs
        self.planning = False
        self.consents.empty = "Every VM moves live and finds a place: nothing has to be agreed to."
        self.consents.redraw()
        self.refill(Topic.CLUSTER)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.planning = False
            self.consents.empty = "There is no plan: ! says why."
            self.consents.redraw()
            self.post_message(Failed("rolling run", event.worker.error))

    # -- showing -------------------------------------------------------------------------------------------------

    def _open(self) -> list[Need]:
        given = agreed(self.needs or (), self.ids)
        excluded = self._excluded()
        return [need for need in unmet(self.needs or (), given) if need.vm.id not in excluded]

    def _sum_up(self) -> None:
        if not self.stands:
            return
        services = self.services
        lines = start_lines(
            self.plan, self.needs, len(self._open()), services.now, services.window_ends_at, self.app.size.width
        )
        self.query_one("#start-summary", Lines).set_lines(lines)
        self.options.set_columns(option_columns(self.choices, self.plan))
        self.consents.set_items(consent_rows(self.needs or (), self.ids))
        self._show_detail()
        self.look_again()

    def _show_detail(self) -> None:
        width = self.size.width
        lines: list[Line]
        if self.consents.has_focus:
            lines = detail_of(self.consents.cursor_item, width)
        else:
            option = self.options.cursor_item
            rows = wrap(option.help, max(30, width - 2), "  ")[:3] if option is not None else []
            lines = [((row, "text.muted"),) for row in rows]
        self.query_one("#start-detail", Lines).set_lines(lines)

    def on_descendant_focus(self) -> None:
        super().on_descendant_focus()
        if self.stands:
            self._show_detail()

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        self._show_detail()

    # -- choosing ------------------------------------------------------------------------------------------------

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        if event.grid == "start-consents":
            self._agree(event.row)
            return
        option = self.options.cursor_item
        if option is None:
            return
        if option.typed is None:
            self._take(option.turned(self.choices))
        else:
            entry = EntryScreen(
                self.services, option.title[0].upper() + option.title[1:], option.help, option.text(self.choices),
                lambda text: self._refusal_of(option, text),
            )  # fmt: skip
            self.app.push_screen(entry, lambda text: self._typed(option, text))

    def _refusal_of(self, option: Option, text: str) -> str:
        assert option.typed is not None
        try:
            option.typed(self.choices, text)
        except ValueError as error:
            return str(error)
        return ""

    def _typed(self, option: Option, text: str | None) -> None:
        if text is not None and option.typed is not None:
            self._take(option.typed(self.choices, text))

    def _take(self, choices: Choices) -> None:
        self.choices = choices
        self._replan()
        self._sum_up()

    def on_grid_marks_changed(self, event: Grid.MarksChanged) -> None:
        """The consents are the marks' only use: each press agrees, or takes it back."""
        if event.grid == "start-consents" and event.marks:
            self.consents.marks = frozenset()
            for row in event.marks:
                self._agree(row)

    def _agree(self, row: str) -> None:
        every = frozenset(need.vm.id for need in self.needs or ())
        if row == ALL:
            self.ids = frozenset() if every <= self.ids else every
        else:
            self.ids ^= {VmId(row)}
        self._replan()
        self._sum_up()

    # -- going on ------------------------------------------------------------------------------------------------

    def title_of(self, action: Action) -> str:
        return {"roll.approve": "begin", "list.open": "change", "list.mark": "agree"}.get(action.id, action.title)

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {"roll_may_go": lambda: self.refusal_of_start}

    @property
    def refusal_of_start(self) -> str:
        """Why it can not begin now; empty when it can."""
        if self.plan is None or self.needs is None or self.planning:
            return "The plan is not ready yet."
        if self.services.store.run_is_on:
            return "A drain is on; a rolling run begins when it is over."
        if not self.plan.waves:
            return "There is no node to roll over."
        if self._open():
            return f"{len(self._open())} of the VMs below were not agreed to: 2 goes there, space agrees."
        try:
            program_of(self.choices.hook)
        except ValueError as error:
            return f"The hook: {error}"
        return ""

    def action_roll_approve(self) -> None:
        cluster, plan = self.services.store.cluster, self.plan
        if self.refused("roll.approve") or cluster is None or plan is None:
            return
        services, choices, needs, ids = self.services, self.choices, self.needs or (), self.ids
        typed = TypedScreen(
            services,
            plan.waves[0].nodes[0],
            lambda short: confirmation_of_roll(
                plan, cluster.name, choices, needs, ids, services.now, services.window_ends_at, short=short
            ),
            go="begin the rolling run",
            cancel="nothing has been changed yet",
        )
        self.app.push_screen(typed, lambda go: self._start(plan) if go else None)

    def _start(self, plan: RollPlan) -> None:
        cluster, hand = self.services.store.cluster, self.services.hand
        if hand is None or cluster is None:
            return
        try:
            hand.start_roll(plan, cluster, self.choices.wishes(self.needs or (), self.ids, self.continues))
        except (CommandEnded, Failure, JournalUnusable, OSError, ValueError) as error:
            self.post_message(Failed("rolling run", error))
            return
        self.leave()
