"""What can be done about a move that is stuck, from the command line; the run answers by what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.drain.requests import CancelMove, ForceBack, OperatorRequest
from console.drain.state import Move, MoveState, RunState
from console.exits import CommandEnded, ExitCode, UsageProblem
from console.formatting import plain
from console.model.identity import HostName
from console.runs import choose_run

from .followed import follow
from .output import narrate
from .session import with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations


def asked(
    target: Target,
    run: str | None,
    *,
    cancel: str | None,
    force_back: str | None,
    confirm: str | None,
    as_json: bool,
    events: bool,
) -> int:
    """Ask the run for it and follow it; returns its exit code.

    Raises:
        CommandEnded: the run is over, has no such move, or the consent was not typed.
    """
    if cancel is not None and force_back is not None:
        raise UsageProblem("--cancel comes before --force-back: one of them at a time.")

    async def work(operations: LiveOperations) -> int:
        chosen = choose_run(operations.runs(), run)
        state = operations.run_book.state(chosen)
        if state.outcome is not None:
            raise CommandEnded(ExitCode.BLOCKED, f"Run {chosen} has ended ({state.outcome.value.replace('_', ' ')}).")
        request = _cancel(state, cancel) if cancel is not None else _force(state, force_back or "", confirm)
        if request is None:
            return int(ExitCode.DONE)
        handle = operations.attach(chosen)
        handle.request(request)
        return await follow(operations.run_book, handle, as_json=as_json, events=events, may_stop=False)

    return with_operations(target, work, read_only=force_back is not None and confirm is None)


def _cancel(state: RunState, typed: str) -> OperatorRequest:
    return CancelMove(find_move(state, typed).vm.id)


def _force(state: RunState, typed: str, confirm: str | None) -> OperatorRequest | None:
    vm, _, host = typed.partition("=")
    move = find_move(state, vm)
    where = HostName(host) if host else move.source
    if confirm is None:
        narrate(
            f"Move-ClusterGroup {plain(str(move.vm.role))} -Node {where} would be sent: where the VM has to be stopped "
            f"for it, it is SAVED and restored. Nothing was sent. To do it: "
            f"drainboard attach {state.run} --force-back {plain(typed)} --confirm {state.node}"
        )
        return None
    if confirm.casefold() != state.node.casefold():
        raise UsageProblem(f"Run {state.run} is about {state.node}, not {plain(confirm)}. Nothing was sent.")
    return ForceBack(move.vm.id, HostName(host) if host else None)


def find_move(state: RunState, typed: str) -> Move:
    """The move of the VM of that name or id.

    Raises:
        UsageProblem: none, or several.
    """
    wanted = typed.casefold()
    found = [m for m in state.moves.values() if wanted in (m.vm.id.casefold(), (m.vm.name or "").casefold())]
    if len(found) == 1:
        return found[0]
    moving = ", ".join(plain(m.vm.name) for m in state.moves.values() if m.state is MoveState.MOVING) or "none"
    several = f"{len(found)} VMs of the run are called" if found else "The run has no VM"
    ids = f" ({', '.join(m.vm.id for m in found)}: name one by its id)" if found else ""
    raise UsageProblem(f"{several} {plain(typed)}{ids}. Moving now: {moving}. Nothing was sent.")
