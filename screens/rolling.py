"""A rolling run: every node with its stage, what it waits for, when it ends; the next node is approved here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from textual.widget import Widget
from textual.worker import Worker, WorkerState

from console.actions import Action
from console.drain.roll_requests import ApproveWave, LeaveNode, RollRequest, StopRolling, TryNodeAgain
from console.drain.roll_state import RollNode, RollState, Stage
from console.drain.state import RunState
from console.journal.trouble import JournalUnusable
from console.model.failures import Failure
from console.model.identity import HostName, RunId
from console.planner.roll import RollPlan
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.choice import Choice, ChoiceScreen
from screens.drawing import Line, wrap
from screens.grid import Grid
from screens.lines import Lines, Pager
from screens.messages import Failed, RunChosen
from screens.roll_start import RollStartScreen
from screens.rolling_tables import (
    NodeRow,
    confirmation_of_wave,
    plan_lines,
    planned_rows,
    roll_columns,
    rows_of,
    summary_lines,
    window_is_over,
)
from screens.run_tables import log_lines
from screens.sight import Services
from screens.typed import TypedScreen

ROOMY = 150
"""Columns from which on the header has room for the roll's name."""
LOOK_S = 0.5
"""Real seconds between two looks at the journal."""


class RollingScreen(ConsoleScreen, inherit_bindings=False):
    """``enter`` opens a node's drain; where none is open the marked nodes are those that a new one is begun over."""

    NAME = "rolling"
    TITLE = "Rolling run"
    TOPICS = Topic.CLUSTER | Topic.ROLL
    PANES = ("roll-nodes", "roll-log")
    BINDINGS = screen_bindings("rolling")

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.roll: RollState | None = None
        self.plan: RollPlan | None = None
        """Of a roll that could be begun, once it was asked for."""
        self._drains: Mapping[RunId, RunState] = {}

    def headline(self) -> str:
        """The roll's name, where a line has room for it."""
        wide = self.app.size.width >= ROOMY
        return self.TITLE if self.roll is None or not wide else f"{self.TITLE} {self.roll.roll}"

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.nodes = Grid[NodeRow](
            look, roll_columns(look), id="roll-nodes", key=lambda row: row.node.name, empty="Reading the journal …",
            markable=True,
            search=lambda row: f"{row.node.name} {row.node.stage.value} {row.node.reason}",
        )  # fmt: skip
        yield Lines(look, id="roll-summary", classes="summary")
        yield self.nodes
        yield Pager(look, id="roll-log")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(LOOK_S, self._look)

    def on_resize(self) -> None:
        super().on_resize()
        if self.is_current:
            self.refill(Topic.ALL)

    def show(self, changed: Topic) -> None:
        self._look()

    # -- looking -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        cluster = self.services.store.cluster
        if not (self.stands and self.seen) or cluster is None:
            return
        try:
            self.services.look_at_roll()
        except (JournalUnusable, OSError) as error:
            self.post_message(Failed("rolling run", error))
            return
        self.roll, self._drains = self.services.store.roll, self.services.store.roll_drains
        self.nodes.markable = self.roll is None or self.roll.closed
        if self.roll is None:
            self._show_plan()
        else:
            self.nodes.set_items(rows_of(self.roll, self._drains, self.services.now))
            self._tell(summary_lines(self.roll, self._drains, self.services, self.app.size.width))
            log = self.services.sight.log_of_roll(self.roll)
            self.query_one("#roll-log", Pager).set_tail(log_lines(log, self.app.size.width - 3))
        self.look_again()

    def _show_plan(self) -> None:
        cluster = self.services.store.cluster
        assert cluster is not None, "asked only with one"
        self._tell(plan_lines(self.plan, len(cluster.hosts)))
        if self.plan is None:
            self.nodes.empty = "Planning …"
            self._want_plan()
        else:
            self.nodes.set_items(planned_rows(self.plan))

    def _tell(self, lines: list[Line]) -> None:
        self.query_one("#roll-summary", Lines).set_lines(lines)

    def _want_plan(self) -> None:
        if not any(worker.group == "roll-plan" and not worker.is_finished for worker in self.workers):
            self.run_worker(self._make_plan(), group="roll-plan", exit_on_error=False)

    async def _make_plan(self) -> None:
        cluster = self.services.store.cluster
        if cluster is not None:
            self.plan = await asyncio.to_thread(self.services.sight.plan_roll, cluster)
            self._look()

    def _rest(self) -> tuple[HostName, ...]:
        """What a roll that was stopped has left; empty where a new one takes all nodes."""
        return self.roll.left if self.roll is not None and self.roll.closed and self.roll.stopping else ()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.post_message(Failed("rolling run", event.worker.error))

    # -- what can be done ----------------------------------------------------------------------------------------

    def title_of(self, action: Action) -> str:
        fresh = self.roll is None or self.roll.closed
        return "new roll" if action.id == "roll.approve" and fresh else action.title

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {"roll_may_go": self._why_not_go, "roll_on": self._why_over, "roll_failed": self._why_not_failed}

    def _why_not_go(self) -> str:
        roll = self.roll
        if self.services.store.cluster is None:
            return "The cluster has not been read yet."
        if roll is None or roll.closed:
            return "A drain is on; a rolling run begins when it is over." if self.services.store.run_is_on else ""
        if roll.failed:
            return "A node failed: T tries it again, L goes on without it."
        if roll.waits_for_approval is None:
            return "Nothing waits for approval."
        over = window_is_over(roll, self.services.now)
        return "The maintenance window has ended; S stops the roll, and a later one goes on." if over else ""

    def _why_over(self) -> str:
        if self.roll is None or self.roll.closed:
            return "No rolling run is on."
        return "It is stopping already." if self.roll.stopping else ""

    def _why_not_failed(self) -> str:
        return self._why_over() or ("" if self._failed() is not None else "Only a node that failed; none is chosen.")

    def _failed(self) -> RollNode | None:
        """The failed node under the cursor, else the only one."""
        chosen = [row.node for row in self.nodes.marked if row.node.stage is Stage.FAILED]
        failed = list(self.roll.failed) if self.roll is not None else []
        return chosen[0] if chosen else failed[0] if len(failed) == 1 else None

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        node = None if self.roll is None else next((n for n in self.roll.nodes.values() if n.name == event.row), None)
        if node is None or node.drain is None:
            self.tell("Its drain has not begun.")
        else:
            self.post_message(RunChosen(node.back if node.stage is Stage.RETURNING and node.back else node.drain))

    def action_roll_approve(self) -> None:
        if self.refused("roll.approve"):
            return
        roll = self.roll
        wave = None if roll is None else roll.waits_for_approval
        if roll is None or wave is None:
            rest = self._rest()
            chosen = tuple(HostName(name) for name in self.nodes.marks)
            continues = roll.roll if roll is not None and rest and not chosen else ""
            self.app.push_screen(RollStartScreen(self.services, chosen or rest, continues))
            return
        typed = TypedScreen(
            self.services,
            roll.of_wave(wave)[0].name,
            lambda short: confirmation_of_wave(roll, wave, short=short),
            go="begin this wave",
            cancel="the roll goes on waiting",
        )
        self.app.push_screen(typed, lambda go: self._ask(ApproveWave(wave)) if go else None)

    def action_roll_stop(self) -> None:
        if not self.refused("roll.stop"):
            text = "The nodes that are out are brought back into service; no further one begins. A later roll goes on."
            self._ask_after("Stop the rolling run?", text, "Stop after the current nodes", StopRolling())

    def action_roll_retry(self) -> None:
        node = None if self.refused("roll.retry") else self._failed()
        if node is not None:
            self._ask(TryNodeAgain(node.name))

    def action_roll_skip(self) -> None:
        node = None if self.refused("roll.skip") else self._failed()
        if node is not None:
            text = f"{node.name} stays as it is, paused if it was drained; the roll goes on with the others."
            self._ask_after(f"Go on without {node.name}?", text, "Leave the node", LeaveNode(node.name))

    def _ask_after(self, title: str, text: str, yes: str, request: RollRequest) -> None:
        lines = [((row, ""),) for row in wrap(text, 68)]
        choices = (Choice[bool]("Go back", "nothing is asked", None), Choice(yes, "", True, dangerous=True))
        self.app.push_screen(
            ChoiceScreen[bool](self.services, title, lines, choices),
            lambda answer: self._ask(request) if answer else None,
        )

    def _ask(self, request: RollRequest) -> None:
        if self.services.hand is None or self.roll is None:
            return
        try:
            self.services.hand.ask_roll(self.roll.roll, request)
        except (Failure, JournalUnusable, OSError) as error:
            self.post_message(Failed("rolling run", error))
        self._look()
