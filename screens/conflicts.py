"""What stands against moves: a list, and for the one under the cursor its evidence and its fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import ClassVar, TypeAlias

from textual.containers import Container
from textual.widget import Widget

from console import formatting
from console.checks.advice import advice_of
from console.checks.values import Conflict, Evidence, Findings, Severity, Subject, Unknown
from console.model.identity import VmId
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.columns import Column
from screens.drawing import Line, clip, cut, joined, width_of, wrap
from screens.findings_file import offer_findings
from screens.grid import Grid
from screens.lines import Lines, Pager
from screens.matrix import STYLES, MatrixRow, legend, matrix_columns, matrix_rows
from screens.messages import DetailsWanted, VmChosen

Finding: TypeAlias = Conflict | Unknown

_ORDER = {severity: rank for rank, severity in enumerate(Severity)}
_LAST = len(_ORDER)
UNKNOWN_WORD = "unknown"


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


def finding_key(finding: Finding) -> str:
    """An id for the list: one code can be found for many subjects."""
    subject = finding.subject
    return (
        f"{finding.code}|{subject.vm.id if subject.vm else ''}|{subject.host}|{subject.destination}|"
        f"{message_of(finding)}"
    )


def message_of(finding: Finding) -> str:
    return finding.message if isinstance(finding, Conflict) else finding.missing


def severity_word(finding: Finding) -> str:
    return finding.severity.value if isinstance(finding, Conflict) else UNKNOWN_WORD


def severity_style(finding: Finding) -> str:
    return STYLES[finding.severity] if isinstance(finding, Conflict) else "state.unknown"


def severity_rank(finding: Finding) -> int:
    """The worst first, what could not be checked last."""
    return _ORDER[finding.severity] if isinstance(finding, Conflict) else _LAST


class ConflictsScreen(ConsoleScreen, inherit_bindings=False):
    """All severities but advice, worst first."""

    NAME = "conflicts"
    TITLE = "Conflicts"
    TOPICS = Topic.FINDINGS
    PANES: ClassVar[tuple[str, ...]] = ("conflict-list", "conflict-detail", "conflict-matrix")
    BINDINGS = screen_bindings("conflicts")
    SEVERITIES: ClassVar[tuple[Severity, ...]] = (Severity.BLOCKS, Severity.INTERRUPTS, Severity.RISKS)
    EMPTY: ClassVar[str] = "Nothing stands against moving the VMs that could be read."
    _findings: Findings | None = None

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.grid = Grid[Finding](
            look, _columns(), id="conflict-list", key=finding_key, empty="Checking …",
            search=lambda f: f"{f.code} {severity_word(f)} {subject_words(f.subject)} {message_of(f)}",
        )  # fmt: skip
        yield Lines(look, id="conflict-summary", classes="summary")
        self.matrix = Grid[MatrixRow](
            look, (), id="conflict-matrix", key=lambda row: row.vm.id, empty="No VM has a conflict of its own.",
            search=lambda row: f"{row.vm.name} {' '.join(c.code for c in row.conflicts)}",
        )  # fmt: skip
        yield Lines(look, id="conflict-tabs")
        yield Container(self.grid, Pager(look, id="conflict-detail"), self.matrix, id="conflict-panes")

    def on_mount(self) -> None:
        super().on_mount()
        self.post_message(DetailsWanted(None))

    def shown(self, findings: Findings) -> Findings:
        """What of all findings belongs here."""
        return Findings(
            tuple(conflict for conflict in findings.conflicts if conflict.severity in self.SEVERITIES),
            tuple(gap for gap in findings.unknown if gap not in advice_of(Findings(unknown=(gap,))).unknown),
        )

    def show(self, changed: Topic) -> None:
        if self.services.store.findings is None:
            return
        findings = self.shown(self.services.store.findings)
        self.grid.empty = self.EMPTY
        wanted: list[Finding] = [*findings.conflicts, *findings.unknown]
        self.grid.set_items(sorted(wanted, key=lambda f: (severity_rank(f), f.code)))
        self._sum_up(findings)
        self._show_matrix(findings)
        self._show_tabs()
        self._show_detail()

    def _sum_up(self, findings: Findings) -> None:
        counts = [(severity, sum(c.severity is severity for c in findings.conflicts)) for severity in self.SEVERITIES]
        parts: list[Line | None] = [((f"{n} {s.value}", STYLES[s]),) if n else None for s, n in counts]
        parts = parts if any(parts) else [((self.EMPTY, "text.muted"),)]
        unknown = formatting.count(len(findings.unknown), "check could not be made", "checks could not be made")
        parts.append(((unknown, "state.unknown"),) if findings.unknown else None)
        parts.append(((self._age(), "text.muted"),))
        self._findings = findings
        summary = clip((("  ", ""), *joined(parts, "   ")), self.size.width)
        self.query_one("#conflict-summary", Lines).set_lines([summary])

    def _age(self) -> str:
        """How old the facts are that all this rests on."""
        store = self.services.store
        if store.findings_at is None:
            return ""
        age_s = (self.services.now - store.findings_at).total_seconds()
        coarse = "" if store.knows_details(None) else "; finer facts are being read …"
        return f"read {formatting.age(age_s)}{coarse}"

    def look_again(self) -> None:
        super().look_again()
        if self._findings is not None:
            self._sum_up(self._findings)

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
        tabs: list[Line] = [tuple(spans)]
        if matrix:
            marks = legend(self.services.look)
            fits = width_of(tabs[0]) + width_of(marks) + 2 <= self.app.size.width
            tabs = [(*tabs[0], ("  ", ""), *marks)] if fits else [*tabs, (("  ", ""), *marks)]
        self.query_one("#conflict-tabs", Lines).set_lines(tabs)

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
        pager, finding = self.query_one("#conflict-detail", Pager), self.grid.cursor_item
        width = max(30, pager.size.width - 2)
        pager.set_lines(detail_lines(finding, width, self.services.now) if finding else ())

    def action_view_copy(self) -> None:
        finding = self.grid.cursor_item
        text = formatting.plain(finding.fix.powershell) if isinstance(finding, Conflict) else ""
        if text:
            self.app.copy_to_clipboard(text)
        self.tell("The fix is copied, if the terminal allows it." if text else "This one has no command that mends it.")

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {"exportable": lambda: "" if self.grid.rows else "There is nothing to write."}

    def action_report_export(self) -> None:
        cluster = self.services.store.cluster
        if cluster is None or self.refused("report.export"):
            return
        rows = self.grid.rows
        listed = Findings(
            tuple(row for row in rows if isinstance(row, Conflict)),
            tuple(row for row in rows if isinstance(row, Unknown)),
        )
        offer_findings(self, self.services, cluster, listed)


class TuningScreen(ConflictsScreen, inherit_bindings=False):
    """Advice only: what would make moves faster or safer."""

    TITLE = "Advice"
    PANES: ClassVar[tuple[str, ...]] = ("conflict-list", "conflict-detail")
    BINDINGS = screen_bindings("conflicts")
    SEVERITIES: ClassVar[tuple[Severity, ...]] = (Severity.ADVICE,)
    EMPTY: ClassVar[str] = "There is no advice for what could be read."

    def shown(self, findings: Findings) -> Findings:
        return advice_of(findings)


def _columns() -> tuple[Column[Finding], ...]:
    return (
        Column("severity", "SEVERITY", 10, lambda f, w: ((severity_word(f), severity_style(f)),), pinned=True,
               sort=severity_rank),
        Column("code", "CODE", 18, lambda f, w: ((cut(f.code, w), "text.strong"),), grows=1, most=32,
               sort=lambda f: f.code),
        Column("subject", "ABOUT", 18, lambda f, w: cut(subject_words(f.subject), w), grows=1, most=36,
               sort=lambda f: subject_words(f.subject).casefold()),
        Column("message", "WHAT", 20, lambda f, w: formatting.plain(message_of(f)), grows=5, style="text.muted"),
    )  # fmt: skip


def detail_lines(finding: Finding, width: int, now: datetime) -> list[Line]:
    """Sentence, evidence with its age, fix and command, what it rests on."""
    lines: list[Line] = [
        (
            ("  ", ""),
            (finding.code, "text.strong"),
            (f"  {severity_word(finding)}  ", severity_style(finding)),
            (subject_words(finding.subject), "text.muted"),
        )
    ]
    lines += [((row, ""),) for row in wrap(formatting.plain(message_of(finding)), width, "  ")]
    if isinstance(finding, Unknown):
        text = "Neither clean nor a conflict: what this rests on was not read. It is checked again once it is."
        return [*lines, *(((row, "text.muted"),) for row in wrap(text, width, "  "))]
    lines += evidence_lines(finding.evidence, width, now)
    lines += [(), (("  FIX", "text.heading"),)]
    off = "  (the VM must be off)" if finding.fix.needs_vm_off else ""
    lines += [((row, "text.good"),) for row in wrap(formatting.plain(finding.fix.text) + off, width, "  ")]
    if finding.fix.powershell:
        lines += [((row, "text.accent"),) for row in wrap(formatting.plain(finding.fix.powershell), width, "    ")]
    return [*lines, (), ((cut(f"  rests on {formatting.plain(finding.source)}", width), "text.muted"),)]


def evidence_lines(evidence: Iterable[Evidence], width: int, now: datetime) -> list[Line]:
    """What was read, where, when and how long ago."""
    lines: list[Line] = []
    for seen in evidence:
        where = f" on {formatting.name(seen.host)}" if seen.host else ""
        at = ""
        if seen.read_at is not None:
            age = formatting.age((now - seen.read_at).total_seconds())
            at = f", read {formatting.clock_time(seen.read_at, seconds=True)} ({age})"
        text = f"{seen.what}{where}: {seen.value}{at}"
        lines += [((row, "text.muted"),) for row in wrap(formatting.plain(text), width, "    ")]
    return lines
