"""The start screen: every host in a row, and the VMs of the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from textual.containers import Container
from textual.widget import Widget

from console import formatting
from console.checks.values import Severity
from console.drain.state import Purpose
from console.model.cluster import Cluster, Contact, Host, VirtualMachine
from console.model.identity import HostName, VmId
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.columns import Column, known
from screens.drawing import Line, cut, fitting
from screens.grid import Grid
from screens.lines import Lines
from screens.messages import DrainChosen, HostChosen, VmChosen
from screens.vm_columns import (
    AUTHENTICATIONS,
    TRANSPORTS,
    best_link,
    host_state,
    memory_cell,
    search_hosts,
    used_fraction,
    vm_columns,
    vm_search,
    vms_of,
)
from screens.waiting import waiting_lines

LEAST_ROOM = 6

W = TypeVar("W")


class BoardScreen(ConsoleScreen, inherit_bindings=False):
    """Hosts above, VMs of the chosen host below where there is room."""

    NAME = "board"
    TITLE = "Board"
    TOPICS = Topic.CLUSTER | Topic.RUN | Topic.FINDINGS
    PANES = ("hosts", "host-vms")
    BINDINGS = screen_bindings("board")

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.counts: Mapping[str, int] = {}
        self.hosts = Grid[Host](
            look,
            self._columns(),
            id="hosts",
            key=lambda host: host.name,
            search=search_hosts,
            row_style=self._row_style,
            empty="Reading the cluster …",
        )
        self.vms = Grid[VirtualMachine](
            look, vm_columns(look, with_host=False), id="host-vms", key=lambda vm: vm.id, search=vm_search,
            row_style=lambda vm: "text.muted" if self.services.stale else "", empty="No VM here.",
        )  # fmt: skip
        yield Lines(look, id="board-waiting")
        yield Lines(look, id="board-summary", classes="summary")
        yield Container(
            self.hosts,
            Container(Lines(look, id="board-detail", classes="section"), self.vms, id="board-lower"),
            id="board-panes",
        )

    def show(self, changed: Topic) -> None:
        cluster = self.services.store.cluster
        self.set_class(cluster is None, "-waiting")
        if cluster is None:
            return
        self.counts = {name: len(vms) for name, vms in cluster.vms_by_host.items()}
        self.hosts.set_items(cluster.hosts)
        self.hosts.refresh()
        self._share_room(len(cluster.hosts))
        self._sum_up(cluster)
        self._show_vms()

    def look_again(self) -> None:
        super().look_again()
        cluster = self.services.store.cluster
        if cluster is not None:
            self._sum_up(cluster)
        else:
            lines = waiting_lines(self.services, self.size.width, self.size.height)
            self.query_one("#board-waiting", Lines).set_lines(lines)

    def aged(self) -> None:
        super().aged()
        self._show_vms()

    def on_resize(self) -> None:
        super().on_resize()
        if self.stands:
            self._share_room(len(self.hosts.items))
            self.look_again()

    def _share_room(self, hosts: int) -> None:
        """The VMs of the host under the cursor are shown where at least a few of them fit."""
        self.set_class(self.size.height - hosts - 5 < LEAST_ROOM, "-crowded")

    def _sum_up(self, cluster: Cluster) -> None:
        self.query_one("#board-summary", Lines).set_lines([self._summary(cluster)])

    def _summary(self, cluster: Cluster) -> Line:
        answering = sum(host.contact is Contact.ANSWERING for host in cluster.hosts)
        silent = len(cluster.hosts) - answering
        total = sum(host.memory_bytes or 0 for host in cluster.hosts)
        free = sum(host.memory_free_bytes or 0 for host in cluster.hosts)
        flight = sum(host.migrations_in_flight or 0 for host in cluster.hosts)
        age_s = self.services.store.age_s(self.services.now)
        return (
            ("  ", ""),
            *fitting(
                [
                    ((f"OLD DATA, read {formatting.age(age_s)}", "text.warning"),) if self.services.stale else None,
                    ((formatting.count(len(cluster.hosts), "host"), "text.strong"),),
                    ((f"{silent} silent", "state.unknown"),) if silent else None,
                    self._run_note(),
                    self._conflicts_note(),
                    ((formatting.count(len(cluster.vms), "VM"), "text.strong"),),
                    (
                        (
                            f"{formatting.count(flight, 'migration')} in flight",
                            "state.moving" if flight else "text.muted",
                        ),
                    ),
                    ((f"{formatting.size(free)} free of {formatting.size(total)}", "text.muted"),),
                ],
                self.size.width - 3,
                "   ",
            ),
        )

    def _run_note(self) -> Line | None:
        run = self.services.store.run
        if run is None:
            return None
        if run.outcome is None:
            doing = "draining" if run.purpose is Purpose.DRAIN else "returning VMs to"
            settled = f"{len(run.finished)} of {len(run.moves)}"
            return ((f"{doing} {formatting.name(run.node)}: {settled}", "state.moving"),)
        return ((f"{formatting.name(run.node)}: {run.outcome.value.replace('_', ' ')}", "text.muted"),)

    def _conflicts_note(self) -> Line | None:
        findings = self.services.store.findings
        blocking = sum(c.severity is Severity.BLOCKS for c in findings.conflicts) if findings else 0
        return ((f"{formatting.count(blocking, 'conflict')} {'blocks' if blocking == 1 else 'block'}: c",
                 "text.bad"),) if blocking else None  # fmt: skip

    def _columns(self) -> tuple[Column[Host], ...]:
        look = self.services.look
        return (
            Column("host", "HOST", 12, lambda h, w: ((cut(formatting.name(h.name), w), "text.strong"),), grows=1,
                   most=24, pinned=True, sort=lambda h: h.name.casefold()),
            Column("state", "STATE", 14, lambda h, w: host_state(h, self.services.now, look.glyphs),
                   sort=lambda h: (h.contact is Contact.ANSWERING, -int(h.state))),
            Column("mark", "!", 2, lambda h, w: _mark(h), right=True, sort=lambda h: -len(h.problems)),
            Column("vms", "VMs", 4, lambda h, w: formatting.number(self.counts.get(h.name, 0)), right=True,
                   sort=lambda h: -self.counts.get(h.name, 0)),
            Column("memory", "MEMORY", 16, lambda h, w: memory_cell(used_fraction(h), w, look.glyphs), grows=2, most=30,
                   sort=lambda h: known(used_fraction(h))),
            Column("free", "FREE", 8, lambda h, w: formatting.size(h.memory_free_bytes), right=True,
                   sort=lambda h: known(h.memory_free_bytes)),
            Column("moves", "MOVES", 6, lambda h, w: self._moves(h), right=True),
            Column("link", "LINK", 8, lambda h, w: formatting.link(best_link(h)), right=True, style="text.muted",
                   sort=lambda h: known(best_link(h))),
            Column("cpu", "CPU", 5, lambda h, w: formatting.percent(h.cpu_fraction), right=True, style="text.muted",
                   sort=lambda h: known(h.cpu_fraction)),
            Column("transport", "TRANSPORT", 11, lambda h, w: _word(TRANSPORTS, h.migration_transport)),
            Column("auth", "SIGN-IN", 8, lambda h, w: _word(AUTHENTICATIONS, h.migration_authentication)),
            Column("build", "BUILD", 6, lambda h, w: str(h.build or "–"), right=True, style="text.muted"),
            Column("problems", "PROBLEMS", 16, _problems, grows=4),
        )  # fmt: skip

    def _moves(self, host: Host) -> Line:
        if host.migrations_in_flight is None:
            return (("–", "text.muted"),)
        most = host.maximum_virtual_machine_migrations
        text = f"{host.migrations_in_flight}" + (f"/{most}" if most is not None else "")
        return ((text, "state.moving" if host.migrations_in_flight else "text.muted"),)

    def _row_style(self, host: Host) -> str:
        return "text.muted" if self.services.stale or host.contact is not Contact.ANSWERING else ""

    def _show_vms(self) -> None:
        host = self.hosts.cursor_item
        self.vms.set_items(vms_of(self.services.store.cluster, host.name if host else HostName("")))
        self.query_one("#board-detail", Lines).set_lines([self._detail(host)])

    def _detail(self, host: Host | None) -> Line:
        if host is None:
            return ()
        first = formatting.plain(host.problems[0]) if host.problems else ""
        more = f" (+{len(host.problems) - 1})" if len(host.problems) > 1 else ""
        note: Line = ((f"! {first}{more}", "text.warning"),) if first else (("d plans its drain", "text.muted"),)
        name: Line = (
            ("  ", ""),
            (formatting.name(host.name), "text.strong"),
            (f"  {formatting.count(self.counts.get(host.name, 0), 'VM')}  ", "text.muted"),
        )
        return (*name, *note)

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        if event.grid == "hosts":
            self._show_vms()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        if event.grid == "hosts":
            self.post_message(HostChosen(HostName(event.row)))
        else:
            self.post_message(VmChosen(VmId(event.row)))

    def action_plan_open(self) -> None:
        if self.hosts.cursor_item is not None:
            self.post_message(DrainChosen(self.hosts.cursor_item.name))

    def leave(self) -> None:
        """The first screen stays."""


def _word(words: Mapping[W, str], value: W | None) -> Line:
    return (("–" if value is None else words[value], "text.muted"),)


def _mark(host: Host) -> Line:
    return ((f"{min(99, len(host.problems))}", "text.warning"),) if host.problems else ()


def _problems(host: Host, width: int) -> Line:
    if not host.problems:
        return ()
    return ((cut(formatting.plain(host.problems[0]), width), "text.warning"),)
