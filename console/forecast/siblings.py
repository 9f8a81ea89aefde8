"""At which rate earlier moves copied, given who copied beside them: from nothing but when each began and was over."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from console.model.identity import HostName
from console.model.past import FinishedMove

from .transport import Path

_COPIES_AT_LEAST = 0.1
"""Of a move's time, however large the overhead is believed to be."""
_BEFORE = 0.6
"""Of the seconds that copy nothing, those before the copying."""

Port: TypeAlias = tuple[HostName, bool]
"""A host, and whether what is meant is its way out."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A move while it copies."""

    place: int
    begin_s: float
    end_s: float
    ports: tuple[Port, Port]
    most_bytes_per_s: float
    """What it reaches alone, and takes of its ports then, in bytes of guests that compress as usual."""
    weight: float
    """Of these for each of its own."""


def shared_rates(moves: Sequence[FinishedMove], paths: Sequence[Path], overhead_s: float) -> list[float]:
    """Each move's rate by the priors, averaged over the time in which it copied.

    A move that is being set up shares a slot and no link, so what counts is the overlap of the copying. What a host
    sends and what it takes in are shared apart: beside a move over a slow line, one over a fast line has nearly all of
    it. Where it is not known when a move began, its own word on how many there were is taken.
    """
    both = list(zip(moves, paths, strict=True))
    spans = [_span(place, move, path, overhead_s) for place, (move, path) in enumerate(both) if move.duration_s]
    sent = _sent([span for span in spans if span.end_s > span.begin_s], _capacities(moves, paths))
    took = {span.place: span.end_s - span.begin_s for span in spans}
    return [
        sent[place] / took[place] if sent.get(place) else path.rate_bytes_per_s(move.sharing)
        for place, (move, path) in enumerate(both)
    ]


def _span(place: int, move: FinishedMove, path: Path, overhead_s: float) -> _Span:
    duration_s = move.duration_s or 0.0
    end_s = move.finished_at.timestamp()
    idle_s = min(overhead_s, (1 - _COPIES_AT_LEAST) * duration_s)
    return _Span(
        place,
        end_s - duration_s + _BEFORE * idle_s,
        end_s - (1 - _BEFORE) * idle_s,
        ((move.source, True), (move.destination, False)),
        path.rate_bytes_per_s() * path.link_weight,
        path.link_weight,
    )


def _capacities(moves: Sequence[FinishedMove], paths: Sequence[Path]) -> dict[Port, float]:
    """A path is as wide as its narrower end, so an end is as wide as the widest of its paths."""
    widest: dict[Port, float] = {}
    for move, path in zip(moves, paths, strict=True):
        for port in ((move.source, True), (move.destination, False)):
            widest[port] = max(widest.get(port, 0.0), path.capacity_bytes_per_s * path.link_weight)
    return widest


def _sent(spans: Sequence[_Span], capacities: Mapping[Port, float]) -> dict[int, float]:
    """Bytes that each sends while it copies: the shares change whenever one begins or ends."""
    sent = {span.place: 0.0 for span in spans}
    edges = sorted(
        [(span.begin_s, True, span) for span in spans] + [(span.end_s, False, span) for span in spans],
        key=lambda edge: edge[:2],
    )
    going: dict[int, _Span] = {}
    now_s = 0.0
    for moment_s, begins, span in edges:
        if moment_s > now_s:
            for place, rate in _fair_rates(going.values(), capacities).items():
                sent[place] += rate * (moment_s - now_s)
            now_s = moment_s
        if begins:
            going[span.place] = span
        else:
            del going[span.place]
    return sent


def _fair_rates(spans: Collection[_Span], capacities: Mapping[Port, float]) -> dict[int, float]:
    """Max-min fair: nobody gets more unless another who has less would get less still."""
    rates: dict[int, float] = {}
    waiting = sorted(spans, key=lambda span: span.most_bytes_per_s)
    left = {port: capacities[port] for span in waiting for port in span.ports}
    while waiting:
        users = dict.fromkeys(left, 0)
        for span in waiting:
            for port in span.ports:
                users[port] += 1
        share, tight = min((left[port] / count, port) for port, count in users.items() if count)
        if waiting[0].most_bytes_per_s <= share:
            share, settled = waiting[0].most_bytes_per_s, waiting[:1]
        else:
            settled = [span for span in waiting if tight in span.ports]
        for span in settled:
            rates[span.place] = share / span.weight
            for port in span.ports:
                left[port] = max(0.0, left[port] - share)
        waiting = [span for span in waiting if span.place not in rates]
    return rates
