"""Conflicts of the networks and adapters that carry migration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from console.model.cluster import Cluster, ClusterNetwork, Host, NetworkAdapter, NetworkRole

from .reads import CARRIERS, LINKS, NETWORKS
from .registry import Check, Facts, Family, Finding, check, host_evidence, owned, quoted, untold
from .transport import GBE, fastest_link
from .values import Evidence, Fix, Severity, Subject

BUILD_2025 = 26100
SELECTION_TIMEOUT_S = 20
"""Before 2025 each network that can not carry a move costs this long before the next is tried."""

IP_AND_ICMP_HEADERS = 28
"""Bytes of a packet that are not the ping's payload (RFC 791, RFC 792)."""

VMQ_FROM_GBE = 10

IN_BOX = "Microsoft"
"""DriverProvider of the drivers that come with Windows."""


def eligible_networks(cluster: Cluster) -> tuple[ClusterNetwork, ...]:
    """Networks that may carry migration, in the order in which they are tried: rank, then metric."""
    allowed = [
        network
        for network in cluster.networks
        if network.role is not NetworkRole.NONE and not network.migration_excluded
    ]
    last = len(allowed)
    return tuple(
        sorted(
            allowed,
            key=lambda network: (
                network.migration_order if network.migration_order is not None else last,
                network.metric if network.metric is not None else 2**32,
            ),
        )
    )


def _hosts_on(cluster: Cluster, network: ClusterNetwork) -> frozenset[str]:
    return frozenset(
        interface.host for interface in cluster.interfaces or () if interface.network == network.name and interface.up
    )


def _address_on(cluster: Cluster, host: Host, network: ClusterNetwork) -> str:
    """Where the host answers on that network; its name where no address was read."""
    addresses = (
        interface.address
        for interface in cluster.interfaces or ()
        if interface.host == host.name and interface.network == network.name and interface.address
    )
    return next(addresses, host.name)


VIRTUAL = "Hyper-V Virtual Ethernet Adapter"
"""How Windows describes a host's adapter on a virtual switch (a second one has a number behind it)."""


def carriers(cluster: Cluster, host: Host, network: ClusterNetwork) -> tuple[NetworkAdapter, ...]:
    """The physical adapters by which the host joins the network: its own, or those under its virtual switch."""
    names = {
        interface.adapter
        for interface in cluster.interfaces or ()
        if interface.host == host.name and interface.network == network.name
    }
    if any(name.startswith(VIRTUAL) for name in names):
        names |= set(host.uplinks or ())
    return tuple(adapter for adapter in host.adapters or () if adapter.description in names)


def carrier(cluster: Cluster, host: Host, network: ClusterNetwork) -> NetworkAdapter | None:
    """The first of them."""
    return next(iter(carriers(cluster, host, network)), None)


def excluding(facts: Facts, unwanted: Iterable[ClusterNetwork], text: str) -> Fix:
    """Keep migration off some networks, and off those that it is kept off already."""
    kept_off = [network for network in facts.cluster.networks if network.migration_excluded]
    ids = dict.fromkeys(network.id for network in (*kept_off, *unwanted))
    line = (
        "Get-ClusterResourceType -Name 'Virtual Machine' | "
        f"Set-ClusterParameter -Name MigrationExcludeNetworks -Value {quoted(';'.join(ids))}"
    )
    return owned(facts, Fix(text, line))


def uncarried(facts: Facts, this: Check) -> Iterator[Finding]:
    """One open question for the hosts that join such a network by an adapter of which the physical one is not known."""
    networks, lost = eligible_networks(facts.cluster), []
    for host in facts.hosts():
        joined = {one.network for one in facts.cluster.interfaces or () if one.host == host.name}
        mine = [network for network in networks if network.name in joined]
        if host.adapters is not None and not all(carriers(facts.cluster, host, network) for network in mine):
            lost.append(host)
    yield from untold(this, lost, "The physical adapter under the one that carries migration")


def _carriers(facts: Facts) -> Iterator[tuple[Host, NetworkAdapter]]:
    """Each host's adapters on the networks that may carry migration, each once."""
    for host in facts.hosts():
        found = (carriers(facts.cluster, host, network) for network in eligible_networks(facts.cluster))
        for adapter in {adapter.name: adapter for several in found for adapter in several}.values():
            yield host, adapter


@check(
    "network-none-eligible",
    Severity.BLOCKS,
    Family.NETWORK,
    "No common network that is up and not excluded between a pair of hosts",
    "Get-ClusterNetwork, Get-ClusterNetworkInterface, MigrationExcludeNetworks; error 5035",
    reads=NETWORKS,
)
def none_eligible(facts: Facts, this: Check) -> Iterator[Finding]:
    cluster = facts.cluster
    if cluster.interfaces is None or not cluster.networks:
        yield this.unknown(Subject(), "The cluster's networks or their interfaces were not read.")
        return
    if any(network.migration_excluded is None for network in cluster.networks):
        yield this.unknown(Subject(), "Which networks are excluded (MigrationExcludeNetworks) was not told.")
    reach = [_hosts_on(cluster, network) for network in eligible_networks(cluster) if network.up is not False]
    for source in facts.hosts():
        if facts.node is not None and source.name != facts.node:
            continue
        for host in facts.hosts():
            if host.name == source.name or any({source.name, host.name} <= hosts for hosts in reach):
                continue
            yield this.conflict(
                Subject(host=source.name, destination=host.name),
                f"No cluster network that may carry migration joins {source.name} and {host.name}.",
                (Evidence("MigrationExcludeNetworks", _excluded(cluster), None, cluster.read_at),),
                Fix(
                    "Allow a network that both hosts have, or bring one up.",
                    "Get-ClusterResourceType -Name 'Virtual Machine' | "
                    "Get-ClusterParameter -Name MigrationExcludeNetworks",
                ),
            )


def _excluded(cluster: Cluster) -> str:
    return ", ".join(network.name for network in cluster.networks if network.migration_excluded) or "none"


@check(
    "network-wrong",
    Severity.RISKS,
    Family.NETWORK,
    "The network that would be picked is slower than another eligible one",
    "MigrationNetworkOrder, then metric; windowsserverdocs, network recommendations",
    reads=("networks.Metric", *NETWORKS, *CARRIERS, *LINKS),
)
def wrong_network(facts: Facts, this: Check) -> Iterator[Finding]:
    """One order holds for all hosts: the network whose slowest adapter is the fastest should be the first."""
    yield from uncarried(facts, this)
    networks = [network for network in eligible_networks(facts.cluster) if network.up is not False]
    speeds = [_speeds(facts, network) for network in networks]
    told = {host for found in speeds for host in found}
    slowest = [min(found.values()) if told and set(found) == told else 0.0 for found in speeds]
    if len(networks) < 2 or not speeds[0] or max(slowest) <= min(speeds[0].values()):
        return
    place = slowest.index(max(slowest))
    first, best = networks[0], networks[place]
    order = ";".join(network.id for network in (best, *(one for one in networks if one is not best)))
    for host in facts.hosts():
        picked, better = speeds[0].get(host.name), speeds[place].get(host.name)
        if picked is not None and better is not None and better > picked:
            yield this.conflict(
                Subject(host=host.name),
                f"On {host.name} migration would take {first.name} ({picked / GBE:.0f} Gbit/s) though "
                f"{best.name} has {better / GBE:.0f}.",
                host_evidence(host, "MigrationNetworkOrder", first.name),
                owned(
                    facts,
                    Fix(
                        f"Put {best.name} first.",
                        "Get-ClusterResourceType -Name 'Virtual Machine' | "
                        f"Set-ClusterParameter -Name MigrationNetworkOrder -Value {quoted(order)}",
                    ),
                ),
            )


def _speeds(facts: Facts, network: ClusterNetwork) -> dict[str, float]:
    """Bytes per second of each host's adapter on the network that is up and whose speed was read."""
    carriers = ((host, carrier(facts.cluster, host, network)) for host in facts.hosts())
    return {
        host.name: adapter.link_bytes_per_s
        for host, adapter in carriers
        if adapter is not None and adapter.up and adapter.link_bytes_per_s is not None
    }


@check(
    "network-slow-selection",
    Severity.ADVICE,
    Family.NETWORK,
    "Before 2025 each failed network costs 20 seconds before the move starts",
    "Live Migration Internals and Tuning, live migration network selection in 2025",
    reads=(*NETWORKS, "operating-system.BuildNumber"),
)
def slow_selection(facts: Facts, this: Check) -> Iterator[Finding]:
    down = [network for network in eligible_networks(facts.cluster) if network.up is False]
    older = [host for host in facts.hosts() if host.build is not None and host.build < BUILD_2025]
    if down and older:
        cost_s = SELECTION_TIMEOUT_S * len(down)
        yield this.conflict(
            Subject(),
            f"Migration may use {' and '.join(network.name for network in down)}, which "
            f"{'is' if len(down) == 1 else 'are'} down: from a node older than 2025 ({older[0].name}) a move may "
            f"start up to {cost_s} s late.",
            (Evidence("Get-ClusterNetwork State", down[0].name, None, facts.cluster.read_at),),
            excluding(facts, down, "Bring it up, or exclude what stays down from migration."),
        )


@check(
    "network-mtu",
    Severity.RISKS,
    Family.NETWORK,
    "Jumbo settings differ along the path",
    "Live Migration Internals and Tuning, migration plateaus; MSFT_NetAdapter MtuSize",
    reads=(*NETWORKS, *CARRIERS, "adapters.MtuSize"),
)
def mtu_differs(facts: Facts, this: Check) -> Iterator[Finding]:
    yield from uncarried(facts, this)
    for network in eligible_networks(facts.cluster):
        carriers = [(host, carrier(facts.cluster, host, network)) for host in facts.hosts()]
        sizes = [(host, adapter.mtu_bytes) for host, adapter in carriers if adapter and adapter.mtu_bytes]
        if len({size for _, size in sizes}) < 2:
            continue
        usual = Counter(size for _, size in sizes).most_common(1)[0][0]
        for host, size in sizes:
            if size != usual:
                payload = usual - IP_AND_ICMP_HEADERS
                yield this.conflict(
                    Subject(host=host.name),
                    f"On {network.name} {host.name} sends packets of {size} bytes, most hosts of {usual}.",
                    host_evidence(host, "MtuSize", size),
                    Fix(
                        "Set one size on hosts and switches; prove the path from another host with a ping that may "
                        "not be split.",
                        f"ping -f -l {payload} {_address_on(facts.cluster, host, network)}",
                    ),
                )


@check(
    "network-vmq",
    Severity.RISKS,
    Family.NETWORK,
    "VMQ is off on an adapter of 10 GbE or more that carries migration",
    "Live Migration Internals and Tuning, migration plateaus; Get-NetAdapterVmq Enabled; windowsserverdocs: below 10 "
    "GbE the switch does without VMQ",
    reads=(*NETWORKS, *CARRIERS, "adapters-vmq.Name", "adapters-vmq.Enabled"),
)
def vmq_off(facts: Facts, this: Check) -> Iterator[Finding]:
    yield from uncarried(facts, this)
    for host, adapter in _carriers(facts):
        fast = adapter.link_bytes_per_s is None or adapter.link_bytes_per_s >= VMQ_FROM_GBE * GBE
        if adapter.vmq_enabled is False and fast:
            yield this.conflict(
                Subject(host=host.name),
                f"VMQ is off on {adapter.name} of {host.name}: where a virtual switch is on it, one processor core "
                "limits the rate.",
                host_evidence(host, "Get-NetAdapterVmq Enabled", False),
                Fix(
                    "Switch it on while the node is empty: the adapter restarts and loses its link for seconds.",
                    f"Enable-NetAdapterVmq -CimSession {quoted(host.name)} -Name {quoted(adapter.name)}",
                ),
            )


@check(
    "network-driver",
    Severity.RISKS,
    Family.NETWORK,
    "An in-box driver on a physical adapter, or drivers that differ between nodes",
    "Live Migration Internals and Tuning, migration plateaus: stale drivers are the most common cause",
    reads=(*NETWORKS, *CARRIERS, "adapters.DriverVersionString", "adapters.DriverProvider"),
)
def driver(facts: Facts, this: Check) -> Iterator[Finding]:
    yield from uncarried(facts, this)
    versions: dict[str, Counter[str]] = {}
    carriers = list(_carriers(facts))
    for _, adapter in carriers:
        if adapter.driver_version:
            versions.setdefault(adapter.name, Counter())[adapter.driver_version] += 1
    for host, adapter in carriers:
        if adapter.driver_provider == IN_BOX:
            yield this.conflict(
                Subject(host=host.name),
                f"{adapter.name} of {host.name} runs on the driver that came with Windows.",
                host_evidence(host, "DriverProvider", adapter.driver_provider),
                Fix("Install the vendor's current driver while the node is empty.", _look_at(host, adapter)),
            )
            continue
        seen = versions.get(adapter.name, Counter())
        if len(seen) > 1 and adapter.driver_version and adapter.driver_version != seen.most_common(1)[0][0]:
            yield this.conflict(
                Subject(host=host.name),
                f"{adapter.name} of {host.name} has driver {adapter.driver_version}, most hosts "
                f"{seen.most_common(1)[0][0]}.",
                host_evidence(host, "DriverVersionString", adapter.driver_version),
                Fix("Bring all nodes to one version, each while it is empty.", _look_at(host, adapter)),
                Severity.ADVICE,
            )


def _look_at(host: Host, adapter: NetworkAdapter) -> str:
    return f"Get-NetAdapter -CimSession {quoted(host.name)} -Name {quoted(adapter.name)}"


@check(
    "network-rdma-not-operational",
    Severity.RISKS,
    Family.NETWORK,
    "RDMA is enabled but does not work",
    "Get-NetAdapterRdma Enabled and OperationalState",
    reads=("adapters.Name", "adapters-rdma.Name", "adapters-rdma.Enabled", "adapters-rdma.OperationalState"),
)
def rdma_not_operational(facts: Facts, this: Check) -> Iterator[Finding]:
    for host in facts.hosts():
        for adapter in host.adapters or ():
            if adapter.rdma_enabled and adapter.rdma_operational is False:
                yield this.conflict(
                    Subject(host=host.name),
                    f"RDMA is enabled on {adapter.name} of {host.name} but does not work: SMB falls back to TCP there.",
                    host_evidence(host, "Get-NetAdapterRdma", "enabled, not operational"),
                    Fix(
                        "Look at driver and firmware, the switch port, and with RoCE at PFC on both.",
                        f"Get-NetAdapterRdma -CimSession {quoted(host.name)} -Name {quoted(adapter.name)}",
                    ),
                )


@check(
    "network-speed-differs",
    Severity.ADVICE,
    Family.NETWORK,
    "The fastest links of two hosts differ: the slower end decides",
    "MSFT_NetAdapter Speed",
    reads=LINKS,
)
def speed_differs(facts: Facts, this: Check) -> Iterator[Finding]:
    speeds = {host.name: link for host in facts.hosts() if (link := fastest_link(host)) is not None}
    if len(set(speeds.values())) < 2:
        return
    fastest = max(speeds.values())
    for host in facts.hosts():
        link = speeds.get(host.name)
        if link is not None and link < fastest:
            yield this.conflict(
                Subject(host=host.name),
                f"The fastest link of {host.name} is {link / GBE:.0f} Gbit/s, others have {fastest / GBE:.0f}: "
                "moves to and from it take longer.",
                host_evidence(host, "Speed", f"{link * 8:.0f}"),
                Fix("Nothing to do for this drain; the plan counts with it."),
            )
