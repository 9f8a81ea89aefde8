"""The numbers with which WS-Management refuses, and what an operator can do about each.

Numbers and meanings: Windows SDK ``WSManErrors`` and PowerShell's own retry list, as collected in the project's
Windows reference. They reach us as decimal fault codes, or as a SOAP subcode when a fault carries no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.model.failures import (
    Busy,
    EndpointMissing,
    Failure,
    Forbidden,
    ProtocolBroken,
    Refused,
    SessionGone,
    SignInRefused,
    TimedOut,
    Unreachable,
)

NOTHING_TO_RECEIVE = 0x80338029
"""The operation timed out: while output is awaited, only "nothing yet"."""
SHELL_UNKNOWN = 0x8033805B
"""The session's selector is unknown: it ended, or the service or the node was restarted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a number means to us."""

    kind: type[Failure]
    what: str
    advice: str = ""


_SIGN_IN = "Check the account, its password and the clock of this machine."
_ENDED = Reading(SessionGone, "The remote session has ended.", "It is opened again with the next question.")
_BACK_OFF = "Close sessions that are no longer needed; the console slows down by itself."
_TOO_LARGE = Reading(ProtocolBroken, "A message was larger than WinRM allows.", "Raise MaxEnvelopeSizekb on this node.")
_POLICY = Reading(
    Forbidden, "A policy of this node does not allow remote sessions.", "Ask who manages its WinRM policy."
)


def _shells(of: str) -> Reading:
    return Reading(Busy, f"Too many sessions are open {of}.", _BACK_OFF)


def _operations(of: str) -> Reading:
    return Reading(Busy, f"Too many operations run {of}.", "The console asks more slowly until it is better.")


BY_NUMBER: Mapping[int, Reading] = {
    5: Reading(
        Forbidden,
        "Signed in, but not allowed to use this endpoint.",
        "The account needs access to the session configuration: membership of Administrators or of its own role.",
    ),
    53: Reading(Unreachable, "The network path was not found.", "Check name, network and firewall."),
    995: Reading(SessionGone, "WinRM on this node stopped in the middle of the call.", "Wait until it runs again."),
    1115: Reading(Unreachable, "The node is shutting down.", "Wait until it is up again."),
    1311: Reading(
        SignInRefused, "No logon server could be reached to check the account.", "Check the domain controllers."
    ),
    1312: Reading(SignInRefused, "The logon session does not exist.", _SIGN_IN),
    1326: Reading(SignInRefused, "The user name or the password is wrong.", _SIGN_IN),
    1722: Reading(Unreachable, "The RPC server is not available.", "Check network and firewall."),
    0x8009030E: Reading(
        SignInRefused, "There is no Kerberos ticket to sign in with.", "Get one with kinit, or give a password."
    ),
    0x80090322: Reading(
        SignInRefused,
        "The node answers under another name than the one that was asked for.",
        "Use its full DNS name, and look for a wrong or duplicate service principal name.",
    ),
    NOTHING_TO_RECEIVE: Reading(TimedOut, "The node did not finish in the time that it was given.", "Try again later."),
    SHELL_UNKNOWN: _ENDED,
    0x8033803B: Reading(EndpointMissing, "", ""),
    0x80338002: Reading(EndpointMissing, "", ""),
    0x80338048: _TOO_LARGE,
    0x80338026: _TOO_LARGE,
    0x80338111: _TOO_LARGE,
    0x80338112: Reading(Busy, "WinRM on this node is restarting.", "It is asked again by itself."),
    0x80338113: Reading(
        Refused, "Something answers on this port, but not at /wsman.", "Check the port and the listener."
    ),
    0x803381A5: _shells("for this account"),
    0x803381A6: _operations("for this account"),
    0x803381A7: _operations("for this account"),
    0x803381A8: _operations("on this node"),
    0x803381A9: Reading(SessionGone, "The session belongs to another sign-in of the same account.", _ENDED.advice),
    0x803381AB: Reading(Busy, "Too many accounts have sessions on this node.", _BACK_OFF),
    0x803381AC: _POLICY,
    0x803381DD: _POLICY,
    0x803381E3: _POLICY,
    0x803381C4: _ENDED,
    0x803381C6: _ENDED,
    0x803381CD: _ENDED,
    0x803381CF: _ENDED,
    0x803381D0: _ENDED,
    0x803381DE: _ENDED,
    0x803381DF: Reading(
        EndpointMissing,
        "The endpoint could not be started as its run-as account.",
        "Check that account's stored password.",
    ),
    0x803381E4: _shells("for this account on this endpoint"),
    0x803381E5: Reading(Busy, "Too many accounts have sessions on this endpoint.", _BACK_OFF),
    0x803381E6: _shells("on this endpoint"),
    0x803381E7: _operations("on this endpoint"),
    0x803381E8: _operations("for this account on this endpoint"),
    0x803381E9: _operations("in this session"),
    0x803381EA: Reading(Busy, "The endpoint has no resources left.", _BACK_OFF),
    0x803381F2: Reading(Refused, "The endpoint does not accept the idle time-out of the session.", ""),
    0x803381FA: Reading(SessionGone, "The session can no longer be used; WinRM was probably restarted.", _ENDED.advice),
    0x803381FB: Reading(
        EndpointMissing, "The endpoint could not create its virtual account.", "Check the JEA set-up of this node."
    ),
    0x803381FC: Reading(
        EndpointMissing, "Virtual accounts are not supported here.", "Use a group managed service account on this node."
    ),
    0x803381FD: Reading(
        EndpointMissing,
        "The endpoint's group managed service account could not log on.",
        "Allow this node to fetch the account's password.",
    ),
}
"""By fault code or Win32 code, unsigned. EndpointMissing without words is completed with the endpoint's name."""

QUOTA = Reading(Busy, "A quota of WinRM on this node is used up.", _BACK_OFF)

BY_SUBCODE: Mapping[str, Reading] = {
    "AccessDenied": BY_NUMBER[5],
    "InvalidResourceURI": BY_NUMBER[0x8033803B],
    "DestinationUnreachable": BY_NUMBER[0x8033803B],
    "InvalidSelectors": _ENDED,
    "TimedOut": BY_NUMBER[NOTHING_TO_RECEIVE],
    "QuotaLimit": QUOTA,
    "EncodingLimit": _TOO_LARGE,
}
"""SOAP subcodes of DSP0226, which stand alone when a fault has no WSManFault element."""


def reading_of(code: int | str | None, text: str = "") -> Reading | None:
    """What a fault means; None when it is not in the list.

    ``code`` is pypsrp's: an unsigned or signed number, a subcode such as ``w:AccessDenied``, or None. Quotas are
    reported under varying codes, so a fault whose ``text`` speaks of one is taken for one.
    """
    if isinstance(code, str):
        found = BY_SUBCODE.get(code.rpartition(":")[2])
    else:
        found = None if code is None else BY_NUMBER.get(_unwrapped(code))
    if found is None and ("quota" in text.lower() or "maximum number of" in text.lower()):
        return QUOTA
    return found


def _unwrapped(code: int) -> int:
    """Unsigned, and a Win32 code taken out of its HRESULT."""
    number = code & 0xFFFFFFFF
    return number & 0xFFFF if number >> 16 == 0x8007 else number
