"""How hosts and VMs are written in lists: states as symbol, word and colour."""

from __future__ import annotations

from datetime import datetime

from console import formatting
from console.model.cluster import (
    Cluster,
    Contact,
    DrainStatus,
    Host,
    MigrationAuthentication,
    MigrationTransport,
    NodeFlags,
    NodeState,
    VirtualMachine,
    VmState,
)
from console.model.identity import HostName, VmRef
from screens.columns import Column, known
from screens.drawing import Line, bar, cut
from screens.paint import Glyphs, Look

TRANSPORTS = {
    MigrationTransport.TCPIP: "TCP/IP",
    MigrationTransport.COMPRESSION: "compression",
    MigrationTransport.SMB: "SMB",
}
AUTHENTICATIONS = {MigrationAuthentication.CREDSSP: "CredSSP", MigrationAuthentication.KERBEROS: "Kerberos"}
_VM_STYLES = {
    VmState.RUNNING: "text.good",
    VmState.OFF: "text.muted",
    VmState.SAVED: "text.muted",
    VmState.PAUSED: "text.warning",
    VmState.CRITICAL: "text.bad",
}
_PRIORITIES = {0: "no start", 1000: "low", 2000: "medium", 3000: "high"}


def vm_label(ref: VmRef) -> str:
    """A VM's name for a list; the role's too where it differs, as the name alone would mislead."""
    name = formatting.name(ref.name)
    if ref.role and ref.role != ref.name:
        return f"{name} ({formatting.name(ref.role)})"
    return name


def vm_search(vm: VirtualMachine) -> str:
    """What a filter looks at."""
    return f"{vm.name} {vm.ref.role or ''} {vm.host} {vm.state.name} {vm.id}"


def host_state(host: Host, now: datetime, glyphs: Glyphs) -> Line:
    """``● up``, ``‖ draining``, ``? silent 2 min``."""
    if host.contact is not Contact.ANSWERING:
        age_s = None if host.read_at is None else max(0.0, (now - host.read_at).total_seconds())
        word = "never reached" if age_s is None else f"silent {formatting.short_duration(age_s)}"
        return ((f"{glyphs.nodes[NodeState.UNKNOWN]} {word}", "state.unknown"),)
    word, style = _node_word(host)
    return ((f"{glyphs.nodes[host.state]} {word}", style),)


def _node_word(host: Host) -> tuple[str, str]:
    if host.flags & NodeFlags.QUARANTINED:
        return "quarantined", "text.bad"
    if host.flags & NodeFlags.ISOLATED:
        return "isolated", "text.bad"
    if host.state is NodeState.PAUSED:
        drain = host.drain_status or DrainStatus.NOT_INITIATED
        words = {
            DrainStatus.IN_PROGRESS: "draining",
            DrainStatus.COMPLETED: "drained",
            DrainStatus.FAILED: "drain failed",
        }
        return words.get(drain, "paused"), "text.bad" if drain is DrainStatus.FAILED else "state.held"
    styles = {NodeState.UP: "text.good", NodeState.DOWN: "text.bad", NodeState.JOINING: "state.checking"}
    return host.state.name.lower(), styles.get(host.state, "state.unknown")


def used_fraction(host: Host) -> float | None:
    """Share of a host's memory that is taken; None when unknown."""
    if not host.memory_bytes or host.memory_free_bytes is None:
        return None
    return 1 - host.memory_free_bytes / host.memory_bytes


def memory_cell(fraction: float | None, width: int, glyphs: Glyphs) -> Line:
    """A bar and its percentage; the colour turns where room gets short."""
    label = f"{'–' if fraction is None else f'{fraction * 100:.0f}'} %".rjust(6)
    full = fraction or 0.0
    fill = "bar.full" if full >= 0.95 else "bar.high" if full >= 0.85 else "bar.fill"
    return (*bar(fraction, width - 6, glyphs, fill), (label, ""))


def best_link(host: Host) -> float | None:
    """The fastest adapter that is up, bytes per second; None when unknown."""
    speeds = [adapter.link_bytes_per_s for adapter in host.adapters or () if adapter.up is not False]
    return max((speed for speed in speeds if speed is not None), default=None)


def vm_columns(look: Look, *, with_host: bool) -> tuple[Column[VirtualMachine], ...]:
    """The columns of every list of VMs."""
    host = Column[VirtualMachine](
        "host",
        "HOST",
        10,
        lambda vm, w: formatting.plain(vm.host),
        grows=1,
        most=18,
        sort=lambda vm: vm.host.casefold(),
    )
    return (
        Column(
            "vm", "VM", 18, lambda vm, w: ((cut(vm_label(vm.ref), w), "text.strong"),), grows=3, most=44,
            sort=lambda vm: vm.name.casefold(), pinned=True,
        ),
        Column("state", "STATE", 11, lambda vm, w: vm_state(vm, look.glyphs), sort=lambda vm: vm.state_number),
        *((host,) if with_host else ()),
        Column(
            "memory", "MEMORY", 8, lambda vm, w: formatting.size(vm.memory_bytes or None), right=True,
            sort=lambda vm: -vm.memory_bytes,
        ),
        Column(
            "cpu", "vCPU", 4, lambda vm, w: formatting.number(vm.processors), right=True,
            sort=lambda vm: known(vm.processors),
        ),
        Column(
            "priority", "PRIORITY", 8, lambda vm, w: _priority(vm), style="text.muted",
            sort=lambda vm: known(vm.priority),
        ),
        Column("version", "VERSION", 7, lambda vm, w: formatting.plain(vm.version or "–"), style="text.muted"),
        Column(
            "uptime", "UPTIME", 8, lambda vm, w: uptime(vm.uptime_s), right=True, style="text.muted",
            sort=lambda vm: known(vm.uptime_s),
        ),
        Column("heartbeat", "HEARTBEAT", 12, lambda vm, w: _heartbeat(vm), style="text.muted", grows=1, most=24),
        Column("status", "STATUS", 12, lambda vm, w: _status(vm), style="text.muted", grows=4),
    )  # fmt: skip


def vm_state(vm: VirtualMachine, glyphs: Glyphs) -> Line:
    """A VM's state, or its migration's progress."""
    if vm.migration is not None:
        share = "" if vm.migration.percent is None else f" {vm.migration.percent:.0f} %"
        word = "queued" if vm.migration.queued else "moving"
        return ((f"{glyphs.states[word]} {word}{share}", f"state.{word}"),)
    word = vm.state.name.lower().replace("_", " ")
    symbol = {VmState.RUNNING: glyphs.nodes[NodeState.UP], VmState.CRITICAL: glyphs.states["failed"]}.get(
        vm.state, glyphs.states["queued"]
    )
    return ((f"{symbol} {word}", _VM_STYLES.get(vm.state, "state.unknown")),)


def uptime(seconds: float | None) -> str:
    """Days where it is more than one."""
    if seconds is None or seconds < 86400:
        return formatting.short_duration(seconds)
    return f"{formatting.number(seconds // 86400)} d"


def _priority(vm: VirtualMachine) -> str:
    if not vm.clustered:
        return "no role"
    return "–" if vm.priority is None else _PRIORITIES.get(vm.priority, str(vm.priority))


def _heartbeat(vm: VirtualMachine) -> str:
    return "–" if vm.heartbeat is None else vm.heartbeat.name.lower().replace("_", " ").removeprefix("ok ")


def _status(vm: VirtualMachine) -> str:
    if not vm.clustered:
        return "not a clustered role"
    return formatting.plain(vm.status)


def search_hosts(host: Host) -> str:
    """What a filter of hosts looks at."""
    return f"{host.name} {host.state.name} {host.contact.value} {' '.join(host.problems)}"


def vms_of(cluster: Cluster | None, host: HostName) -> tuple[VirtualMachine, ...]:
    """The VMs on one host, by name."""
    if cluster is None:
        return ()
    return tuple(sorted(cluster.vms_on(host), key=lambda vm: vm.name.casefold()))
