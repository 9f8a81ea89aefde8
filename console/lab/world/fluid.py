"""Shared links as a fluid: max-min fair rates, recomputed whenever a flow starts or ends.

Between two changes every rate is constant, so that the moment a transfer ends is known exactly and asking in between
changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Flow:
    """A stream of bytes through shared resources.

    ``uses`` lists (resource, cost): each byte of the flow takes ``cost`` units of the resource.
    """

    ceiling_bytes_per_s: float
    uses: tuple[tuple[str, float], ...]


_TOLERANCE = 1e-9


def fair_rates(flows: Mapping[str, Flow], capacities: Mapping[str, float]) -> dict[str, float]:
    """Max-min fair rates by progressive filling.

    Args:
        flows: by key; a resource that is not in ``capacities`` does not limit.
        capacities: units per second of each shared resource; an infinite one does not limit either.
    """
    rates = dict.fromkeys(flows, 0.0)
    left = {resource: units for resource, units in capacities.items() if units < math.inf}
    growing = {key for key, flow in flows.items() if flow.ceiling_bytes_per_s > 0}
    while growing:
        demand: dict[str, float] = {}
        for key in sorted(growing):
            for resource, cost in flows[key].uses:
                if resource in left:
                    demand[resource] = demand.get(resource, 0.0) + cost
        step = min(
            min((flows[key].ceiling_bytes_per_s - rates[key] for key in growing), default=math.inf),
            min((left[resource] / cost for resource, cost in demand.items() if cost > 0), default=math.inf),
        )
        step = max(step, 0.0)
        for resource, cost in demand.items():
            left[resource] -= step * cost
        for key in growing:
            rates[key] += step
        full = {
            resource for resource, cost in demand.items() if cost > 0 and left[resource] <= _slack(capacities, resource)
        }
        done = {key for key in growing if _stops(flows[key], rates[key], full)}
        if not done:
            break
        growing -= done
    return rates


def _slack(capacities: Mapping[str, float], resource: str) -> float:
    return _TOLERANCE * max(capacities[resource], 1.0)


def _stops(flow: Flow, rate: float, full: Iterable[str]) -> bool:
    if rate >= flow.ceiling_bytes_per_s * (1 - _TOLERANCE):
        return True
    return any(resource in full for resource, cost in flow.uses if cost > 0)


@dataclass(slots=True)
class Transfer:
    """A volume on its way. Valid since ``anchor_s``; read-only between two changes of rate."""

    flow: Flow
    volume_bytes: float
    left_at_anchor_bytes: float
    anchor_s: float
    rate_bytes_per_s: float = 0.0

    def left_bytes(self, now_s: float) -> float:
        return max(0.0, self.left_at_anchor_bytes - self.rate_bytes_per_s * (now_s - self.anchor_s))

    def sent_bytes(self, now_s: float) -> float:
        return self.volume_bytes - self.left_bytes(now_s)

    @property
    def end_s(self) -> float:
        """When it will be done if nothing changes; infinite while it stands still."""
        if self.left_at_anchor_bytes <= 0:
            return self.anchor_s
        if self.rate_bytes_per_s <= 0:
            return math.inf
        return self.anchor_s + self.left_at_anchor_bytes / self.rate_bytes_per_s


@dataclass
class Fabric:
    """Every transfer that is on, and what they share."""

    capacities: dict[str, float] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    _stale: bool = False

    def start(self, key: str, volume_bytes: float, flow: Flow, now_s: float) -> None:
        self.transfers[key] = Transfer(flow, volume_bytes, volume_bytes, now_s)
        self._stale = True

    def stop(self, key: str) -> Transfer | None:
        found = self.transfers.pop(key, None)
        self._stale = self._stale or found is not None
        return found

    def set_capacity(self, resource: str, units_per_s: float) -> None:
        if self.capacities.get(resource) != units_per_s:
            self.capacities[resource] = units_per_s
            self._stale = True

    def replace_flow(self, key: str, flow: Flow, now_s: float) -> None:
        """Give a transfer another ceiling or path from now on."""
        transfer = self.transfers[key]
        if transfer.flow != flow:
            transfer.left_at_anchor_bytes, transfer.anchor_s = transfer.left_bytes(now_s), now_s
            transfer.flow = flow
            self._stale = True

    def settle(self, now_s: float) -> None:
        """Recompute the shares if anything changed; call after every instant."""
        if not self._stale:
            return
        self._stale = False
        rates = fair_rates({key: transfer.flow for key, transfer in self.transfers.items()}, self.capacities)
        for key, transfer in self.transfers.items():
            if rates[key] != transfer.rate_bytes_per_s:
                transfer.left_at_anchor_bytes = transfer.left_bytes(now_s)
                transfer.anchor_s = now_s
                transfer.rate_bytes_per_s = rates[key]

    def next_end(self) -> tuple[float, str] | None:
        """The earliest end and whose it is; ties go to the smaller key."""
        ends = [(transfer.end_s, key) for key, transfer in self.transfers.items()]
        first = min(ends, default=None)
        return first if first is not None and first[0] < math.inf else None
