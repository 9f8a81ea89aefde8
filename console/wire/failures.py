"""The one border where exceptions of pypsrp, requests, TLS and the system become the tree of failures.

Which exception says what: pypsrp 0.9 and requests, read and tried; numbers in :mod:`console.wire.faults`.
"""

from __future__ import annotations

from console.model.failures import (
    Busy,
    CommandMissing,
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
from console.model.identity import HostName
from console.wire.decoder import MalformedOutput
from console.wire.encoding import NotOffered
from console.wire.faults import SHELL_UNKNOWN, Reading, reading_of

_NOBODY = HostName("")
_NETWORK = "Check name, port, network and firewall, and that WinRM runs on the node."
_NO_ANSWER = Reading(
    TimedOut, "The node did not answer in time.", "Check network and firewall; the node may be very busy."
)
_NO_NAME = Reading(Unreachable, "The name could not be resolved.", "Check DNS, or give the node's address.")
_REFUSED = Reading(Unreachable, "The node did not accept a connection.", _NETWORK)
_SILENT = Reading(Unreachable, "The node does not answer to a connection.", _NETWORK)
_LOST = Reading(SessionGone, "The connection was lost.", "It is opened again with the next question.")
_UNREADABLE = Reading(
    ProtocolBroken, "What came back is not WinRM.", "Check that the port belongs to WinRM, not to a proxy."
)
_MALFORMED = Reading(ProtocolBroken, "An output object could not be read.", "Tell the authors of this console.")
_NO_FILE = Reading(Refused, "A certificate file could not be read.", "Check ca_file and the certificate's files.")
_NO_TLS = Reading(Refused, "TLS could not be set up.", "Check that this port is WinRM's https listener.")
_TLS = Reading(
    Refused,
    "The node's certificate was not accepted.",
    "Give the authority that signed it as ca_file, and use the name that it was made for.",
)
_NOT_SIGNED_IN = Reading(
    SignInRefused,
    "The sign-in was refused. It is not tried again, so that the account is not locked out.",
    "Check account and password; with Kerberos also the full DNS name and the clock.",
)
_NO_TICKET = Reading(
    SignInRefused,
    "There is nothing to sign in with.",
    "Get a Kerberos ticket with kinit, or give account and password.",
)
_NOT_OFFERED_AUTH = Reading(
    Refused,
    "The node does not offer this kind of sign-in.",
    "Choose another authentication, or allow it in the node's WinRM service.",
)
_NO_LIBRARY = Reading(
    Refused,
    "This kind of sign-in needs a library that is not installed here.",
    'Install pypsrp[kerberos] or pypsrp[credssp], or choose authentication = "negotiate".',
)
_BROKEN_SEALS = ("BadMICError", "NoContextError", "ContextExpiredError")
"""pyspnego, when a message does not belong to the sign-in of this connection."""
_BY_STATUS = {
    400: _LOST,
    403: reading_of(5),
    404: reading_of(0x80338113),
    407: Reading(
        Refused, "A proxy stands in the way.", "Nodes are asked directly: check what answers at this address."
    ),
    413: reading_of(0x80338111),
    503: reading_of(0x80338112),
}
"""HTTP status codes of answers that are no SOAP. 400 is what WinRM says to an encrypted message on a new connection."""


def classify(error: BaseException, host: HostName, *, entry: str = "", endpoint: str = "") -> Failure:
    """The failure that an exception from below stands for.

    Its text never holds what was sent: only numbers and the words of the other side.
    """
    if isinstance(error, Failure):
        return error
    if isinstance(error, NotOffered):
        advice = "Export the endpoint again with this version of the console and install it."
        return CommandMissing(host, f"The endpoint {endpoint} offers no function for this.", advice, entry=entry)
    reading, code = _read(error)
    if reading.kind is EndpointMissing and not reading.what:
        advice = "Register it on this node, or choose another endpoint."
        reading = Reading(EndpointMissing, f"There is no endpoint {endpoint!r} on this node.", advice)
    return reading.kind(host, reading.what, reading.advice, code=code, entry=entry)


def _read(error: BaseException) -> tuple[Reading, int | str | None]:
    from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError

    if isinstance(error, AuthenticationError):
        offered = "did not response with one of" in str(error)
        return (_NOT_OFFERED_AUTH if offered else _NOT_SIGNED_IN), 401
    if isinstance(error, WSManFaultError):
        return _fault(error.code, error.reason or "", error.provider_fault or ""), error.code
    if isinstance(error, WinRMTransportError):
        return _BY_STATUS.get(error.code) or _UNREADABLE, error.code
    if isinstance(error, WinRMError):
        return _broken(error), None
    return _read_foreign(error), getattr(error, "errno", None)


def _fault(code: int | str | None, reason: str, provider: str) -> Reading:
    found = reading_of(code, f"{reason} {provider}")
    if found is not None:
        return found
    said = " ".join(reason.split())[:300].rstrip(".")
    return Reading(ProtocolBroken, f"WinRM answered with a fault ({code}{': ' if said else ''}{said}).")


def _broken(error: BaseException) -> Reading:
    from pypsrp.exceptions import InvalidPipelineStateError, InvalidPSRPOperation, InvalidRunspacePoolStateError

    if isinstance(error, InvalidRunspacePoolStateError | InvalidPipelineStateError | InvalidPSRPOperation):
        return Reading(SessionGone, "The remote session is broken.", _LOST.advice)
    return _UNREADABLE


def _read_foreign(error: BaseException) -> Reading:
    """Exceptions of requests, of the sign-in libraries, of TLS and of the system."""
    from requests import exceptions as http

    if type(error).__module__.startswith(("spnego", "requests_credssp", "gssapi", "krb5")):
        return _sign_in(error)
    if isinstance(error, ImportError):
        return _NO_LIBRARY
    if isinstance(error, MalformedOutput):
        return _MALFORMED
    if isinstance(error, http.RequestException | OSError):
        return _network(error)
    if isinstance(error, ValueError) and "incompatible with the specified auth_provider" in str(error):
        return _NOT_OFFERED_AUTH
    return _UNREADABLE


def _sign_in(error: BaseException) -> Reading:
    """The client's own side of a sign-in failed; by the names of pyspnego's exceptions."""
    name = type(error).__name__
    if name in _BROKEN_SEALS:
        return _LOST
    if name in ("BadMechanismError", "FeatureMissingError"):
        return _NO_LIBRARY
    if name == "InvalidTokenError":
        return _UNREADABLE
    if name in ("NoCredentialError", "InvalidCredentialError"):
        return _NO_TICKET
    return _NOT_SIGNED_IN


def _network(error: BaseException) -> Reading:
    """A connection that was never made, or one that was lost, or TLS that was not agreed on."""
    names = {type(cause).__name__ for cause in _causes(error)}
    if names & {"FileNotFoundError", "PermissionError", "IsADirectoryError"} or "Could not find" in str(error):
        return _NO_FILE
    if names & {"NameResolutionError", "gaierror"}:
        return _NO_NAME
    if names & {"ConnectTimeoutError", "ConnectTimeout"}:
        return _SILENT
    if names & {"ReadTimeoutError", "ReadTimeout", "TimeoutError"}:
        return _NO_ANSWER
    if names & {"SSLEOFError", "SSLZeroReturnError"}:
        return _LOST
    if names & {"SSLError", "SSLCertVerificationError", "CertificateError"}:
        return _TLS if "certificate" in str(error).lower() else _NO_TLS
    return _REFUSED if never_connected(error) else _LOST


def is_connection_trouble(error: BaseException) -> bool:
    """Whether it was the way that failed, not the node: the same session may answer on a new connection."""
    from pypsrp.exceptions import WinRMTransportError
    from requests.exceptions import RequestException

    if isinstance(error, WinRMTransportError):
        return bool(error.code == 400)
    if type(error).__name__ in _BROKEN_SEALS:
        return True
    return isinstance(error, RequestException | OSError) and not isinstance(classify(error, _NOBODY), Refused)


def certainly_refused(error: BaseException) -> bool:
    """Whether an exception from sending a command proves that the command did not run."""
    from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError

    if isinstance(error, AuthenticationError) or never_connected(error):
        return True
    if isinstance(error, WinRMTransportError):
        return error.code in _BY_STATUS
    if isinstance(error, WSManFaultError):
        refused = isinstance(classify(error, _NOBODY), Busy | Forbidden | EndpointMissing | Refused | SignInRefused)
        return refused or error.code == SHELL_UNKNOWN
    return isinstance(classify(error, _NOBODY), Refused)


def never_connected(error: BaseException) -> bool:
    """Whether the connection was never made, so that nothing can have been sent on it."""
    names = {type(cause).__name__ for cause in _causes(error)}
    return bool(
        names & {"NewConnectionError", "NameResolutionError", "gaierror", "ConnectTimeoutError", "ConnectTimeout"}
    )


def _causes(error: BaseException) -> list[BaseException]:
    """The exception, what caused it, and what urllib3 put into its arguments."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and all(cause is not known for known in found):
            found.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    return found


def outcome_unknown(failure: Failure) -> Failure:
    """A failure in the middle of a change: nobody knows whether it ran."""
    kind = TimedOut if isinstance(failure, TimedOut) else SessionGone
    what = f"{failure.what} Nobody knows whether the command ran."
    return kind(failure.host, what, "Look at the node before asking again.", code=failure.code, entry=failure.entry)


def not_sent(failure: Failure) -> Failure:
    """A failure before a change was sent: it certainly did not run."""
    kind = Unreachable if isinstance(failure, TimedOut | SessionGone) else type(failure)
    what = f"{failure.what} The command was not sent."
    return kind(failure.host, what, failure.advice, code=failure.code, entry=failure.entry)
