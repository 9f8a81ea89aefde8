"""Import this to have every check registered."""

from __future__ import annotations

from . import (
    authentication,
    cluster,
    contradiction,
    controls,
    devices,
    hardware,
    history,
    hosts,
    isolation,
    machine,
    networks,
    outlook,
    placement,
    processor,
    roles,
    transport,
)
from .registry import CHECKS, Facts, SitePolicy, run_checks

__all__ = [
    "CHECKS",
    "Facts",
    "SitePolicy",
    "authentication",
    "cluster",
    "contradiction",
    "controls",
    "devices",
    "hardware",
    "history",
    "hosts",
    "isolation",
    "machine",
    "networks",
    "outlook",
    "placement",
    "processor",
    "roles",
    "run_checks",
    "transport",
]
