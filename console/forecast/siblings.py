"""At which rate earlier moves copied, given who copied beside them: from nothing but when each began and was over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from console.model.identity import HostName
from console.model.past import FinishedMove

from .transport import Path

_COPIES_AT_LEAST = 0.1
"""Of a move's time, however large the overhead is believed to be."""


@dataclass(frozen=True, slots=True)
class _Span:
    begin_s: float
    end_s: float
    """Of its copying."""
    source: HostName
    destination: HostName
    lone_bytes_per_s: float
    """What it could reach alone: the rest of its share is the others'."""


def shared_rates(moves: Sequence[FinishedMove], paths: Sequence[Path], overhead_s: float) -> list[float]:
    """Each move's rate by the priors, averaged over the time in which it copied.

    A move that is being set up shares a slot and no link, so what counts is the overlap of the copying. Where it is
    not known when a move began, its own word on how many there were is taken.
    """
    spans = [_span(move, path, overhead_s) for move, path in zip(moves, paths, strict=True)]
    beside = _siblings(spans)
    return [
        path.rate_bytes_per_s(move.sharing) if span is None else _mean_rate(span, others, path)
        for move, path, span, others in zip(moves, paths, spans, beside, strict=True)
    ]


def _span(move: FinishedMove, path: Path, overhead_s: float) -> _Span | None:
    if not move.duration_s:
        return None
    end_s = move.finished_at.timestamp()
    idle_s = min(overhead_s, (1 - _COPIES_AT_LEAST) * move.duration_s)
    begin_s = end_s - move.duration_s
    return _Span(
        begin_s + _BEFORE * idle_s,
        end_s - (1 - _BEFORE) * idle_s,
        move.source,
        move.destination,
        path.rate_bytes_per_s(),
    )


_BEFORE = 0.6
"""Of the seconds that copy nothing, those before the copying."""


def _siblings(spans: Sequence[_Span | None]) -> list[list[_Span]]:
    """For each move the others that copied at the same time and shared an end with it."""
    found: list[list[_Span]] = [[] for _ in spans]
    known = [(span.begin_s, place, span) for place, span in enumerate(spans) if span is not None]
    going: defaultdict[HostName, list[tuple[int, _Span]]] = defaultdict(list)
    for begin_s, place, span in sorted(known, key=lambda entry: entry[:2]):
        for end in (span.source, span.destination):
            going[end] = [each for each in going[end] if each[1].end_s > begin_s]
        others = dict((*going[span.source], *going[span.destination]))
        for other, theirs in others.items():
            found[place].append(theirs)
            found[other].append(span)
        for end in (span.source, span.destination):
            going[end].append((place, span))
    return found


def _mean_rate(span: _Span, others: Sequence[_Span], path: Path) -> float:
    if not others:
        return path.rate_bytes_per_s()
    edges = sorted(
        {span.begin_s, span.end_s}
        | {edge for each in others for edge in (each.begin_s, each.end_s) if span.begin_s < edge < span.end_s}
    )
    sent = 0.0
    for begin_s, end_s in pairwise(edges):
        there = [each.lone_bytes_per_s for each in others if each.begin_s <= begin_s and each.end_s >= end_s]
        sent += (end_s - begin_s) * _share(path, there)
    return sent / (span.end_s - span.begin_s)


def _share(path: Path, others: Sequence[float]) -> float:
    """An equal share, and what others leave of theirs because they can not use it."""
    equal = path.capacity_bytes_per_s / (1 + len(others))
    left = path.capacity_bytes_per_s - sum(min(each, equal) for each in others)
    return min(max(equal, left), path.stream_bytes_per_s)
