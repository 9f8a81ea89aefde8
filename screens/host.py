"""One host: what is known of it, and its VMs."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from console import formatting
from console.model.cluster import Host, NetworkAdapter, VirtualMachine
from console.model.identity import HostName, VmId
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.drawing import Line, joined
from screens.grid import Grid
from screens.lines import Lines
from screens.messages import DrainChosen, VmChosen
from screens.sight import Services
from screens.vm_columns import (
    AUTHENTICATIONS,
    TRANSPORTS,
    host_state,
    memory_cell,
    used_fraction,
    vm_columns,
    vm_search,
    vms_of,
)


class HostScreen(ConsoleScreen, inherit_bindings=False):
    """Facts above, VMs below."""

    NAME = "host"
    PANES = ("one-host-vms",)
    BINDINGS = screen_bindings("host")

    def __init__(self, services: Services, host: HostName) -> None:
        super().__init__(services)
        self.host = host

    def headline(self) -> str:
        return f"Host {formatting.name(self.host)}"

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.vms = Grid[VirtualMachine](
            look, vm_columns(look, with_host=False), id="one-host-vms", key=lambda vm: vm.id, search=vm_search,
            row_style=lambda vm: "text.muted" if self.services.stale else "", empty="No VM on this host.",
            markable=True,
        )  # fmt: skip
        yield Lines(look, id="host-facts", classes="summary")
        yield self.vms

    def show(self, changed: Topic) -> None:
        cluster = self.services.store.cluster
        host = cluster.host_by_name.get(self.host) if cluster else None
        facts = self.query_one("#host-facts", Lines)
        if cluster is None or host is None:
            facts.set_lines([(("  This host is not in the cluster any more.", "text.warning"),)])
            return
        roles = [role.name for role in cluster.roles_on(self.host)]
        self.vms.set_items(vms_of(cluster, self.host))
        facts.set_lines(self._facts(host, roles))

    def _facts(self, host: Host, roles: Iterable[str]) -> list[Line]:
        glyphs = self.services.look.glyphs
        lines = [
            _fact("state", joined([host_state(host, self.services.now, glyphs), _flight(host)])),
            _fact("memory", (*memory_cell(used_fraction(host), 30, glyphs), *_memory(host))),
            _fact("processor", ((_processor(host), ""),)),
            _fact("migration", joined([((text, ""),) for text in _migration(host)], " · ")),
            *(_fact("adapter" if not n else "", _adapter(a)) for n, a in enumerate((host.adapters or ())[:4])),
        ]
        owned = ", ".join(formatting.name(role) for role in roles)
        if owned:
            lines.append(_fact("roles", ((owned, ""),)))
        lines += [_fact("problem", ((formatting.plain(text), "text.warning"),)) for text in host.problems[:4]]
        return lines

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        self.post_message(VmChosen(VmId(event.row)))

    def action_plan_open(self) -> None:
        self.post_message(DrainChosen(self.host))


def _fact(name: str, value: Line) -> Line:
    return ((f"  {name:<12}", "text.muted"), *value)


def _flight(host: Host) -> Line:
    if host.migrations_in_flight is None:
        return (("migrations in flight unknown", "text.muted"),)
    return ((f"{formatting.count(host.migrations_in_flight, 'migration')} in flight", "text.muted"),)


def _memory(host: Host) -> Line:
    return (
        (f"   {formatting.size(host.memory_free_bytes)} free of {formatting.size(host.memory_bytes)}", "text.muted"),
    )


def _processor(host: Host) -> str:
    parts = [formatting.plain(host.processor_name or "unknown processor")]
    if host.logical_processors:
        parts.append(f"{host.logical_processors} logical")
    if host.cpu_fraction is not None:
        parts.append(f"{formatting.percent(host.cpu_fraction)} busy")
    if host.build:
        parts.append(f"build {host.build}")
    return " · ".join(parts)


def _migration(host: Host) -> Iterable[str]:
    if host.migration_enabled is False:
        yield "switched off"
    yield TRANSPORTS[host.migration_transport] if host.migration_transport is not None else "transport unknown"
    if host.migration_authentication is not None:
        yield AUTHENTICATIONS[host.migration_authentication]
    else:
        yield "sign-in unknown"
    most = host.maximum_virtual_machine_migrations
    yield "limit unknown" if most is None else f"at most {most} at once"


def _adapter(adapter: NetworkAdapter) -> Line:
    state = {True: "up", False: "down", None: "unknown"}[adapter.up]
    rdma = (
        "RDMA works" if adapter.rdma_operational else "no RDMA" if adapter.rdma_operational is False else "RDMA unknown"
    )
    text = f"{formatting.name(adapter.name)} · {formatting.link(adapter.link_bytes_per_s)} · {state} · {rdma}"
    return ((text, "" if adapter.up else "text.warning"),)
