"""What stands against moves: a list, and for the one under the cursor its evidence and its fix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.containers import Container
from textual.widget import Widget

from console import formatting
from console.checks.values import Conflict, Findings, Severity, Subject
from console.model.identity import VmId
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.columns import Column
from screens.drawing import Line, cut, joined, wrap
from screens.grid import Grid
from screens.lines import Lines, Pager
from screens.matrix import STYLES, MatrixRow, legend, matrix_columns, matrix_rows
from screens.messages import VmChosen

_ORDER = {severity: rank for rank, severity in enumerate(Severity)}


def subject_words(subject: Subject) -> str:
    """What a conflict is about, in words."""
    parts = []
    if subject.vm is not None:
        parts.append(formatting.name(subject.vm.name))
    if subject.host is not None and subject.vm is None:
        parts.append(formatting.name(subject.host))
    if subject.destination is not None:
        parts.append(f"→ {formatting.name(subject.destination)}")
    return " ".join(parts) or "the cluster"


def conflict_key(conflict: Conflict) -> str:
    """An id for the list: one code can be found for many subjects."""
    subject = conflict.subject
    return (
        f"{conflict.code}|{subject.vm.id if subject.vm else ''}|{subject.host}|{subject.destination}|{conflict.message}"
    )


class ConflictsScreen(ConsoleScreen, inherit_bindings=False):
    """All severities but advice, worst first."""

    NAME = "conflicts"
    TITLE = "Conflicts"
    TOPICS = Topic.FINDINGS
    PANES: ClassVar[tuple[str, ...]] = ("conflict-list", "conflict-detail", "conflict-matrix")
    BINDINGS = screen_bindings("conflicts")
    SEVERITIES: ClassVar[tuple[Severity, ...]] = (Severity.BLOCKS, Severity.INTERRUPTS, Severity.RISKS)
    EMPTY: ClassVar[str] = "Nothing stands against moving the VMs that could be read."

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.grid = Grid[Conflict](
            look, _columns(), id="conflict-list", key=conflict_key, empty="Checking …",
            search=lambda c: f"{c.code} {c.severity.value} {subject_words(c.subject)} {c.message}",
        )  # fmt: skip
        yield Lines(look, id="conflict-summary", classes="summary")
        self.matrix = Grid[MatrixRow](
            look, (), id="conflict-matrix", key=lambda row: row.vm.id, empty="No VM has a conflict of its own.",
            search=lambda row: f"{row.vm.name} {' '.join(c.code for c in row.conflicts)}",
        )  # fmt: skip
        yield Lines(look, id="conflict-tabs", classes="section")
        yield Container(self.grid, Pager(look, id="conflict-detail"), self.matrix, id="conflict-panes")

    def show(self, changed: Topic) -> None:
        findings = self.services.store.findings
        if findings is None:
            return
        wanted = [conflict for conflict in findings.conflicts if conflict.severity in self.SEVERITIES]
        self.grid.empty = self.EMPTY
        self.grid.set_items(sorted(wanted, key=lambda c: (_ORDER[c.severity], c.code)))
        counts = [(severity, sum(c.severity is severity for c in wanted)) for severity in self.SEVERITIES]
        parts: list[Line | None] = [((f"{n} {s.value}", STYLES[s]),) if n else None for s, n in counts]
        unknown = formatting.count(len(findings.unknown), "check could not be made", "checks could not be made")
        parts.append(((unknown, "state.unknown"),) if findings.unknown else None)
        self.query_one("#conflict-summary", Lines).set_lines(
            [(("  ", ""), *(joined(parts, "   ") or ((self.EMPTY, "text.muted"),)))]
        )
        self._show_matrix(findings)
        self._show_tabs()
        self._show_detail()

    def _show_matrix(self, findings: Findings) -> None:
        cluster = self.services.store.cluster
        if cluster is not None:
            self.matrix.set_columns(matrix_columns(cluster, self.services.look))
            self.matrix.set_items(matrix_rows(findings, cluster, self.SEVERITIES))

    def _show_tabs(self) -> None:
        names, matrix = ("list", "evidence and fix", "matrix"), self.has_class("-matrix")
        spans: list[tuple[str, str]] = [("  ", "")]
        for number, name in enumerate(names[: len(self.PANES)], 1):
            shown = matrix == (number == 3)
            spans += [(f"{number} ", "text.key"), (f"{name}   ", "text.strong" if shown else "text.muted")]
        if matrix:
            spans += [("  ", ""), *legend(self.services.look)]
        self.query_one("#conflict-tabs", Lines).set_lines([tuple(spans)])

    def show_pane(self, number: int) -> None:
        self.set_class(number == 3, "-matrix")
        super().show_pane(number)
        self._show_tabs()

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self.refill, self.TOPICS)

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        self._show_detail()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        if event.grid == "conflict-matrix":
            self.post_message(VmChosen(VmId(event.row)))
        else:
            self.show_pane(2)

    def _show_detail(self) -> None:
        pager, conflict = self.query_one("#conflict-detail", Pager), self.grid.cursor_item
        pager.set_lines(detail_lines(conflict, max(30, pager.size.width - 2)) if conflict else self._unknown(pager))

    def _unknown(self, pager: Pager) -> Sequence[Line]:
        findings = self.services.store.findings
        lines: list[Line] = []
        for unknown in (findings.unknown if findings else ())[:50]:
            text = f"{unknown.code}: {subject_words(unknown.subject)}: {unknown.missing}"
            lines += [
                ((row, "state.unknown"),) for row in wrap(formatting.plain(text), max(30, pager.size.width - 2), "  ")
            ]
        return lines

    def action_view_copy(self) -> None:
        conflict = self.grid.cursor_item
        text = formatting.plain(conflict.fix.powershell) if conflict else ""
        if text:
            self.app.copy_to_clipboard(text)
        self.tell("The fix is copied, if the terminal allows it." if text else "This one has no command that mends it.")


class TuningScreen(ConflictsScreen, inherit_bindings=False):
    """Advice only: what would make moves faster or safer."""

    TITLE = "Advice"
    PANES: ClassVar[tuple[str, ...]] = ("conflict-list", "conflict-detail")
    BINDINGS = screen_bindings("conflicts")
    SEVERITIES: ClassVar[tuple[Severity, ...]] = (Severity.ADVICE,)
    EMPTY: ClassVar[str] = "There is no advice for what could be read."


def _columns() -> tuple[Column[Conflict], ...]:
    return (
        Column("severity", "SEVERITY", 10, lambda c, w: ((c.severity.value, STYLES[c.severity]),), pinned=True,
               sort=lambda c: _ORDER[c.severity]),
        Column("code", "CODE", 8, lambda c, w: ((cut(c.code, w), "text.strong"),), grows=1, most=26,
               sort=lambda c: c.code),
        Column("subject", "ABOUT", 18, lambda c, w: cut(subject_words(c.subject), w), grows=1, most=36,
               sort=lambda c: subject_words(c.subject).casefold()),
        Column("message", "WHAT", 24, lambda c, w: formatting.plain(c.message), grows=5, style="text.muted"),
    )  # fmt: skip


def detail_lines(conflict: Conflict, width: int) -> list[Line]:
    """Sentence, evidence with its age, fix and command, what it rests on."""
    lines: list[Line] = [
        (
            ("  ", ""),
            (conflict.code, "text.strong"),
            (f"  {conflict.severity.value}  ", STYLES[conflict.severity]),
            (subject_words(conflict.subject), "text.muted"),
        )
    ]
    lines += [((row, ""),) for row in wrap(formatting.plain(conflict.message), width, "  ")]
    for evidence in conflict.evidence:
        where = f" on {formatting.name(evidence.host)}" if evidence.host else ""
        at = f", read {formatting.clock_time(evidence.read_at, seconds=True)}" if evidence.read_at else ""
        text = f"{evidence.what}{where}: {evidence.value}{at}"
        lines += [((row, "text.muted"),) for row in wrap(formatting.plain(text), width, "    ")]
    lines += [(), (("  FIX", "text.heading"),)]
    off = "  (the VM must be off)" if conflict.fix.needs_vm_off else ""
    lines += [((row, "text.good"),) for row in wrap(formatting.plain(conflict.fix.text) + off, width, "  ")]
    if conflict.fix.powershell:
        lines += [((row, "text.accent"),) for row in wrap(formatting.plain(conflict.fix.powershell), width, "    ")]
    return [*lines, (), ((cut(f"  rests on {formatting.plain(conflict.source)}", width), "text.muted"),)]
