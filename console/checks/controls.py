"""Conflicts of who decides how much may move at once."""

from __future__ import annotations

from collections.abc import Iterator

from console.model.cluster import MigrationTransport

from .registry import Check, Facts, Family, Finding, check, cluster_evidence, owned
from .values import Fix, Severity, Subject

BUILD_2022 = 20348

CAPS = (0.25, 0.5, 0.75)
"""Fractions of the network that the finish is told for. None is advised beyond the last: the rest is for storage."""
TIGHT = 1.1
"""A cap that costs less than this factor against the widest advised one decides nothing."""


@check(
    "limit-atc-owns",
    Severity.ADVICE,
    Family.NETWORK,
    "Network ATC owns the settings of live migration: change them there",
    "windowsserverdocs, Network ATC cluster overrides; Get-NetIntentStatus",
    reads=(),
)
def atc_owns(facts: Facts, this: Check) -> Iterator[Finding]:
    intents = facts.cluster.network_intents
    if intents is None:
        yield this.unknown(Subject(), "Whether Network ATC is in use (Get-NetIntentStatus) was not read.")
    elif intents:
        yield this.conflict(
            Subject(),
            "Network ATC owns transport, networks and limits of live migration here: what is set by hand is set back.",
            cluster_evidence(facts, "Get-NetIntentStatus", f"{intents} rows"),
            Fix("Change the cluster's overrides in Network ATC.", "Get-NetIntent -GlobalOverrides"),
        )


@check(
    "smb-controls-absent",
    Severity.ADVICE,
    Family.NETWORK,
    "The cluster is older than the update of September 2022 and knows neither limit nor SMB cap",
    "Live Migration Internals and Tuning, cluster-wide concurrency and bandwidth: KB5017381 for Windows Server 2022",
    reads=(
        "cluster.MaximumParallelMigrations",
        "cluster.SetSMBBandwidthLimit",
        "cluster.SMBBandwidthLimitFactor",
    ),
)
def smb_controls_absent(facts: Facts, this: Check) -> Iterator[Finding]:
    known = facts.cluster.settings.has_migration_controls
    if known is None:
        yield this.unknown(Subject(), "The cluster's limits (Get-Cluster) were not read.")
    elif not known:
        older = next((host for host in facts.hosts() if host.build is not None and host.build < BUILD_2022), None)
        yield this.conflict(
            Subject(),
            "The cluster does not know MaximumParallelMigrations and the SMB cap: each host's own limit holds.",
            cluster_evidence(facts, "MaximumParallelMigrations", "not there"),
            Fix(
                f"Nothing to do: nodes older than Windows Server 2022 ({older.name}) have no such update; set "
                "MaximumVirtualMachineMigrations on each host."
                if older
                else "Install the updates since September 2022 on every node."
            ),
        )


@check(
    "smb-cap-tight",
    Severity.ADVICE,
    Family.NETWORK,
    "The SMB cap, not the link, decides when a drain is done",
    "Live Migration Internals and Tuning, cluster-wide bandwidth; the forecast at 25, 50 and 75 %",
    reads=("cluster.SetSMBBandwidthLimit", "cluster.SMBBandwidthLimitFactor"),
)
def smb_cap_tight(facts: Facts, this: Check) -> Iterator[Finding]:
    capped = facts.cluster.settings.set_smb_bandwidth_limit and any(
        host.migration_transport is MigrationTransport.SMB
        and host.smb_bandwidth_feature is not False
        and facts.node in (None, host.name)
        for host in facts.hosts()
    )
    if not capped:
        return
    outlook = facts.outlook
    if outlook is None:
        yield this.unknown(Subject(), "No forecast was made that could tell what the SMB cap costs.")
        return
    finish = dict(outlook.finish_by_cap)
    cap = outlook.cap or 1.0
    wider = [share for share in CAPS if share > cap and share in finish]
    if cap not in finish or not wider or finish[cap] <= finish[wider[-1]] * TIGHT:
        return
    enough = next(share for share in wider if finish[share] <= finish[wider[-1]] * TIGHT)
    told = ", ".join(f"{share:.0%} {_minutes(finish[share])}" for share in sorted({cap, *wider}))
    free = f", without a cap {_minutes(finish[1.0])}" if 1.0 in finish else ""
    yield this.conflict(
        Subject(host=facts.node),
        f"The SMB cap of {cap:.0%} decides when a drain is done: {told}{free}.",
        cluster_evidence(facts, "SMBBandwidthLimitFactor", facts.cluster.settings.smb_bandwidth_limit_factor),
        owned(
            facts,
            Fix(
                f"Raise it to {enough:.0%} for the window, watch what else uses SMB, and put it back afterwards.",
                f"(Get-Cluster).SMBBandwidthLimitFactor = {round(enough * 10_000)}",
            ),
        ),
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{seconds / 60:.1f} min"
