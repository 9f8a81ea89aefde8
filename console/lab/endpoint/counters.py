"""What the endpoint has seen, by host and user, for tests and for the curious."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Tally:
    """Counts of one host and user."""

    requests: int = 0
    """SOAP requests that reached the service, Identify among them."""
    pipelines: int = 0
    """Pipelines started."""
    sign_in_attempts: int = 0
    """Credentials that were judged: an account lockout would count these."""
    sign_in_failures: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))


class Statistics:
    """Tallies by host and user; users are told apart without regard to case. Unsigned requests count under ``""``."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], Tally] = {}

    def of(self, host: str, user: str) -> Tally:
        """The running tally of one host and user."""
        return self._tallies.setdefault((host, user.casefold()), Tally())

    def by_host(self, host: str) -> Tally:
        """All users of a host together."""
        return sum((tally for (known, _), tally in self._tallies.items() if known == host), Tally())

    def by_user(self, user: str) -> Tally:
        """All hosts of a user together."""
        folded = user.casefold()
        return sum((tally for (_, known), tally in self._tallies.items() if known == folded), Tally())

    def total(self) -> Tally:
        """Everything together."""
        return sum(self._tallies.values(), Tally())

    def clear(self) -> None:
        """Begin again at zero."""
        self._tallies.clear()
