"""Rows into facts of the model, by subject. Every decoder is total: bad rows give unknown facts and a problem."""

from __future__ import annotations

from . import cluster, compatibility, details, events, facts, host, progress, vms, volumes
from .values import Problems, Reader

__all__ = [
    "Problems",
    "Reader",
    "cluster",
    "compatibility",
    "details",
    "events",
    "facts",
    "host",
    "progress",
    "vms",
    "volumes",
]
