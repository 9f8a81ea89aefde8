"""Reading a cluster into the model: in full, lightly again, and in detail for one node."""

from __future__ import annotations

from .detailing import read_details
from .reading import read_cluster, read_vms
from .refreshing import refresh

__all__ = ["read_cluster", "read_details", "read_vms", "refresh"]
