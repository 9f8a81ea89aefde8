"""Handing the rest of a run to the cluster's own drain, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.drain.handing_over import agreed, moved_against, not_started, saved_by_drain, why_not_hand_over
from console.drain.state import RunState
from console.exits import CommandEnded, ExitCode, UsageProblem
from console.formatting import name, plain
from console.runs import choose_run

from .followed import follow
from .output import narrate
from .session import with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations
    from console.model.cluster import Cluster


def handed_over(
    target: Target, run: str | None, *, confirm: str | None, anyway: bool, as_json: bool, events: bool
) -> int:
    """Say what it would do; do it and follow the run once the node was named. Returns the exit code.

    Raises:
        CommandEnded: it can not be handed over, or it would move VMs that this run leaves, or save some, without
            ``anyway``.
    """

    async def work(operations: LiveOperations) -> int:
        chosen = choose_run(operations.runs(), run)
        state = operations.run_book.state(chosen)
        refuse(state, confirm)
        cluster = await operations.read_cluster()
        for line in told(state, cluster):
            narrate(line)
        if confirm is None:
            narrate(f"Nothing was sent. To do it: drainboard attach {chosen} --hand-over --confirm {state.node}")
            return int(ExitCode.DONE)
        consent = agreed(state, cluster)
        if (consent.anyway or consent.interrupts) and not anyway:
            raise CommandEnded(ExitCode.BLOCKED, "Nothing was sent: to agree to what is named here, add --anyway.")
        handle = operations.attach(chosen)
        handle.request(consent)
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


def told(state: RunState, cluster: Cluster) -> list[str]:
    """What happens with it, in sentences; the screens' dialog says the same."""
    waiting = not_started(state)
    lines = [
        f"Suspend-ClusterNode {state.node} -Drain is sent once; what moves now ({len(state.in_flight)}) goes on.",
        f"This plan starts nothing more: for the {len(waiting)} that wait the cluster chooses order, destination and "
        "how many at once. Slots, holds and the guard do not bind it.",
        "It goes on without runner or console; the run goes on watching, verifies the node and closes.",
    ]
    if saved := saved_by_drain(cluster, waiting):
        names = ", ".join(name(vm.name) for vm in saved)
        lines.append(f"The cluster would save and restore, as their priority is low: {names}.")
    if against := moved_against(state):
        names = ", ".join(name(move.vm.name) for move in against)
        lines.append(f"The cluster would also move or interrupt, although this run leaves them: {names}.")
    return lines
