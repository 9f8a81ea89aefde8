"""Whether sizes fit into rooms: what the loss of one more host comes down to."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Sequence

_SEARCHED = 2000
"""Steps of the search when both quick ways leave something over."""
_MOST_SEARCHED = 24
"""Sizes; with more, what the quick ways leave over is as good as true."""


def left_over(sizes: Sequence[int], rooms: Sequence[float]) -> float:
    """How much of the sizes finds no room; 0 only with a packing at hand.

    Largest first into the emptiest room, then into the tightest that fits, then, of few sizes, by search.
    """
    if not sizes:
        return 0.0
    open_rooms = [room for room in rooms if room > 0]
    total, largest = sum(sizes), max(sizes)
    if total <= sum(max(0.0, room - largest) for room in open_rooms):
        return 0.0  # filled one after the other, no room can be left with less than the largest size unused
    beyond = total - sum(open_rooms)
    ordered = sorted(sizes, reverse=True)
    over = min(_into_the_emptiest(ordered, open_rooms), _into_the_tightest(ordered, open_rooms))
    if over > 0 >= beyond and len(ordered) <= _MOST_SEARCHED and _Search(ordered).fits(tuple(sorted(open_rooms))):
        return 0.0
    return over


def _into_the_emptiest(ordered: Sequence[int], rooms: Sequence[float]) -> float:
    heap = [-room for room in rooms]
    heapq.heapify(heap)
    over = 0.0
    for size in ordered:
        if heap and -heap[0] >= size:
            heapq.heapreplace(heap, heap[0] + size)
        else:
            over += size
    return over


def _into_the_tightest(ordered: Sequence[int], rooms: Sequence[float]) -> float:
    left = sorted(rooms)
    over = 0.0
    for size in ordered:
        place = bisect.bisect_left(left, size)
        if place < len(left):
            bisect.insort(left, left.pop(place) - size)
        else:
            over += size
    return over


class _Search:
    """Depth first; rooms that are alike are tried once, and no state twice."""

    def __init__(self, ordered: Sequence[int]) -> None:
        self.ordered = ordered
        self.steps = _SEARCHED
        self.seen: set[tuple[int, tuple[float, ...]]] = set()

    def fits(self, rooms: tuple[float, ...], at: int = 0) -> bool:
        """Whether the sizes from ``at`` on fit into the rooms, which are sorted."""
        if at == len(self.ordered):
            return True
        if self.steps <= 0 or (at, rooms) in self.seen:
            return False
        self.steps -= 1
        self.seen.add((at, rooms))
        size = self.ordered[at]
        first = bisect.bisect_left(rooms, size)
        for place in range(first, len(rooms)):
            if place > first and rooms[place] == rooms[place - 1]:
                continue
            rest = sorted((*rooms[:place], rooms[place] - size, *rooms[place + 1 :]))
            if self.fits(tuple(rest), at + 1):
                return True
        return False
