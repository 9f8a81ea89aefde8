"""Quick migrations: at which rate a VM's memory is saved to the shared storage and read from there."""

from __future__ import annotations

from console.model.cluster import Host

from .priors import Priors


def storage_rate_bytes_per_s(source: Host, destination: Host, priors: Priors) -> float:
    """What storage gives where none of the site's quick migrations was seen yet.

    How long one takes depends on the memory and on how fast the hosts are connected to the shared storage (System
    Center VMM's documentation on quick migration). No fact that is read tells which way the storage's traffic takes. A
    cluster's storage network is not built slower than its other networks, so a host's fastest adapter tells the line;
    one VM is one file that is written and read by one host, which gets no further than SMB does with one move.
    """
    lines = [line for line in map(_fastest_line, (source, destination)) if line is not None]
    line = min(lines) if lines else priors.unknown_link_bytes_per_s
    return min(line * priors.smb.line_share, priors.smb.stream_ceiling_bytes_per_s)


def _fastest_line(host: Host) -> float | None:
    working = (each.link_bytes_per_s for each in host.adapters or () if each.up is not False)
    return max((line for line in working if line), default=None)
