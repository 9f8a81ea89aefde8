"""A run on the table: signals in by hand, events and commands out, the state folded all along."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import signals as sg
from console.drain.facts import DONE, Answered, Arrival, CheckFacts, NodeFacts, OwnedRole, Reply, Sight
from console.drain.fold import fold
from console.drain.requests import OperatorRequest
from console.drain.rules import Rules
from console.drain.state import Move, RunState
from console.drain.step import step
from console.model.cluster import DrainStatus, GroupState, NodeFlags, NodeState
from console.model.identity import HostName, VmId
from console.model.units import GIB
from console.planner.values import Plan

from .making import make_world, opened_for
from .moments import moment
from .world import SOURCE, World

C = TypeVar("C")
E = TypeVar("E")

OTHERS = (HostName("HV02"), HostName("HV03"))


class Desk:
    """One run, its journal, and everything that it asked for since the last signal."""

    def __init__(self, first: ev.RunOpened, rules: Rules | None = None) -> None:
        self.rules = rules or Rules(guard=None)
        self.journal: list[ev.Event] = [first]
        self.state = fold(self.journal)
        self.commands: tuple[cmd.Command, ...] = ()
        self.news: tuple[ev.Event, ...] = ()
        self.now_s = 0.0

    def send(self, make: Callable[..., sg.Signal], *values: object, at_s: float | None = None) -> Desk:
        """Deliver ``make(at, *values)``; time goes on by a tenth of a second when not given."""
        self.now_s = self.now_s + 0.1 if at_s is None else at_s
        taken = step(self.state, make(moment(self.now_s), *values), self.rules)
        self.journal.extend(taken.events)
        self.state, self.commands, self.news = taken.state, taken.commands, taken.events
        assert fold(self.journal) == self.state
        return self

    def tick(self, at_s: float | None = None) -> Desk:
        return self.send(sg.Ticked, at_s=at_s)

    def ask(self, request: OperatorRequest) -> Desk:
        return self.send(sg.Requested, request, "ann")

    def asked(self, kind: type[C]) -> list[C]:
        return [command for command in self.commands if isinstance(command, kind)]

    def told(self, kind: type[E]) -> list[E]:
        return [event for event in self.news if isinstance(event, kind)]

    def vm(self, number: int) -> VmId:
        return list(self.state.moves)[number]

    def move(self, number: int) -> Move:
        return self.state.moves[self.vm(number)]

    # whole stretches of a run

    def claim(self, state: NodeState = NodeState.UP) -> Desk:
        """Through claim and pause, to the first checks."""
        self.tick()
        self.send(sg.NodeRead, node(self.state, state))
        if self.asked(cmd.PauseNode):
            self.send(sg.PauseAnswered, DONE)
        return self

    def check(self, number: int, **changed: object) -> Desk:
        move = self.move(number)
        assert move.destination is not None
        return self.send(sg.CheckRead, move.vm.id, move.destination, facts(move, **changed))

    def start(self, number: int, reply: Reply = DONE) -> Desk:
        return self.check(number).send(sg.StartAnswered, self.vm(number), reply)

    def see(self, number: int, owner: HostName = SOURCE, **changed: object) -> Desk:
        state = changed.pop("role_state", GroupState.ONLINE)
        return self.send(sg.ProgressRead, (Sight(self.vm(number), owner, state, **changed),))  # type: ignore[arg-type]

    def arrive(self, number: int) -> Desk:
        """Seen on its destination, and verified there."""
        host = self.move(number).destination
        assert host is not None
        self.see(number, host)
        return self.send(sg.ArrivalRead, self.vm(number), host, Arrival(host, GroupState.ONLINE, 2, 6))


def desk(vms: int = 2, rules: Rules | None = None, **opening: object) -> Desk:
    """A run of VMs that are all on and healthy; one VM goes to HV02, the next to HV03, and so on."""
    return Desk(opened_for(calm_world(vms), **opening), rules)  # type: ignore[arg-type]


def calm_world(vms: int = 2) -> World:
    world = make_world(1, vms, 3, limit=4)
    for vm in world.vms.values():
        vm.state, vm.heartbeat, vm.role_state = 2, 6, GroupState.ONLINE
    return world


def node(
    run: RunState,
    state: NodeState = NodeState.PAUSED,
    *,
    left: tuple[str, ...] | None = None,
    volumes: tuple[str, ...] = (),
    drain: DrainStatus | None = DrainStatus.NOT_INITIATED,
    others: tuple[HostName, ...] = OTHERS,
    flags: NodeFlags = NodeFlags.NORMAL,
    lease_of: str = "",
    core: tuple[str, ...] = (),
) -> NodeFacts:
    """The drained node with the VMs that it still owns; by default those that have not moved."""
    names = [str(m.vm.role) for m in run.moves.values() if m.state.value != "done"] if left is None else left
    roles = (*(OwnedRole(name, True) for name in names), *(OwnedRole(name, False, True) for name in core))
    return NodeFacts(state, drain, flags, roles, volumes, others, lease_of)


def facts(move: Move, **changed: object) -> CheckFacts:
    values: dict[str, object] = {
        "owner": move.source,
        "role_state": GroupState.ONLINE,
        "busy": False,
        "locked": False,
        "vm_state": 2,
        "memory_bytes": move.memory_bytes,
        "destination_accepts": True,
        "destination_free_bytes": 400 * GIB,
        "destination_memory_bytes": 512 * GIB,
        **changed,
    }
    return CheckFacts(**values)  # type: ignore[arg-type]


def refused(reason: str = "no", code: int | None = None) -> Reply:
    return Reply(Answered.REFUSED, reason, code)


UNANSWERED = Reply(Answered.UNANSWERED, "timed out")

__all__ = ["DONE", "UNANSWERED", "Desk", "Plan", "calm_world", "desk", "facts", "node", "refused"]
