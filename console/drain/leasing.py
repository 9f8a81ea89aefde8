"""Taking, keeping and losing the lease on the node, as turns of the core."""

from __future__ import annotations

from datetime import datetime

from . import events as ev
from . import lease_events as le
from . import signals as sg
from .commands import CreateLease, ReadLease, ReadNode, RemoveLease, RenewLease
from .ending import finish, skip_the_rest
from .facts import Answered
from .following import regain_contact
from .lease import LeaseRow, LeaseTerms, Ruling, Verdict, generation_of, lease_name, lease_properties, older, rule
from .state import Outcome, Phase
from .turn import Turn

ALREADY_EXISTS = frozenset({5010, 0x80071392})
"""ERROR_OBJECT_ALREADY_EXISTS."""


def terms_of(turn: Turn) -> LeaseTerms | None:
    """The terms, while a lease is wanted and can be had."""
    lease = turn.state.lease
    return None if lease.unavailable or lease.lost_to else turn.rules.lease


def has_to_wait(turn: Turn) -> bool:
    """Whether the lease is wanted and not (any more) held."""
    return terms_of(turn) is not None and not turn.state.lease.held


def ask_when_due(turn: Turn) -> None:
    terms = terms_of(turn)
    if terms is None:
        return
    lease = turn.state.lease
    fresh = lease.held and lease.confirmed_at is not None
    if not fresh or not 0 <= turn.seconds_since(lease.confirmed_at) < terms.read_every_s:
        turn.ask(ReadLease())


def on_lease(turn: Turn, signal: sg.LeaseRead) -> None:
    """A look at every lease: whose is the node?"""
    regain_contact(turn)
    terms = terms_of(turn)
    if terms is None or turn.state.closing_as is not None:
        return
    state, lease = turn.state, turn.state.lease
    if _began_before_an_answer(signal, lease.answered_at):
        return
    if lease.asked_at is not None:
        if turn.seconds_since(lease.asked_at) < turn.rules.check_patience_s:
            return
        turn.record(le.LeaseNotCreated(turn.at, "its creation was not answered"))
    ruling = rule(signal.leases, state.node, state.run, signal.cluster_now, terms, own_id=turn.state.lease.id)
    if ruling.verdict is Verdict.OURS and ruling.row is not None:
        _ours(turn, signal, terms, ruling, ruling.row)
    elif ruling.verdict is Verdict.HELD or (lease.held and ruling.row is not None):
        _lose(turn, ruling.row.holder if ruling.row else "another console", ruling.reason)
    elif ruling.verdict is Verdict.FORMING and ruling.row is not None:
        _wait_for(turn, terms, ruling, ruling.row)
    else:
        if lease.held:
            turn.record(le.LeaseMissing(turn.at))
        _create(turn, ruling.generation)


def _began_before_an_answer(signal: sg.LeaseRead, answered_at: datetime | None) -> bool:
    """Looks and changes are on their way at the same time: what was seen before a creation says nothing of it."""
    return answered_at is not None and signal.asked_at is not None and signal.asked_at < answered_at


def _create(turn: Turn, generation: int) -> None:
    name = lease_name(turn.state.node, generation)
    turn.record(le.LeaseIntended(turn.at, name, generation))
    turn.ask(CreateLease(name))


def _wait_for(turn: Turn, terms: LeaseTerms, ruling: Ruling, row: LeaseRow) -> None:
    lease = turn.state.lease
    if lease.waits_for != row.name:
        turn.record(le.LeaseWaited(turn.at, row.name))
    elif turn.seconds_since(lease.waits_since) >= terms.life_s:
        _create(turn, ruling.generation + 1)


def _ours(turn: Turn, signal: sg.LeaseRead, terms: LeaseTerms, ruling: Ruling, row: LeaseRow) -> None:
    """Ours, if it is complete and in force; an expired one has to be renewed and read again first."""
    expires = row.expires_at
    left_s = (expires - signal.cluster_now).total_seconds() if expires is not None and row.run else 0.0
    rivals = _in_force(turn, signal, ruling.generation)
    if rivals and not turn.state.lease.held:
        # It was renewed between our look and our creation: the earlier one goes on, we withdraw.
        turn.ask(RemoveLease(row.name, row.id))
        _lose(turn, rivals[0].holder, f"{rivals[0].holder} renewed its lease just in time")
        return
    if left_s <= terms.life_s * 2 / 3:
        wanted = lease_properties(terms, turn.state.run, signal.cluster_now)
        turn.ask(RenewLease(row.name, tuple(item for item in wanted if item not in row.properties.items())))
    if left_s > 0:
        seen_at = signal.asked_at or signal.at
        turn.record(
            le.LeaseConfirmed(turn.at, row.name, ruling.generation, row.id, expires, terms.life_s, seen_at, left_s)
        )
        for void in older(signal.leases, turn.state.node, ruling.generation):
            turn.ask(RemoveLease(void.name, void.id))
        if turn.state.phase is Phase.CLAIMING:
            turn.ask(ReadNode())


def _in_force(turn: Turn, signal: sg.LeaseRead, generation: int) -> list[LeaseRow]:
    return [
        row
        for row in older(signal.leases, turn.state.node, generation)
        if row.expires_at is not None and row.expires_at > signal.cluster_now and row.run != turn.state.run
    ]


def _lose(turn: Turn, holder: str, reason: str) -> None:
    """Refused before the run began; afterwards what moves is followed to its end and nothing more starts."""
    if turn.state.phase in (Phase.CLAIMING, Phase.PAUSING, Phase.RESUMING):
        turn.record(ev.NodeRefused(turn.at, reason or f"{holder} holds it", holder))
        finish(turn, Outcome.BLOCKED, f"not started: {turn.state.node} is held by {holder}")
        return
    turn.record(le.LeaseLost(turn.at, holder))
    skip_the_rest(turn, f"not started: {holder} took {turn.state.node} over")


def on_lease_created(turn: Turn, signal: sg.LeaseCreated) -> None:
    lease = turn.state.lease
    if lease.name != signal.name or lease.asked_at is None:
        return
    reply = signal.reply
    if reply.done and signal.id:
        generation = generation_of(signal.name, turn.state.node) or lease.generation
        turn.record(le.LeaseCreated(turn.at, signal.name, generation, signal.id))
        turn.ask(ReadLease())
    elif reply.answered is Answered.REFUSED and reply.code not in ALREADY_EXISTS:
        turn.record(le.LeaseUnavailable(turn.at, reply.reason))
        if turn.state.phase is Phase.CLAIMING:
            turn.ask(ReadNode())
    else:
        turn.record(le.LeaseNotCreated(turn.at, reply.reason or "it was not answered"))
        turn.ask(ReadLease())


def on_lease_written(turn: Turn, signal: sg.LeaseWritten) -> None:
    if turn.state.lease.name == signal.name and terms_of(turn) is not None:
        turn.ask(ReadLease())
