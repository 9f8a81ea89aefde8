"""Every option of ``config.toml``. The text under an option is its documentation, wherever it is shown.

Secrets have no option: see :mod:`console.configuration.secrets`.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from .choices import (
    ApproveChoice,
    Day,
    DayChoice,
    FilePath,
    ParallelPer,
    ParallelPerChoice,
    SeverityChoice,
    TimeOfDay,
    as_tuple,
    choice,
)

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_CLUSTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Options(BaseModel):
    """A table of options: nothing unknown, nothing coerced from another type, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Transport(StrEnum):
    HTTPS = "https"
    HTTP = "http"


class Authentication(StrEnum):
    NEGOTIATE = "negotiate"
    KERBEROS = "kerberos"
    NTLM = "ntlm"
    BASIC = "basic"
    CERTIFICATE = "certificate"


TransportChoice = Annotated[Transport, choice(Transport)]
AuthenticationChoice = Annotated[Authentication, choice(Authentication)]
AtOnce = Annotated[int, Field(ge=1, le=64)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Node(Options):
    """A node to connect to first; the others are found through it."""

    name: str
    """The node's short name, as Get-ClusterNode writes it."""
    address: str | None = None
    """Where to reach it, when that is not its name: a DNS name or an IP address."""
    port: Port | None = None
    """Its WinRM port, when that is not the cluster's."""

    @field_validator("name")
    @classmethod
    def _short_name(cls, name: str) -> str:
        if not _HOST.fullmatch(name):
            raise ValueError(
                "is not a node's short name (letters, digits, hyphens; at most 63). "
                'Write { name = "HV01", address = "hv01.example.com" } for a node with another address.'
            )
        return name


def _node(value: object) -> object:
    """``"HV01"`` and ``"hv01.example.com"`` are short for a table with a name, and an address if it has dots."""
    if not isinstance(value, str):
        return value
    name, dot, _ = value.partition(".")
    is_qualified_name = bool(dot) and not re.fullmatch(r"[\d.]+", value)
    return {"name": name, "address": value} if is_qualified_name else {"name": value}


class Window(Options):
    """The maintenance window, in the time zone of the machine that the console runs on."""

    start: TimeOfDay
    """When it opens, such as "02:00"."""
    end: TimeOfDay | None = None
    """When it closes; an end before the start is on the next day. Give this or duration_minutes."""
    duration_minutes: Annotated[int, Field(ge=1, le=24 * 60)] | None = None
    """How long it stays open. Give this or end."""
    days: Annotated[tuple[DayChoice, ...], BeforeValidator(as_tuple)] = tuple(Day)
    """The days on which it opens."""

    @field_validator("days")
    @classmethod
    def _some_day(cls, days: tuple[Day, ...]) -> tuple[Day, ...]:
        if not days:
            raise ValueError("needs at least one day; without the option it is every day.")
        return days

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.end is None) == (self.duration_minutes is None):
            raise ValueError("needs exactly one of end and duration_minutes.")
        if self.end == self.start:
            raise ValueError("ends when it starts. Write duration_minutes = 1440 for a whole day.")
        return self


class Policy(Options):
    """What every plan and every run on this cluster starts from."""

    memory_reserve_fraction: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05
    """Share of each destination's memory that is never planned into."""
    slots: Annotated[int, Field(ge=1, le=64)] | None = None
    """Moves at once on one node; without it the cluster's MaximumParallelMigrations."""
    smb_cap_fraction: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    """Share of the network that SMB migrations may take, for the forecast; without it what the cluster is set to."""
    avoid: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()
    """Hosts that no VM is moved to."""
    parallel_per: ParallelPerChoice = ParallelPer.NODE
    """What MaximumParallelMigrations counts: moves of one "node", in and out together, or of one "pair" of nodes."""
    per_destination: AtOnce | None = None
    """Moves at once into one host."""
    per_pair: AtOnce | None = None
    """Moves at once between one pair of hosts."""
    cluster_wide: Annotated[int, Field(ge=1)] | None = None
    """Moves at once in the whole cluster."""


class SharedLine(Options):
    """A line that the moves of several hosts cross: an inter-site line, a rack's uplink."""

    name: Annotated[str, Field(min_length=1)]
    """What plans call it."""
    gbps: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    """What it carries, in Gbit/s."""
    members: Annotated[tuple[str, ...], BeforeValidator(as_tuple), Field(min_length=1)]
    """Hosts on its near side: a move crosses it when exactly one of its ends is a member."""


Percent = Annotated[float, Field(ge=0.0, le=100.0)]
Amount = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class GuardLines(Options):
    """What moves must not do to others: a line that is crossed holds new starts and halves the moves at once."""

    enabled: bool = True
    """false: nothing is watched, nothing is held."""
    csv_latency_ms: Amount = 50.0
    """The worst shared volume's, milliseconds an operation."""
    missed_heartbeats: Amount = 5.0
    """The worst node's, between cluster nodes."""
    host_cpu_percent: Percent = 90.0
    """The busiest node's that takes part."""
    free_memory_percent: Percent = 3.0
    """The fullest destination's; below it nothing starts."""
    redirected_io_per_s: Amount = 1000.0
    """Operations on shared volumes that take the way over another node."""
    smb_stalls_per_s: Amount | None = None
    """Stalls of SMB for want of credits; without it they are not judged."""
    calm_s: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 20.0
    """Seconds for which every line has to be kept before starts go on."""
    raise_after_s: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 60.0
    """Seconds of calm after which one more move at once is allowed."""


class StuckChoice(StrEnum):
    ASK = "ask"
    CANCEL = "cancel"


class WatchdogOptions(Options):
    """When a move that makes no progress is called slow, and when stuck; progress is bytes, pass or percent."""

    slow_after_minutes: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 3.0
    """Without progress for so long it is slow, and the likely cause is told."""
    stuck_after_minutes: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 30.0
    """Without progress for so long it is stuck, and what can be done is offered."""
    when_stuck: Annotated[StuckChoice, choice(StuckChoice)] | None = None
    """"ask" only offers; "cancel" cancels it and tries it once more elsewhere. Without it a run that the console starts
    asks, and one that a command starts cancels, because nobody is there to be asked."""

    @model_validator(mode="after")
    def _slow_comes_first(self) -> Self:
        if self.slow_after_minutes >= self.stuck_after_minutes:
            raise ValueError("slow_after_minutes has to be less than stuck_after_minutes.")
        return self


class RollingOptions(Options):
    """What a rolling run begins with; the screen and the command can say otherwise. Consents are never kept here."""

    hook: str = ""
    """Program and arguments, run for each empty node without a shell; without it nothing is run."""
    hook_timeout_minutes: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 60.0
    """After that the hook and its children are ended, and the roll stands."""
    service_minutes: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 0.0
    """What is done to an empty node takes this long, for the forecast."""
    wave: AtOnce = 1
    """Nodes emptied at the same time, where room and fault domains allow it."""
    failback: bool = False
    """true: every node gets its VMs back before the next one; false: the next one empties into it."""
    approve: ApproveChoice | None = None
    """"each" further wave waits for somebody, or "all" go on by themselves. Without it each, but for a command without
    a terminal."""


class CheckRuling(Options):
    """The site's own word on one conflict code."""

    severity: SeverityChoice
    """What the conflict counts as here, or "silence"."""
    reason: Annotated[str, Field(min_length=1)]
    """Why; it is shown in reports."""


class WorldClock(Options):
    """A lab's time. A real cluster has none of this."""

    speed: Annotated[float, Field(gt=0.0)] = 1.0
    """Seconds of the lab in one second of life."""
    origin: float
    """Unix time at which the lab's clock stood at epoch."""
    epoch: datetime
    """The lab's wall time at origin."""

    @field_validator("epoch")
    @classmethod
    def _aware(cls, epoch: datetime) -> datetime:
        if epoch.tzinfo is None:
            raise ValueError("needs a time zone: write 2026-01-01T02:00:00Z.")
        return epoch


class ClusterOptions(Options):
    """One cluster."""

    nodes: Annotated[tuple[Annotated[Node, BeforeValidator(_node)], ...], BeforeValidator(as_tuple)]
    """Nodes to start from: names, or tables with name, address and port. Two or three are better than one."""
    transport: TransportChoice = Transport.HTTPS
    """"https", or "http", on which messages are encrypted by the sign-in."""
    port: Port | None = None
    """WinRM's port; without it 5986 for https and 5985 for http."""
    authentication: AuthenticationChoice = Authentication.NEGOTIATE
    """"negotiate", "kerberos", "ntlm", "basic" (https only) or "certificate" (https only)."""
    username: str | None = None
    """Who signs in, as DOMAIN\\user or user@domain. Without it Kerberos takes the ticket at hand."""
    ca_file: FilePath | None = None
    """PEM file of the authority that signed the nodes' certificates; without it the system's list."""
    certificate_file: FilePath | None = None
    """PEM file of the client certificate, for certificate sign-in."""
    certificate_key_file: FilePath | None = None
    """PEM file of its key."""
    directory: str | None = None
    """A domain controller that this machine asks what the nodes may delegate, as an ldaps:// or ldap:// address."""
    endpoint: str = "Microsoft.PowerShell"
    """The session configuration on the nodes: the default one, or a constrained one."""
    theme: str | None = None
    """A theme of its own, so that production looks like production."""
    read_only: bool = False
    """Only look: nothing that could change this cluster is ever constructed."""
    window: Window | None = None
    """The maintenance window that plans are held against."""
    policy: Policy = Policy()
    """What plans start from."""
    shared_links: Annotated[tuple[SharedLine, ...], BeforeValidator(as_tuple)] = ()
    """Lines that the moves of several hosts cross."""
    guard: GuardLines = GuardLines()
    """What moves must not do to others."""
    watchdog: WatchdogOptions = WatchdogOptions()
    """When a move is slow, and when stuck."""
    roll: RollingOptions = RollingOptions()
    """What a rolling run begins with."""
    checks: dict[str, CheckRuling] = {}
    """Conflict codes that this site raises, lowers or silences."""
    clock: WorldClock | None = None
    """Only in the configuration that a lab writes."""

    @field_validator("nodes")
    @classmethod
    def _each_once(cls, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        if not nodes:
            raise ValueError("needs at least one node.")
        twice = [name for name, count in Counter(node.name.casefold() for node in nodes).items() if count > 1]
        if twice:
            raise ValueError(f"names {', '.join(twice)} more than once.")
        return nodes

    @field_validator("ca_file", "certificate_file", "certificate_key_file")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"there is no file {path}.")
        return path

    @field_validator("directory")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"ldaps?://[A-Za-z0-9.\-]+(:\d{1,5})?/?", url):
            raise ValueError(f"{url} is no address such as ldaps://dc01.example.com.")
        return url

    @model_validator(mode="after")
    def _directory_is_asked_safely(self) -> Self:
        if self.directory and self.directory.startswith("ldap://") and self.username:
            raise ValueError(
                "directory has to be an ldaps:// address: over ldap:// the password would go in the clear."
            )
        return self

    @model_validator(mode="after")
    def _sign_in_fits_transport(self) -> Self:
        certificate = self.authentication is Authentication.CERTIFICATE
        if self.transport is Transport.HTTP and self.authentication in (
            Authentication.BASIC,
            Authentication.CERTIFICATE,
        ):
            raise ValueError(f'authentication = "{self.authentication}" needs transport = "https".')
        if certificate and (self.certificate_file is None or self.certificate_key_file is None):
            raise ValueError('authentication = "certificate" needs certificate_file and certificate_key_file.')
        if not certificate and (self.certificate_file or self.certificate_key_file):
            raise ValueError('certificate_file and certificate_key_file need authentication = "certificate".')
        if self.authentication is Authentication.BASIC and not self.username:
            raise ValueError('authentication = "basic" needs a username.')
        return self


class Notifications(Options):
    """How the end of a run makes itself known."""

    bell: bool = True
    """Ring the terminal's bell."""
    desktop: bool | None = None
    """Ask the terminal for a desktop notice (OSC 9); without it only terminals are asked that are known to show one."""


class JournalOptions(Options):
    """Where runs are recorded."""

    path: FilePath | None = None
    """The journal's file; `drainboard paths` says where it is without this."""
    retention_days: Annotated[int, Field(ge=1)] = 400
    """How long finished runs are kept."""


class Configuration(Options):
    """The whole file."""

    default_cluster: str | None = None
    """The cluster when --cluster is not given; a file with one cluster does not need it."""
    theme: str | None = None
    """The theme of every cluster that has none of its own."""
    ascii: bool = False
    """Draw with ASCII only, for terminals without box glyphs."""
    keys: dict[str, str] = {}
    """Other keys for actions: action id to key, such as plan = "p". The help screen (?) lists the ids."""
    notifications: Notifications = Notifications()
    """How the end of a run makes itself known."""
    journal: JournalOptions = JournalOptions()
    """Where runs are recorded."""
    clusters: dict[str, ClusterOptions] = {}
    """The clusters, by the name that --cluster takes."""

    @field_validator("clusters", mode="before")
    @classmethod
    def _names(cls, clusters: Any) -> Any:
        if isinstance(clusters, dict):
            wrong = [name for name in clusters if not _CLUSTER.fullmatch(name)]
            if wrong:
                raise ValueError(f"{', '.join(map(repr, wrong))}: a cluster's name has letters, digits, - and _ only.")
        return clusters
