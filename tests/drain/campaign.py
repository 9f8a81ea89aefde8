"""Drives the pure core against the small world: virtual time, lost answers, kills, and the invariants' judge."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import move_events as mv
from console.drain import signals as sg
from console.drain.fold import apply, fold, open_run
from console.drain.limits import load
from console.drain.recovery import recover
from console.drain.requests import OperatorRequest
from console.drain.rules import Rules
from console.drain.state import Consent, Move, MoveState, Phase, RunState
from console.drain.step import step
from console.model.identity import HostName, RunId
from console.planner.values import Engine

from .world import EPOCH, SOURCE, World, fresh, moment


def opened_for(
    world: World, *, slots: int = 2, window_s: float | None = None, consents: tuple[Consent, ...] = ()
) -> ev.RunOpened:
    """A plan that spreads the VMs over the other nodes, round and round."""
    others = [name for name in world.nodes if name != SOURCE]
    moves = tuple(
        Move(
            vm=vm.ref,
            source=SOURCE,
            destination=others[number % len(others)],
            state=MoveState.PLANNED,
            memory_bytes=vm.memory_bytes,
            forecast_p50_s=20.0,
            forecast_p90_s=35.0,
            blackout_forecast_s=1.0,
            live=vm.state == 2,
            vm_state=vm.state,
            heartbeat=vm.heartbeat,
        )
        for number, vm in enumerate(world.vms.values())
    )
    return ev.RunOpened(
        EPOCH,
        RunId("run"),
        "lab",
        SOURCE,
        Engine.PLANNED,
        moves,
        slots,
        world.limit,
        window_ends_at=moment(window_s) if window_s is not None else None,
        forecast_s=120.0,
        consents=consents,
        operator="ann",
    )


@dataclass
class Campaign:
    """One drain from its first event to its last."""

    world: World
    journal: list[ev.Event]
    rules: Rules
    requests: list[tuple[float, OperatorRequest]] = field(default_factory=list)
    kills: list[int] = field(default_factory=list)
    """Numbers of steps at which the runner dies."""
    latency: Callable[[], float] = field(default=lambda: 0.2)
    limit_s: float = 20_000.0
    check_every_step: bool = False
    problems: list[str] = field(default_factory=list)
    steps: int = 0
    deaths: int = 0

    def run(self) -> RunState:
        """Until the run ends or time is up."""
        first = self.journal[0]
        assert isinstance(first, ev.RunOpened)
        state = open_run(first)
        self._reset()
        for at_s, request in self.requests:
            self._at(at_s, sg.Requested(EPOCH, request, "ann"))
        self._at(0.0, sg.Ticked(EPOCH))
        while state.phase is not Phase.ENDED and self._queue:
            at_s, _, signal = heapq.heappop(self._queue)
            if at_s > self.limit_s:
                break
            self.world.advance(at_s)
            state = self._turn(state, fresh(signal, at_s), at_s)
        self._judge_end(state)
        return state

    def _reset(self) -> None:
        self._queue: list[tuple[float, int, sg.Signal]] = []
        self._order = itertools.count()
        self._pending: set[cmd.Command] = set()
        self._next_tick = 0.0

    def _at(self, at_s: float, signal: sg.Signal) -> None:
        heapq.heappush(self._queue, (at_s, next(self._order), signal))

    def _turn(self, state: RunState, signal: sg.Signal, at_s: float) -> RunState:
        self.steps += 1
        kind = self.kills.index(self.steps) % 3 if self.steps in self.kills else None
        if kind == 0:
            return self._die(at_s, "before its events were written")
        if isinstance(signal, sg.Ticked):
            self._next_tick = at_s + 30.0
        taken = step(state, signal, self.rules)
        self._judge(state, taken.events)
        self.journal.extend(taken.events)
        if kind == 1:
            return self._die(at_s, "before its commands were carried out")
        if self.check_every_step and fold(self.journal) != taken.state:
            self.problems.append(f"fold and live state differ after {signal}")
        for command in taken.commands:
            self._do(command, at_s)
        if kind == 2:
            return self._die(at_s, "before the answers came")
        return taken.state

    def _do(self, command: cmd.Command, at_s: float) -> None:
        if isinstance(command, cmd.WaitUntil):
            self._at((command.at - EPOCH).total_seconds(), sg.Ticked(EPOCH))
            return
        if isinstance(command, cmd.ReadCommand):
            if any(entry[2] for entry in self._queue if _answers(entry[2], command)):
                return
        answer = self.world.perform(command)
        if answer is not None:
            self._at(at_s + self.latency(), answer)

    def _die(self, at_s: float, when: str) -> RunState:
        """Everything in memory is gone; operators' requests live in the journal's file and stay."""
        self.deaths += 1
        waiting = [(at, signal) for at, _, signal in self._queue if isinstance(signal, sg.Requested)]
        self._reset()
        back_s = at_s + 5.0
        for at, signal in waiting:
            self._at(max(at, back_s), signal)
        self.world.advance(back_s)
        state = fold(self.journal)
        flying = [vm for vm, move in state.moves.items() if move.state in (MoveState.MOVING, MoveState.UNKNOWN)]
        sights = None if self.world.silent() else [self.world.sight(vm) for vm in flying]
        events = recover(state, sights, moment(back_s))
        self._judge(state, events)
        self.journal.extend(events)
        self._at(back_s, sg.Ticked(EPOCH))
        return fold(self.journal)

    # the judge

    def _judge(self, before: RunState, events: Iterable[ev.Event]) -> None:
        state = before
        for event in events:
            if isinstance(event, mv.MoveIntended | mv.MoveChecked):
                if state.stopping or state.detached or state.window_closed:
                    self.problems.append(f"{type(event).__name__} after stop, detach or the window's end")
            if isinstance(event, mv.CancelIntended) and state.detached:
                self.problems.append("a cancel after detach")
            state = apply(state, event)
            if isinstance(event, mv.MoveIntended):
                self._judge_start(state, event)

    def _judge_start(self, state: RunState, event: mv.MoveIntended) -> None:
        if state.occupied_slots > state.slots:
            self.problems.append(f"{state.occupied_slots} at once, {state.slots} allowed")
        for node, count in load(state).items():
            if count > state.per_node_limit and node in (SOURCE, event.destination):
                self.problems.append(f"{node} takes part in {count}, limit {state.per_node_limit}")

    def _judge_end(self, state: RunState) -> None:
        self.problems.extend(self.world.violations)
        if state.phase is not Phase.ENDED:
            waiting = [(str(m.vm.name), m.state.value, m.reason) for m in state.moves.values() if not m.state.terminal]
            self.problems.append(f"not ended ({state.phase.value}): {waiting[:4]}")
            return
        if fold(self.journal) != state:
            self.problems.append("fold(journal) is not the live state")
        if sum(isinstance(event, ev.RunClosed) for event in self.journal) != 1:
            self.problems.append("not closed exactly once")
        for vm_id, move in state.moves.items():
            self._judge_vm(state, move, self.world.vms[vm_id].host)
        for setting in state.settings_changed:
            if not (setting.restored or setting.given_up):
                self.problems.append(f"{setting.name} neither restored nor reported")

    def _judge_vm(self, state: RunState, move: Move, host: HostName) -> None:
        name = move.vm.name
        if not (move.state.terminal or move.state is MoveState.UNKNOWN):
            self.problems.append(f"{name} ended as {move.state.value}")
        if move.state is MoveState.DONE and host == SOURCE:
            self.problems.append(f"{name} is called done and is still on the source")
        came = host != SOURCE and self.world.vms[move.vm.id].heartbeat == move.heartbeat
        looked = state.verifying_since is not None and not state.forced
        if came and looked and move.attempts and move.state in (MoveState.FAILED, MoveState.SKIPPED):
            self.problems.append(f"{name} is on {host} and is called {move.state.value}: {move.reason}")
        if move.state in (MoveState.FAILED, MoveState.SKIPPED) and not move.reason:
            self.problems.append(f"{name} ended as {move.state.value} without a reason")


def _answers(signal: sg.Signal, command: cmd.ReadCommand) -> bool:
    """Whether a read of this kind is outstanding: the runner asks each thing only once at a time."""
    match command, signal:
        case cmd.ReadNode(), sg.NodeRead():
            return True
        case cmd.ReadProgress(), sg.ProgressRead():
            return True
        case cmd.ReadGuard(), sg.GuardMeasured():
            return True
        case cmd.CheckMove(vm), sg.CheckRead(vm=other):
            return vm == other
        case cmd.VerifyArrival(vm), sg.ArrivalRead(vm=other):
            return vm == other
    return False


def seeded_latency(seed: int) -> Callable[[], float]:
    dice = random.Random(seed)
    return lambda: dice.choice([0.05, 0.1, 0.3, 0.3, 1.5, 4.0])
