"""Processor compatibility as vectors, and GUIDs of settings and jobs that Windows would make up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.lab.world.moving import Move
from console.lab.world.state import Host, VirtualMachine, new_id
from console.lab.world.world import World

_VENDORS = {"GenuineIntel": 1, "AuthenticAMD": 2}


@dataclass(frozen=True, slots=True)
class Vector:
    """One processor property of a VM or a host, and how the two compare, the VM on the left."""

    id: int
    operation: str
    value: int


def host_vectors(host: Host) -> list[Vector]:
    """What a host offers."""
    return _vectors(host, host.processor_features)


def vm_vectors(vm: VirtualMachine, host: Host) -> list[Vector]:
    """What a VM needs; one that is off has taken no features and has none."""
    return _vectors(host, vm.required_features) if vm.running else []


def _vectors(host: Host, features: int) -> list[Vector]:
    """The vendor must be the same; features, low and high half, must all be there."""
    return [
        Vector(1, "Equal", _VENDORS.get(host.processor_manufacturer, 0)),
        Vector(2, "Subset", features & 0xFFFF),
        Vector(3, "Subset", features >> 16),
    ]


def described(vm: VirtualMachine, host: Host) -> bytes:
    """What a VM needs of a host, for another one to judge; opaque to everybody else."""
    needs = vm.required_features if vm.running else 0
    return f"{host.processor_manufacturer if vm.running else ''}\n{needs:x}\n{vm.name}".encode()


def judged(info: bytes, host: Host) -> str | None:
    """Why the host could not take a VM that was described so, "" when it could; None for what describes no VM."""
    vendor, _, rest = info.decode(errors="replace").partition("\n")
    needs, _, name = rest.partition("\n")
    if not name or not re.fullmatch(r"[0-9a-f]{1,16}", needs):
        return None
    if vendor in ("", host.processor_manufacturer) and not int(needs, 16) & ~host.processor_features:
        return ""
    return (
        f"The virtual machine '{name}' is using processor-specific features not supported on physical computer"
        f" '{host.name}'."
    )


def setting_guid(world: World, vm: VirtualMachine) -> str:
    return str(new_id(world.dice("security", vm.id))).upper()


def job_guid(world: World, move: Move) -> str:
    return str(new_id(world.dice("job", move.number))).upper()
