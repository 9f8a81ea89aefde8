"""The invariants of a drain over the wire, by the journals of all who worked at it and by the lab's world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from console.drain.state import MoveState, Outcome, RunState
from console.lab.world.world import World
from tests.bench.wire_sides import NODE


def judge(
    world: World,
    states: Sequence[RunState],
    before: Mapping[str, tuple[str, bool]],
    settings: Mapping[str, int],
    *,
    died: bool,
) -> list[str]:
    """What should not have been. ``before``: VM → its name and whether it ran; ``died``: a host did."""
    return [
        *_of_world(world, before, died=died),
        *_of_moves(world),
        *_of_settings(world, states, settings),
        *(said for state in states for said in _of_run(state, world, died=died)),
    ]


def _of_world(world: World, before: Mapping[str, tuple[str, bool]], *, died: bool) -> Iterator[str]:
    """Nobody is lost or switched off; no limit was broken."""
    yield from (f"a limit was broken: {each}" for each in world.limits.violations)
    now = {str(vm.id): vm.running for vm in world.vms.values()}
    for vm, (name, ran) in before.items():
        if vm not in now:
            yield f"{name} is lost"
        elif ran and not now[vm] and not died:
            yield f"{name} does not run any more"


def _of_moves(world: World) -> Iterator[str]:
    """Nobody left the node twice, or was asked to move while it moved."""
    left: Counter[str] = Counter()
    free_s: dict[str, float] = {}
    for move in world.moves:
        if move.vm is None:
            continue
        name = world.vms[move.vm].name
        left[name] += move.outcome == "completed" and move.source == NODE
        if move.requested_s < free_s.get(name, 0.0):
            yield f"{name} was asked to move while it moved"
        free_s[name] = float("inf") if move.ended_s is None else move.ended_s
    yield from (f"{name} was moved {times} times" for name, times in left.items() if times > 1)


def _of_settings(world: World, states: Sequence[RunState], settings: Mapping[str, int]) -> Iterator[str]:
    reported = {change.name for state in states for change in state.settings_changed if change.given_up}
    for name, value in settings.items():
        if world.settings[name] != value and name not in reported:
            yield f"{name} was {value}, is {world.settings[name]}, and nobody says so"


def _of_run(state: RunState, world: World, *, died: bool) -> Iterator[str]:
    """Every VM ended in one way, and it is where the run says."""
    where = {str(vm.id).casefold(): vm.host for vm in world.vms.values()}
    for move in state.moves.values():
        if state.outcome is not None and not (move.state.terminal or move.state is MoveState.UNKNOWN):
            yield f"{state.run}: {move.vm.name} ended as {move.state.value}"
        host = where[move.vm.id.casefold()]
        if move.state is MoveState.DONE and host != move.destination and not died:
            yield f"{state.run}: {move.vm.name} is called done on {move.destination} and is on {host}"
    if state.outcome is not Outcome.DRAINED:
        return
    if NODE in where.values():
        yield f"{state.run}: called drained, and a VM is still there"
    leases = [group.name for group in world.groups.values() if group.name.lower().startswith("zz-drainboard-hv")]
    yield from (f"{state.run}: the lease {name} is left" for name in leases)
