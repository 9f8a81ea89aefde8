"""The JSON documents of the command line, schema 1. Pure: values in, plain data out.

Times are ISO 8601 with offset, sizes bytes, durations seconds, rates bytes per second; what is not known is null.
States and kinds carry the names that Windows gives them. Names of VMs are data and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias

from console.checks.values import Conflict, Findings, Subject, Unknown
from console.forecast.priors import workload_of
from console.model.cluster import Cluster, Contact, Host, VirtualMachine, VmState
from console.model.identity import HostName, VmRef
from console.planner.roll import RollChoice, RollPlan, Wave
from console.planner.values import Plan, PlannedMove
from console.planner.whatif import WhatIf

SCHEMA = 1

Document: TypeAlias = dict[str, Any]

_WINDOWS_NAMES = {
    "TCPIP": "TCPIP",
    "SMB": "SMB",
    "CREDSSP": "CredSSP",
}
"""Names of Windows' enumerations that are not our names in camel case (VMMigrationPerformance,
MigrationAuthenticationType, reflected module)."""

_CRITICAL = {
    32785: "RunningCritical",
    32786: "OffCritical",
    32787: "StoppingCritical",
    32788: "SavedCritical",
    32789: "PausedCritical",
    32790: "StartingCritical",
    32791: "ResetCritical",
    32792: "SavingCritical",
    32793: "PausingCritical",
    32794: "ResumingCritical",
    32795: "FastSavedCritical",
    32796: "FastSavingCritical",
}
"""VMState's critical twins, which the model folds into one (reflected module)."""


def hosts_document(cluster: Cluster, winrm_transport: str, winrm_authentication: str) -> Document:
    """``hosts``: every node and the cluster's settings. The two WinRM words are the console's own way in."""
    return {
        "schema": SCHEMA,
        "cluster": cluster.name,
        "read_at": _time(cluster.read_at),
        "hosts": [_host(cluster, host, winrm_transport, winrm_authentication) for host in cluster.hosts],
        "settings": asdict(cluster.settings),
        "problems": list(cluster.problems),
    }


def _host(cluster: Cluster, host: Host, winrm_transport: str, winrm_authentication: str) -> Document:
    up = [adapter for adapter in host.adapters or () if adapter.up]
    speeds = [adapter.link_bytes_per_s for adapter in up if adapter.link_bytes_per_s is not None]
    return {
        "name": host.name,
        "state": windows_name(host.state),
        "drain_status": windows_name(host.drain_status),
        "vms": len(cluster.vms_on(host.name)),
        "memory_bytes": host.memory_bytes,
        "memory_free_bytes": host.memory_free_bytes,
        "logical_processors": host.logical_processors,
        "build": host.build,
        "migration_transport": windows_name(host.migration_transport),
        "migration_authentication": windows_name(host.migration_authentication),
        "winrm_transport": winrm_transport,
        "winrm_authentication": winrm_authentication,
        "credential_guard": host.credential_guard,
        "maximum_virtual_machine_migrations": host.maximum_virtual_machine_migrations,
        "link_bytes_per_s": max(speeds, default=None),
        "rdma": None if host.adapters is None else any(adapter.rdma_operational for adapter in up),
        "migrations_in_flight": host.migrations_in_flight,
        "reachable": host.contact is Contact.ANSWERING,
        "read_at": _time(host.read_at),
        "problems": list(host.problems),
    }


def vms_document(cluster: Cluster, vms: Iterable[VirtualMachine]) -> Document:
    """``vms``: the given VMs of the cluster."""
    return {
        "schema": SCHEMA,
        "cluster": cluster.name,
        "read_at": _time(cluster.read_at),
        "vms": [_vm(vm) for vm in vms],
    }


def _vm(vm: VirtualMachine) -> Document:
    return {
        "name": vm.name,
        "id": vm.id,
        "role": vm.ref.role,
        "host": vm.host,
        "state": vm_state_name(vm),
        "memory_bytes": vm.memory_bytes,
        "memory_assigned_bytes": vm.memory_assigned_bytes,
        "processors": vm.processors,
        "version": vm.version,
        "priority": vm.priority,
        "clustered": vm.clustered,
        "class": workload_of(vm).value,
        "status": vm.status,
        "heartbeat": windows_name(vm.heartbeat),
        "read_at": _time(vm.read_at),
    }


def check_document(findings: Findings, node: HostName | None) -> Document:
    """``check``: every conflict, and every question that could not be answered."""
    return {
        "schema": SCHEMA,
        "node": node,
        "conflicts": [_conflict(conflict) for conflict in findings.conflicts],
        "unknown": [_unknown(unknown) for unknown in findings.unknown],
    }


def tune_document(findings: Findings, node: HostName | None, helps: Sequence[WhatIf] | None) -> Document:
    """``tune``: the advice, and what would shorten the node's drain; null where no node was named."""
    return {
        "schema": SCHEMA,
        "node": node,
        "advice": [_conflict(conflict) for conflict in findings.conflicts],
        "what_helps": None if helps is None else [_what_if(each) for each in helps],
        "unknown": [_unknown(unknown) for unknown in findings.unknown],
    }


def _conflict(conflict: Conflict) -> Document:
    return {
        "code": conflict.code,
        "severity": conflict.severity.value,
        "subject": _subject(conflict.subject),
        "message": conflict.message,
        "evidence": [
            {"what": seen.what, "value": seen.value, "host": seen.host, "read_at": _time(seen.read_at)}
            for seen in conflict.evidence
        ],
        "fix": asdict(conflict.fix),
        "source": conflict.source,
    }


def _unknown(unknown: Unknown) -> Document:
    return {"code": unknown.code, "subject": _subject(unknown.subject), "missing": unknown.missing}


def _subject(subject: Subject) -> Document:
    """Only the parts that the finding is about; a finding about nothing smaller is about the cluster."""
    parts: Document = {}
    if subject.host is not None:
        parts["host"] = subject.host
    if subject.vm is not None:
        parts |= {"vm": subject.vm.name, "vm_id": subject.vm.id}
    if subject.destination is not None:
        parts["destination"] = subject.destination
    return parts or {"cluster": True}


def plan_document(plan: Plan, what_helps: Sequence[WhatIf] | None = None) -> Document:
    """``plan``: the moves in order of their start, what stays and why, and how good it is."""
    asked = {} if what_helps is None else {"what_helps": [_what_if(each) for each in what_helps]}
    return {
        "schema": SCHEMA,
        "node": plan.node,
        "nodes": list(plan.nodes),
        "engine": plan.options.engine.value,
        "moves": [_planned(move) for move in plan.moves],
        "left_behind": [{**_who(left.vm), "reason": left.reason} for left in plan.left_behind],
        "interrupted": [{**_who(hit.vm), "how": hit.how} for hit in plan.interrupted],
        "infeasible": [{**_who(bad.vm), "reason": bad.reason, "rules": list(bad.rules)} for bad in plan.infeasible],
        "slots": plan.slots,
        "makespan_s": plan.makespan_s,
        "makespan_p90_s": plan.makespan_p90_s,
        "lower_bound_s": plan.lower_bound_s,
        "ratio": plan.ratio,
        "in_flight": [_planned(move) for move in plan.in_flight],
        "after": [{**asdict(after), "memory_free_bytes": after.memory_free_after_bytes} for after in plan.after],
        "n1_after": plan.n1_after,
        "notes": list(plan.notes),
        **asked,
    }


def _what_if(change: WhatIf) -> Document:
    return {"change": change.change, "makespan_s": change.makespan_s, "saved_s": change.saved_s}


def roll_document(cluster: Cluster, plan: RollPlan, choices: Sequence[RollChoice]) -> Document:
    """``roll``: the waves with their moves, and what other waves would cost. Seconds from the start of the roll."""
    return {
        "schema": SCHEMA,
        "cluster": cluster.name,
        "order": [list(wave) for wave in plan.order],
        "moves_per_vm": plan.moves_per_vm,
        "lower_bound_moves": plan.lower_bound_moves,
        "window_s": plan.window_s,
        "lower_bound_s": plan.lower_bound_s,
        "vms": plan.vms,
        "wave": plan.options.wave,
        "widest_wave": plan.widest_wave,
        "failback": plan.options.failback,
        "service_s": plan.options.service_s,
        "waves": [_wave(wave) for wave in plan.waves],
        "choices": [asdict(choice) for choice in choices],
        "left_behind": [{**_who(left.vm), "reason": left.reason} for left in plan.left_behind],
        "infeasible": [{**_who(bad.vm), "reason": bad.reason, "rules": list(bad.rules)} for bad in plan.infeasible],
        "notes": list(plan.notes),
    }


def _wave(wave: Wave) -> Document:
    return {
        "nodes": list(wave.nodes),
        "start_s": wave.start_s,
        "empty_at_s": wave.empty_at_s,
        "end_s": wave.end_s,
        "n1": wave.n1,
        "moves": [
            {
                **_who(move.vm),
                "source": move.source,
                "destination": move.destination,
                "start_s": move.start_s,
                "end_s": move.end_s,
                "memory_bytes": move.memory_bytes,
                "reason": move.reason,
                "back": move.back,
            }
            for move in wave.moves
        ],
    }


def _planned(move: PlannedMove) -> Document:
    forecast = move.forecast
    return {
        **_who(move.vm),
        "source": move.source,
        "destination": move.destination,
        "start_s": move.start_s,
        "end_s": move.end_s,
        "duration_p50_s": forecast.duration_p50_s,
        "duration_p90_s": forecast.duration_p90_s,
        "blackout_p50_s": forecast.blackout_p50_s,
        "blackout_p90_s": forecast.blackout_p90_s,
        "rate_bytes_per_s": forecast.rate_bytes_per_s,
        "memory_bytes": move.memory_bytes,
        "migration_type": forecast.migration_type.value,
        "reason": move.reason,
        "waits_for": move.waits_for,
        "conflicts": list(move.conflicts),
    }


def _who(vm: VmRef) -> Document:
    return {"vm": vm.name, "vm_id": vm.id}


def scenarios_document(scenarios: Sequence[Mapping[str, Any]]) -> Document:
    """``lab --list``: name, title and the codes that a scenario declares."""
    return {
        "schema": SCHEMA,
        "scenarios": [{name: scenario[name] for name in ("name", "title", "codes")} for scenario in scenarios],
    }


def windows_name(value: Enum | None) -> str | None:
    """An enumeration's member as Windows writes it: ``NOT_INITIATED`` is ``NotInitiated``."""
    if value is None:
        return None
    return _WINDOWS_NAMES.get(value.name) or re.sub(r"_?([A-Z0-9]+)", lambda part: part[1].capitalize(), value.name)


def vm_state_name(vm: VirtualMachine) -> str:
    """The state's name; a state that this version does not know is its number."""
    if vm.state_number in _CRITICAL:
        return _CRITICAL[vm.state_number]
    if vm.state is VmState.UNKNOWN and vm.state_number != VmState.UNKNOWN:
        return str(vm.state_number)
    return windows_name(vm.state) or ""


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
