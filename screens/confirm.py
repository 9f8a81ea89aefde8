"""The typed confirmation before a drain: it repeats what will be interrupted and which settings change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input

from console import formatting
from console.model.identity import VmRef
from console.operations import Consents
from console.planner.values import Plan
from screens.columns import Column
from screens.drawing import Line, cut, wrap
from screens.grid import Grid
from screens.lines import Lines
from screens.plan_tables import verdict
from screens.sight import Services
from screens.vm_columns import vm_label

CANCEL = "cancel"
GO = "go"
WIDTH = 72
MOST_NAMED = 3
ROOMY = 38
"""Rows from which on every consent is told with its reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    key: str
    label: str
    open: bool


class _Choices(Grid[Answer], inherit_bindings=False):
    """Arrows and enter alone: every letter belongs to the name that is being typed."""

    BINDINGS = [  # noqa: RUF012
        ("down", "list_down", "down"),
        ("up", "list_up", "up"),
        ("enter", "list_open", "choose"),
    ]


class ConfirmScreen(ModalScreen[bool], inherit_bindings=False):
    """Dismisses with True only after the host's name was typed in full; the cursor starts on *Cancel*."""

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
        grid = _Choices(
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
                yield Input(id="typed", placeholder=formatting.plain(self.plan.node), select_on_focus=False)
            yield grid

    def on_mount(self) -> None:
        self._tell()
        self.query_one("#dialog-label", Lines).set_lines([((" type the host's name: ", "text.key"),)])
        self.query_one(Input).cursor_blink = False
        self._offer()
        self.query_one(Grid).focus()
        if not self.armed:
            self.set_timer(self._services.settle_s, self._arm)

    def on_resize(self) -> None:
        self._tell()

    def _tell(self) -> None:
        short = self.app.size.height < ROOMY
        self.set_class(short, "-short")
        lines = confirmation(self.plan, self.consents, self._services, short=short)
        self.query_one("#dialog-text", Lines).set_lines(lines)

    def _arm(self) -> None:
        self.armed = True

    @property
    def typed_right(self) -> bool:
        """Whether what was typed is the host's name; case does not count, as for Windows."""
        return self.query_one(Input).value.strip().casefold() == self.plan.node.casefold()

    def _offer(self) -> None:
        go = "Go (enter): pause the node and move its VMs" if self.typed_right else "Go: type the host's name first"
        grid = self.query_one(Grid)
        grid.styles.height = 3
        grid.set_items((Answer(CANCEL, "Cancel: nothing has been changed yet", True), Answer(GO, go, self.typed_right)))

    def on_key(self, event: Key) -> None:
        """Wherever the cursor is, letters are letters of the name."""
        typed = self.query_one(Input)
        if event.is_printable and event.character is not None and not typed.has_focus:
            event.stop()
            event.prevent_default()
            typed.focus()
            typed.insert_text_at_cursor(event.character)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.typed_right:
            self.dismiss(True)
            return
        grid = self.query_one(Grid)
        grid.move_to(CANCEL)
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
    style = "text.off" if not answer.open else "text.bad" if answer.key == GO else "text.strong"
    return ((answer.label, style),)


def confirmation(plan: Plan, consents: Consents, services: Services, *, short: bool) -> list[Line]:
    """What the operator is about to start, in sentences; ``short`` for a terminal of few rows."""
    node = formatting.name(plan.node)
    memory = formatting.size(sum(move.memory_bytes for move in plan.moves))
    gap: list[Line] = [] if short else [()]
    ends = f"Takes {formatting.duration(plan.makespan_s)}, {formatting.duration(plan.makespan_p90_s)} at worst"
    lines: list[Line] = [
        ((f"Drain {node} of {formatting.name(services.sight.cluster_name)} now?", "text.strong"),),
        *gap,
        ((f"{formatting.count(len(plan.moves), 'VM')} move, {memory}, at most {plan.slots} at once.", ""),),
        ((f"{ends}.  ", ""), *verdict(plan, services.now, services.window_ends_at)),
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
