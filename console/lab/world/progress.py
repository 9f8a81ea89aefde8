"""What can be read of a move while it runs. Nothing here changes anything."""

from __future__ import annotations

from dataclasses import dataclass

from console.lab import surface
from console.lab.world.moving import Move, MoveKind, Phase
from console.lab.world.state import Resource, VirtualMachine
from console.lab.world.world import World
from console.model.units import PAGE_BYTES


def percent(world: World, move: Move) -> int:
    """Percent complete as Windows would show it: set-up below 10, the first pass up to 90, the rest above."""
    if move.phase is Phase.SETUP and move.started_s is not None:
        length = max(move.setup_s, 0.1)
        return int(min(9.0, 9.0 * (world.now_s - move.started_s) / length))
    if move.phase in (Phase.COPYING, Phase.CANCELLING):
        if move.passes > 1:
            return min(89 + move.passes, 97)
        done = pass_bytes(world, move) / move.pass_volume_bytes if move.pass_volume_bytes > 0 else 1.0
        return int(10 + 80 * min(done, 1.0))
    return {Phase.BLACKOUT: 98, Phase.FINISHING: 99, Phase.ENDED: 100}.get(move.phase, 0)


def pass_bytes(world: World, move: Move) -> float:
    """Guest memory carried in the pass that is on."""
    transfer = world.fabric.transfers.get(move.key)
    now = transfer.sent_bytes(world.now_s) * move.ratio if transfer is not None else 0.0
    return move.pass_done_bytes + now


def memory_bytes_sent(world: World, move: Move) -> float:
    """Guest memory carried since the move began."""
    transfer = world.fabric.transfers.get(move.key)
    return move.sent_bytes + (transfer.sent_bytes(world.now_s) * move.ratio if transfer is not None else 0.0)


def wire_bytes_sent(world: World, move: Move) -> float:
    transfer = world.fabric.transfers.get(move.key)
    return move.wire_bytes + (transfer.sent_bytes(world.now_s) if transfer is not None else 0.0)


def wire_rate(world: World, move: Move) -> float:
    """Bytes per second on the wire now."""
    transfer = world.fabric.transfers.get(move.key)
    return transfer.rate_bytes_per_s if transfer is not None else 0.0


@dataclass(frozen=True, slots=True)
class Counters:
    """One instance of the set ``Hyper-V VM Live Migration``."""

    move: Move
    vm: VirtualMachine
    at_source: bool
    pass_number: int
    dirty_pages: int
    blackout: bool
    rate_bytes_per_s: float
    wire_bytes: float
    memory_bytes: float


def counters_on(world: World, host: str) -> list[Counters]:
    """Live migrations that carry memory on this host, as source or destination."""
    found = []
    for move in sorted(world.pending.values(), key=lambda each: each.number):
        if move.kind is not MoveKind.LIVE or move.phase not in (Phase.COPYING, Phase.BLACKOUT, Phase.CANCELLING):
            continue
        if host in (move.source, move.destination) and move.vm is not None:
            found.append(
                Counters(
                    move=move,
                    vm=world.vms[move.vm],
                    at_source=host == move.source,
                    pass_number=move.passes,
                    dirty_pages=int(move.dirty_bytes // PAGE_BYTES),
                    blackout=move.phase is Phase.BLACKOUT,
                    rate_bytes_per_s=wire_rate(world, move),
                    wire_bytes=wire_bytes_sent(world, move),
                    memory_bytes=memory_bytes_sent(world, move),
                )
            )
    return found


def resource_state(world: World, resource: Resource) -> str:
    """ClusterResourceState by name."""
    group = world.groups[resource.group]
    move = world.pending.get(group.id)
    if move is not None and move.in_flight:
        return "OnlinePending" if move.phase is Phase.FINISHING else "Pending"
    if resource.state != "Online":
        return resource.state
    if resource.kind == "Virtual Machine Configuration":
        return "Online"
    return {"Offline": "Offline", "Failed": "Failed"}.get(group.state.value, "Online")


def resource_specific_data(world: World, resource: Resource) -> int:
    """ResourceSpecificData1: operational status in the upper half, percent in the lowest byte."""
    if resource.kind != "Virtual Machine":
        return 0
    move = world.pending.get(resource.group)
    if move is None or not move.in_flight:
        return _operational_status("Ok") << 32
    return _operational_status("MigratingVirtualMachine") << 32 | percent(world, move)


def _operational_status(name: str) -> int:
    return (surface.enumeration("VMOperationalStatus") or {}).get(name, 0)


def jobs_on(world: World, host: str) -> list[Move]:
    """Moves whose Msvm_MigrationJob this host shows: running ones, and those that ended within five minutes."""
    recent = [move for move in world.moves[-400:] if move.kind is MoveKind.LIVE and move.source == host]
    return [move for move in recent if move.in_flight or _ended_within(world, move, 300.0)]


def _ended_within(world: World, move: Move, seconds: float) -> bool:
    return move.started_s is not None and move.ended_s is not None and world.now_s - move.ended_s < seconds
