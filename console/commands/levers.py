"""The plan's levers as typed on a command line, and what they mean on a given cluster."""

from __future__ import annotations

from dataclasses import dataclass

from console.exits import UsageProblem
from console.model.cluster import Cluster, MigrationTransport
from console.model.identity import HostName, VmId
from console.planner.roll import RollOptions
from console.planner.values import HeavyClass, PlanOptions, SiteLimits, SlotReading
from console.rolling.defaults import RollDefaults

from .names import find_host, find_vm

TRANSPORTS = {
    "tcpip": MigrationTransport.TCPIP,
    "compression": MigrationTransport.COMPRESSION,
    "smb": MigrationTransport.SMB,
}


@dataclass(frozen=True, slots=True)
class Levers:
    slots: int | None = None
    smb_cap_percent: float | None = None
    pinned: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    avoided: tuple[str, ...] = ()
    heavy: str | None = None
    transport: str | None = None
    parallel_per: str | None = None
    per_destination: int | None = None
    cluster_wide: int | None = None
    per_pair: int | None = None

    def on(self, cluster: Cluster) -> PlanOptions:
        """The options; what was not typed stays open.

        Raises:
            UsageProblem: a name that the cluster does not have, or has more than once.
        """
        return PlanOptions(
            slots=self.slots,
            smb_cap_fraction=None if self.smb_cap_percent is None else self.smb_cap_percent / 100,
            pinned=dict(_pin(cluster, text) for text in self.pinned),
            held=frozenset(find_vm(cluster, text).id for text in self.held),
            excluded=frozenset(find_vm(cluster, text).id for text in self.excluded),
            avoided=frozenset(find_host(cluster, text) for text in self.avoided),
            heavy=HeavyClass(self.heavy) if self.heavy else HeavyClass.AS_PLANNED,
            transport=TRANSPORTS[self.transport] if self.transport else None,
            limits=SiteLimits(
                reading=SlotReading(self.parallel_per) if self.parallel_per else SlotReading.NODE,
                per_destination=self.per_destination,
                per_pair=self.per_pair,
                cluster_wide=self.cluster_wide,
            ),
        )


@dataclass(frozen=True, slots=True)
class Way:
    """How a roll goes; None: as the configuration has it."""

    wave: int | None = None
    failback: bool | None = None
    service_s: float | None = None

    def over(self, defaults: RollDefaults) -> RollOptions:
        return RollOptions(
            wave=defaults.wave if self.wave is None else self.wave,
            failback=defaults.failback if self.failback is None else self.failback,
            service_s=defaults.service_s if self.service_s is None else self.service_s,
        )


def _pin(cluster: Cluster, text: str) -> tuple[VmId, HostName]:
    vm, equals, host = text.rpartition("=")
    if not equals or not vm:
        raise UsageProblem(f"--pin takes VM=HOST, not {text!r}.")
    return find_vm(cluster, vm).id, find_host(cluster, host)
