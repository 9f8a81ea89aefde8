"""What the arithmetic is off by, learned from finished moves: everywhere, on a path, of a kind, of a VM, in this run.

Each level with evidence proposes a correction; they are mixed by how wrong each of them was lately on moves of the
same kind. So nobody has to decide when a VM's own history is worth more than what its neighbours just took.
Corrections of durations are logarithms of actual ÷ forecast, those of blackouts seconds to add.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from .facts import MoveFacts
from .windows import Kinds, Window, middle

_DECISIVE = 12.0
"""How sharply a level that erred more loses its say."""
_FORGETTING = 0.05
"""Of each earlier error, at every further one."""
_RUN_SHRINKS = 1.0
"""Moves of a run that weigh as much as the belief that the run is like any other."""
_ANSWERS = 4000
"""Kept at most."""
_COUNTER = re.compile(r"[\W_]*\d+$")


class Keys(NamedTuple):
    """What a move has in common with others; each field names one group."""

    run: str
    path: Hashable
    kind: Hashable
    """Same series of runs, transport, size, link, sharing."""
    vm: Hashable | None


def keys_of(facts: MoveFacts) -> Keys:
    """Runs of which only the number at the end of the name differs are a series."""
    path = (facts.transport, facts.source, facts.destination)
    kind = (_series(facts.run), facts.transport, facts.memory_bytes, facts.link_bytes_per_s, facts.streams)
    return Keys(facts.run, path, kind, None if facts.vm is None else (facts.vm, kind))


@lru_cache(maxsize=1000)
def _series(run: str) -> str:
    return _COUNTER.sub("", run)


class Opinion(NamedTuple):
    """What the levels said of one move, kept until it has finished."""

    keys: Keys
    proposals: Mapping[str, float]
    base: float
    """Of all levels but the run."""
    correction: float
    """Of all of them."""


def relative(off: float) -> float:
    """What being off by a logarithm costs: the share of the actual value."""
    return abs(math.expm1(min(3.0, off)))


_Strange: TypeAlias = tuple[float, Hashable | None]
"""How far a move of the run was from what was said of it, and its kind if that was met for the first time: others of
that kind have learned it since, and would count it twice."""


_Asked: TypeAlias = tuple[Hashable | None, Hashable | None, Hashable | None, str | None]
_Answer: TypeAlias = tuple[Mapping[str, float], float, float]


class Levels:
    """Bounded memory: windows of the last errors of the groups that were met last."""

    def __init__(self, cost: Callable[[float], float] = relative) -> None:
        self._cost = cost
        self._everywhere = Window(200)
        self._paths: Kinds[Window] = Kinds(lambda: Window(100))
        self._kinds: Kinds[Window] = Kinds(lambda: Window(120))
        self._vms: Kinds[Window] = Kinds(lambda: Window(30))
        self._runs: Kinds[deque[_Strange]] = Kinds(lambda: deque(maxlen=60), 1000)
        self._losses: Kinds[dict[str, float]] = Kinds(dict)
        self._answers: dict[_Asked, _Answer] = {}
        """Until the next lesson: one that learns no more is asked the same again and again."""

    def opinion(self, keys: Keys) -> Opinion:
        """What evidence so far makes of a move; never looks at the move itself."""
        if not len(self._everywhere):
            return Opinion(keys, {"prior": 0.0}, 0.0, 0.0)
        asked = self._asked(keys)
        found = self._answers.get(asked)
        if found is None:
            if len(self._answers) >= _ANSWERS:
                self._answers.clear()
            found = self._answers[asked] = self._answer(keys)
        return Opinion(keys, *found)

    def _asked(self, keys: Keys) -> _Asked:
        """What of the move is known; all that is unknown is alike."""
        run = keys.run if keys.run in self._runs else None
        kind = keys.kind if run is not None or keys.kind in self._kinds or keys.kind in self._losses else None
        path = keys.path if keys.path in self._paths or keys.path in self._losses else None
        return keys.vm if keys.vm in self._vms else None, kind, path, run

    def _answer(self, keys: Keys) -> _Answer:
        proposals = self._proposals(keys)
        losses = self._losses.find(keys.kind) or self._losses.find(keys.path) or self._losses.find(None) or {}
        base = _mixed(proposals, losses)
        strange = sorted([off for off, kind in self._runs.find(keys.run) or () if kind != keys.kind])
        if not strange:
            return proposals, base, base
        proposals["run"] = base + middle(strange) * len(strange) / (len(strange) + _RUN_SHRINKS)
        return proposals, base, _mixed(proposals, losses)

    def learn(self, opinion: Opinion, error: float) -> None:
        """Take in a finished move: what its forecast was off by before correction."""
        self._answers.clear()
        keys = opinion.keys
        everywhere = self._losses.at(None)
        path = self._losses_of(keys.path, everywhere)
        costs = {name: self._cost(value - error) for name, value in opinion.proposals.items()}
        for losses in (everywhere, path, self._losses_of(keys.kind, path)):
            _blame(losses, costs)
        new = None if "kind" in opinion.proposals else keys.kind
        self._runs.at(keys.run).append((error - opinion.base, new))
        self._everywhere.add(error)
        self._paths.at(keys.path).add(error)
        self._kinds.at(keys.kind).add(error)
        if keys.vm is not None:
            self._vms.at(keys.vm).add(error)

    def evidence(self, keys: Keys) -> dict[str, int]:
        """How many finished moves each level rests on."""
        vm = None if keys.vm is None else self._vms.find(keys.vm)
        groups = {"path": self._paths.find(keys.path), "kind": self._kinds.find(keys.kind),
                  "VM": vm, "run": self._runs.find(keys.run)}  # fmt: skip
        return {"everywhere": len(self._everywhere), **{name: len(found or ()) for name, found in groups.items()}}

    def _losses_of(self, group: Hashable, wider: Mapping[str, float]) -> dict[str, float]:
        """The group's own; a new group begins with those of the wider one."""
        found = self._losses.find(group)
        if found is None:
            found = self._losses.at(group)
            found.update(wider)
        return found

    def _proposals(self, keys: Keys) -> dict[str, float]:
        proposals = {"prior": 0.0}
        if len(self._everywhere) >= 3:
            proposals["everywhere"] = self._everywhere.median()
        path, kind = self._paths.find(keys.path), self._kinds.find(keys.kind)
        if path is not None and len(path) >= 3:
            proposals["path"] = path.median()
        if kind is not None:
            proposals["kind"] = kind.median()
            proposals["kind, lately"] = kind.recent(30)
            proposals["kind, just now"] = kind.recent(9)
        vm = None if keys.vm is None else self._vms.find(keys.vm)
        if vm is not None:
            proposals["VM"] = vm.median()
            proposals["VM, lately"] = vm.recent(5)
        return proposals


def _blame(losses: dict[str, float], costs: Mapping[str, float]) -> None:
    """A level that proposes for the first time begins with the loss of the best."""
    if not losses.keys() >= costs.keys():
        least = min((losses[name] for name in costs if name in losses), default=0.0)
        for name in costs.keys() - losses.keys():
            losses[name] = least
    for name, cost in costs.items():
        losses[name] = losses[name] * (1 - _FORGETTING) + cost


def _mixed(proposals: Mapping[str, float], losses: Mapping[str, float]) -> float:
    told = [losses.get(name) for name in proposals]
    least = min([loss for loss in told if loss is not None], default=0.0)
    total = weighted = 0.0
    for value, loss in zip(proposals.values(), told, strict=True):
        weight = 1.0 if loss is None else math.exp(_DECISIVE * (least - loss))
        total += weight
        weighted += weight * value
    return weighted / total
