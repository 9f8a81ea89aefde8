"""What went wrong below, in the words of the tree."""

from __future__ import annotations

import socket
import ssl
from xml.etree.ElementTree import ParseError

import pytest
from pypsrp.exceptions import (
    AuthenticationError,
    FragmentError,
    InvalidPipelineStateError,
    WinRMError,
    WinRMTransportError,
    WSManFaultError,
)
from requests import exceptions as http
from spnego.exceptions import BadMICError, InvalidTokenError, NoCredentialError
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError, NewConnectionError
from urllib3.exceptions import ReadTimeoutError as PoolReadTimeout
from urllib3.exceptions import SSLError as PoolTlsError

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
from console.wire.failures import certainly_refused, classify, is_connection_trouble, not_sent, outcome_unknown
from console.wire.faults import BY_NUMBER

N1 = HostName("N1")
POOL = HTTPConnectionPool("n1", 5985)


def fault(code: int | str | None, reason: str | None = "because") -> WSManFaultError:
    return WSManFaultError(code, "n1", reason, None, None, None)


def retries(reason: Exception) -> MaxRetryError:
    return MaxRetryError(POOL, "/wsman", reason)


def tls(error: ssl.SSLError) -> http.SSLError:
    return http.SSLError(MaxRetryError(HTTPSConnectionPool("n1", 5986), "/wsman", PoolTlsError(error)))


CASES: list[tuple[Exception, type[Failure], str]] = [
    (AuthenticationError("Failed to authenticate the user a with ntlm"), SignInRefused, "not tried again"),
    (AuthenticationError("The server did not response with one of the following"), Refused, "kind of sign-in"),
    (NoCredentialError(), SignInRefused, "nothing to sign in with"),
    (InvalidTokenError(), ProtocolBroken, "not WinRM"),
    (BadMICError(), SessionGone, "connection was lost"),
    (ImportError("GSSAPIProxy requires the Python gssapi library: No module named 'gssapi'"), Refused, "library"),
    (fault(0x80338029), TimedOut, "time"),
    (fault(0x8033805B), SessionGone, "ended"),
    (fault(0x8033803B), EndpointMissing, "'Drainboard'"),
    (fault("w:InvalidResourceURI"), EndpointMissing, "'Drainboard'"),
    (fault("w:AccessDenied"), Forbidden, "not allowed"),
    (fault(5), Forbidden, "not allowed"),
    (fault(0x80070005), Forbidden, "not allowed"),
    (fault(-2147024891), Forbidden, "not allowed"),
    (fault(1115), Unreachable, "shutting down"),
    (fault(995), SessionGone, "stopped"),
    (fault(0x803381FB), EndpointMissing, "virtual account"),
    (fault("w:InternalError", "This user exceeded the maximum number of concurrent shells"), Busy, "quota"),
    (fault("w:QuotaLimit"), Busy, "quota"),
    (fault(None, None), ProtocolBroken, "fault"),
    (fault(123456, "Something\n  odd"), ProtocolBroken, "Something odd"),
    (WinRMTransportError("http", 400, "body"), SessionGone, "lost"),
    (WinRMTransportError("http", 403, "body"), Forbidden, "not allowed"),
    (WinRMTransportError("http", 404, "body"), Refused, "/wsman"),
    (WinRMTransportError("http", 503, "body"), Busy, "restarting"),
    (WinRMTransportError("http", 502, "body"), ProtocolBroken, "not WinRM"),
    (WinRMError("The encrypted length from the server does not match"), ProtocolBroken, "not WinRM"),
    (FragmentError("x"), ProtocolBroken, "not WinRM"),
    (InvalidPipelineStateError(1, 2, "x"), SessionGone, "broken"),
    (ParseError("no element found"), ProtocolBroken, "not WinRM"),
    (KeyError("RefId"), ProtocolBroken, "not WinRM"),
    (MalformedOutput("x"), ProtocolBroken, "output object"),
    (NotOffered("vm"), CommandMissing, "Drainboard"),
    (http.ConnectionError(retries(NewConnectionError(POOL, "refused"))), Unreachable, "accept"),
    (http.ConnectTimeout(retries(ConnectTimeoutError(POOL, "x"))), Unreachable, "does not answer"),
    (http.ConnectionError(retries(NameResolutionError("n1", POOL, socket.gaierror()))), Unreachable, "name"),
    (http.ReadTimeout(PoolReadTimeout(POOL, "/wsman", "x")), TimedOut, "in time"),
    (http.ConnectionError(PoolReadTimeout(POOL, "/wsman", "x")), TimedOut, "in time"),
    (http.ConnectionError(ConnectionResetError(104, "reset")), SessionGone, "lost"),
    (http.ChunkedEncodingError(ConnectionResetError(104, "reset")), SessionGone, "lost"),
    (ConnectionResetError(104, "reset"), SessionGone, "lost"),
    (tls(ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed")), Refused, "certificate"),
    (tls(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")), Refused, "TLS could not"),
    (tls(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")), SessionGone, "lost"),
    (OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /x"), Refused, "file"),
]


@pytest.mark.parametrize(("error", "kind", "words"), CASES, ids=lambda case: str(case)[:50])
def test_every_exception_has_its_place(error: Exception, kind: type[Failure], words: str) -> None:
    failure = classify(error, N1, entry="vm", endpoint="Drainboard")
    assert type(failure) is kind
    assert words in failure.what
    assert failure.host == N1
    assert failure.entry == "vm"


@pytest.mark.parametrize("error", [case[0] for case in CASES], ids=lambda case: str(case)[:50])
def test_texts_are_for_people(error: Exception) -> None:
    failure = classify(error, N1, endpoint="Drainboard")
    assert failure.what.endswith(".")
    assert "body" not in failure.what + failure.advice
    assert "0x" not in failure.what


def test_powershells_own_retry_list_is_busy() -> None:
    listed = (0x803381A5, 0x803381A6, 0x803381A7, 0x803381A8, 0x803381AB, *range(0x803381E4, 0x803381EB))
    for code in listed:
        assert type(classify(fault(code), N1)) is Busy, hex(code)
        assert classify(fault(code), N1).retry_read
    assert {code for code, reading in BY_NUMBER.items() if reading.kind is Busy} == {*listed, 0x80338112}


def test_failures_keep_their_number() -> None:
    assert classify(fault(0x803381A5), N1).code == 0x803381A5
    assert classify(AuthenticationError("x"), N1).code == 401


def test_a_failure_stays_itself() -> None:
    failure = Busy(N1, "x")
    assert classify(failure, N1) is failure


def test_what_proves_that_nothing_ran() -> None:
    sure = [
        AuthenticationError("x"),
        fault(0x803381A6),
        fault(0x8033805B),
        fault(5),
        WinRMTransportError("http", 503, ""),
    ]
    unsure = [http.ConnectionError("reset"), http.ReadTimeout(), fault(995), fault(0x80338029), ParseError("x")]
    assert all(certainly_refused(error) for error in sure)
    assert certainly_refused(http.ConnectionError(retries(NewConnectionError(POOL, "refused"))))
    assert not any(certainly_refused(error) for error in unsure)


def test_which_trouble_is_the_connections() -> None:
    assert is_connection_trouble(http.ConnectionError("reset"))
    assert is_connection_trouble(tls(ssl.SSLEOFError(8, "EOF")))
    assert is_connection_trouble(BadMICError())
    assert not is_connection_trouble(tls(ssl.SSLCertVerificationError(1, "certificate verify failed")))
    assert not is_connection_trouble(fault(0x8033805B))
    assert not is_connection_trouble(ImportError("gssapi"))


def test_changes_say_whether_they_ran() -> None:
    late = classify(http.ReadTimeout(), N1, entry="pause")
    assert type(outcome_unknown(late)) is TimedOut
    assert type(outcome_unknown(classify(ParseError("x"), N1))) is SessionGone
    assert type(not_sent(late)) is Unreachable
    assert type(not_sent(Busy(N1, "x."))) is Busy
    assert not_sent(late).entry == "pause"
