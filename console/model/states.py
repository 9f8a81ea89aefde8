"""The enumerations of the field. Integers are the wire's (reflected from the Windows modules); names follow PEP 8."""

from __future__ import annotations

from enum import Enum, IntEnum, IntFlag


class NodeState(IntEnum):
    """ClusterNodeState."""

    UNKNOWN = -1
    UP = 0
    DOWN = 1
    PAUSED = 2
    JOINING = 3


class DrainStatus(IntEnum):
    """ClusterNodeDrainStatus."""

    NOT_INITIATED = 0
    IN_PROGRESS = 1
    COMPLETED = 2
    FAILED = 3


class NodeFlags(IntFlag):
    """ClusterNodeStatusInformation."""

    NORMAL = 0
    ISOLATED = 1
    QUARANTINED = 2
    DRAIN_IN_PROGRESS = 4
    DRAIN_COMPLETED = 8
    DRAIN_FAILED = 16
    AVOID_PLACEMENT = 32


class MigrationTransport(IntEnum):
    """VMMigrationPerformance."""

    TCPIP = 0
    COMPRESSION = 1
    SMB = 2


class MigrationAuthentication(IntEnum):
    """MigrationAuthenticationType."""

    CREDSSP = 0
    KERBEROS = 1


class VmState(IntEnum):
    """VMState; the critical twins keep their own numbers in ``VirtualMachine.state_number``."""

    UNKNOWN = -1
    OTHER = 1
    RUNNING = 2
    OFF = 3
    STOPPING = 4
    SAVED = 6
    PAUSED = 9
    STARTING = 10
    RESET = 11
    SAVING = 32773
    PAUSING = 32776
    RESUMING = 32777
    FAST_SAVED = 32779
    FAST_SAVING = 32780
    CRITICAL = 32785
    """Stands for every …Critical state (32785 to 32796)."""


class GroupState(IntEnum):
    """ClusterGroupState."""

    UNKNOWN = -1
    ONLINE = 0
    OFFLINE = 1
    FAILED = 2
    PARTIAL_ONLINE = 3
    PENDING = 4


class GroupFlags(IntFlag):
    """Group StatusInformation bits that this project reads."""

    NONE = 0
    LOCKED = 1
    PREEMPTED = 2
    QUEUED = 4
    """Waiting in the queue for a move."""
    PHYSICAL_RESOURCES_LACKING = 8
    WAITING_TO_START = 16
    EMBEDDED_FAILURE = 32


class NetworkRole(IntEnum):
    """ClusterNetworkRole."""

    NONE = 0
    CLUSTER = 1
    CLIENT = 2
    CLUSTER_AND_CLIENT = 3


class VolumeState(IntEnum):
    """ClusterSharedVolumeState."""

    UNAVAILABLE = 0
    PAUSED = 1
    DIRECT = 2
    FILE_SYSTEM_REDIRECTED = 3
    BLOCK_REDIRECTED = 4


class Heartbeat(IntEnum):
    """VMHeartbeatStatus."""

    UNKNOWN = 0
    DISABLED = 1
    NO_CONTACT = 2
    ERROR = 3
    LOST_COMMUNICATION = 4
    OK_APPLICATIONS_UNKNOWN = 5
    OK_APPLICATIONS_HEALTHY = 6
    OK_APPLICATIONS_CRITICAL = 7
    PAUSED = 8


class Contact(Enum):
    """Whether the console's own session to a host answers."""

    ANSWERING = "answering"
    SILENT = "silent"
    """Does not answer now; what is known of it has an age."""
    NEVER = "never reached"
