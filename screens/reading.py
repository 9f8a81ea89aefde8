"""Screens that only show prepared lines: the commands of a plan, the facts of a VM."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from console import formatting
from console.model.identity import VmId
from console.planner.values import Plan
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.drawing import Line, wrap
from screens.lines import Pager
from screens.sight import Services
from screens.vms import vm_facts


class CommandsScreen(ConsoleScreen, inherit_bindings=False):
    """The exact lines that a plan would send, in order; ``y`` copies them."""

    NAME = "commands"
    PANES = ("reading",)
    BINDINGS = screen_bindings("commands")

    def __init__(self, services: Services, plan: Plan) -> None:
        super().__init__(services)
        self.commands = services.sight.commands_of(plan)
        self.node = plan.node

    def headline(self) -> str:
        return f"Commands of the plan of {formatting.name(self.node)}"

    def body(self) -> Iterable[Widget]:
        yield Pager(self.services.look, id="reading")

    def show(self, changed: Topic) -> None:
        width = max(40, self.app.size.width - 8)
        lines: list[Line] = [(("  Nothing is sent from here; this is what the drain would send.", "text.muted"),), ()]
        for number, command in enumerate(self.commands, 1):
            rows = wrap(formatting.plain(command), width) or [""]
            lines.append(((f"{number:>4}  ", "text.muted"), (rows[0], "")))
            lines += [((" " * 8, ""), (row, "")) for row in rows[1:]]
        self.query_one(Pager).set_lines(lines)

    def action_view_copy(self) -> None:
        self.app.copy_to_clipboard("\n".join(formatting.plain(command) for command in self.commands))
        self.tell(f"{formatting.count(len(self.commands), 'command')} copied, if the terminal allows it.")


class VmScreen(ConsoleScreen, inherit_bindings=False):
    """One VM, and its conflicts."""

    NAME = "vm"
    TOPICS = Topic.CLUSTER | Topic.FINDINGS
    PANES = ("reading",)
    BINDINGS = screen_bindings("vm")

    def __init__(self, services: Services, vm: VmId) -> None:
        super().__init__(services)
        self.vm = vm

    def headline(self) -> str:
        cluster = self.services.store.cluster
        vm = cluster.vm_by_id.get(self.vm) if cluster else None
        return f"VM {formatting.plain(vm.name, 40) or formatting.UNNAMED}" if vm else "VM"

    def body(self) -> Iterable[Widget]:
        yield Pager(self.services.look, id="reading")

    def show(self, changed: Topic) -> None:
        cluster = self.services.store.cluster
        vm = cluster.vm_by_id.get(self.vm) if cluster else None
        if vm is None:
            self.query_one(Pager).set_lines([(("  This VM is not in the cluster any more.", "text.warning"),)])
            return
        width = max(40, self.app.size.width - 6)
        name: list[Line] = [((row, "text.strong"),) for row in wrap(formatting.name(vm.name), width, "  ")]
        self.query_one(Pager).set_lines([(), *name, (), *vm_facts(vm), *self._conflicts(width)])

    def _conflicts(self, width: int) -> list[Line]:
        findings = self.services.store.findings
        own = [c for c in findings.conflicts if c.subject.vm and c.subject.vm.id == self.vm] if findings else []
        if not own:
            return []
        lines: list[Line] = [(), (("  CONFLICTS", "text.heading"),)]
        for conflict in own:
            lines.append(((f"  {conflict.code}  {conflict.severity.value}", "text.warning"),))
            lines += [((row, ""),) for row in wrap(formatting.plain(conflict.message), width, "    ")]
            lines += [((row, "text.muted"),) for row in wrap(formatting.plain(conflict.fix.text), width, "    ")]
        return lines

    def action_view_copy(self) -> None:
        self.app.copy_to_clipboard(self.vm)
        self.tell("The VM's id is copied, if the terminal allows it.")
