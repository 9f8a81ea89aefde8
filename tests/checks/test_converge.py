"""No two fixes pull a host to and fro: whatever is mended first, in the end nothing of all this fires any more."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.checks.catalogue import CHECKS, Facts, run_checks
from console.checks.transport import suited_transport
from console.checks.values import Conflict, Severity
from console.diagnose.outlook import outlook_of
from console.forecast.forecaster import PriorForecaster
from console.model.cluster import (
    Cluster,
    ClusterNetwork,
    Host,
    MigrationAuthentication,
    MigrationTransport,
    NetworkInterface,
    NetworkRole,
)
from console.model.identity import HostName
from tests.builders import make_adapter
from tests.checks.worlds import HOSTS, cluster_of, with_settings

CODES = frozenset(
    (
        "auth-credssp-before-upgrade", "auth-credssp-credential-guard", "auth-mixed", "limit-above-rule",
        "limit-default-on-fast", "network-slow-selection", "network-vmq", "network-wrong", "smb-cap-ineffective",
        "smb-cap-tight", "transport-mixed", "transport-rdma-unused", "transport-smb-without-rdma", "transport-tcpip",
    )
)  # fmt: skip
BY_NAME = {"TCPIP": MigrationTransport.TCPIP, "Compression": MigrationTransport.COMPRESSION,
           "SMB": MigrationTransport.SMB}  # fmt: skip
SET_HOST = r"Set-VMHost -ComputerName '(\S+)' -VirtualMachineMigration"
GBITS = (1, 10, 25, 100)


def _on(cluster: Cluster, name: str, change: Callable[[Host], Host]) -> Cluster:
    return replace(cluster, hosts=tuple(change(host) if host.name == name else host for host in cluster.hosts))


def _networks(cluster: Cluster, name: str, ids: list[str]) -> Cluster:
    def changed(network: ClusterNetwork) -> ClusterNetwork:
        if name == "MigrationExcludeNetworks":
            return replace(network, migration_excluded=network.id in ids)
        return replace(network, migration_order=ids.index(network.id) if network.id in ids else None)

    return replace(cluster, networks=tuple(changed(network) for network in cluster.networks))


def obeyed(cluster: Cluster, conflict: Conflict) -> Cluster:
    """The cluster after the fix's own command; the lab's tests type the same lines through the wire."""
    line, host = conflict.fix.powershell, conflict.subject.host or ""
    if found := re.fullmatch(SET_HOST + r"PerformanceOption (\w+)", line):
        return _on(cluster, found[1], lambda host: replace(host, migration_transport=BY_NAME[found[2]]))
    if found := re.fullmatch(
        r"Set-VMHost -ComputerName '(\S+)' -VirtualMachineMigrationAuthenticationType (\w+)", line
    ):
        kerberos = MigrationAuthentication[found[2].upper()]
        return _on(cluster, found[1], lambda host: replace(host, migration_authentication=kerberos))
    if found := re.fullmatch(r"\(Get-Cluster\)\.(\w+) = (\d+)", line):
        names = {"MaximumParallelMigrations": "maximum_parallel_migrations",
                 "SMBBandwidthLimitFactor": "smb_bandwidth_limit_factor"}  # fmt: skip
        changed = replace(cluster.settings, **{names[found[1]]: int(found[2])})  # type: ignore[arg-type]
        return replace(cluster, settings=changed)
    if found := re.fullmatch(r".*Set-ClusterParameter -Name (Migration\w+) -Value '(.*)'", line):
        return _networks(cluster, found[1], found[2].split(";"))
    if found := re.fullmatch(r"Install-WindowsFeature -ComputerName '(\S+)' -Name FS-SMBBW", line):
        return _on(cluster, found[1], lambda host: replace(host, smb_bandwidth_feature=True))
    if line.startswith("Enable-NetAdapterVmq"):
        return _on(cluster, host, lambda host: replace(host, adapters=_with_vmq(host)))
    raise AssertionError(f"no such line is expected: {line}")


def _with_vmq(host: Host) -> tuple[object, ...]:
    return tuple(replace(adapter, vmq_enabled=True) for adapter in host.adapters or ())


def open_conflicts(cluster: Cluster) -> list[Conflict]:
    """The conflicts of the codes at hand that a command mends."""
    facts = Facts(cluster, outlook=outlook_of(cluster, None, PriorForecaster()))
    found = (one for code in CODES for one in CHECKS[code].find(facts, CHECKS[code]))
    mended = [one for one in found if isinstance(one, Conflict) and one.fix.powershell]
    return sorted(mended, key=lambda one: (one.code, one.subject.host or ""))


HOST = st.fixed_dictionaries(
    {
        "transport": st.sampled_from((*MigrationTransport, None)),
        "authentication": st.sampled_from((*MigrationAuthentication, None)),
        "guarded": st.booleans(),
        "rdma": st.sampled_from((True, False, None)),
        "vmq": st.booleans(),
        "feature": st.booleans(),
        "gbits": st.tuples(st.sampled_from(GBITS), st.sampled_from(GBITS)),
    }
)
WHOLE = st.fixed_dictionaries(
    {
        "hosts": st.tuples(HOST, HOST, HOST),
        "limit": st.sampled_from((1, 2, 4, 8)),
        "capped": st.booleans(),
        "factor": st.sampled_from((500, 2500, 5000, 7500, 9000, 10000)),
        "up": st.tuples(st.booleans(), st.booleans()),
        "old": st.booleans(),
    }
)


def world(drawn: dict[str, object]) -> Cluster:
    """Three hosts on two networks, with everything else as drawn."""
    base = cluster_of()
    hosts = tuple(_host(host, one) for host, one in zip(base.hosts, drawn["hosts"], strict=True))  # type: ignore[call-overload]
    if drawn["old"]:
        hosts = (replace(hosts[0], build=20348), *hosts[1:])
    networks = tuple(
        replace(network, role=NetworkRole.CLUSTER, up=up, migration_excluded=False, migration_order=None)
        for network, up in zip(base.networks, drawn["up"], strict=True)  # type: ignore[call-overload]
    )
    interfaces = tuple(
        NetworkInterface(HostName(name), network.name, f"25 GbE Adapter pNIC{number}", True)
        for name in HOSTS
        for number, network in enumerate(networks, 1)
    )
    changed = replace(
        base.settings,
        maximum_parallel_migrations=drawn["limit"],
        set_smb_bandwidth_limit=int(bool(drawn["capped"])),
        smb_bandwidth_limit_factor=drawn["factor"],
    )
    return replace(base, hosts=hosts, networks=networks, interfaces=interfaces, settings=changed)


def _host(host: Host, drawn: dict[str, object]) -> Host:
    adapters = tuple(
        make_adapter(
            f"pNIC{number}", link_bytes_per_s=gbits * 125e6, rdma_enabled=drawn["rdma"], rdma_operational=drawn["rdma"],
            vmq_enabled=drawn["vmq"],
        )
        for number, gbits in enumerate(drawn["gbits"], 1)  # type: ignore[call-overload]
    )  # fmt: skip
    return replace(
        host,
        adapters=adapters,
        migration_transport=drawn["transport"],
        migration_authentication=drawn["authentication"],
        credential_guard=drawn["guarded"],
        smb_bandwidth_feature=drawn["feature"],
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(WHOLE, st.randoms(use_true_random=False))
def test_the_fixes_end_in_peace_whatever_comes_first(drawn: dict[str, object], order: object) -> None:
    cluster = world(drawn)
    seen = {cluster}
    for _ in range(40):
        found = open_conflicts(cluster)
        if not found:
            return
        conflict = order.choice(found)  # type: ignore[attr-defined]
        cluster = obeyed(cluster, conflict)
        assert cluster not in seen, f"{conflict.code} undoes what another fix did: {conflict.fix.powershell}"
        seen.add(cluster)
        again = {(one.subject, one.fix.powershell) for one in open_conflicts(cluster) if one.code == conflict.code}
        assert (conflict.subject, conflict.fix.powershell) not in again, f"{conflict.code} did not heed its own fix"
    raise AssertionError("forty fixes were not enough")


def test_one_option_suits_all_hosts() -> None:
    cluster = world({"hosts": ({**_HEALTHY, "rdma": False}, _HEALTHY, _HEALTHY), **_CALM})
    assert suited_transport(cluster.hosts) is MigrationTransport.COMPRESSION
    every = world({"hosts": (_HEALTHY,) * 3, **_CALM})
    assert suited_transport(every.hosts) is MigrationTransport.SMB
    assert open_conflicts(every) == []


_HEALTHY: dict[str, object] = {
    "transport": MigrationTransport.SMB, "authentication": MigrationAuthentication.KERBEROS, "guarded": False,
    "rdma": True, "vmq": True, "feature": True, "gbits": (25, 25),
}  # fmt: skip
_CALM: dict[str, object] = {"limit": 2, "capped": False, "factor": 2500, "up": (True, True), "old": False}


@pytest.mark.parametrize(("factor", "severity"), [(2500, Severity.ADVICE), (4000, Severity.RISKS)])
def test_a_cap_that_caps_nothing_is_a_risk_only_where_somebody_chose_it(factor: int, severity: Severity) -> None:
    cluster = with_settings(set_smb_bandwidth_limit=1, smb_bandwidth_limit_factor=factor)
    found = [one for one in run_checks(Facts(cluster)).conflicts if one.code == "smb-cap-ineffective"]
    assert [one.severity for one in found] == [severity]
    assert found[0].evidence
