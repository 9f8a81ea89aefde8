"""Can this console reach, sign in, read and move? Per host and per right, with the advice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual.containers import Container
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from console import formatting
from console.diagnose.symptoms import Aspect, DoctorReport, Symptom, Verdict
from console.model.identity import HostName
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.columns import Column
from screens.conflicts import evidence_lines
from screens.drawing import Line, clip, cut, fit, joined, wrap
from screens.filtering import parse_filter
from screens.grid import Grid
from screens.lines import Lines, Pager
from screens.messages import Failed
from screens.paint import Look
from screens.sight import Services

WORDS = {Verdict.PROBLEM: "fail", Verdict.WARNING: "warning", Verdict.UNKNOWN: "unknown", Verdict.WELL: "ok"}
STYLES = {
    Verdict.PROBLEM: "text.bad",
    Verdict.WARNING: "text.warning",
    Verdict.UNKNOWN: "state.unknown",
    Verdict.WELL: "text.good",
}
_WORST_FIRST = tuple(WORDS)
_SYMBOLS = {
    Verdict.PROBLEM: "failed", Verdict.WARNING: "blocked", Verdict.UNKNOWN: "unknown", Verdict.WELL: "done",
}  # fmt: skip
_SHORT = {
    Aspect.NAME: "NAME", Aspect.PORT: "PORT", Aspect.TLS: "TLS", Aspect.SIGN_IN: "SIGN", Aspect.ENDPOINT: "ENDP",
    Aspect.MODULES: "MODS", Aspect.READ: "READ", Aspect.MOVE: "MOVE", Aspect.DELEGATION: "DELG",
    Aspect.CLOCK: "CLCK", Aspect.VERSIONS: "VERS", Aspect.TIMEOUTS: "TIME", Aspect.QUOTAS: "QUOT",
}  # fmt: skip
_CELL = 5
"""Cells of one right in the table of hosts at the least."""


@dataclass(frozen=True, slots=True)
class HostRow:
    """One host with everything that was found about it."""

    host: HostName
    symptoms: tuple[Symptom, ...]

    @property
    def worst(self) -> Verdict:
        found = {symptom.verdict for symptom in self.symptoms}
        return next(verdict for verdict in _WORST_FIRST if verdict in found)


class DoctorScreen(ConsoleScreen, inherit_bindings=False):
    """Hosts × rights above; below every single one, the worst first, with its evidence."""

    NAME = "doctor"
    TITLE = "Doctor"
    TOPICS = Topic.CLUSTER
    PANES: ClassVar[tuple[str, ...]] = ("doctor-list", "doctor-detail", "doctor-hosts")
    BINDINGS = screen_bindings("doctor")

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._looking = False

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.hosts = Grid[HostRow](
            look, host_columns(look), id="doctor-hosts", key=lambda row: row.host, empty="Looking …",
            search=lambda row: f"{row.host} {WORDS[row.worst]}",
        )  # fmt: skip
        self.list = Grid[Symptom](
            look, symptom_columns(look), id="doctor-list", key=lambda s: f"{s.host}|{s.aspect.value}",
            search=lambda s: f"{s.host} {s.aspect.value} {WORDS[s.verdict]} {s.message}", empty="Looking …",
        )  # fmt: skip
        yield Lines(look, id="doctor-summary", classes="summary")
        yield Container(self.hosts, self.list, Pager(look, id="doctor-detail"), id="doctor-panes")

    def on_mount(self) -> None:
        super().on_mount()
        self.look_anew()

    def look_anew(self) -> None:
        """Ask every node again, one asking at a time."""
        if not self._looking:
            self._looking = True
            self.run_worker(self._examine(), group="doctor", exit_on_error=False)
            self._sum_up()

    async def _examine(self) -> None:
        self.services.store.report = await self.services.sight.examine()
        self._looking = False
        self.refill(self.TOPICS)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self._looking = False
            self.list.empty = self.hosts.empty = "The doctor could not look: ! says why."
            self.refill(self.TOPICS)
            self.post_message(Failed("doctor", event.worker.error))

    def show(self, changed: Topic) -> None:
        report = self.services.store.report
        if report is not None:
            self.hosts.set_items([HostRow(host, report.of(host)) for host in report.hosts])
            ranked = sorted(report.symptoms, key=lambda symptom: _WORST_FIRST.index(symptom.verdict))
            self.list.set_items(ranked)
        self.hosts.redraw()
        self._sum_up()
        self._show_detail()

    def _sum_up(self) -> None:
        if self.stands:
            line = summary(self.services.store.report, self.services.now, looking=self._looking)
            self.query_one("#doctor-summary", Lines).set_lines([clip(line, self.size.width)])

    def look_again(self) -> None:
        super().look_again()
        self._sum_up()

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self.refill, self.TOPICS)

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        self._show_detail()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        """A host opens its own rows of the list; a row opens its evidence."""
        if event.grid == "doctor-hosts":
            self.list.set_filter(parse_filter(event.row))
            self.show_pane(1)
        else:
            self.show_pane(2)

    def _show_detail(self) -> None:
        pager, symptom = self.query_one("#doctor-detail", Pager), self.list.cursor_item
        width = max(30, pager.size.width - 2)
        pager.set_lines(detail_lines(symptom, width, self.services.now) if symptom else ())

    def action_view_copy(self) -> None:
        symptom = self.list.cursor_item
        text = formatting.plain(symptom.powershell or symptom.advice) if symptom else ""
        if text:
            self.app.copy_to_clipboard(text)
        self.tell("The advice is copied, if the terminal allows it." if text else "There is nothing to mend here.")


def summary(report: DoctorReport | None, now: datetime, *, looking: bool) -> Line:
    """How many rights of how many hosts are in which state, and how old that is."""
    busy: Line | None = (("looking …", "state.checking"),) if looking else None
    if report is None:
        return (("  ", ""), *joined([busy]))
    parts: list[Line | None] = [((formatting.count(len(report.hosts), "host"), "text.strong"),)]
    for verdict in _WORST_FIRST:
        number = sum(symptom.verdict is verdict for symptom in report.symptoms)
        parts.append(((f"{number} {WORDS[verdict]}", STYLES[verdict]),) if number else None)
    age = formatting.age((now - report.at).total_seconds())
    parts += [((f"looked {age}", "text.muted"),), busy]
    return (("  ", ""), *joined(parts, "   "))


def host_columns(look: Look) -> tuple[Column[HostRow], ...]:
    """The host, and one symbol for each right in the order in which one rests on the other."""
    rights = _CELL * len(Aspect)
    return (
        Column("host", "HOST", 8, lambda row, w: ((cut(formatting.name(row.host), w), "text.strong"),), grows=1,
               most=24, pinned=True, sort=lambda row: _WORST_FIRST.index(row.worst)),
        Column("rights", "", rights, lambda row, w: _symbols(row, w, look), grows=3, most=2 * rights,
               heading=_headings),
    )  # fmt: skip


def _stride(width: int) -> int:
    return max(_CELL, width // len(Aspect))


def _headings(width: int) -> str:
    stride = _stride(width)
    return "".join(fit(aspect.value.upper() if stride > 15 else _SHORT[aspect], stride) for aspect in Aspect)


def _symbols(row: HostRow, width: int, look: Look) -> Line:
    found = {symptom.aspect: symptom.verdict for symptom in row.symptoms}
    stride = _stride(width)
    spans: list[tuple[str, str]] = []
    for aspect in Aspect:
        verdict = found.get(aspect)
        symbol = look.glyphs.states[_SYMBOLS[verdict]] if verdict else look.glyphs.dash
        spans.append((fit(f" {symbol}", stride), STYLES[verdict] if verdict else "text.off"))
    return tuple(spans)


def symptom_columns(look: Look) -> tuple[Column[Symptom], ...]:
    def verdict(symptom: Symptom, width: int) -> Line:
        symbol = look.glyphs.states[_SYMBOLS[symptom.verdict]]
        return ((f"{symbol} {WORDS[symptom.verdict]}", STYLES[symptom.verdict]),)

    return (
        Column("verdict", "STATE", 9, verdict, pinned=True, sort=lambda s: _WORST_FIRST.index(s.verdict)),
        Column("host", "HOST", 8, lambda s, w: ((cut(formatting.name(s.host), w), "text.strong"),), grows=1, most=24,
               sort=lambda s: s.host.casefold()),
        Column("aspect", "RIGHT", 15, lambda s, w: s.aspect.value, sort=lambda s: list(Aspect).index(s.aspect)),
        Column("message", "WHAT", 24, lambda s, w: formatting.plain(s.message), grows=5, style="text.muted"),
    )  # fmt: skip


def detail_lines(symptom: Symptom, width: int, now: datetime) -> list[Line]:
    """Sentence, advice with its command, and what was read, where and when."""
    lines: list[Line] = [
        (
            ("  ", ""),
            (formatting.name(symptom.host), "text.strong"),
            (f"  {symptom.aspect.value}  ", "text.muted"),
            (WORDS[symptom.verdict], STYLES[symptom.verdict]),
        )
    ]
    lines += [((row, ""),) for row in wrap(formatting.plain(symptom.message), width, "  ")]
    if symptom.advice:
        lines += [((row, "text.good"),) for row in wrap(formatting.plain(symptom.advice), width, "  ")]
    if symptom.powershell:
        lines += [((row, "text.accent"),) for row in wrap(formatting.plain(symptom.powershell), width, "    ")]
    return lines + evidence_lines(symptom.evidence, width, now)
