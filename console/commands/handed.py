"""Handing the rest of a run to the cluster's own drain, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.drain.native import moved_against, why_not_hand_over
from console.drain.requests import HandOver
from console.drain.state import MoveState, RunState
from console.exits import CommandEnded, ExitCode, UsageProblem
from console.formatting import name, plain
from console.runs import choose_run

from .followed import follow
from .output import narrate
from .session import with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations

_WAITING = (MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING)


def handed_over(
    target: Target, run: str | None, *, confirm: str | None, anyway: bool, as_json: bool, events: bool
) -> int:
    """Say what it would do; do it and follow the run once the node was named. Returns the exit code.

    Raises:
        CommandEnded: it can not be handed over, or VMs would be moved that this run leaves, without ``anyway``.
    """

    async def work(operations: LiveOperations) -> int:
        chosen = choose_run(operations.runs(), run)
        state = operations.run_book.state(chosen)
        refuse(state, confirm)
        for line in told(state):
            narrate(line)
        if confirm is None:
            narrate(f"Nothing was sent. To do it: drainboard attach {chosen} --hand-over --confirm {state.node}")
            return int(ExitCode.DONE)
        against = moved_against(state)
        if against and not anyway:
            raise CommandEnded(ExitCode.BLOCKED, "Nothing was sent: to let the cluster move them too, add --anyway.")
        handle = operations.attach(chosen)
        handle.request(HandOver(anyway=bool(against)))
        return await follow(operations.run_book, handle, as_json=as_json, events=events, may_stop=False)

    return with_operations(target, work, read_only=confirm is None)


def refuse(state: RunState, confirm: str | None) -> None:
    if confirm is not None and confirm.casefold() != state.node.casefold():
        raise UsageProblem(f"Run {state.run} empties {state.node}, not {plain(confirm)}. Nothing was sent.")
    if state.outcome is not None:
        raise CommandEnded(ExitCode.BLOCKED, f"Run {state.run} has ended ({state.outcome.value.replace('_', ' ')}).")
    why = why_not_hand_over(state)
    if why is not None:
        raise CommandEnded(ExitCode.BLOCKED, f"Run {state.run} can not be handed over: {why}.")


def told(state: RunState) -> list[str]:
    """What happens with it, in sentences; the screens' dialog says the same."""
    waiting = sum(move.state in _WAITING for move in state.moves.values())
    lines = [
        f"Suspend-ClusterNode {state.node} -Drain is sent once; what moves now ({len(state.in_flight)}) goes on.",
        f"This plan starts nothing more: for the {waiting} that wait the cluster chooses order, destination and how "
        "many at once; low priorities it saves and restores. Slots, holds and the guard do not bind it.",
        "It goes on without runner or console; the run goes on watching, verifies the node and closes.",
    ]
    against = moved_against(state)
    if against:
        names = ", ".join(name(move.vm.name) for move in against)
        lines.append(f"The cluster would also move or interrupt, although this run leaves them: {names}.")
    return lines
