"""What is true beside the things that move: repairs of storage, counters, intents, reservations, rights.

The simulation never reads any of it; only those who ask do.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair of one volume, from and to moments of the world."""

    began_s: float
    ends_s: float


@dataclass(slots=True)
class VolumeCounter:
    """What a host's raw counters of a shared volume have come to."""

    at_s: float = 0.0
    """Up to when."""
    reads: float = 0.0
    writes: float = 0.0
    read_s: float = 0.0
    """Seconds spent in all reads together."""
    write_s: float = 0.0
    redirected: float = 0.0
    """Reads and writes that went over the network."""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may do what with the cluster."""

    identity: str
    rights: str
    """ClusterRights' name."""


DEFAULT_ACCESS = (
    AccessRule("NT AUTHORITY\\SYSTEM", "Full"),
    AccessRule("NT AUTHORITY\\NETWORK SERVICE", "Full"),
    AccessRule("BUILTIN\\Administrators", "Full"),
)
"""What a new cluster has."""


ADMINISTRATORS = "BUILTIN\\Administrators"
"""Every account of the lab is one of them on every node."""
RIGHTS = ("None", "Read", "Full")
"""ClusterRights, in order."""


@dataclass(slots=True)
class Facts:
    """The facts of one world."""

    repairs: dict[str, Repair] = field(default_factory=dict)
    """By volume."""
    away_since_s: dict[str, float] = field(default_factory=dict)
    """Paused hosts whose disks are out of the storage, by name."""
    volume_counters: dict[tuple[str, str], VolumeCounter] = field(default_factory=dict)
    """By host and volume."""
    intents: tuple[str, ...] = ()
    """Network ATC's intents; none where it does not own the networks."""
    smb_reservation_percent: int = 0
    """Bandwidth that a traffic class of priority 3 reserves for SMB; 0 where there is no such class."""
    witness: str = "Cloud Witness"
    """The quorum witness's resource; empty where there is none."""
    access: tuple[AccessRule, ...] = DEFAULT_ACCESS
    missing_modules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """PowerShell modules that a host lacks, by host."""
    directory_answers: bool = True
    """Whether a node's session may ask the directory; where its credentials do not go on, it may not."""

    def may(self, user: str, rights: str) -> bool:
        """Whether an account has at least these rights on the cluster."""
        mine = {user.casefold(), ADMINISTRATORS.casefold()}
        held = [RIGHTS.index(rule.rights) for rule in self.access if rule.identity.casefold() in mine]
        return max(held, default=0) >= RIGHTS.index(rights)
