"""Which nodes a run asks about the cluster, and in which order: never first the one that is being emptied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from console.inventory.control import Control
from console.inventory.joining import Names
from console.model.cluster import Host, NodeState
from console.model.failures import Failure
from console.model.identity import HostName
from console.ports import Reader
from console.windows.commands import Call, Row
from console.windows.decode import Problems

T = TypeVar("T")


class Circle:
    """The nodes of the cluster as this run knows them, best one to ask first.

    Args:
        drained: asked last: its own session may end in the middle of its drain.
    """

    def __init__(self, reader: Reader, candidates: Iterable[HostName], drained: HostName) -> None:
        self._reader = reader
        self._drained = drained
        self._candidates: list[HostName] = []
        self._names = Names(())
        self._able = 0
        """How many of the first candidates were up when the nodes were read; 0 before that."""
        self._learn(candidates)

    @property
    def order(self) -> tuple[HostName, ...]:
        return tuple(self._candidates)

    def name(self, name: HostName) -> HostName:
        """The node's own spelling."""
        return self._names(name)

    def take(self, nodes: Sequence[Host]) -> None:
        """Learn the cluster's nodes: those that are up are asked before the others."""
        self._names = Names(nodes)
        up = [node.name for node in nodes if node.state is NodeState.UP]
        rest = [node.name for node in nodes if node.state is not NodeState.UP]
        first = self._candidates[0] if self._candidates and self._candidates[0] in up else None
        self._learn([*([first] if first else []), *up, *rest])
        self._able = sum(name in up for name in self._candidates if name.casefold() != self._drained.casefold())

    def _learn(self, names: Iterable[HostName]) -> None:
        ordered = list(dict.fromkeys(names))
        others = [name for name in ordered if name.casefold() != self._drained.casefold()]
        self._candidates = [*others, *(name for name in ordered if name not in others)]

    async def told(self, call: Call, decode: Callable[[Sequence[Row], Problems], T], *, turn: int = 0) -> T:
        """The cluster's answer to an essential read.

        Each node answers one call at a time: reads that are asked together take different ``turn``s, and none waits
        for the other.

        Raises:
            Failure: no node answers it.
        """
        control = Control(self._reader, self._from(turn))
        answer = await control.told(call, decode, essential=True)
        if control.silent:
            self.prefer_others(control.silent)
        assert answer is not None, "an essential read answers or raises"
        return answer

    async def told_if_possible(
        self, call: Call, decode: Callable[[Sequence[Row], Problems], T], *, turn: int = 0
    ) -> T | None:
        """The cluster's answer, or None where it could not be read."""
        try:
            return await self.told(call, decode, turn=turn)
        except Failure:
            return None

    def _from(self, turn: int) -> list[HostName]:
        """The candidates, with another of those that were up first; the drained one stays last."""
        able = self._candidates[: self._able]
        if not able:
            return self._candidates
        first = turn % len(able)
        return [*able[first:], *able[:first], *self._candidates[self._able :]]

    def prefer_others(self, silent: Iterable[HostName]) -> None:
        """Ask these last from now on."""
        late = [name for name in self._candidates if name in set(silent)]
        self._able -= sum(name in late for name in self._candidates[: self._able])
        self._learn([*(name for name in self._candidates if name not in late), *late])
