"""Units, once: bytes, seconds, bytes per second."""

from __future__ import annotations

KIB = 1024
MIB = 1024**2
GIB = 1024**3
PAGE_BYTES = 4096

UNSET = 4294967295
"""How Windows writes "not set" in a UInt32 (DrainTarget, DefaultMoveType, FailoverThreshold)."""


def bits_to_bytes_per_s(bits_per_s: float) -> float:
    """Windows reports link speeds in bits per second; everything of ours is bytes."""
    return bits_per_s / 8
