"""What the doctor is told, and what it says. Values only; what could not be found out is *unknown*, never well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from console.checks.values import Evidence
from console.model.failures import Failure
from console.model.identity import HostName


class Aspect(Enum):
    """What is looked at, in the order in which one rests on the other."""

    NAME = "name resolution"
    PORT = "port"
    TLS = "TLS"
    SIGN_IN = "sign-in"
    ENDPOINT = "endpoint"
    MODULES = "modules"
    READ = "right to read"
    MOVE = "right to move"
    DELEGATION = "delegation"
    CLOCK = "clock"
    VERSIONS = "versions"
    TIMEOUTS = "time-outs"
    QUOTAS = "quotas"


class Verdict(Enum):
    WELL = "well"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Symptom:
    """One aspect of one host."""

    host: HostName
    aspect: Aspect
    verdict: Verdict
    message: str
    advice: str = ""
    evidence: tuple[Evidence, ...] = ()
    """What was read, where and when."""
    powershell: str = ""
    """What mends it, with the real names filled in; empty where no command does."""


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Where a node of the configuration is reached."""

    host: HostName
    address: str
    port: int
    https: bool


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What the configuration says."""

    name: str
    nodes: tuple[NodeAddress, ...]
    account: str
    authentication: str
    """As the configuration writes it: "kerberos", "negotiate" …"""
    endpoint: str


@dataclass(frozen=True, slots=True)
class Reach:
    """How far plain connections to a node get, before any sign-in. An empty text is no error."""

    addresses: tuple[str, ...] = ()
    name_error: str = ""
    connect_s: float | None = None
    port_error: str = ""
    tls_error: str = ""
    certificate_expires: datetime | None = None


class Prober(Protocol):
    """Connects to a node without signing in."""

    async def reach(self, node: NodeAddress) -> Reach: ...


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of a node of the configuration."""

    node: NodeAddress
    reach: Reach
    failure: Failure | None = None
    """Of the first question; None when it was answered, or never asked."""
    answer_s: float | None = None
    """How long the first answer took, opening the session included."""
    asked: bool = True
    offered: tuple[str, ...] | None = None
    """The console's own commands that a constrained endpoint shows; None where that was not asked or not answered."""


@dataclass(frozen=True)
class DoctorReport:
    """Every symptom, hosts in the order of the configuration, then those that the cluster names."""

    site: str
    cluster: str
    at: datetime
    symptoms: tuple[Symptom, ...]

    @property
    def hosts(self) -> tuple[HostName, ...]:
        return tuple(dict.fromkeys(symptom.host for symptom in self.symptoms))

    def of(self, host: HostName) -> tuple[Symptom, ...]:
        return tuple(symptom for symptom in self.symptoms if symptom.host == host)

    @property
    def worst(self) -> Verdict:
        """The worst verdict of all; unknown is worse than well and better than a warning."""
        order = (Verdict.PROBLEM, Verdict.WARNING, Verdict.UNKNOWN)
        found = {symptom.verdict for symptom in self.symptoms}
        return next((verdict for verdict in order if verdict in found), Verdict.WELL)

    @property
    def reaches_somebody(self) -> bool:
        return any(one.aspect is Aspect.SIGN_IN and one.verdict is Verdict.WELL for one in self.symptoms)
