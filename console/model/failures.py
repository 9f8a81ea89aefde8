"""What can go wrong between us and Windows, as a tree by what the caller can do about it.

::

    Failure
    ├── Unreachable        no route, name, port or answer; try again later, others go on
    │   └── TimedOut       our own deadline passed; whether the command ran is not known
    ├── Refused            TLS or transport said no; fix the listener or the certificate
    ├── SignInRefused      the password or ticket was not accepted; NEVER retried (lock-out)
    ├── Forbidden          signed in, not allowed
    ├── EndpointMissing    no such session configuration on this node
    ├── CommandMissing     module or cmdlet is not there or not exposed
    ├── Busy               a quota or a load limit; back off
    ├── SessionGone        the remote session ended; reopen, re-read, never resend a change
    ├── ProtocolBroken     what came back is not WinRM or not readable
    └── CommandFailed      Windows ran it and reported an error
"""

from __future__ import annotations

from .identity import HostName


class Failure(Exception):
    """Base of the tree. ``what`` is one sentence on what happened, ``advice`` on what the operator can do."""

    retry_read = False
    """Whether a *read* may be sent again; a change never is."""

    def __init__(
        self, host: HostName, what: str, advice: str = "", *, code: int | str | None = None, entry: str = ""
    ) -> None:
        super().__init__(what)
        self.host = host
        self.what = what
        self.advice = advice
        self.code = code
        """The wire's own number or identifier, where there is one."""
        self.entry = entry
        """The catalogue entry that was being asked, where there was one."""

    def __str__(self) -> str:
        return f"{self.host}: {self.what}" + (f" {self.advice}" if self.advice else "")


class Unreachable(Failure):
    retry_read = True


class TimedOut(Unreachable):
    pass


class Refused(Failure):
    pass


class SignInRefused(Failure):
    pass


class Forbidden(Failure):
    pass


class EndpointMissing(Failure):
    pass


class CommandMissing(Failure):
    pass


class Busy(Failure):
    retry_read = True


class SessionGone(Failure):
    retry_read = True


class ProtocolBroken(Failure):
    pass


class CommandFailed(Failure):
    """Windows answered with an error record; ``code`` is the HRESULT or Win32 code when one could be found."""
