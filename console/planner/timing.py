"""When the moves of a wave run: from several nodes to several others, one forecast a move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from console.forecast.values import Forecaster, MigrationType, MoveForecast
from console.model.cluster import Cluster
from console.model.identity import HostName

from .fluid import POLICIES
from .improve import best_schedule
from .limits import at_once, implied_ports, limits_of, takes_a_slot
from .places import Choice
from .schedule import Job, Slot
from .sorting import with_levers
from .values import PlanOptions

_TRIES = 40
"""Of few moves more orders than this are hardly ever better."""


@dataclass(frozen=True, slots=True)
class Timed:
    choices: tuple[Choice, ...]
    slots: tuple[Slot, ...]
    """One a choice, seconds from the start of the wave."""
    makespan_s: float
    lower_bound_s: float


def time_moves(
    cluster: Cluster, choices: Sequence[Choice], options: PlanOptions, forecaster: Forecaster, *, effort: int = 0
) -> Timed:
    """Schedule moves whose destinations are chosen; each VM's own host is its source.

    Args:
        effort: moves that may be simulated to better the order, longest first; 0 keeps that one.
    """
    if not choices:
        return Timed((), (), 0.0, 0.0)
    sources = tuple(dict.fromkeys(choice.vm.host for choice in choices))
    views = {source: with_levers(cluster, source, options) for source in sources}
    slots = min(at_once(views[source], source, options) for source in sources)
    sharing = max(1, min(slots, sum(takes_a_slot(choice.vm) for choice in choices) // len(sources)))
    shared = [forecaster.forecast(views[choice.vm.host], choice.vm, choice.host, sharing=sharing) for choice in choices]
    solo = _solo_rates(views, choices, shared, forecaster, sharing)
    order = sorted(range(len(choices)), key=lambda place: (-shared[place].duration_p50_s, choices[place].vm.id))
    jobs = [_job(choices[place], shared[place], solo[_pair(choices[place])]) for place in order]
    probes = [(pair[1], alone, with_others) for pair, (alone, with_others) in _probes(choices, shared, solo).items()]
    ports = implied_ports(probes, sources, sharing)
    limits = limits_of(cluster, sources, {choice.host for choice in choices}, options, ports)
    policies = POLICIES if effort else POLICIES[: 1 if len(sources) == 1 else 2]
    found = best_schedule(
        jobs, limits, effort=min(effort, _TRIES * len(jobs)), policies=policies, keep_order=not effort
    )
    ordered = tuple(choices[place] for place in order)
    return Timed(ordered, tuple(found.slots), found.makespan_s, found.lower_bound_s)


def _pair(choice: Choice) -> tuple[HostName, HostName]:
    return choice.vm.host, choice.host


def _solo_rates(
    views: dict[HostName, Cluster],
    choices: Sequence[Choice],
    shared: Sequence[MoveForecast],
    forecaster: Forecaster,
    sharing: int,
) -> dict[tuple[HostName, HostName], MoveForecast]:
    """What a lone move reaches, asked once a pair: of its largest copy."""
    largest: dict[tuple[HostName, HostName], tuple[float, int]] = {}
    for place, (choice, each) in enumerate(zip(choices, shared, strict=True)):
        pair = _pair(choice)
        largest[pair] = max(largest.get(pair, (-1.0, 0)), (each.bytes_to_send, place))
    found: dict[tuple[HostName, HostName], MoveForecast] = {}
    for pair, (_, place) in largest.items():
        choice = choices[place]
        if sharing == 1:
            found[pair] = shared[place]
        else:
            found[pair] = forecaster.forecast(views[choice.vm.host], choice.vm, choice.host, sharing=1)
    return found


def _probes(
    choices: Sequence[Choice],
    shared: Sequence[MoveForecast],
    solo: dict[tuple[HostName, HostName], MoveForecast],
) -> dict[tuple[HostName, HostName], tuple[MoveForecast, MoveForecast]]:
    found: dict[tuple[HostName, HostName], tuple[MoveForecast, MoveForecast]] = {}
    for choice, each in zip(choices, shared, strict=True):
        pair = _pair(choice)
        if pair not in found or each.bytes_to_send > found[pair][1].bytes_to_send:
            found[pair] = (solo[pair], each)
    return found


def _job(choice: Choice, shared: MoveForecast, solo: MoveForecast) -> Job:
    """Its bytes are those that others would take in its place."""
    copying_s = shared.bytes_to_send / shared.rate_bytes_per_s if shared.rate_bytes_per_s > 0 else 0.0
    fixed_s = max(0.0, shared.duration_p50_s - copying_s)
    weight = shared.link_weight
    reached = max(solo.rate_bytes_per_s * solo.link_weight, shared.rate_bytes_per_s * weight)
    stream = reached if shared.bytes_to_send > 0 else math.inf
    offline = shared.migration_type is MigrationType.OFFLINE
    return Job(choice.vm.host, choice.host, fixed_s, shared.bytes_to_send * weight, stream, offline=offline)
