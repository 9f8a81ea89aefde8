"""What is really so, for a test that looks behind the wire. Sizes in bytes, moments and durations in seconds."""

from __future__ import annotations

from dataclasses import asdict

from console.lab.world.cluster import LabCluster
from console.lab.world.moving import Move
from console.lab.world.progress import memory_bytes_sent, percent, wire_bytes_sent
from console.lab.world.state import Host, VirtualMachine
from console.lab.world.world import World

Json = dict[str, object]


def world_document(cluster: LabCluster) -> Json:
    """Everything, as ``GET /world`` gives it."""
    cluster.advance()
    world = cluster.world
    return {
        "schema": 1,
        "cluster": world.scenario.cluster,
        "seed": world.seed,
        "time_s": round(world.now_s, 6),
        "now": cluster.now().isoformat(),
        "hosts": [_host(world, host) for host in world.hosts.values()],
        "vms": [_vm(world, vm) for vm in world.vms.values()],
        "groups": [
            {"name": group.name, "id": str(group.id), "type": group.kind, "owner": group.owner, "state": group.state}
            for group in world.groups.values()
            if group.vm is None
        ],
        "volumes": [{"name": volume.name, "coordinator": volume.coordinator} for volume in world.volumes.values()],
        "moves": [move_document(world, move) for move in world.moves],
        "limits": _limits(world),
        "settings": dict(world.settings),
        "parameters": {name: str(value) for name, value in world.vm_type_parameters.items()},
        "changing_commands": cluster.received.changing.total(),
        "reading_commands": cluster.received.reading.total(),
        "commands": _commands(cluster),
    }


def _host(world: World, host: Host) -> Json:
    return {
        "name": host.name,
        "state": host.state,
        "drain_status": host.drain_status,
        "drain_error": host.drain_error,
        "memory_bytes": host.memory_bytes,
        "memory_free_bytes": world.free_bytes(host.name),
        "vms": len(world.vms_on.get(host.name, {})),
        "migrations_in_flight": world.live_on(host.name),
        "build": host.build,
    }


def _vm(world: World, vm: VirtualMachine) -> Json:
    group = world.group_of(vm.id)
    return {
        "id": str(vm.id),
        "name": vm.name,
        "host": vm.host,
        "state": vm.state,
        "role": group.name if group else None,
        "owner": group.owner if group else None,
        "memory_bytes": vm.memory_bytes,
        "workload": vm.workload,
        "clustered": vm.clustered,
        "law": {"kind": type(vm.law).__name__, **_numbers(vm)},
    }


def _numbers(vm: VirtualMachine) -> Json:
    return {name: getattr(vm.law, name) for name in getattr(type(vm.law), "__slots__", ())}


def move_document(world: World, move: Move) -> Json:
    """One move."""
    return {
        "number": move.number,
        "vm": world.vms[move.vm].name if move.vm else None,
        "vm_id": str(move.vm) if move.vm else None,
        "role": world.groups[move.group].name if move.group in world.groups else None,
        "source": move.source,
        "destination": move.destination,
        "kind": move.kind,
        "by": move.by,
        "user": move.requested_by_user,
        "phase": move.phase,
        "percent": percent(world, move),
        "stuck": move.stuck,
        "requested_s": move.requested_s,
        "started_s": move.started_s,
        "copying_s": move.copying_s,
        "ended_s": move.ended_s,
        "passes": move.passes,
        "pass_bytes": list(move.volumes_s),
        "bytes": memory_bytes_sent(world, move),
        "wire_bytes": wire_bytes_sent(world, move),
        "transport": move.transport,
        "network": move.network,
        "blackout_s": move.blackout_s,
        "outcome": move.outcome,
        "hresult": f"0x{move.hresult:08X}" if move.hresult else None,
        "message": move.message,
    }


def _limits(world: World) -> Json:
    document = asdict(world.limits)
    document["maximum_parallel_migrations"] = world.settings["MaximumParallelMigrations"]
    return document


def _commands(cluster: LabCluster) -> list[Json]:
    reading, changing = cluster.received.reading, cluster.received.changing
    return [
        {"host": host, "user": user, "reading": reading[host, user], "changing": changing[host, user]}
        for host, user in sorted(set(reading) | set(changing))
    ]
