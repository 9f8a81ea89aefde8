"""Who is there: Basic, Negotiate and NTLM, and client certificates.

Negotiate signs in the *connection*: later requests on it carry no Authorization header (MS-NTHT). Basic and
certificates are judged with every request.
"""

from __future__ import annotations

import os
import struct
import threading
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Any

import spnego
from spnego.exceptions import SpnegoError

from console.lab.endpoint.certificates import write_private
from console.lab.endpoint.counters import Statistics

MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
"""The Authorization header of a client that signs in with its certificate."""

_REALM = 'Basic realm="WSMAN"'
_SCHEMES = {"negotiate": "Negotiate", "ntlm": "NTLM"}
_AUTHENTICATE = b"NTLMSSP\0\x03\0\0\0"
_UNICODE = 1
_environment = threading.Lock()


class Accounts:
    """Users and their passwords, and the file that the NTLM acceptor reads them from.

    Users are written as clients send them: ``LAB\\admin`` with a domain, ``admin`` without.
    """

    def __init__(self, users: Mapping[str, str], directory: Path) -> None:
        self._names = {user.casefold(): user for user in users}
        self._passwords = {user.casefold(): password for user, password in users.items()}
        self._file = directory / "users"
        self._write()

    def known(self, user: str) -> str | None:
        """The user as configured, whatever the case; None for a stranger."""
        return self._names.get(user.casefold())

    def matches(self, user: str, password: str) -> bool:
        """Whether this is the user's password."""
        expected = self._passwords.get(user.casefold())
        return expected is not None and compare_digest(expected.encode(), password.encode())

    def change_password(self, user: str, password: str) -> None:
        """Give a known user another password.

        Raises:
            KeyError: no such user.
        """
        if user.casefold() not in self._passwords:
            raise KeyError(user)
        self._passwords[user.casefold()] = password
        self._write()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Let the NTLM acceptor find these accounts; it reads their place from the environment."""
        with _environment:
            before = os.environ.get("NTLM_USER_FILE")
            os.environ["NTLM_USER_FILE"] = str(self._file)
            try:
                yield
            finally:
                if before is None:
                    del os.environ["NTLM_USER_FILE"]
                else:
                    os.environ["NTLM_USER_FILE"] = before

    def _write(self) -> None:
        lines = []
        for folded, password in self._passwords.items():
            domain, slash, name = self._names[folded].partition("\\")
            if not slash:
                domain, name = "", domain
            if any(mark in f"{domain}{name}{password}" for mark in ":\r\n"):
                raise ValueError(f"Neither a user's name nor a password may hold a colon or a line end: {name!r}.")
            lines.append(f"{domain}:{name}:{password}")
        write_private(self._file, "\n".join(lines).encode())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one Authorization header came to."""

    user: str | None
    """The signed-in user; None means 401."""
    headers: tuple[tuple[str, str], ...] = ()
    """``WWW-Authenticate`` lines for the answer."""


class SignIn:
    """The sign-in of one connection."""

    def __init__(
        self, accounts: Accounts, statistics: Statistics, host: str, *, tls: bool, certificate: str | None
    ) -> None:
        self._accounts = accounts
        self._statistics = statistics
        self._host = host
        self._tls = tls
        self._certificate = certificate
        self._context: Any = None
        self._user: str | None = None
        self._last_header = ""
        self.refuse = False
        """Thrown by the fault board: no credentials are good."""

    @property
    def sealer(self) -> Any:
        """The security context that encrypts messages, once Negotiate has signed the connection in."""
        return self._context if self._user is not None else None

    def judge(self, authorization: str | None) -> Verdict:
        """Judge one request by its Authorization header."""
        if authorization is None:
            return Verdict(self._user) if self._user is not None and not self.refuse else self._challenge()
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() in _SCHEMES:
            return self._negotiate(_SCHEMES[scheme.lower()], rest.strip())
        if self._tls and scheme.lower() == "basic":
            return self._basic(authorization, rest.strip())
        if self._tls and authorization == MUTUAL:
            return self._mutual()
        return self._challenge()

    def _challenge(self) -> Verdict:
        offers = ["Negotiate", _REALM] if self._tls else ["Negotiate"]
        return Verdict(None, tuple(("WWW-Authenticate", offer) for offer in offers))

    def _count(self, user: str, *, failed: bool) -> None:
        tally = self._statistics.of(self._host, user)
        tally.sign_in_attempts += 1
        tally.sign_in_failures += failed

    def _basic(self, authorization: str, credentials: str) -> Verdict:
        try:
            user, _, password = b64decode(credentials, validate=True).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            return self._challenge()
        good = self._accounts.matches(user, password) and not self.refuse
        if not good or authorization != self._last_header:
            self._count(user, failed=not good)
        self._last_header = authorization if good else ""
        return Verdict(self._accounts.known(user)) if good else self._challenge()

    def _mutual(self) -> Verdict:
        user = None if self._certificate is None else self._accounts.known(self._certificate)
        good = user is not None and not self.refuse
        if not good or self._last_header != MUTUAL:
            self._count(self._certificate or "", failed=not good)
        self._last_header = MUTUAL if good else ""
        return Verdict(user) if good else self._challenge()

    def _negotiate(self, scheme: str, encoded: str) -> Verdict:
        try:
            token = b64decode(encoded, validate=True)
        except Base64Error:
            return self._challenge()
        if self._context is None or self._context.complete:
            self._begin()
        try:
            with self._accounts.in_use():
                answer = self._context.step(token)
        except (SpnegoError, ValueError, struct.error, IndexError, KeyError):
            return self._failed(token)
        headers = (("WWW-Authenticate", f"{scheme} {b64encode(answer).decode()}"),) if answer else ()
        if not self._context.complete:
            return Verdict(None, headers)
        if self.refuse:
            return self._failed(token)
        self._user = self._accounts.known(str(self._context.client_principal))
        self._count(str(self._context.client_principal), failed=self._user is None)
        return Verdict(self._user, headers)

    def _begin(self) -> None:
        options = (
            spnego.NegotiateOptions.use_negotiate
            | spnego.NegotiateOptions.use_ntlm
            | spnego.NegotiateOptions.wrapping_winrm
        )
        self._user = None
        with self._accounts.in_use():
            self._context = spnego.server(protocol="negotiate", options=options)

    def _failed(self, token: bytes) -> Verdict:
        self._context = None
        self._user = None
        self._count(ntlm_user(token) or "", failed=True)
        return self._challenge()


def ntlm_user(token: bytes) -> str | None:
    """The user that an NTLM AUTHENTICATE message names, also inside SPNEGO (MS-NLMP 2.2.1.3); None without one."""
    start = token.find(_AUTHENTICATE)
    if start < 0 or len(token) < start + 64:
        return None
    message = token[start:]
    (flags,) = struct.unpack_from("<I", message, 60)
    encoding = "utf-16-le" if flags & _UNICODE else "latin-1"

    def field(offset: int) -> str:
        length, _, position = struct.unpack_from("<HHI", message, offset)
        return message[position : position + length].decode(encoding, "replace")

    domain, name = field(28), field(36)
    return f"{domain}\\{name}" if domain else name
