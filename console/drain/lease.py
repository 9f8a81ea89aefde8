"""Two operators, one node: who may work on it, decided from the leases that the cluster shows.

A lease is an empty group ``zz-drainboard-<node>-<generation>``. Its creation is atomic; owner, console's host, run
and expiry are its private properties, the expiry in the *cluster's* time. The highest generation rules; an expired
one may be superseded by the next generation only. Pure: rows in, a verdict out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from console.model.identity import HostName, RoleName, RunId

PREFIX = "zz-drainboard-"
OWNER, HOST, RUN, EXPIRES = "DrainboardOwner", "DrainboardHost", "DrainboardRun", "DrainboardExpires"
"""The private properties of a lease."""

_NAME = re.compile(rf"{PREFIX}(?P<node>.+)-(?P<generation>[1-9][0-9]{{0,8}})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Who asks for leases, and for how long."""

    owner: str
    host: str
    life_s: float = 90.0

    @property
    def fence_after_s(self) -> float:
        """A longer time without a confirmation, and nothing starts."""
        return self.life_s / 3

    @property
    def read_every_s(self) -> float:
        return self.life_s / 6

    @property
    def plausible_s(self) -> float:
        """No lease that anybody writes runs longer than this; one that does comes from a wrong clock."""
        return max(self.life_s * 4, 3600.0)


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """One lease's group and its private properties, as they were read."""

    name: RoleName
    id: str
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def run(self) -> str:
        return self.properties.get(RUN, "")

    @property
    def holder(self) -> str:
        """For a sentence."""
        owner, host = self.properties.get(OWNER, ""), self.properties.get(HOST, "")
        return f"{owner or 'somebody'} on {host}" if host else owner or "another console"

    @property
    def expires_at(self) -> datetime | None:
        """None when it is not written yet, or not readable."""
        try:
            moment = datetime.fromisoformat(self.properties.get(EXPIRES, ""))
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def lease_name(node: HostName, generation: int) -> RoleName:
    return RoleName(f"{PREFIX}{node}-{generation}")


def generation_of(name: RoleName, node: HostName) -> int | None:
    """The generation, when the name is that of a lease on the node."""
    match = _NAME.fullmatch(name)
    if match is None or match["node"].casefold() != node.casefold():
        return None
    return int(match["generation"])


def node_of(name: RoleName) -> HostName | None:
    """The node that a lease is about."""
    match = _NAME.fullmatch(name)
    return None if match is None else HostName(match["node"])


def lease_properties(terms: LeaseTerms, run: RunId, cluster_now: datetime) -> tuple[tuple[str, str], ...]:
    """What is written on a lease; the expiry last, because a lease without one is not complete."""
    expires = cluster_now + timedelta(seconds=terms.life_s)
    return (
        (OWNER, terms.owner),
        (HOST, terms.host),
        (RUN, run),
        (EXPIRES, expires.astimezone(UTC).isoformat(timespec="seconds")),
    )


class Verdict(Enum):
    FREE = "free"
    """Nobody holds the node: create ``generation``."""
    OURS = "ours"
    HELD = "held"
    """By another, in force."""
    FORMING = "forming"
    """Another's, without an owner or an expiry: being written, or left half-way."""


@dataclass(frozen=True, slots=True)
class Ruling:
    verdict: Verdict
    generation: int
    """The one that rules, or the one to create."""
    row: LeaseRow | None = None
    reason: str = ""
    """For HELD: by whom, until when, and what is odd about it."""


def rule(
    rows: Iterable[LeaseRow], node: HostName, run: RunId, cluster_now: datetime, terms: LeaseTerms, *, own_id: str = ""
) -> Ruling:
    """Who holds the node.

    ``own_id`` is the id of the group that this run created: names come again, ids do not.
    """
    ranked = [(number, row) for row in rows if (number := generation_of(row.name, node)) is not None]
    if not ranked:
        return Ruling(Verdict.FREE, 1)
    generation, row = max(ranked, key=lambda item: item[0])
    ours = row.run in ("", run) and row.id == own_id if own_id else row.run == run
    if ours:
        return Ruling(Verdict.OURS, generation, row)
    if row.expires_at is None:
        return Ruling(Verdict.FORMING, generation, row)
    left_s = (row.expires_at - cluster_now).total_seconds()
    if left_s <= 0:
        return Ruling(Verdict.FREE, generation + 1, row)
    return Ruling(Verdict.HELD, generation, row, _held(row, left_s, terms))


def _held(row: LeaseRow, left_s: float, terms: LeaseTerms) -> str:
    if left_s > terms.plausible_s:
        return (
            f"{row.holder} holds it by a lease that ends {left_s / 3600:.1f} h from now by the cluster's clock, "
            f"longer than any lease lasts: a clock was wrong; make sure that nobody works on the node, "
            f"then remove the group {row.name}"
        )
    return f"{row.holder} holds it, for another {left_s:.0f} s unless renewed"


def older(rows: Iterable[LeaseRow], node: HostName, generation: int) -> tuple[LeaseRow, ...]:
    """Leases on the node that a higher generation has made void."""
    return tuple(row for row in rows if 0 < (generation_of(row.name, node) or 0) < generation)
