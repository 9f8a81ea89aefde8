"""The events that hosts write about moves, with the ids and the fields that Windows uses.

20415 and 20417 carry VM name, GUID and the blackout in seconds with one decimal; they are believed to be written at
the destination, 20418 at the source. 21502 is the umbrella of failures, 21024 the marker at the source, 1106 carries
the bare HRESULT.
"""

from __future__ import annotations

from console.lab.world.log import (
    CLUSTERING,
    ERROR,
    HIGH_AVAILABILITY,
    INFORMATION,
    VMMS_ADMIN,
    VMMS_OPERATIONAL,
    WARNING,
)
from console.lab.world.moving import Move
from console.lab.world.state import Group, VirtualMachine
from console.lab.world.world import World

LONG_BLACKOUT_S = 10.0

MESSAGES: dict[int, str] = {
    0x80004005: "Unspecified error",
    0x800704C7: "The operation was canceled by the user.",
    0x80070534: "No mapping between account names and security IDs was done.",
    0x8007000E: "Not enough memory resources are available to complete this operation.",
    0x800705AA: "Insufficient system resources exist to complete the requested service.",
    0x80071398: "The operation failed because either the specified cluster node is not the owner of the group, or the"
    " node is not a possible owner of the group.",
    0x000013AB: "A cluster network is not available for this operation.",
    0x8007271D: "An attempt was made to access a socket in a way forbidden by its access permissions.",
    0x8007274C: "A connection attempt failed because the connected party did not properly respond after a period of"
    " time, or established connection failed because connected host has failed to respond.",
    0x8007274D: "No connection could be made because the target machine actively refused it.",
    0x80072746: "An existing connection was forcibly closed by the remote host.",
    0x8009030E: "No credentials are available in the security package",
    0x8009030D: "The credentials supplied to the package were not recognized",
    0x80090322: "The target principal name is incorrect.",
    0x80070569: "Logon failure: the user has not been granted the requested logon type at this computer.",
    0xC03A0014: "A virtual disk support provider for the specified file was not found.",
    0x80042001: "The computer name is not in upper case.",
    0x80070490: "Element not found.",
    0x80071748: "The group or resource is locked and can not be moved.",
    0x800703E3: "The I/O operation has been aborted because of either a thread exit or an application request.",
}


def message_of(hresult: int) -> str:
    return MESSAGES.get(hresult, "Unspecified error")


def started(world: World, group: Group, move: Move) -> None:
    world.log.write(
        world.now_s,
        move.source,
        CLUSTERING,
        1641,
        INFORMATION,
        f"Clustered role '{group.name}' is moving from cluster node '{move.source}' to cluster node"
        f" '{move.destination}'.",
        group.name,
        move.source,
        move.destination or "",
    )


def completed(world: World, vm: VirtualMachine, move: Move) -> None:
    """A live migration arrived."""
    blackout = f"{move.blackout_s or 0.0:.1f}"
    long = (move.blackout_s or 0.0) >= LONG_BLACKOUT_S
    words = " with an unexpectedly long blackout time" if long else ". Blackout time:"
    world.log.write(
        world.now_s,
        move.destination or "",
        VMMS_ADMIN,
        20417 if long else 20415,
        WARNING if long else INFORMATION,
        f"Live migration of '{vm.name}' completed successfully{words} {blackout} seconds. (VMID {vm.id})",
        vm.name,
        str(vm.id).upper(),
        blackout,
    )
    world.log.write(
        world.now_s,
        move.source,
        VMMS_ADMIN,
        20418,
        INFORMATION,
        f"Virtual machine migration of '{vm.name}' completed successfully. (VMID {vm.id})",
        vm.name,
        str(vm.id).upper(),
    )


def failed(world: World, name: str, identifier: str, move: Move) -> None:
    """A move did not arrive: the umbrella and the marker at the source, the cause at both ends."""
    text = (
        f"Live migration of 'Virtual Machine {name}' failed. Virtual machine migration operation for '{name}' failed"
        f" at migration source '{move.source}'. (Virtual machine ID {identifier}) {move.message}"
        f" (0x{move.hresult:08X})."
    )
    world.log.write(world.now_s, move.source, HIGH_AVAILABILITY, 21502, ERROR, text, "", "", text)
    world.log.write(
        world.now_s,
        move.source,
        VMMS_ADMIN,
        21024,
        ERROR,
        f"Virtual machine migration operation for '{name}' failed at migration source '{move.source}'."
        f" (Virtual machine ID {identifier})",
        name,
        identifier,
        move.source,
    )
    for host in (move.source, move.destination):
        if host:
            world.log.write(
                world.now_s,
                host,
                VMMS_OPERATIONAL,
                1106,
                ERROR,
                f"vm\\service: migration of '{name}' failed: {message_of(move.hresult)} ({move.hresult:08X})",
                name,
                identifier,
                f"{move.hresult:08X}",
            )


def several_vms(world: World, group: Group, move: Move) -> None:
    """21124 carries no parameters."""
    world.log.write(
        world.now_s,
        move.source,
        HIGH_AVAILABILITY,
        21124,
        ERROR,
        f"Cluster role '{group.name}' holds more than one virtual machine resource: live migration is not possible.",
    )


def drain_move_failed(world: World, group: Group, move: Move) -> None:
    world.log.write(
        world.now_s,
        move.source,
        CLUSTERING,
        1137,
        ERROR,
        f"Move of cluster role '{group.name}' for drain could not be completed. The operation failed with error code"
        f" {move.hresult}.",
        group.name,
        str(move.hresult),
    )


def drain_failed(world: World, host: str) -> None:
    world.log.write(world.now_s, host, CLUSTERING, 1677, ERROR, f"Node drain failed on Cluster node '{host}'.", host)
