"""The run's patience and limits, all in one place; seconds unless the name says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from console.guard import Lines

from .lease import LeaseTerms

WINDOWS_TRANSIENT = frozenset(
    {
        0x8007274C,  # connection timed out
        0x8007274D,  # connection refused
        0x80072746,  # connection reset
        0x800700AA,  # another migration of this VM is in progress
        0x800705AA,  # not enough memory at the destination
        0x8007000E,
        5910,  # RESOURCE_CALL_TIMED_OUT
        5944,  # GROUP_BUSY
        5957,  # not enough resources at the destination
    }
)
"""Codes after which the same move may well work a moment later or elsewhere (Microsoft support KB 4558514; Win32
system error codes 4000-5999). No code of authentication is among them."""

AUTHENTICATION = frozenset(
    {0x8009030E, 0x8009030D, 0x80090322, 0x80070569, 0x80070534, 1326, 0x8007052E, 5, 0x80070005}
)
"""Never tried again by itself: no credentials, wrong principal, logon right, SID, logon failure, access denied."""


def is_transient(code: int) -> bool:
    """Whether the cause of a failed move is known to pass."""
    return code in WINDOWS_TRANSIENT


@dataclass(frozen=True, slots=True)
class Rules:
    """How :func:`console.drain.step.step` decides."""

    transient: Callable[[int], bool] = is_transient
    poll_s: float = 2.0
    """Between looks while something moves."""
    glance_s: float = 0.1
    """At the least between looks at a move that is about to arrive, when others wait for its slot."""
    guard_s: float = 1.9
    """Between two readings of the guard: each poll brings one, however its answers are delayed."""
    idle_s: float = 10.0
    settle_s: float = 10.0
    """After a start the role may still look at rest on its source for so long."""
    confirm_s: float = 3.0
    """Between the first and the second look that find a move back on its source."""
    heartbeat_patience_s: float = 180.0
    """How long an arrived VM may take to run and to answer its heartbeat."""
    host_patience_s: float = 300.0
    """How long an arrived VM's host may stay silent before the VM is left unverified."""
    check_patience_s: float = 30.0
    """After which a check that was not answered is asked again."""
    check_valid_s: float = 90.0
    """A check whose answer took longer tells of the past: it is asked anew."""
    check_again_s: float = 10.0
    """Before a VM whose check said "not now" is checked again."""
    refusal_patience_s: float = 300.0
    """How long a destination or a VM may say "not now" before the move is blocked."""
    retry_after_s: float = 15.0
    """Before the one automatic retry."""
    replan_patience_s: float = 30.0
    """How long a VM that the operator wants tried again waits for its new plan."""
    pause_patience_s: float = 60.0
    claim_patience_s: float = 120.0
    empty_patience_s: float = 120.0
    contact_patience_s: float = 1800.0
    settings_patience_s: float = 60.0
    slow_after_s: float = 180.0
    stuck_after_s: float = 1800.0
    automatic_retries: int = 1
    guard: Lines | None = field(default_factory=Lines)
    """None: no guard."""
    lease: LeaseTerms | None = None
    """None: no lease is taken; only the node's own state keeps two consoles apart."""
