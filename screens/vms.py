"""Every VM of the cluster in one list, and everything known of one of them."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from console import formatting
from console.model.cluster import VirtualMachine
from console.model.identity import VmId
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.drawing import Line, joined
from screens.grid import Grid
from screens.lines import Lines
from screens.messages import VmChosen
from screens.vm_columns import vm_columns, vm_search


class VmsScreen(ConsoleScreen, inherit_bindings=False):
    """Filter with ``/``, order with ``s``, mark with ``space``: the sum of the marked ones is in the first line."""

    NAME = "vms"
    TITLE = "VMs"
    PANES = ("all-vms",)
    BINDINGS = screen_bindings("vms")

    _summed: tuple[list[VirtualMachine], frozenset[str]] | None = None

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.vms = Grid[VirtualMachine](
            look,
            vm_columns(look, with_host=True),
            id="all-vms",
            key=lambda vm: vm.id,
            search=vm_search,
            row_style=lambda vm: "text.muted" if self.services.stale else "",
            empty="No VM in this cluster.",
            markable=True,
        )
        yield Lines(look, id="vms-summary", classes="summary")
        yield self.vms

    def show(self, changed: Topic) -> None:
        cluster = self.services.store.cluster
        if cluster is not None:
            self.vms.set_items(cluster.vms)
            self._sum_up()

    def look_again(self) -> None:
        super().look_again()
        self._sum_up()

    def _sum_up(self) -> None:
        """Thousands of rows are added up only when other ones are shown or marked."""
        seen = (self.vms.rows, self.vms.marks)
        if self._summed is not None and seen[0] is self._summed[0] and seen[1] == self._summed[1]:
            return
        self._summed = seen
        marked = [vm for vm in self.vms.items if vm.id in self.vms.marks]
        shown = self.vms.rows
        line = joined(
            [
                ((formatting.count(len(shown), "VM"), "text.strong"),),
                ((f"of {len(self.vms.items)}, filter {self.vms.chosen.text}", "text.accent"),)
                if self.vms.chosen.text
                else None,
                ((formatting.size(sum(vm.memory_bytes for vm in shown)), "text.muted"),),
                ((f"{len(marked)} marked, {formatting.size(sum(vm.memory_bytes for vm in marked))}", "text.accent"),)
                if marked
                else None,
            ],
            "   ",
        )
        self.query_one("#vms-summary", Lines).set_lines([(("  ", ""), *line)])

    def on_grid_filtered(self, event: Grid.Filtered) -> None:
        self._sum_up()

    def on_grid_marks_changed(self, event: Grid.MarksChanged) -> None:
        self._sum_up()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        self.post_message(VmChosen(VmId(event.row)))


def vm_facts(vm: VirtualMachine) -> list[Line]:
    """Everything that is known of a VM, a fact a line."""
    owners = "any" if vm.possible_owners is None else ", ".join(sorted(vm.possible_owners))
    facts: list[tuple[str, str]] = [
        ("id", vm.id),
        ("role", formatting.name(vm.ref.role) if vm.ref.role is not None else "not a clustered role"),
        ("host", formatting.name(vm.host)),
        ("state", f"{vm.state.name.lower()} ({vm.state_number})"),
        ("role state", "–" if vm.role_state is None else vm.role_state.name.lower().replace("_", " ")),
        ("memory", f"{formatting.size(vm.memory_assigned_bytes)} assigned"
         f" · {formatting.size(vm.memory_demand_bytes)} wanted · {formatting.size(vm.memory_startup_bytes)} at start"),
        ("memory kind", {True: "dynamic", False: "static", None: "–"}[vm.dynamic_memory]),
        ("processors", f"{formatting.number(vm.processors)} · {formatting.number(vm.cpu_percent)} % busy"),
        ("version", formatting.plain(vm.version or "–") + f" · generation {formatting.number(vm.generation)}"),
        ("uptime", formatting.duration(vm.uptime_s)),
        ("heartbeat", "–" if vm.heartbeat is None else vm.heartbeat.name.lower().replace("_", " ")),
        ("possible owners", owners),
        ("preferred owners", ", ".join(vm.preferred_owners or ()) or "none"),
        ("anti-affinity", ", ".join(formatting.plain(text) for text in vm.anti_affinity) or "none"),
        ("status", formatting.plain(vm.status) or "–"),
        ("read at", formatting.clock_time(vm.read_at, seconds=True)),
    ]  # fmt: skip
    return [((f"  {name:<18}", "text.muted"), (value, "")) for name, value in facts]
