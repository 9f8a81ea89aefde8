"""Import this to have every check registered."""

from __future__ import annotations

from . import authentication, cluster, machine, network, placement
from .registry import CHECKS, Facts, SitePolicy, run_checks

__all__ = [
    "CHECKS",
    "Facts",
    "SitePolicy",
    "authentication",
    "cluster",
    "machine",
    "network",
    "placement",
    "run_checks",
]
