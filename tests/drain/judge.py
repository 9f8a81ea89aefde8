"""The invariants, asked at every event and at the end of a drain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from console.drain import events as ev
from console.drain import move_events as mv
from console.drain.fold import apply, fold
from console.drain.limits import cluster_load, fence_reason, inflow, load, pair_load
from console.drain.state import Move, MoveState, Outcome, Phase, RunState
from console.journal.codec import decode, encode
from console.journal.ledger import RUNS
from console.model.identity import HostName
from console.planner.values import Engine, SlotReading

from .caps import OFF_AT_ONCE
from .witness import Witness
from .world import SOURCE, World


@dataclass
class Judge:
    """Collects what should never be."""

    world: World
    problems: list[str] = field(default_factory=list)
    before_settings: dict[str, str] = field(default_factory=dict)
    lost_vms: int = 0
    unrestored: int = 0
    reported: int = 0
    through_text: bool = True
    """Whether the last fold reads the journal back from its text."""
    killed: bool = False
    """The runner died at least once: its very last command may be missing."""
    last_look_s: float = 0.0
    """When the run last looked at its roles."""
    witness: Witness = field(init=False)

    def __post_init__(self) -> None:
        self.witness = Witness(self.world, self.say)
        self.before_settings = dict(self.world.settings)

    def say(self, problem: str) -> None:
        self.problems.append(problem)

    def watch(self, before: RunState, events: Iterable[ev.Event], after: RunState | None) -> None:
        """Every event, applied one by one to the state before; they have to add up to the state after."""
        state = before
        for event in events:
            self.witness.see(event)
            self._allowed(state, event)
            state = apply(state, event)
            if isinstance(event, mv.MoveIntended):
                self._start(state, event)
        if after is not None and state != after:
            self.say("the events do not add up to the live state")

    def _allowed(self, state: RunState, event: ev.Event) -> None:
        over = state.stopping or state.detached or state.window_closed or state.lease.lost_to
        if over and isinstance(event, mv.MoveIntended | mv.MoveChecked | mv.MoveRetried):
            self.say(f"{type(event).__name__} after stop, detach, the window's end or a lost lease")
        if isinstance(event, mv.CancelIntended) and state.detached:
            self.say("a cancel after detach")
        if isinstance(event, mv.MoveIntended):
            if state.moves[event.vm].state is not MoveState.CHECKING:
                self.say(f"{event.vm} started without a check")
            if state.guard is not None and state.guard.holding:
                self.say("a start while the guard holds")
            if state.paused or state.contact_lost_at is not None:
                self.say("a start while starts are paused or nobody answers")
            if fence_reason(state, event.at) is not None:
                self.say(f"a start although {fence_reason(state, event.at)}")
        if isinstance(event, mv.MoveEvent) and not isinstance(event, mv.MoveAdded):
            self._leaves(state.moves[event.vm], event)

    def _leaves(self, move: Move, event: mv.MoveEvent) -> None:
        """A terminal state is left only by a late arrival or by an operator's or the one automatic retry."""
        again = mv.MoveArrived | mv.MoveRetried | mv.BlackoutMeasured | mv.MoveSkipped | mv.ActorNamed
        if move.state.terminal and not isinstance(event, again):
            self.say(f"{type(event).__name__} for a VM that is {move.state.value}")

    def _start(self, state: RunState, event: mv.MoveIntended) -> None:
        if state.engine is Engine.NATIVE:
            self.say("a single move beside the cluster's own drain")
        if state.offline_under_way > OFF_AT_ONCE:
            self.say(f"{state.offline_under_way} VMs that are off on their way at once")
        if not state.moves[event.vm].offline and state.occupied_slots > state.slots:
            self.say(f"{state.occupied_slots} at once, {state.slots} allowed")
        move = state.moves[event.vm]
        if move.offline:
            return
        if _over_site_limits(state, move.source, event.destination):
            self.say(f"{event.vm} starts over the site's limits")
        for node, count in load(state).items() if state.parallel_per is SlotReading.NODE else ():
            if count > state.per_node_limit and node in (SOURCE, event.destination):
                self.say(f"{node} takes part in {count}, limit {state.per_node_limit}")
        if event.quick and not any(
            consent.kind == "interrupt" and consent.subject in ("all", event.vm) for consent in state.consents
        ):
            self.say(f"{event.vm} is interrupted without consent")

    def refold(self, state: RunState, journal: list[ev.Event], *, text: bool) -> None:
        """The whole journal, read back from its text if that is wanted, is the live state."""
        if text:
            journal = [decode(encode(event), RUNS.events) for event in journal]
        if fold(journal) != state:
            self.say("the fold of the journal is not the live state")

    # the end

    def end(self, state: RunState, journal: list[ev.Event]) -> None:
        self.problems.extend(self.world.violations)
        if state.phase is not Phase.ENDED:
            waiting = [(str(m.vm.name), m.state.value, m.reason) for m in state.moves.values() if not m.state.terminal]
            self.say(f"not ended ({state.phase.value}): {waiting[:4]}")
            return
        self.refold(state, journal, text=self.through_text)
        if sum(isinstance(event, ev.RunClosed) for event in journal) != 1:
            self.say("not closed exactly once")
        for vm_id, move in state.moves.items():
            self._vm(state, move, self.world.vms[vm_id].host)
        self._settings(state)
        if state.outcome is Outcome.RETURNED and any(move.destination != SOURCE for move in state.moves.values()):
            self.say("called returned, and a VM is elsewhere")
        drained = state.outcome is Outcome.DRAINED
        if drained and any(vm.host == SOURCE for vm in self.world.vms.values()) and not _by_choice(state):
            self.say("called drained, and a VM is still there")
        if state.lease.id and not state.lease.lost_to and not state.forced:
            self._lease_given_back(state)

    def _vm(self, state: RunState, move: Move, host: str) -> None:
        name, problems = move.vm.name, len(self.problems)
        if not (move.state.terminal or move.state is MoveState.UNKNOWN):
            self.say(f"{name} ended as {move.state.value}")
        if move.state is MoveState.DONE and host != move.destination and not self._moved_on(move):
            self.say(f"{name} is called done on {move.destination} and is on {host}")
        if (
            move.state is MoveState.DONE
            and move.heartbeat == 6
            and self.world.vms[move.vm.id].heartbeat not in (6, None)
        ):
            self.say(f"{name} is called done and its guest does not answer")
        away = host == SOURCE if self.world.returning else host != SOURCE
        came = away and self.world.vms[move.vm.id].heartbeat in (move.heartbeat, None)
        unseen = state.outcome is Outcome.CONTACT_LOST and not state.late_ones_seen
        looked = state.verifying_since is not None and not (state.forced or unseen)
        looked = looked and state.outcome is not Outcome.DETACHED
        gone = came and looked and move.attempts and move.state in (MoveState.FAILED, MoveState.SKIPPED)
        if gone and not self._arrived_after(move):
            self.say(f"{name} is on {host} and is called {move.state.value}: {move.reason}")
        if move.state is not MoveState.DONE and not move.reason:
            self.say(f"{name} ended as {move.state.value} without a reason")
        self.lost_vms += len(self.problems) > problems

    def _moved_on(self, move: Move) -> bool:
        """By a death of its new host, or by another tool, after it had been verified."""
        return bool(self.world.faults.node_dies) or self.world.faults.foreign > 0

    def _arrived_after(self, move: Move) -> bool:
        """It came when nobody looked any more: after the last look of the verification."""
        return self.world.left_at_s.get(move.vm.id, 0.0) > self.last_look_s

    def _settings(self, state: RunState) -> None:
        for name, value in self.before_settings.items():
            if self.world.settings[name] == value:
                continue
            change = next((setting for setting in state.settings_changed if setting.name == name), None)
            if change is not None and change.given_up and change.before == value:
                self.reported += 1
            else:
                self.unrestored += 1
                self.say(f"{name} is {self.world.settings[name]}, was {value}, and nobody says so")
        for setting in state.settings_changed:
            if not (setting.restored or setting.given_up):
                self.say(f"{setting.name} neither restored nor reported")

    def _lease_given_back(self, state: RunState) -> None:
        name = state.lease.name
        kept = self.world.leases.groups.get(name)
        quiet = not (self.world.faults.change_lost or self.world.faults.answer_lost or self.world.faults.silent)
        troubled = self.world.faults.quota or self.world.faults.signed_out_at is not None
        if kept is not None and kept[0] == state.lease.id and quiet and not (troubled or self.killed):
            self.say(f"the lease {name} was not removed")


def _over_site_limits(state: RunState, source: HostName, destination: HostName) -> bool:
    between = pair_load(state, source, destination)
    counts = [
        (inflow(state, destination), state.destination_limit),
        (between, state.pair_limit),
        (between, state.per_node_limit if state.parallel_per is SlotReading.PAIR else None),
        (cluster_load(state), state.cluster_limit),
    ]
    return any(most is not None and count > most for count, most in counts)


def _by_choice(state: RunState) -> bool:
    return any(move.state is MoveState.LEFT_BEHIND for move in state.moves.values())
