"""Conflicts of transport, bandwidth and concurrency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from console.model.cluster import Cluster, Host, MigrationTransport

from .reads import LINKS
from .registry import Check, Facts, Family, Finding, check, host_evidence, listed, on_host, owned, quoted
from .values import Evidence, Fix, Severity, Subject

GBE = 125_000_000
"""One gigabit a second, in bytes per second."""

DEFAULT_FACTOR = 2500
"""SMBBandwidthLimitFactor as it is shipped, in hundredths of a per cent."""

NAMES = {
    MigrationTransport.TCPIP: "TCPIP",
    MigrationTransport.COMPRESSION: "Compression",
    MigrationTransport.SMB: "SMB",
}
"""As Set-VMHost takes them."""

WORDS = {
    MigrationTransport.TCPIP: "TCP/IP",
    MigrationTransport.COMPRESSION: "Compression",
    MigrationTransport.SMB: "SMB",
}


def _set_transport(facts: Facts, host: Host, option: MigrationTransport) -> Fix:
    value = NAMES[option]
    line = f"Set-VMHost -ComputerName {quoted(host.name)} -VirtualMachineMigrationPerformanceOption {value}"
    return owned(facts, Fix(f"Choose {value}, on every node alike.", line))


def _allow(facts: Facts, text: str, moves: int) -> Fix:
    return owned(facts, Fix(text, f"(Get-Cluster).MaximumParallelMigrations = {moves}"))


def suited_transport(hosts: Iterable[Host]) -> MigrationTransport:
    """The one option that suits all hosts together; every fix leads there, so that no two pull a host to and fro.

    SMB where RDMA of 25 GbE or more works on every node, compression where it works not on all; between these two,
    or where it was not read, what most hosts have, never plain TCP/IP.
    """
    known = tuple(hosts)
    works = [rdma_works(host) for host in known]
    if known and all(works) and all((fastest_link(host) or 0) >= 25 * GBE for host in known):
        return MigrationTransport.SMB
    if False in works:
        return MigrationTransport.COMPRESSION
    smb = sum(host.migration_transport is MigrationTransport.SMB for host in known)
    others = sum(host.migration_transport is not None for host in known) - smb
    return MigrationTransport.SMB if smb > others else MigrationTransport.COMPRESSION


def _cluster_evidence(cluster: Cluster, what: str, value: object) -> tuple[Evidence, ...]:
    return (Evidence(what, str(value), None, cluster.read_at),)


def fastest_link(host: Host) -> float | None:
    """The fastest adapter that is up, bytes per second; None when none was read."""
    speeds = [adapter.link_bytes_per_s for adapter in host.adapters or () if adapter.up and adapter.link_bytes_per_s]
    return max((speed for speed in speeds if speed is not None), default=None)


def rdma_works(host: Host) -> bool | None:
    """Whether an adapter has working RDMA; None where it was not read of every adapter and none of the others has."""
    if host.adapters is None:
        return None
    if any(adapter.rdma_enabled and adapter.rdma_operational is not False for adapter in host.adapters):
        return True
    return None if any(adapter.rdma_enabled is None for adapter in host.adapters) else False


@check(
    "transport-mixed",
    Severity.RISKS,
    Family.NETWORK,
    "The performance option differs between nodes",
    "Live Migration Internals and Tuning, transport options: the setting is per host",
    reads=("vm-host.VirtualMachineMigrationPerformanceOption",),
)
def mixed_transport(facts: Facts, this: Check) -> Iterator[Finding]:
    known = [host for host in facts.hosts() if host.migration_transport is not None]
    kinds = Counter(WORDS[host.migration_transport] for host in known if host.migration_transport is not None)
    if len(kinds) < 2:
        return
    suited = suited_transport(facts.hosts())
    counts = ", ".join(f"{number} by {word}" for word, number in kinds.most_common())
    for host in known:
        if host.migration_transport is not suited and host.migration_transport is not None:
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} migrates by {WORDS[host.migration_transport]}; hosts differ ({counts}), and "
                f"{WORDS[suited]} suits them all.",
                host_evidence(host, "VirtualMachineMigrationPerformanceOption", WORDS[host.migration_transport]),
                _set_transport(facts, host, suited),
            )


@check(
    "transport-tcpip",
    Severity.ADVICE,
    Family.NETWORK,
    "Plain TCP/IP is chosen",
    "Live Migration Internals and Tuning, transport options: compression is the floor",
    reads=("vm-host.VirtualMachineMigrationPerformanceOption",),
)
def plain_tcpip(facts: Facts, this: Check) -> Iterator[Finding]:
    suited = suited_transport(facts.hosts())
    for host in facts.hosts():
        if host.migration_transport is MigrationTransport.TCPIP:
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} sends memory uncompressed over TCP/IP.",
                host_evidence(host, "VirtualMachineMigrationPerformanceOption", "TCPIP"),
                _set_transport(facts, host, suited),
            )


@check(
    "transport-smb-without-rdma",
    Severity.ADVICE,
    Family.NETWORK,
    "SMB is chosen and no adapter has working RDMA",
    "Live Migration Internals and Tuning, quick decision rule",
    reads=(
        "vm-host.VirtualMachineMigrationPerformanceOption",
        "adapters.Name",
        "adapters-rdma.Name",
        "adapters-rdma.Enabled",
        "adapters-rdma.OperationalState",
    ),
)
def smb_without_rdma(facts: Facts, this: Check) -> Iterator[Finding]:
    for host in facts.hosts():
        if host.migration_transport is not MigrationTransport.SMB:
            continue
        works = rdma_works(host)
        if works is None:
            yield this.unknown(Subject(host=host.name), f"{host.name}: the RDMA of its adapters was not read.")
        elif not works:
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} migrates by SMB without RDMA: compression would send fewer bytes.",
                host_evidence(host, "Get-NetAdapterRdma", "none enabled"),
                _set_transport(facts, host, MigrationTransport.COMPRESSION),
            )


@check(
    "transport-rdma-unused",
    Severity.ADVICE,
    Family.NETWORK,
    "Working RDMA of 25 GbE or more at every node, and the transport is not SMB",
    "Live Migration Internals and Tuning, compression vs SMB Direct",
    reads=(
        "vm-host.VirtualMachineMigrationPerformanceOption",
        *LINKS,
        "adapters-rdma.Name",
        "adapters-rdma.Enabled",
        "adapters-rdma.OperationalState",
    ),
)
def rdma_unused(facts: Facts, this: Check) -> Iterator[Finding]:
    hosts = facts.hosts()
    if not all(rdma_works(host) and (fastest_link(host) or 0) >= 25 * GBE for host in hosts):
        return
    for host in hosts:
        if host.migration_transport in (MigrationTransport.TCPIP, MigrationTransport.COMPRESSION):
            yield this.conflict(
                Subject(host=host.name),
                f"Every node has RDMA at 25 GbE or more; {host.name} does not use it for live migration.",
                host_evidence(host, "VirtualMachineMigrationPerformanceOption", WORDS[host.migration_transport]),
                _set_transport(facts, host, MigrationTransport.SMB),
            )


def parallel_rule(link_bytes_per_s: float) -> int:
    """Moves at once that the link carries well: 1 below 25 GbE, 2 from 25, 4 from 100."""
    if link_bytes_per_s >= 100 * GBE:
        return 4
    return 2 if link_bytes_per_s >= 25 * GBE else 1


@check(
    "limit-default-on-fast",
    Severity.ADVICE,
    Family.NETWORK,
    "One move at a time on a link that carries more",
    "Live Migration Internals and Tuning, CAU drain is too slow: 2 on 25 GbE, 4 on 100 GbE",
    reads=("cluster.MaximumParallelMigrations", *LINKS),
)
def default_limit_on_fast_link(facts: Facts, this: Check) -> Iterator[Finding]:
    limit = facts.cluster.settings.maximum_parallel_migrations
    links = [link for host in facts.hosts() if (link := fastest_link(host)) is not None]
    if limit is None or not links:
        yield this.unknown(Subject(), "MaximumParallelMigrations or the speed of the links was not read.")
    elif limit == 1 and parallel_rule(min(links)) > 1:
        rule = parallel_rule(min(links))
        yield this.conflict(
            Subject(),
            f"MaximumParallelMigrations is 1, as shipped: one move at a time where links of {min(links) / GBE:.0f} "
            f"Gbit/s carry {rule}.",
            _cluster_evidence(facts.cluster, "MaximumParallelMigrations", limit),
            _allow(facts, f"Allow {rule} at a time.", rule),
        )


@check(
    "limit-above-rule",
    Severity.RISKS,
    Family.NETWORK,
    "More moves at once than the link carries well",
    "Live Migration Internals and Tuning, CAU drain is too slow: the fix is not to crank concurrency to 8",
    reads=("cluster.MaximumParallelMigrations", *LINKS),
)
def limit_above_rule(facts: Facts, this: Check) -> Iterator[Finding]:
    limit = facts.cluster.settings.maximum_parallel_migrations
    links = [link for host in facts.hosts() if (link := fastest_link(host)) is not None]
    if limit is None or not links:
        yield this.unknown(Subject(), "MaximumParallelMigrations or the speed of the links was not read.")
    elif limit > max(2, parallel_rule(min(links))):
        rule = parallel_rule(min(links))
        yield this.conflict(
            Subject(),
            f"{limit} moves at once on {min(links) / GBE:.0f} Gbit/s: each takes longer and goes dark longer.",
            _cluster_evidence(facts.cluster, "MaximumParallelMigrations", limit),
            _allow(facts, f"Keep it if you have measured that it is faster; else allow {rule}.", rule),
        )


@check(
    "limit-host-ignored",
    Severity.ADVICE,
    Family.NETWORK,
    "The host's own limit differs from the cluster's, which wins",
    "Get-Cluster and Set-VMHost documentation",
    reads=("cluster.MaximumParallelMigrations", "vm-host.MaximumVirtualMachineMigrations"),
)
def host_limit_ignored(facts: Facts, this: Check) -> Iterator[Finding]:
    limit = facts.cluster.settings.maximum_parallel_migrations
    for host in facts.hosts():
        own = host.maximum_virtual_machine_migrations
        if limit is not None and own is not None and own != limit:
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} is set to {own} migrations at once; the cluster's MaximumParallelMigrations of {limit} "
                "wins.",
                host_evidence(host, "MaximumVirtualMachineMigrations", own),
                Fix("Nothing to do; change the cluster's value if you want another."),
            )


@check(
    "smb-cap-ineffective",
    Severity.RISKS,
    Family.NETWORK,
    "The SMB cap is on but can not work",
    "Live Migration Internals and Tuning, cluster-wide bandwidth: needs FS-SMBBW on every node and the SMB transport",
    reads=(
        "cluster.SetSMBBandwidthLimit",
        "cluster.SMBBandwidthLimitFactor",
        "vm-host.VirtualMachineMigrationPerformanceOption",
    ),
)
def smb_cap_ineffective(facts: Facts, this: Check) -> Iterator[Finding]:
    if not facts.cluster.settings.set_smb_bandwidth_limit:
        return
    yield from _caps_nothing(facts, this)
    for host in facts.hosts():
        if host.migration_transport is not MigrationTransport.SMB:
            continue
        if host.smb_bandwidth_feature is None:
            yield this.unknown(Subject(host=host.name), f"{host.name}: the feature FS-SMBBW was not read.")
        elif not host.smb_bandwidth_feature:
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} lacks the feature FS-SMBBW: the cluster's cap on SMB migrations does not hold there.",
                host_evidence(host, "FS-SMBBW", "not installed"),
                Fix("Install it on every node.", f"Install-WindowsFeature {on_host(host.name)} -Name FS-SMBBW"),
            )


def _caps_nothing(facts: Facts, this: Check) -> Iterator[Finding]:
    """The cap is on and migration does not go by SMB: a risk where somebody chose its share, else worth knowing."""
    others = [host for host in facts.hosts() if host.migration_transport not in (None, MigrationTransport.SMB)]
    transports = [host.migration_transport for host in others if host.migration_transport is not None]
    factor = facts.cluster.settings.smb_bandwidth_limit_factor
    if not others or factor is None:
        return
    yield this.conflict(
        Subject(),
        f"The cluster's SMB bandwidth limit of {factor / 10_000:.0%} is on, but {listed(host.name for host in others)} "
        "do not migrate by SMB: it does not hold their migrations down.",
        _cluster_evidence(facts.cluster, "SMBBandwidthLimitFactor", factor)
        + host_evidence(others[0], "VirtualMachineMigrationPerformanceOption", WORDS[transports[0]]),
        Fix("Nothing to do, unless you count on it: then migrate by SMB, or allow fewer moves at once."),
        Severity.ADVICE if factor == DEFAULT_FACTOR else None,
    )
