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
    "run_checks",
    "transport",
]
