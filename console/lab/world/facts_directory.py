"""The domain's directory and the hosts' registry, as far as migrations have to do with them."""

from __future__ import annotations

from console.lab.world.state import Host
from console.lab.world.world import World

MIGRATION_SERVICE, FILE_SERVICE = "Microsoft Virtual System Migration Service", "cifs"
_COMPUTER_NAME = r"SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName"


def domain_name(world: World, host: Host) -> str:
    """The host's full name."""
    return host.name if world.scenario.workgroup else f"{host.name}.{world.scenario.domain}"


def distinguished_name(world: World, host: Host) -> str:
    parts = ",".join(f"DC={part}" for part in world.scenario.domain.split("."))
    return f"CN={host.name},OU=Hypervisors,{parts}"


def delegated_to(world: World, host: Host) -> list[str]:
    """Services of the other nodes to which the host's account may delegate."""
    if not host.delegation:
        return list(host.delegated_services)
    others = [other for other in world.hosts.values() if other.name != host.name]
    return [
        f"{service}/{name}"
        for other in others
        for service in (MIGRATION_SERVICE, FILE_SERVICE)
        for name in (other.name, domain_name(world, other))
    ]


def registry_text(host: Host, key: str, value: str) -> str | None:
    """A string below HKEY_LOCAL_MACHINE; None when there is no such value."""
    known = {
        (_COMPUTER_NAME.lower(), "computername"): host.registry_name,
        (r"software\microsoft\windows nt\currentversion", "currentbuild"): str(host.build),
        (r"software\microsoft\windows nt\currentversion", "productname"): "Windows Server Datacenter",
    }
    return known.get((key.lower(), value.lower()))
