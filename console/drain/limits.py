"""May one more start? Every limit, at every instant, as a sentence when the answer is no."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from console.model.identity import HostName
from console.planner.values import OFFLINE_AT_ONCE, SlotReading

from .state import Move, MoveState, Phase, RunState

WAITING = (MoveState.PLANNED, MoveState.QUEUED)


def hold_reason(state: RunState, at: datetime) -> str | None:
    """Why nothing at all may start now; None when something may."""
    if state.phase is not Phase.MOVING:
        return f"the run is {state.phase.value}"
    if state.stopping or state.detached:
        return "the run was stopped"
    if state.window_closed:
        return "the window ended"
    if state.contact_lost_at is not None:
        return "contact with the cluster is lost"
    fence = fence_reason(state, at)
    if fence is not None:
        return fence
    if state.paused:
        return "starts are paused by the operator"
    if state.guard is not None and state.guard.holding:
        return f"the guard waits for calm: {'; '.join(state.guard.breached)}"
    if state.slots <= 0:
        return "the operator set 0 at once"
    return None


def fence_reason(state: RunState, at: datetime) -> str | None:
    """Why this run may not act on the node now: its lease is gone, over by now, or was not read for a third of its
    life."""
    lease = state.lease
    if lease.lost_to:
        return f"{lease.lost_to} holds the node now"
    if not lease.life_s:
        return None
    if not lease.held or lease.confirmed_at is None:
        return "who holds the node has to be read again"
    unseen_s = (at - lease.confirmed_at).total_seconds()
    if not 0 <= unseen_s <= min(lease.life_s / 3, lease.left_s):
        return f"who holds the node was not read for {abs(unseen_s):.0f} s"
    return None


def load(state: RunState) -> Counter[HostName]:
    """Migrations that each node takes part in, in and out together: this run's and others'."""
    count: Counter[HostName] = Counter(state.foreign_in_flight)
    for move in state.moves.values():
        if move.occupies_slot:
            count[move.source] += 1
            if move.destination is not None:
                count[move.destination] += 1
    return count


def inflow(state: RunState, destination: HostName) -> int:
    """This run's moves on their way to one destination."""
    return sum(move.occupies_slot and move.destination == destination for move in state.moves.values())


def pair_load(state: RunState, one: HostName, other: HostName) -> int:
    """Migrations between two nodes, either way. Others' are known by node only: as many as may be between these."""
    foreign = min(state.foreign_in_flight.get(one, 0), state.foreign_in_flight.get(other, 0))
    ends = {one, other}
    moves = state.moves.values()
    return foreign + sum(move.occupies_slot and {move.source, move.destination} == ends for move in moves)


def cluster_load(state: RunState) -> int:
    """Migrations in the whole cluster, as far as the run knows of others': each of them is seen at up to two nodes."""
    seen = state.foreign_in_flight.values()
    return state.occupied_slots + max(max(seen, default=0), (sum(seen) + 1) // 2)


def wait_reason(state: RunState, move: Move, at: datetime) -> str | None:
    """Why this move has to wait although starts are allowed; None when it may start now.

    The move itself may already hold its slot (while it is checked): it does not stand in its own way.
    """
    if move.not_before is not None and at < move.not_before:
        return move.reason or "it is tried again in a moment"
    if move.offline:
        return offline_reason(state, move)
    mine = move.occupies_slot
    others = state.occupied_slots - mine
    if others >= state.allowed_slots:
        return f"all {state.allowed_slots} slots are taken"
    if others and (move.alone or any(other.alone and other.occupies_slot for other in state.moves.values())):
        return "a move that has the links for itself"
    if move.destination is None:
        return "it has no destination"
    return _node_reason(state, move.source, move.destination, mine) or _site_reason(
        state, move.source, move.destination, mine
    )


def offline_reason(state: RunState, move: Move) -> str | None:
    """VMs that are off share nothing with live migrations; too many at once would still be a storm of requests."""
    others = state.offline_under_way - (move.offline and move.under_way)
    if others >= OFFLINE_AT_ONCE:
        return f"{others} VMs that are off are on their way already"
    return None if move.destination is not None else "it has no destination"


def _node_reason(state: RunState, source: HostName, destination: HostName, mine: bool) -> str | None:
    """The cluster's own limit, as it counts here."""
    if state.parallel_per is SlotReading.PAIR:
        between = pair_load(state, source, destination) - mine
        if between >= state.per_node_limit:
            return f"{source} and {destination} are at their limit of {_migrations(state.per_node_limit)}"
        return None
    busy = load(state)
    for node in (source, destination):
        if busy[node] - mine >= state.per_node_limit:
            return f"{node} is at its limit of {_migrations(state.per_node_limit)} at once"
    return None


def _migrations(amount: int) -> str:
    return "1 migration" if amount == 1 else f"{amount} migrations"


def _site_reason(state: RunState, source: HostName, destination: HostName, mine: bool) -> str | None:
    """The limits that the site sets besides."""
    coming = inflow(state, destination) - mine
    if state.destination_limit is not None and coming >= state.destination_limit:
        return f"{coming} moves go to {destination} already"
    between = pair_load(state, source, destination) - mine
    if state.pair_limit is not None and between >= state.pair_limit:
        return f"{between} moves go between {source} and {destination} already"
    everywhere = cluster_load(state) - mine
    if state.cluster_limit is not None and everywhere >= state.cluster_limit:
        return f"{everywhere} migrations run in the cluster already, the site allows {state.cluster_limit}"
    return None
