"""The typed confirmation before a drain: it repeats what will be interrupted and which settings change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from console import formatting
from console.model.identity import VmRef
from console.operations import Consents
from console.planner.values import Plan
from screens.columns import Column
from screens.drawing import Line, wrap
from screens.grid import Grid
from screens.lines import Lines
from screens.sight import Services
from screens.vm_columns import vm_label

CANCEL = "cancel"
GO = "go"
WIDTH = 72


@dataclass(frozen=True, slots=True)
class Answer:
    key: str
    label: str
    open: bool


class ConfirmScreen(ModalScreen[bool], inherit_bindings=False):
    """Dismisses with True only when the host's name was typed and *Go* was chosen; the cursor starts on *Cancel*."""

    AUTO_FOCUS = None
    BINDINGS = [  # noqa: RUF012
        ("escape", "cancel", "cancel"),
        ("ctrl+c", "cancel", "cancel"),
        ("ctrl+q", "cancel", "cancel"),
        ("tab", "app.focus_next", "next"),
        ("shift+tab", "app.focus_previous", "previous"),
    ]

    def __init__(self, services: Services, plan: Plan, consents: Consents) -> None:
        super().__init__()
        self._services = services
        self.plan = plan
        self.consents = consents
        self.armed = services.settle_s <= 0

    def compose(self) -> ComposeResult:
        look = self._services.look
        grid = Grid[Answer](
            look,
            (Column("answer", "", 40, _answer, grows=1),),
            id="choices",
            key=lambda a: a.key,
            search=lambda a: a.label,
        )
        with Vertical(id="dialog"):
            yield Lines(look, id="dialog-text", classes="summary")
            with Horizontal(id="dialog-typed"):
                yield Lines(look, id="dialog-label", ground="raised")
                yield Input(id="typed", placeholder=f"{formatting.plain(self.plan.node)}")
            yield grid

    def on_mount(self) -> None:
        self.query_one("#dialog-text", Lines).set_lines(confirmation(self.plan, self.consents, self._services))
        self.query_one("#dialog-label", Lines).set_lines([((" tab, then type the host's name ", "text.key"),)])
        self.query_one(Input).cursor_blink = False
        self._offer()
        self.query_one(Grid).focus()
        if not self.armed:
            self.set_timer(self._services.settle_s, self._arm)

    def _arm(self) -> None:
        self.armed = True

    @property
    def typed_right(self) -> bool:
        """Whether what was typed is the host's name, letter by letter."""
        return self.query_one(Input).value.strip() == self.plan.node

    def _offer(self) -> None:
        go = "Go: pause the node and move its VMs" if self.typed_right else "Go: type the host's name first"
        grid = self.query_one(Grid)
        grid.styles.height = 3
        grid.set_items((Answer(CANCEL, "Cancel: nothing has been changed yet", True), Answer(GO, go, self.typed_right)))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        grid = self.query_one(Grid)
        grid.move_to(GO if self.typed_right else CANCEL)
        grid.focus()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        event.stop()
        if not self.armed:
            return
        if event.row == CANCEL:
            self.dismiss(False)
        elif self.typed_right:
            self.dismiss(True)

    def action_cancel(self) -> None:
        if self.armed:
            self.dismiss(False)


def _answer(answer: Answer, width: int) -> Line:
    style = "text.rule" if not answer.open else "text.bad" if answer.key == GO else "text.strong"
    return ((answer.label, style),)


def confirmation(plan: Plan, consents: Consents, services: Services) -> list[Line]:
    """What the operator is about to start, in sentences."""
    node = formatting.name(plan.node)
    memory = formatting.size(sum(move.memory_bytes for move in plan.moves))
    now = services.now
    lines: list[Line] = [
        ((f"Drain {node} of {formatting.name(services.sight.cluster_name)} now?", "text.strong"),),
        (),
        ((f"{formatting.count(len(plan.moves), 'VM')} move, {memory}, at most {plan.slots} at once.", ""),),
        (
            (
                f"Takes {formatting.duration(plan.makespan_s)}, {formatting.duration(plan.makespan_p90_s)} at worst; ",
                "",
            ),
            (f"it is {formatting.clock_time(now)}.", "text.muted"),
        ),
    ]
    agreed, not_agreed = _split([(i.vm, i.how) for i in plan.interrupted], consents.interrupt)
    left, refused = _split(_staying(plan), consents.leave_behind | plan.options.excluded)
    lines += _block("Interrupted, with your consent", agreed, "state.interrupted")
    lines += _block("NOT moved, as their interruption was not agreed to", not_agreed, "text.warning")
    lines += _block("Left behind, with your consent", left, "state.left-behind")
    lines += _block("Stay WITHOUT consent: the run will end as blocked", refused, "text.warning")
    if consents.settings:
        lines += [(), (("Settings of the cluster that change and are put back:", "text.warning"),)]
        lines += [((f"  {name} = {value}", ""),) for name, value in consents.settings]
    else:
        lines += [(), (("No setting of the cluster changes.", "text.muted"),)]
    return lines


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


def _block(title: str, items: list[tuple[VmRef, str]], style: str) -> list[Line]:
    if not items:
        return []
    lines: list[Line] = [(), ((f"{title} ({len(items)}):", style),)]
    for vm, text in items[:4]:
        lines += [((row, ""),) for row in wrap(f"{vm_label(vm)}: {formatting.plain(text)}", WIDTH - 2, "  ")[:2]]
    if len(items) > 4:
        lines.append(((f"  and {len(items) - 4} more, in the plan", "text.muted"),))
    return lines
