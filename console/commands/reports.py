"""What the commands print for people; scripts read the JSON documents instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from console.checks.values import Conflict, Findings, Severity, Subject
from console.documents import vm_state_name, windows_name
from console.formatting import UNKNOWN, count, duration, link, name, percent, plain, size
from console.model.cluster import Cluster, Contact, Host, VirtualMachine
from console.planner.roll import RollChoice, RollPlan
from console.planner.values import Plan
from console.planner.whatif import WhatIf

from .output import print_table, print_text


def report_hosts(cluster: Cluster) -> None:
    headings = ("host", "state", ">VMs", ">memory", ">free", ">CPU", ">link", "transport", "sign-in", ">moving", "")
    print_table(headings, [_host_row(cluster, host) for host in cluster.hosts])
    _problems(cluster)


def _host_row(cluster: Cluster, host: Host) -> tuple[str, ...]:
    speeds = [adapter.link_bytes_per_s or 0.0 for adapter in host.adapters or () if adapter.up]
    silent = {Contact.SILENT: "does not answer", Contact.NEVER: "never reached"}.get(host.contact, "")
    moving = UNKNOWN if host.migrations_in_flight is None else str(host.migrations_in_flight)
    return (
        name(host.name),
        windows_name(host.state) or UNKNOWN,
        str(len(cluster.vms_on(host.name))),
        size(host.memory_bytes),
        size(host.memory_free_bytes),
        percent(host.cpu_fraction),
        link(max(speeds, default=None)),
        windows_name(host.migration_transport) or UNKNOWN,
        windows_name(host.migration_authentication) or UNKNOWN,
        moving,
        silent,
    )


def report_vms(vms: Iterable[VirtualMachine]) -> None:
    print_table(
        ("VM", "host", "state", ">memory", ">CPUs", "version", "clustered", "id"),
        [
            (
                plain(name(vm.name), 40),
                name(vm.host),
                vm_state_name(vm),
                size(vm.memory_bytes),
                UNKNOWN if vm.processors is None else str(vm.processors),
                vm.version or UNKNOWN,
                "yes" if vm.clustered else "no",
                vm.id,
            )
            for vm in vms
        ],
    )


def report_findings(findings: Findings) -> None:
    _conflicts(findings.conflicts)
    for unknown in findings.unknown:
        print_text(f"unknown     {unknown.code}  {plain(unknown.missing)}")
    degrees = Counter(conflict.severity for conflict in findings.conflicts)
    told = ", ".join(f"{degrees[severity]} {severity.value}" for severity in Severity if degrees[severity])
    print_text(f"{told or 'no conflicts'}, {count(len(findings.unknown), 'open question')}.")


def report_advice(findings: Findings, helps: Iterable[WhatIf] | None) -> None:
    """What could be better; ``helps`` is what would shorten one node's drain, None where none was named."""
    _conflicts(findings.conflicts)
    for change in helps or ():
        print_text(f"would help  {plain(change.text)}")
    for unknown in findings.unknown:
        print_text(f"unknown     {unknown.code}  {plain(unknown.missing)}")
    pieces = count(len(findings.conflicts), "piece of advice", "pieces of advice")
    print_text(f"{pieces}, {count(len(findings.unknown), 'open question')}.")


SHOWN_ONE_BY_ONE = 2
"""Conflicts of one code; where there are more they are told together, or twelve hosts bury the one that matters."""
SUBJECTS_NAMED, COMMANDS_SHOWN = 12, 3


def _conflicts(conflicts: Iterable[Conflict]) -> None:
    """By code and severity, in the order given (the worst first)."""
    groups: dict[tuple[Severity, str], list[Conflict]] = {}
    for conflict in conflicts:
        groups.setdefault((conflict.severity, conflict.code), []).append(conflict)
    for group in groups.values():
        if len(group) <= SHOWN_ONE_BY_ONE:
            for conflict in group:
                _together([conflict])
        else:
            _together(group)


def _together(group: list[Conflict]) -> None:
    first, margin = group[0], " " * 12
    of = _subject(first.subject) if len(group) == 1 else f"{len(group)} times"
    print_text(f"{first.severity.value:<11} {first.code}  {of}")
    alike = [conflict for conflict in group if conflict.subject == first.subject]
    for message in list(dict.fromkeys(conflict.message for conflict in alike))[:SUBJECTS_NAMED]:
        print_text(f"{margin}{plain(message)}")
    if others := list(dict.fromkeys(_subject(one.subject) for one in group if one.subject != first.subject)):
        more = f" and {len(others) - SUBJECTS_NAMED} more" if len(others) > SUBJECTS_NAMED else ""
        print_text(f"{margin}Also: {', '.join(others[:SUBJECTS_NAMED])}{more}")
    if first.fix.text:
        off = " The VM has to be off for it." if first.fix.needs_vm_off else ""
        print_text(f"{margin}Fix: {plain(first.fix.text)}{off}")
    commands = list(dict.fromkeys(conflict.fix.powershell for conflict in group if conflict.fix.powershell))
    for command in commands[:COMMANDS_SHOWN]:
        print_text(f"{margin}PS> {plain(command)}")
    if len(commands) > COMMANDS_SHOWN:
        print_text(f"{margin}and {len(commands) - COMMANDS_SHOWN} commands like these: --json has every one")


def _subject(subject: Subject) -> str:
    start = name(subject.vm.name) if subject.vm else name(subject.host) if subject.host else ""
    end = f" → {name(subject.destination)}" if subject.destination else ""
    return f"{start}{end}".strip() or "the cluster"


def report_plan(plan: Plan) -> None:
    print_table(
        (">start", ">end", "VM", ">memory", "to", ">takes", ">at most", ">dark", "how", "why there"),
        [
            (
                duration(move.start_s),
                duration(move.end_s),
                plain(name(move.vm.name), 32),
                size(move.memory_bytes),
                name(move.destination),
                duration(move.forecast.duration_p50_s),
                duration(move.forecast.duration_p90_s),
                duration(move.forecast.blackout_p50_s),
                move.forecast.migration_type.value,
                plain(" ".join((move.reason, *move.conflicts)), 60),
            )
            for move in plan.moves
        ],
    )
    _stays(plan)
    _verdict(plan)


def _stays(plan: Plan) -> None:
    for left in plan.left_behind:
        print_text(f"left behind  {name(left.vm.name)}: {plain(left.reason)}")
    for hit in plan.interrupted:
        print_text(f"interrupted  {name(hit.vm.name)}: {plain(hit.how)}")
    for bad in plan.infeasible:
        print_text(f"impossible   {name(bad.vm.name)}: {plain(bad.reason)}")
    for note in plan.notes:
        print_text(f"note         {plain(note)}")


def _verdict(plan: Plan) -> None:
    gain = max(0.0, 1 - 1 / plan.ratio) if plan.ratio else 0.0
    print_text(
        f"{name(', '.join(plan.nodes))}: {count(len(plan.moves), 'move')}, done after {duration(plan.makespan_s)} "
        f"(nine of ten times within {duration(plan.makespan_p90_s)}); at most {percent(gain)} could still be gained."
    )
    spare = {True: "yes", False: "NO", None: "not known"}[plan.n1_after]
    print_text(f"Afterwards any one remaining host may fail: {spare}.")


def _problems(cluster: Cluster) -> None:
    for text in cluster.problems:
        print_text(f"problem  {plain(text)}")
    for host in cluster.hosts:
        for text in host.problems:
            print_text(f"problem  {name(host.name)}: {plain(text)}")


def report_roll_plan(plan: RollPlan, choices: Sequence[RollChoice]) -> None:
    """The plan as a table, with what other waves would cost."""
    spare = {True: "yes", False: "NO", None: "not known"}
    print_table(
        (">start", ">empty", ">end", "nodes", ">moves", "one more may fail"),
        [
            (
                duration(wave.start_s),
                duration(wave.empty_at_s),
                duration(wave.end_s),
                plain(", ".join(wave.nodes), 60),
                str(len(wave.moves)),
                spare[wave.n1],
            )
            for wave in plan.waves
        ],
    )
    for left in plan.left_behind:
        print_text(f"left behind  {name(left.vm.name)}: {plain(left.reason)}")
    for bad in plan.infeasible:
        print_text(f"impossible   {name(bad.vm.name)}: {plain(bad.reason)}")
    for note in plan.notes:
        print_text(f"note         {plain(note)}")
    for choice in choices:
        how = f"waves of {choice.wave}" + (", each node gets its VMs back" if choice.failback else "")
        over = f"; {count(choice.left_over, 'VM')} find no place" if choice.left_over else ""
        print_text(f"choice       {how}: {choice.moves_per_vm:.2f} moves a VM, {duration(choice.window_s)}{over}")
    print_text(
        f"{count(plan.vms, 'VM')}, {plan.moves_per_vm:.3f} moves each (not below {plan.lower_bound_moves:.3f}), "
        f"done after {duration(plan.window_s)}."
    )
