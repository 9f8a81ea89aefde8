"""Faults that can be thrown while the lab serves: each host's, or every host's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What can go wrong between a console and a host."""

    REFUSE = "refuse"
    """Nobody listens: connections are refused, open ones are cut."""
    BLACK_HOLE = "black-hole"
    """Connections are accepted and never answered."""
    CUT_RECEIVE = "cut-receive"
    """The connection is cut while output is delivered; the amount is the share of the answer that still arrives."""
    GARBAGE = "garbage"
    """Bytes that are no HTTP."""
    HTML = "html"
    """A web page, with status 200."""
    BROKEN_XML = "broken-xml"
    """SOAP that breaks off in the middle."""
    SIGN_IN_REFUSED = "sign-in-refused"
    """401 for everyone, as after a change of password."""
    QUOTA = "quota"
    """New shells are refused: too many of this user."""
    SHELL_GONE = "shell-gone"
    """All shells of the host are lost, as after a restart of WinRM; strikes at the moment it is thrown."""
    SLOW_OPEN = "slow-open"
    """A new session opens after so many seconds (the amount)."""
    IDLE_CLOSE = "idle-close"
    """A connection is closed after so many idle seconds (the amount), as http.sys does after two minutes."""
    UNAVAILABLE = "unavailable"
    """HTTP 503."""


DEFAULT_AMOUNTS = {Fault.CUT_RECEIVE: 0.0, Fault.SLOW_OPEN: 30.0, Fault.IDLE_CLOSE: 120.0}
"""Used when a fault is thrown without an amount."""


@dataclass(slots=True)
class _Thrown:
    amount: float
    strikes_left: int | None


class FaultBoard:
    """Which faults are thrown; read by the endpoint at every step, set by whoever tests or teaches."""

    def __init__(self) -> None:
        self._thrown: dict[tuple[str, Fault], _Thrown] = {}
        self._listeners: list[Callable[[Fault, str, bool], None]] = []

    def throw(self, fault: Fault, host: str = "", *, amount: float | None = None, strikes: int | None = None) -> None:
        """Throw a fault at one host, or at all (an empty name); after so many strikes it lifts itself.

        Raises:
            ValueError: fewer than one strike.
        """
        if strikes is not None and strikes < 1:
            raise ValueError(f"A fault strikes at least once, not {strikes} times.")
        chosen = DEFAULT_AMOUNTS.get(fault, 0.0) if amount is None else amount
        if fault is not Fault.SHELL_GONE:
            self._thrown[host, fault] = _Thrown(chosen, strikes)
        self._tell(fault, host, True)

    def lift(self, fault: Fault, host: str = "") -> None:
        """Take a fault back; lifting what was not thrown is no error. An empty name lifts it from every host."""
        for known in [key for key in self._thrown if key[1] is fault and host in {"", key[0]}]:
            del self._thrown[known]
        self._tell(fault, host, False)

    def lift_all(self) -> None:
        """Take everything back."""
        for host, fault in list(self._thrown):
            self.lift(fault, host)

    def amount(self, fault: Fault, host: str) -> float | None:
        """The fault's amount at this host now, None while it is not thrown. Costs no strike."""
        thrown = self._find(fault, host)
        return None if thrown is None else thrown[1].amount

    def strike(self, fault: Fault, host: str) -> float | None:
        """As :meth:`amount`, and one strike is used up."""
        found = self._find(fault, host)
        if found is None:
            return None
        key, thrown = found
        if thrown.strikes_left is not None:
            thrown.strikes_left -= 1
            if thrown.strikes_left == 0:
                del self._thrown[key]
        return thrown.amount

    def active(self, host: str) -> frozenset[Fault]:
        """The faults in force at a host."""
        return frozenset(fault for known, fault in self._thrown if known in {"", host})

    def subscribe(self, listener: Callable[[Fault, str, bool], None]) -> None:
        """Be told of every change: the fault, the host (empty for all) and whether it was thrown."""
        self._listeners.append(listener)

    def _find(self, fault: Fault, host: str) -> tuple[tuple[str, Fault], _Thrown] | None:
        for key in ((host, fault), ("", fault)):
            if key in self._thrown:
                return key, self._thrown[key]
        return None

    def _tell(self, fault: Fault, host: str, thrown: bool) -> None:
        for listener in list(self._listeners):
            listener(fault, host, thrown)
