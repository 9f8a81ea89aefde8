"""What other ways to roll would cost, from the fewest moves to the shortest window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from console.forecast.values import Forecaster
from console.model.cluster import Cluster
from console.model.identity import HostName

from .refusals import Blocked
from .roll import RollChoice, RollOptions, plan_roll, widest_wave

_MANY_MOVES = 4000


def roll_choices(
    cluster: Cluster,
    nodes: Sequence[HostName],
    options: RollOptions,
    forecaster: Forecaster,
    *,
    blocked: Blocked | None = None,
) -> tuple[RollChoice, ...]:
    """From the fewest moves to the shortest window, with what lies between, and the way with failback.

    Each is planned; what costs more moves and takes longer than another is not told. In a large cluster only the ends
    and their middle are planned: the rest lies between those.
    """
    widest = widest_wave(cluster, nodes, options.plan)
    many = sum(len(cluster.vms_on(node)) for node in nodes) > _MANY_MOVES
    sizes = {1, round(widest**0.5), widest} if many else set(range(1, min(widest, 8) + 1)) | {widest}
    ways = [(size, False) for size in sorted(sizes)] + [(1, True)]
    found: list[RollChoice] = []
    for wave, failback in ways:
        plan = plan_roll(cluster, nodes, replace(options, wave=wave, failback=failback), forecaster, blocked=blocked)
        found.append(RollChoice(wave, failback, plan.moves_per_vm, plan.window_s, len(plan.infeasible)))
    return tuple(each for each in found if not any(_better(other, each, found) for other in found))


def _better(one: RollChoice, other: RollChoice, found: Sequence[RollChoice]) -> bool:
    """Whether nobody would choose the other: it costs as much or more in every way, and is no way with failback."""
    if one is other or other.failback:
        return False
    costs, more = ((each.left_over, each.moves_per_vm, each.window_s) for each in (one, other))
    no_worse = all(cost <= cost_more for cost, cost_more in zip(costs, more, strict=True))
    return no_worse and (costs != more or found.index(one) < found.index(other))
