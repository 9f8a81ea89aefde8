"""Moves that share one link: the shares change whenever one starts, goes dark or ends, and so do the passes.

An event-driven fluid: every active move gets an equal share at any moment. A static division of the link by the
number of moves is wrong by a fifth on measured drains, this by a few per cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .calibration import Calibration, Load, load_of, rate_bytes_per_s, rule_s
from .facts import MoveFacts, Physics
from .priors import Priors

_MOST_PASSES = 100
_ALMOST = 1e-9


@dataclass(slots=True)
class _Flow:
    """One move on its way."""

    facts: MoveFacts
    load: Load
    remaining: float
    waiting_s: float
    started_s: float = 0.0
    pass_s: float = 0.0
    passes: int = 1
    dark: bool = False
    dark_s: float = 0.0
    small: bool = False
    """It was the stop rule that ended the passes."""
    converges: bool = True
    ended_s: float = 0.0
    rates: dict[int, float] = field(default_factory=dict)
    """By how many share the link."""


def share_a_link(moves: Sequence[MoveFacts], calibration: Calibration, priors: Priors) -> list[Physics]:
    """The moves of one run, started in order, at most ``streams`` at a time, over one link.

    Where fewer moves are known than share the link, others like the middle one take the rest of the shares.
    """
    slots = max(move.streams for move in moves)
    flows = [_flow(move, calibration, priors) for move in moves]
    waiting = [*flows, *_unknown(flows, slots, calibration, priors)]
    active: list[_Flow] = []
    now = 0.0
    while waiting or active:
        while waiting and len(active) < slots:
            flow = waiting.pop(0)
            flow.started_s = now
            active.append(flow)
        rates = [_rate(flow, calibration, priors, len(active)) for flow in active]
        step = max(_ALMOST, min(_seconds_to_event(flow, rate) for flow, rate in zip(active, rates, strict=True)))
        now += step
        for flow, rate in zip(active, rates, strict=True):
            _advance(flow, rate, step, now)
        active = [flow for flow in active if not flow.ended_s]
    return [_outcome(flow, calibration) for flow in flows]


def _rate(flow: _Flow, calibration: Calibration, priors: Priors, sharing: int) -> float:
    found = flow.rates.get(sharing)
    if found is None:
        found = flow.rates[sharing] = rate_bytes_per_s(flow.facts, calibration, priors, sharing)
    return found


def _flow(move: MoveFacts, calibration: Calibration, priors: Priors) -> _Flow:
    load = load_of(move, calibration, priors)
    return _Flow(move, load, load.content_bytes, load.before_s)


def _unknown(flows: Sequence[_Flow], slots: int, calibration: Calibration, priors: Priors) -> list[_Flow]:
    middle = sorted(flows, key=lambda flow: flow.load.content_bytes)[len(flows) // 2]
    return [_flow(middle.facts, calibration, priors) for _ in range(slots - len(flows))]


def _seconds_to_event(flow: _Flow, rate: float) -> float:
    return flow.waiting_s if flow.waiting_s > 0 else flow.remaining / rate


def _advance(flow: _Flow, rate: float, step: float, now: float) -> None:
    if flow.waiting_s > 0:
        flow.waiting_s = flow.waiting_s - step if flow.waiting_s - step > _ALMOST else 0.0
        return
    flow.pass_s += step
    flow.remaining -= rate * step
    if flow.dark:
        flow.dark_s += step
    if flow.remaining <= 1.0:
        _end_pass(flow, rate, now)


def _end_pass(flow: _Flow, rate: float, now: float) -> None:
    load = flow.load
    if not flow.dark:
        flow.remaining = min(load.dirtying.distinct_bytes(flow.pass_s), load.content_bytes)
        flow.pass_s = 0.0
        flow.small = flow.remaining <= rate * load.stop_seconds
        if not flow.small and not _out_of_patience(flow, now):
            flow.passes += 1
            return
        flow.dark = True
        if flow.remaining > 1.0:
            return
    flow.ended_s = now


def _out_of_patience(flow: _Flow, now: float) -> bool:
    """Whether the passes end although much is left: by the cap, or because the move does not converge."""
    load = flow.load
    late = load.give_up_s is not None and now - flow.started_s >= load.give_up_s
    flow.converges = not late and flow.passes < _MOST_PASSES
    return not flow.converges or (load.pass_cap is not None and flow.passes >= load.pass_cap)


def _outcome(flow: _Flow, calibration: Calibration) -> Physics:
    load = flow.load
    seconds = flow.ended_s - flow.started_s + load.handover_s + load.after_s
    dark = flow.dark_s + load.handover_s
    if flow.small:
        dark = rule_s(dark, flow.passes, load, calibration.stop_share)
    return Physics(max(seconds, dark), dark, flow.passes, flow.converges)
