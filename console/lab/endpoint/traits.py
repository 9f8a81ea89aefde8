"""Habits of Windows that a console must live with; each can be switched for a test."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

PLAIN = "Microsoft.PowerShell"
WATCH = "Drainboard.Watch"
OPERATE = "Drainboard.Operate"


class Endpoint(Enum):
    """The session configurations that a host has registered."""

    PLAIN = PLAIN
    WATCH = WATCH
    OPERATE = OPERATE


@dataclass(frozen=True, slots=True)
class Traits:
    """How the simulated Windows behaves."""

    byte_order_mark: bool = True
    """UTF-8 BOM before each CLIXML."""
    progress_noise: bool = True
    """"Preparing modules for first use." before a session's first output."""
    one_message_per_receive: bool = False
    """Windows often answers a Receive with one message only; joining them is the default here."""
    shells_per_user: int = 30
    """MaxShellsPerUser."""
    commands_per_shell: int = 1000
    """MaxConcurrentCommandsPerShell: finished commands count until their client closes them."""
    slow_open_s: float = 0.0
    """How long a new session takes to open (the first wsmprovhost), by the lab's clock."""
    idle_close_s: float | None = None
    """After how many idle seconds a connection is closed (http.sys: about 120), by the lab's clock."""
    shell_idle_timeout_s: float = 7200.0
    """After how many idle seconds a shell is gone."""
    max_envelope_kib: int = 500
    """MaxEnvelopeSizekb."""
