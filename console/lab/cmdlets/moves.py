"""Cmdlets that change the cluster: moves, cancels, pauses, drains, resumes, groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from console.lab.cmdlets import errors, shapes
from console.lab.cmdlets.clusters import groups_asked, named
from console.lab.cmdlets.invocation import Invocation, answers
from console.lab.engine import PsValue
from console.lab.world.moving import Move, Phase
from console.lab.world.service import ClusterRefusal
from console.lab.world.state import DrainStatus, Group, Host, Volume


def _tell(call: Invocation, refusal: ClusterRefusal) -> None:
    call.error(errors.cluster(call.cmdlet, refusal))


def _roles(call: Invocation) -> list[Group]:
    """The groups to act on; without any way to name one that is nothing, never everything."""
    if not ({"Name", "VMId", "InputObject"} & set(call.arguments)) and not call.has_input:
        raise errors.missing_mandatory(call.cmdlet, ["Name"])
    return groups_asked(call)


async def _follow(call: Invocation, moves: list[tuple[Group, Move]]) -> Iterable[PsValue]:
    """Wait as -Wait says: absent until the end, 0 not at all; failures become errors."""
    seconds = call.arguments.get("Wait")
    call.scope.cluster.touch()
    if not isinstance(seconds, int) or seconds > 0:
        timeout = float(seconds) if isinstance(seconds, int) else None
        await call.scope.cluster.until(lambda: all(move.phase is Phase.ENDED for _, move in moves), timeout)
    for group, move in moves:
        if move.phase is Phase.ENDED and move.hresult:
            message = (
                f"An error occurred moving the role '{group.name}'. {move.message} Check the event log for details."
            )
            _tell(call, ClusterRefusal(move.hresult & 0xFFFF, message, group.name))
    return [shapes.GROUP.make(call.scope, group) for group, _ in moves]


@answers("Move-ClusterVirtualMachineRole", changes=True)
def move_vm_role(call: Invocation) -> Awaitable[Iterable[PsValue]]:
    moves: list[tuple[Group, Move]] = []
    there: list[Group] = []
    for group in _roles(call):
        try:
            if call.flag("Cancel"):
                call.scope.cluster.service.cancel(group)
                there.append(group)
                continue
            move = call.scope.cluster.service.move_vm_role(
                group,
                call.text("Node"),
                call.text("MigrationType"),
                ignore_locked=call.flag("IgnoreLocked"),
                ignore_affinity=call.flag("IgnoreAffinityRule"),
                user=call.context.user,
            )
        except ClusterRefusal as refusal:
            _tell(call, refusal)
            continue
        if move is None:
            there.append(group)
        else:
            moves.append((group, move))
    return _with(call, there, moves)


async def _with(call: Invocation, there: list[Group], moves: list[tuple[Group, Move]]) -> Iterable[PsValue]:
    followed = await _follow(call, moves)
    return [*(shapes.GROUP.make(call.scope, group) for group in there), *followed]


@answers("Move-ClusterGroup", changes=True)
def move_group(call: Invocation) -> Awaitable[Iterable[PsValue]]:
    moves: list[tuple[Group, Move]] = []
    there: list[Group] = []
    for group in _roles(call):
        try:
            move = call.scope.cluster.service.move_group(
                group, call.text("Node"), ignore_locked=call.flag("IgnoreLocked"), user=call.context.user
            )
        except ClusterRefusal as refusal:
            _tell(call, refusal)
            continue
        if move is None:
            there.append(group)
        else:
            moves.append((group, move))
    return _with(call, there, moves)


@answers("Move-ClusterSharedVolume", changes=True)
def move_shared_volume(call: Invocation) -> Iterable[PsValue]:
    volumes = call.instances(Volume) or named(
        call, call.world.volumes.values(), lambda each: each.name, 5007, "The cluster shared volume"
    )
    if not call.has_input and "Name" not in call.arguments:
        raise errors.missing_mandatory(call.cmdlet, ["Name"])
    for volume in volumes:
        try:
            call.scope.cluster.service.move_volume(volume.name, call.text("Node"))
        except ClusterRefusal as refusal:
            _tell(call, refusal)
            continue
        yield shapes.VOLUME.make(call.scope, volume)


def _on_nodes(call: Invocation, act: Callable[[str], Host]) -> list[Host]:
    """Do something to every node named; without -Name to the one this session is on."""
    names = call.texts("Name") or [host.name for host in call.instances(Host)] or [call.scope.host.name]
    done = []
    for name in names:
        try:
            done.append(act(name))
        except ClusterRefusal as refusal:
            _tell(call, refusal)
    call.scope.cluster.touch()
    return done


@answers("Suspend-ClusterNode", changes=True)
async def suspend_node(call: Invocation) -> Iterable[PsValue]:
    service = call.scope.cluster.service
    drain = call.flag("Drain") or call.flag("ForceDrain") or "TargetNode" in call.arguments
    avoid = call.flag("AvoidPlacement")
    if call.flag("WhatIf"):
        return []
    done = _on_nodes(call, lambda name: service.suspend(name, drain=drain, target=call.text("TargetNode"), avoid=avoid))
    if drain and call.flag("Wait"):
        await call.scope.cluster.until(lambda: all(host.drain_status is not DrainStatus.IN_PROGRESS for host in done))
    return [shapes.NODE.make(call.scope, host) for host in done]


@answers("Resume-ClusterNode", changes=True)
def resume_node(call: Invocation) -> Iterable[PsValue]:
    failback = call.text("Failback") or "NoFailback"
    done = _on_nodes(call, lambda name: call.scope.cluster.service.resume(name, failback))
    return [shapes.NODE.make(call.scope, host) for host in done]


@answers("Add-ClusterGroup", changes=True)
def add_group(call: Invocation) -> Iterable[PsValue]:
    for name in call.texts("Name") or []:
        try:
            group = call.scope.cluster.service.add_group(
                name, call.text("GroupType") or "Unknown", call.scope.host.name
            )
        except ClusterRefusal as refusal:
            _tell(call, refusal)
            continue
        yield shapes.GROUP.make(call.scope, group)


@answers("Remove-ClusterGroup", changes=True)
def remove_group(call: Invocation) -> Iterable[PsValue]:
    for group in _roles(call):
        try:
            call.scope.cluster.service.remove_group(group)
        except ClusterRefusal as refusal:
            _tell(call, refusal)
    return []
