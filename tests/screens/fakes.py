"""A console's other side without a cluster: a synthetic snapshot, a small planner, a run on a manual clock.

Every method that changes anything is counted, so that read-only can be shown to call none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from console.checks.values import Conflict, Evidence, Findings, Fix, Severity, Subject
from console.clock import ManualClock
from console.consents import Consents
from console.diagnose.symptoms import DoctorReport
from console.drain import requests
from console.drain.events import Event
from console.drain.requests import OperatorRequest
from console.drain.returning import plan_return
from console.drain.state import GuardReading, LogLine, Move, MoveState, Outcome, Phase, Purpose, RunState
from console.forecast.values import MigrationType
from console.inventory.progress import ReadingProgress, Told
from console.journal.ledger import Damaged, Listing, RunListing
from console.model.cluster import Cluster, Contact
from console.model.identity import HostName, RunId, VmId
from console.model.units import MIB
from console.planner.roll import RollOptions, RollPlan
from console.planner.values import (
    Engine,
    Plan,
    PlannedMove,
    PlanOptions,
)
from console.reporting.formats import Format
from console.rolling.needs import Need, needs_of_roll
from tests.builders import READ_AT, make_cluster, make_host, make_vm
from tests.screens.planned import RATE, FakeForecaster, plan_of, report_of
from tests.screens.rolled import FakeRolling, roll_plan_of
from tests.screens.tapes import events_of

HOSTILE = ("[/x] \x1b[2J 日本", "\u202eevil\u202c [b]שלום עולם", "x" * 200, "", "🧑‍🚀 pod\n\ttab", "[red]$(rm)[/red]")


def cluster_of(hosts: int = 8, vms_per_host: int = 10, *, hostile: bool = False) -> Cluster:
    """Hosts HV01 … with VMs of mixed sizes; HV02 has problems, the last host is silent."""
    cluster = make_cluster(hosts, vms_per_host, name="PRODUCTION-01")
    named = list(cluster.hosts)
    named[1] = replace(named[1], problems=("Get-NetAdapterRdma was refused: RDMA is unknown.", "Clock is 4 s off."))
    if hosts > 3:
        named[-1] = replace(named[-1], contact=Contact.SILENT, read_at=READ_AT - timedelta(seconds=190))
    vms = list(cluster.vms)
    if hostile:
        for number, text in enumerate(HOSTILE):
            vms[number] = replace(vms[number], ref=replace(vms[number].ref, name=text), status=text)
        named[0] = replace(named[0], problems=(HOSTILE[0], HOSTILE[2]))
    vms.append(make_vm("local-print", "HV01", 4, clustered=False))
    vms.append(make_vm("legacy-gpu", "HV01", 16, default_move_type=1))
    return replace(cluster, hosts=tuple(named), vms=tuple(vms))


class FakeRun:
    """A run that goes on as its manual clock does."""

    def __init__(self, run: RunId, plan: Plan, clock: ManualClock, window_ends_at: datetime | None, slots: int) -> None:
        self.run = run
        self.plan = plan
        self.clock = clock
        self.requests: list[OperatorRequest] = []
        self.errors: list[Exception] = []
        """Raised by :meth:`state`, one each."""
        now = clock.now()
        moves = {move.vm.id: self._move(move) for move in plan.moves}
        self._state = RunState(
            run, "PRODUCTION-01", plan.node, Engine.PLANNED, Phase.MOVING, moves, slots, now, now,
            window_ends_at=window_ends_at, forecast_s=plan.makespan_s, operator="operator",
            forecast_finish_p50_at=now + timedelta(seconds=plan.makespan_s),
            forecast_finish_p90_at=now + timedelta(seconds=plan.makespan_p90_s),
            log=(LogLine(now, f"{plan.node} is paused; nothing new lands on it."),),
        )  # fmt: skip
        self._stepped_s = clock.elapsed_s()

    def _move(self, move: PlannedMove) -> Move:
        forecast = move.forecast
        state = MoveState.HELD if move.vm.id in self.plan.options.held else MoveState.PLANNED
        return Move(
            move.vm, move.source, move.destination, state, move.memory_bytes, forecast.duration_p50_s,
            forecast.duration_p90_s, forecast.blackout_p50_s, live=forecast.migration_type is MigrationType.LIVE,
        )  # fmt: skip

    def state(self) -> RunState:
        if self.errors:
            raise self.errors.pop(0)
        while self._state.outcome is None and self._stepped_s + 1 <= self.clock.elapsed_s():
            self._stepped_s += 1
            self._step()
        return self._state

    def request(self, request: OperatorRequest) -> None:
        self.requests.append(request)
        self._obey(request)

    def begin_as(self, purpose: Purpose) -> None:
        self._state = replace(self._state, purpose=purpose)

    def say(self, text: str) -> None:
        self._state = replace(self._state, log=(*self._state.log, LogLine(self._state.now, text)))

    def force(self, vm: VmId, **changes: object) -> None:
        """Put a move where a test wants it."""
        moves = dict(self._state.moves)
        moves[vm] = replace(moves[vm], **changes)  # type: ignore[arg-type]
        self._state = replace(self._state, moves=moves)

    def end(self, outcome: Outcome, **changes: object) -> None:
        """Close the run as a test wants it."""
        self._state = replace(
            self._state, outcome=outcome, phase=Phase.ENDED, finished_at=self._state.now, **changes  # type: ignore[arg-type]
        )  # fmt: skip

    def _obey(self, request: OperatorRequest) -> None:
        match request:
            case requests.PauseStarts() | requests.ContinueStarts():
                self._state = replace(self._state, paused=isinstance(request, requests.PauseStarts))
            case requests.SetSlots(slots):
                self._state = replace(self._state, slots=slots)
            case requests.HoldMove(vm):
                self.force(vm, state=MoveState.HELD, reason="held by the operator; H releases it")
            case requests.ReleaseMove(vm) | requests.RetryMove(vm):
                self.force(vm, state=MoveState.PLANNED, reason="")
            case requests.CancelMove(vm):
                self.force(vm, state=MoveState.FAILED, reason="cancelled by the operator; T tries again")
            case requests.SkipMove(vm):
                self.force(vm, state=MoveState.SKIPPED, reason="left by the operator")
            case requests.StopRun():
                self._state = replace(self._state, stopping=True)
            case requests.HandOver():
                self._state = replace(self._state, engine=Engine.NATIVE, handed_over=True)
            case requests.DetachRun():
                self.end(Outcome.DETACHED)
            case _:
                pass

    def _step(self) -> None:
        now = self._state.now + timedelta(seconds=1)
        moves = dict(self._state.moves)
        log = self._state.log
        for vm, move in moves.items():
            if move.state is MoveState.MOVING:
                moves[vm] = _advanced(move, now)
                if moves[vm].state is MoveState.DONE:
                    log = (*log, LogLine(now, f"{move.vm.name} arrived on {move.destination}."))
        flight = sum(move.state.in_flight for move in moves.values())
        for vm, move in moves.items():
            if move.state not in (MoveState.PLANNED, MoveState.QUEUED):
                continue
            if self._state.paused or self._state.stopping or flight >= self._state.slots:
                why = "starts are paused; P goes on" if self._state.paused else "waits for a free slot"
                moves[vm] = replace(move, state=MoveState.QUEUED if flight else move.state, reason=why)
                break
            moves[vm] = replace(move, state=MoveState.MOVING, started_at=now, percent=0.0, pass_number=1, attempts=1,
                                reason="", rate_bytes_per_s=RATE / max(1, flight))  # fmt: skip
            flight += 1
        self._state = replace(self._state, moves=moves, now=now, log=log, guard=_guard(now))
        waiting = any(not m.state.terminal for m in moves.values() if m.state is not MoveState.HELD)
        if flight == 0 and (not waiting or self._state.stopping):
            self._close(now)

    def _close(self, now: datetime) -> None:
        whole = Outcome.DRAINED if self._state.purpose is Purpose.DRAIN else Outcome.RETURNED
        outcome = Outcome.STOPPED if self._state.stopping else whole
        self._state = replace(self._state, outcome=outcome, phase=Phase.ENDED, finished_at=now,
                              verified_empty=outcome is Outcome.DRAINED,
                              node_paused=self._state.purpose is Purpose.DRAIN)  # fmt: skip


def _advanced(move: Move, now: datetime) -> Move:
    assert move.started_at is not None
    gone_s = (now - move.started_at).total_seconds()
    percent = min(100.0, gone_s / move.forecast_p50_s * 100)
    if percent >= 100:
        return replace(move, state=MoveState.DONE, percent=100.0, finished_at=now, blackout_s=move.blackout_forecast_s)
    return replace(
        move, percent=percent, pass_number=1 + int(percent // 40), dirty_pages=int(50 * MIB / 4096 * (100 - percent)),
        rate_bytes_per_s=RATE / 2 * (1 + (int(gone_s) % 5) / 10), progressed_at=now,
    )  # fmt: skip


def _guard(now: datetime) -> GuardReading:
    beat = now.second % 10
    return GuardReading(
        now, {"csv latency s": 0.008 + beat / 800, "missed heartbeats": 0.0, "host cpu fraction": 0.4 + 0.03 * beat}
    )


class FakeOperations:
    """Operations on a synthetic cluster; ``changes`` lists every call that would change the world."""

    theme: str | None = None

    def __init__(self, cluster: Cluster | None = None, *, read_only: bool = False) -> None:
        self.cluster = cluster or cluster_of()
        self.clock = ManualClock(READ_AT)
        self.read_only = read_only
        self.changes: list[object] = []
        self.handles: dict[RunId, FakeRun] = {}
        self.reads = 0
        self.rolling = FakeRolling(self.clock, self.changes)
        self.read_error: Exception | None = None
        self.start_error: Exception | None = None
        self.window_ends_at: datetime | None = READ_AT + timedelta(hours=2)
        self.consents: Consents | None = None
        self.closed = False
        self.damaged: tuple[Damaged[Event], ...] = ()
        self.progress: ReadingProgress | None = None
        """What a reading tells before it ends."""
        self.tapes: dict[RunId, tuple[Event, ...]] = {}
        """Events of runs that have ended; made from the run's plan where none are given."""
        self.reports: list[tuple[RunId, Format]] = []
        self.report_error: Exception | None = None
        self.detailed: list[HostName | None] = []
        """Of whose VMs the finer facts were asked for."""
        self.examined = 0
        self.written: list[tuple[Findings, Format]] = []

    @property
    def cluster_name(self) -> str:
        return self.cluster.name

    async def read_cluster(self, told: Told | None = None) -> Cluster:
        if told is not None:
            told(self.progress or ReadingProgress(len(self.cluster.hosts), (), (), 1, 1))
        return self._read()

    async def refresh(self, cluster: Cluster) -> Cluster:
        return self._read()

    def _read(self) -> Cluster:
        self.reads += 1
        if self.read_error is not None:
            raise self.read_error
        self.cluster = replace(self.cluster, read_at=self.clock.now())
        return self.cluster

    async def read_details(self, cluster: Cluster, node: HostName | None) -> Cluster:
        self.detailed.append(node)
        return replace(cluster, read_at=self.clock.now())

    async def examine(self) -> DoctorReport:
        self.examined += 1
        return report_of(self.cluster, self.clock.now())

    def write_findings(self, cluster: Cluster, findings: Findings, form: Format) -> Path:
        if self.report_error is not None:
            raise self.report_error
        self.written.append((findings, form))
        return self.report_folder / f"drainboard-conflicts-{cluster.name}.{form.value}"

    def plan(self, cluster: Cluster, node: HostName, options: PlanOptions) -> Plan:
        return plan_of(cluster, node, options)

    def check(self, cluster: Cluster, node: HostName | None = None) -> Findings:
        vms = cluster.vms_on(HostName("HV01"))
        conflicts = [
            Conflict(
                f"C{number:02d}", severity, Subject(HostName("HV01"), vms[number].ref, HostName("HV03")),
                f"{vms[number].name or 'It'} uses a switch that HV03 does not have.",
                (Evidence("switches of HV03", "Compute", HostName("HV03"), READ_AT),),
                Fix("Create the switch.", "New-VMSwitch -Name 'Storage' -ComputerName HV03", number == 0), "a source",
            )
            for number, severity in enumerate(Severity)
        ]  # fmt: skip
        return Findings(tuple(conflicts))

    def commands_of(self, plan: Plan) -> tuple[str, ...]:
        return (
            f"Suspend-ClusterNode -Name {plan.node}",
            *(
                f"Move-ClusterVirtualMachineRole -VMId {move.vm.id} -Node {move.destination} -MigrationType Live"
                for move in plan.moves
            ),
        )

    async def start_drain(self, plan: Plan, consents: Consents) -> FakeRun:
        self.changes.append(("start_drain", plan.node))
        if self.read_only:
            raise PermissionError("this console is read-only")
        if self.start_error is not None:
            raise self.start_error
        self.consents = consents
        return self.new_run(plan)

    async def start_run(self, plan: Plan, consents: Consents, purpose: Purpose) -> FakeRun:
        self.changes.append(("start_run", plan.node, purpose))
        if self.read_only:
            raise PermissionError("this console is read-only")
        handle = self.new_run(plan)
        handle.begin_as(purpose)
        return handle

    def plan_return(self, cluster: Cluster, drained: RunState, slots: int | None = None) -> Plan:
        """Everything that was moved comes back, from where the drain took it."""
        moved = [move for move in drained.moves.values() if move.destination is not None]
        away = tuple(
            replace(vm, host=move.destination)
            for move in moved
            if (vm := cluster.vm_by_id.get(move.vm.id)) is not None and move.destination is not None
        )
        gone = {vm.id: vm for vm in away}
        there = replace(cluster, vms=tuple(gone.get(vm.id, vm) for vm in cluster.vms))
        return plan_return(drained, there, FakeForecaster(), lambda vm, host: (), slots=slots)

    def plan_roll(
        self, cluster: Cluster, nodes: Sequence[HostName] = (), options: RollOptions | None = None
    ) -> RollPlan:
        return roll_plan_of(cluster, nodes, options)

    def roll_needs(self, cluster: Cluster, plan: RollPlan) -> tuple[Need, ...]:
        return needs_of_roll(plan, lambda node, options: self.plan(cluster, node, options))

    def events_of(self, run: RunId) -> tuple[Event, ...]:
        handle = self.handles[run]
        began = handle.state().created_at
        return self.tapes.get(run) or events_of(run, handle.plan, self.cluster, began)

    @property
    def report_folder(self) -> Path:
        return Path("/home/operator/.local/state/drainboard/reports")

    def write_report(self, run: RunId, form: Format) -> Path:
        if self.report_error is not None:
            raise self.report_error
        self.reports.append((run, form))
        return self.report_folder / f"drainboard-{run}.{form.value}"

    def new_run(self, plan: Plan) -> FakeRun:
        """A run that somebody started."""
        run = RunId(f"run-{len(self.handles) + 1}")
        handle = FakeRun(run, plan, self.clock, self.window_ends_at, plan.slots)
        fake = self

        class Counting(FakeRun):
            def request(self, request: OperatorRequest) -> None:
                fake.changes.append(request)
                super().request(request)

        handle.__class__ = Counting
        self.handles[run] = handle
        return handle

    def runs(self) -> RunListing:
        return Listing(tuple(handle.state() for handle in reversed(self.handles.values())), self.damaged)

    def attach(self, run: RunId) -> FakeRun:
        return self.handles[run]

    async def close(self) -> None:
        self.closed = True


def run_of(operations: FakeOperations, node: str = "HV01", **options: object) -> FakeRun:
    """Plan a node and let its run begin, without a console."""
    plan = plan_of(operations.cluster, HostName(node), PlanOptions(**options))  # type: ignore[arg-type]
    return operations.new_run(plan)


__all__ = ["HOSTILE", "FakeOperations", "FakeRun", "cluster_of", "make_host", "plan_of", "run_of"]
