"""The last values of many kinds, their medians and quantiles, in bounded memory."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from itertools import islice
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Window:
    """The last ``most`` values, sorted all the time; medians are kept until the next value."""

    __slots__ = ("_order", "_recent", "_sorted")

    def __init__(self, most: int) -> None:
        self._order: deque[float] = deque(maxlen=most)
        self._sorted: list[float] = []
        self._recent: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._order)

    def add(self, value: float) -> None:
        if len(self._order) == self._order.maxlen:
            del self._sorted[bisect_left(self._sorted, self._order[0])]
        self._order.append(value)
        insort(self._sorted, value)
        self._recent.clear()

    def median(self) -> float:
        return middle(self._sorted)

    def recent(self, count: int) -> float:
        """The median of the last ``count``."""
        found = self._recent.get(count)
        if found is None:
            found = self._recent[count] = middle(sorted(islice(reversed(self._order), count)))
        return found

    def upper(self, share: float) -> float:
        """The value that ``share`` of further ones stay under, were they drawn as these were."""
        place = math.ceil(share * (len(self._sorted) + 1))
        return self._sorted[min(place, len(self._sorted)) - 1]


def middle(values: list[float]) -> float:
    """The median of sorted values."""
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


class Kinds(Generic[Kept]):
    """One thing for each kind; of too many kinds, those that were not met for longest are forgotten."""

    def __init__(self, make: Callable[[], Kept], most: int = 4000) -> None:
        self._make = make
        self._most = most
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, kind: Hashable) -> bool:
        return kind in self._kept

    def find(self, kind: Hashable) -> Kept | None:
        return self._kept.get(kind)

    def at(self, kind: Hashable) -> Kept:
        """What is kept for the kind; new if there is none."""
        found = self._kept.get(kind)
        if found is None:
            found = self._kept[kind] = self._make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(kind)
        return found
