"""How much a move that outlasts the others really shares.

A move is forecast twice, alone and among as many as there are slots. What it sends depends on that: the slower its
passes, the more is dirtied meanwhile. One that goes on when the others are long over shares for a part of its time
only. A guest that dirties all of its memory during a slow first pass is sent a second time and no more, while after a
faster one the passes go on to their cap: what it shares its first pass with decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .moves import Candidate


def eased(candidates: Sequence[Candidate], slots: int) -> list[Candidate]:
    """The same moves, each sending what it would while the others last, and after that what it would alone."""
    whole_s = sum(each.shared.duration_p50_s for each in candidates)
    return [_eased(each, (whole_s - each.shared.duration_p50_s) / max(1, slots)) for each in candidates]


def _eased(candidate: Candidate, others_s: float) -> Candidate:
    solo, shared = candidate.solo, candidate.shared
    more = shared.bytes_to_send - solo.bytes_to_send
    if more < 0 and candidate.under_way is None:
        return _ended_early(candidate, others_s)
    if more <= 0 or candidate.under_way is not None or others_s >= solo.duration_p50_s > 0:
        return candidate
    sent = solo.bytes_to_send + more * others_s / solo.duration_p50_s
    saved_s = (shared.bytes_to_send - sent) / shared.rate_bytes_per_s
    duration_s = max(solo.duration_p50_s, shared.duration_p50_s - saved_s)
    eased_forecast = replace(
        shared,
        bytes_to_send=sent,
        duration_p50_s=duration_s,
        duration_p90_s=duration_s * candidate.p90_factor,
        converges=solo.converges,
    )
    return replace(candidate, shared=eased_forecast)


def _ended_early(candidate: Candidate, others_s: float) -> Candidate:
    """Of two ends that lie far apart the one that is likelier, and room for both."""
    solo, shared = candidate.solo, candidate.shared
    first_pass_s = candidate.choice.vm.memory_bytes / shared.rate_bytes_per_s
    likelier = shared if others_s >= first_pass_s else solo
    both = replace(
        likelier,
        duration_p90_s=max(solo.duration_p90_s, shared.duration_p90_s),
        blackout_p90_s=max(solo.blackout_p90_s, shared.blackout_p90_s),
    )
    return replace(candidate, shared=both)
