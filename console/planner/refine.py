"""Better destinations after the first ones: one more loss first, an even load second, and no rule given up for it.

A local search: one VM goes elsewhere, or two change places. Nothing that comes before in the order of aims may get
worse: no wish is broken for it (see ``Placement.wishes``), nothing that was planned before or pinned is touched.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from console.model.identity import HostName, VmId

from .after import Survival
from .placement import Placement
from .places import Choice, memory_needed
from .words import size_text

_EFFORT = 24_000
"""VMs that may be looked at while packing, and tries, some 10 ms: counted, so that the same question has the same
answer."""
_EVENED = 64
"""Steps towards an even load."""
_FULLEST, _TRIED = 3, 8
"""Hosts looked at for a step, and moves off them."""
_WORTH_IT = 0.01
"""Of a host: less is not worth another destination."""
_STEP_COST = 16
"""Of the effort, for one try that a rule may forbid."""


def refined(placement: Placement, choices: Sequence[Choice], survival: Survival) -> list[Choice]:
    """The choices, some with a better host; the placement is left as they ask."""
    if not choices:
        return []
    search = _Search(placement, choices, survival)
    search.keep_one_more()
    search.even_out()
    return search.choices


class _Search:
    def __init__(self, placement: Placement, choices: Sequence[Choice], survival: Survival) -> None:
        self.placement = placement
        self.survival = survival
        self._at = {choice.vm.id: choice for choice in choices}
        self._free = [choice.vm.id for choice in choices if not placement.fixed(choice.vm)]
        for choice in choices:
            survival.move(choice.vm, choice.vm.host, choice.host)

    @property
    def choices(self) -> list[Choice]:
        return list(self._at.values())

    def keep_one_more(self) -> None:
        """Until any one more host may be lost, or nothing helps any more."""
        if not self.survival.known or self.survival.hopeless:
            return
        short, better, tried = self.survival.shortfall_bytes(), True, 0
        while short > 0 and better:
            better = False
            for step in self._steps():
                tried += 1
                if self.survival.packed + _STEP_COST * tried > _EFFORT:
                    return
                undo = self._take(step)
                if undo is None:
                    continue
                now = self.survival.shortfall_bytes()
                if now < short:
                    short, better = now, True
                    self._tell(step)
                    break
                self._take(undo)

    def _steps(self) -> Iterator[dict[VmId, HostName]]:
        """One VM elsewhere; two that change places; two elsewhere."""
        movable = sorted(self._free, key=lambda vm: (-memory_needed(self._at[vm].vm), vm))
        for vm in movable:
            for host in self.placement.open_hosts:
                if host != self._at[vm].host:
                    yield {vm: host}
        for one, other in itertools.combinations(movable, 2):
            here, there = self._at[one].host, self._at[other].host
            if here != there and memory_needed(self._at[one].vm) != memory_needed(self._at[other].vm):
                yield {one: there, other: here}
        for one, other in itertools.combinations(movable, 2):
            for here, there in itertools.product(self.placement.open_hosts, repeat=2):
                if here != self._at[one].host and there != self._at[other].host:
                    yield {one: here, other: there}

    def _take(self, step: dict[VmId, HostName]) -> dict[VmId, HostName] | None:
        """Moves them; returns the way back, or None where a rule forbids it and nothing was done."""
        before = {vm: self._at[vm] for vm in step}
        wished = [self.placement.lift(choice) for choice in before.values()]
        done: list[VmId] = []
        for (vm, host), wish in zip(step.items(), wished, strict=True):
            found = self.placement.wish_at(before[vm].vm, host)
            if found is None or found > wish:
                break
            self.placement.put(before[vm].vm, host)
            done.append(vm)
        if len(done) < len(step):
            for vm in done:
                self.placement.lift(replace(before[vm], host=step[vm]))
            for choice in before.values():
                self.placement.put(choice.vm, choice.host)
            return None
        for vm, host in step.items():
            self.survival.move(before[vm].vm, before[vm].host, host)
            self._at[vm] = replace(before[vm], host=host)
        return {vm: choice.host for vm, choice in before.items()}

    def _tell(self, step: dict[VmId, HostName], why: str = "so that any one more host may fail") -> None:
        for vm, host in step.items():
            left = size_text(self.placement.free_after()[host])
            self._at[vm] = replace(self._at[vm], reason=f"{why}: {left} free after it")

    def even_out(self) -> None:
        """From a full host that got a VM to wherever it leaves both less full, as long as no loss gets worse."""
        known = self.survival.known
        short = self.survival.shortfall_bytes() if known else 0.0
        for _ in range(_EVENED):
            for step in self._relief():
                undo = self._take(step)
                if undo is None:
                    continue
                if known and self.survival.shortfall_bytes() > short:
                    self._take(undo)
                    continue
                self._tell(step, "so that no host gets fuller than it has to")
                break
            else:
                return

    def _relief(self) -> list[dict[VmId, HostName]]:
        """Single moves off the fullest hosts, the best first."""
        full = self.placement.fullness(None)
        mine: dict[HostName, list[VmId]] = {}
        for vm in self._free:
            mine.setdefault(self._at[vm].host, []).append(vm)
        found: list[tuple[float, float, VmId, HostName]] = []
        for host in sorted(mine, key=lambda name: (-full[name], name))[:_FULLEST]:
            for vm in mine[host]:
                for other, after in self.placement.fullness(self._at[vm].vm).items():
                    if other != host and after < full[host] - _WORTH_IT:
                        found.append((-full[host], after, vm, other))
        return [{vm: host} for _, _, vm, host in sorted(found)[:_TRIED]]
