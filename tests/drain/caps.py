"""How many migrations may run at once in the small world, counted by the world itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.model.identity import HostName
from console.planner.values import SlotReading

Ends = tuple[HostName, HostName]


OFF_AT_ONCE = 4
"""What the documentation promises of VMs that are off: MaximumParallelMigrations and its like count live migrations
only, and these have a number of their own."""


def too_many_off(on_their_way: int) -> list[str]:
    return [f"{on_their_way} VMs that are off on their way at once"] if on_their_way > OFF_AT_ONCE else []


@dataclass(frozen=True)
class Caps:
    """What MaximumParallelMigrations counts, and what the site sets besides."""

    parallel_per: SlotReading = SlotReading.NODE
    per_destination: int | None = None
    per_pair: int | None = None
    cluster_wide: int | None = None

    def broken(self, flying: Sequence[Ends], limit: int) -> Iterator[str]:
        """A sentence for each limit that these migrations are over."""
        nodes = Counter(node for ends in flying for node in ends)
        pairs = Counter(frozenset(ends) for ends in flying)
        into = Counter(destination for _, destination in flying)
        by_node = self.parallel_per is SlotReading.NODE
        yield from _over(nodes if by_node else pairs, limit, "migrations at")
        yield from _over(into, self.per_destination, "moves into")
        yield from _over(pairs, self.per_pair, "moves between")
        if self.cluster_wide is not None and len(flying) > self.cluster_wide:
            yield f"{len(flying)} moves in the cluster, allowed {self.cluster_wide}"


def _over(counts: Mapping[HostName, int] | Mapping[frozenset[HostName], int], most: int | None, what: str) -> list[str]:
    over = [(place, n) for place, n in counts.items() if most is not None and n > most]
    return [f"{n} {what} {_shown(place)}, {most} allowed" for place, n in over]


def _shown(place: HostName | frozenset[HostName]) -> str:
    return place if isinstance(place, str) else " and ".join(sorted(place))
