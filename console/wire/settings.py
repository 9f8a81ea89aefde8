"""Where to go, who signs in, and how: the values that a session is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from console.model.identity import HostName
from console.wire.encoding import DEFAULT_CONFIGURATION


class Authentication(Enum):
    """Kinds of sign-in that WinRM knows; the values are pypsrp's names."""

    NEGOTIATE = "negotiate"
    KERBEROS = "kerberos"
    NTLM = "ntlm"
    BASIC = "basic"
    CERTIFICATE = "certificate"
    CREDSSP = "credssp"


class Encryption(Enum):
    """Message encryption below TLS. ``NEVER`` over http sends everything readable: for tests on loopback only."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Target:
    """How a node is reached."""

    host: HostName
    address: str
    """A full DNS name (Kerberos and certificates need it) or an IP address."""
    port: int
    https: bool = True


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in. Nothing in it is ever shown: neither in ``repr`` nor in a failure."""

    username: str | None = None
    """``DOMAIN\\user`` or ``user@domain``; None takes the Kerberos ticket at hand."""
    password: str | None = field(default=None, repr=False)
    certificate_file: Path | None = None
    certificate_key_file: Path | None = None
    certificate_key_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WireOptions:
    """How sessions behave. Times are seconds of real time: they bound sockets."""

    authentication: Authentication = Authentication.NEGOTIATE
    ca_file: Path | None = None
    """PEM file of the authority that signed the nodes' certificates; None takes the system's list."""
    configuration_name: str = DEFAULT_CONFIGURATION
    encryption: Encryption = Encryption.AUTO
    connection_timeout_s: float = 10.0
    """For a connection to be made."""
    read_timeout_s: float = 30.0
    """The longest silence on a request that is not waiting for output."""
    open_timeout_s: float = 30.0
    """For a session to open, on top of the call's own deadline: a first one may load modules for a long time."""
    poll_s: float = 1.0
    """How long a node holds a request for output; also how soon a cancelled read is stopped."""
    silence_s: float = 5.0
    """How much longer than that its answer may take before a new connection is tried."""

    @property
    def constrained(self) -> bool:
        """Whether the endpoint shows functions of the console's instead of cmdlets."""
        return self.configuration_name != DEFAULT_CONFIGURATION
