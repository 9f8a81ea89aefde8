"""What a node that answers tells of itself: modules, rights, delegation, clock, version. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from console.checks.gaps import commands_of
from console.checks.hosts import MODULES, lacking_commands, missing_entries, principals_of
from console.checks.registry import host_evidence, on_host, quoted
from console.checks.values import Evidence
from console.model.cluster import Cluster, Host, MigrationAuthentication
from console.model.facts import AccessRule, Delegation
from console.model.identity import HostName
from console.windows import catalogue
from console.windows.modules import OPERATE_ENDPOINT

from .symptoms import Aspect, SiteFacts, Symptom, Verdict

KERBEROS_SKEW_S = 300.0
"""Kerberos refuses tickets from clocks that differ more."""
NOTABLE_SKEW_S = 30.0
_DELEGATION = "'msDS-AllowedToDelegateTo',TrustedToAuthForDelegation"
_SIGN_INS: Mapping[MigrationAuthentication | None, str] = {
    MigrationAuthentication.CREDSSP: "CredSSP",
    MigrationAuthentication.KERBEROS: "Kerberos",
}


def seen_inside(site: SiteFacts, cluster: Cluster, host: Host) -> Iterator[Symptom]:
    """Every aspect of a host that was read."""
    yield _modules(host)
    yield _reading(cluster, host)
    yield _moving(site, cluster, host)
    yield _delegation(cluster, host)
    yield _clock(site, host)
    yield _version(cluster, host)


def _modules(host: Host) -> Symptom:
    this = Aspect.MODULES
    if host.modules is None:
        return Symptom(host.name, this, Verdict.UNKNOWN, "Get-Module was not answered.", next(iter(host.problems), ""))
    evidence = host_evidence(host, "Get-Module", ", ".join(host.modules) or "none")
    missing = [name for name in MODULES if name not in host.modules]
    if missing:
        text = f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing."
        features = [MODULES[name] for name in missing]
        line = f"Install-WindowsFeature {on_host(host.name)} -Name {','.join(quoted(one) for one in features)}"
        return Symptom(host.name, this, Verdict.PROBLEM, text, f"Install {', '.join(features)}.", evidence, line)
    return Symptom(host.name, this, Verdict.WELL, f"{' and '.join(MODULES)} are there.", "", evidence)


def _reading(cluster: Cluster, host: Host) -> Symptom:
    this = Aspect.READ
    denied = [entry for entry in (*host.denied, *cluster.denied) if entry != catalogue.cluster.DELEGATION.id]
    unread = sorted({entry.partition(".")[0] for entry in host.unread} - set(denied))
    if denied:
        rights = dict.fromkeys(catalogue.ENTRIES[entry].privilege.value for entry in denied)
        text = f"Refused: {', '.join(commands_of(denied))}."
        evidence = host_evidence(host, "refused as access denied", ", ".join(denied))
        advice = f"The account needs {' and '.join(rights)}."
        return Symptom(host.name, this, Verdict.PROBLEM, text, advice, evidence)
    if unread:
        evidence = host_evidence(host, "not answered", ", ".join(sorted(host.unread)))
        text = f"Not answered: {', '.join(commands_of(unread))}."
        return Symptom(host.name, this, Verdict.WARNING, text, next(iter(host.problems), ""), evidence)
    evidence = host_evidence(host, "properties that did not come", "none")
    return Symptom(host.name, this, Verdict.WELL, "Everything that was asked was answered.", "", evidence)


def _moving(site: SiteFacts, cluster: Cluster, host: Host) -> Symptom:
    """Without moving anything: whether the commands are there, and whether the cluster's list says no."""
    this = Aspect.MOVE
    if host.abilities is None:
        return Symptom(host.name, this, Verdict.UNKNOWN, "Get-Command was not answered.")
    evidence = host_evidence(host, "Get-Command", ", ".join(host.abilities) or "none of a drain's commands")
    if lacking := lacking_commands(host):
        text = f"This session may not run {' nor '.join(lacking)}."
        return Symptom(
            host.name,
            this,
            Verdict.PROBLEM,
            text,
            f"Use an endpoint that offers them, such as {OPERATE_ENDPOINT}.",
            evidence,
        )
    if not host.abilities:
        text = "None of the commands is there."
        return Symptom(host.name, this, Verdict.PROBLEM, text, "See its modules.", evidence)
    own = [rule for rule in cluster.access or () if rule.identity.casefold() == site.account.casefold()]
    listed = ", ".join(f"{rule.identity} {_right(rule)}" for rule in cluster.access or ())
    evidence += (Evidence("Get-ClusterAccess", listed or "not read", None, cluster.read_at),)
    if any(not rule.allows for rule in own) or (own and not any(rule.full for rule in own)):
        text = f"The cluster lets {site.account} only read."
        grant = f"Grant-ClusterAccess -User {quoted(site.account)} -Full"
        return Symptom(host.name, this, Verdict.PROBLEM, text, "Give it full control of the cluster.", evidence, grant)
    if any(rule.full for rule in own):
        text = "The commands are there and the cluster gives this account full control."
        return Symptom(host.name, this, Verdict.WELL, text, "", evidence)
    text = "The commands are there; whether a group gives this account full control of the cluster is not visible."
    advice = "Get-ClusterAccess lists who has it."
    return Symptom(host.name, this, Verdict.UNKNOWN, text, advice, evidence, "Get-ClusterAccess")


def _right(rule: AccessRule) -> str:
    return f"{'full' if rule.full else 'read'}{'' if rule.allows else ' denied'}"


def _delegation(cluster: Cluster, host: Host) -> Symptom:
    this = Aspect.DELEGATION
    kind = _SIGN_INS.get(host.migration_authentication, "not read")
    evidence = host_evidence(host, "VirtualMachineMigrationAuthenticationType", kind)
    if host.migration_authentication is MigrationAuthentication.CREDSSP:
        text = "Not used: live migration signs in by CredSSP."
        return Symptom(host.name, this, Verdict.WELL, text, "", evidence)
    if host.part_of_domain is False:
        evidence += host_evidence(host, "PartOfDomain", False)
        return Symptom(host.name, this, Verdict.WELL, "Not used: the node is in no domain.", "", evidence)
    look = f"Get-ADComputer -Identity {quoted(host.name)} -Properties {_DELEGATION}"
    if host.migration_authentication is None or host.delegation is None or host.delegation.any_protocol is None:
        text = next((one for one in cluster.problems if "director" in one), "The directory was not asked from here.")
        advice = "Name a domain controller as `directory` in the configuration, or look where its module is."
        return Symptom(host.name, this, Verdict.UNKNOWN, text, advice, evidence, look)
    evidence += host_evidence(host, "TrustedToAuthForDelegation", host.delegation.any_protocol)
    if not host.delegation.any_protocol:
        text = "The account may delegate for Kerberos sign-ins only."
        advice = "Choose delegation with any authentication protocol."
        return Symptom(host.name, this, Verdict.PROBLEM, text, advice, evidence, look)
    if missing := _missing_entries(cluster, host.name, host.delegation):
        text = (
            f"{len(missing)} {'entry is' if len(missing) == 1 else 'entries are'} missing, the first is {missing[0]}."
        )
        evidence += host_evidence(host, "msDS-AllowedToDelegateTo lacks", "; ".join(missing))
        values = ", ".join(quoted(one) for one in missing)
        line = f"Set-ADComputer -Identity {quoted(host.name)} -Add @{{ 'msDS-AllowedToDelegateTo' = {values} }}"
        advice = "Add them to the computer account, as a domain administrator."
        return Symptom(host.name, this, Verdict.PROBLEM, text, advice, evidence, line)
    entries = len(host.delegation.entries)
    evidence += host_evidence(host, "msDS-AllowedToDelegateTo", f"{entries} entries")
    return Symptom(host.name, this, Verdict.WELL, "It may delegate to every other node.", "", evidence)


def _missing_entries(cluster: Cluster, host: HostName, delegation: Delegation) -> list[str]:
    known, domain = principals_of(delegation), cluster.settings.domain or ""
    others = (other.name for other in cluster.hosts if other.name != host)
    return [entry for other in others for entry in missing_entries(known, other, domain)]


def _clock(site: SiteFacts, host: Host) -> Symptom:
    this = Aspect.CLOCK
    if host.local_time is None or host.read_at is None:
        return Symptom(host.name, this, Verdict.UNKNOWN, "Its clock was not read.")
    skew = abs((host.local_time - host.read_at).total_seconds())
    text = f"Its clock differs from this machine's by {skew:.0f} s."
    evidence = host_evidence(host, "LocalDateTime", host.local_time.isoformat(timespec="seconds"))
    if skew > KERBEROS_SKEW_S:
        is_fatal = site.authentication in ("kerberos", "negotiate")
        advice = "Kerberos refuses more than five minutes: set the clocks by one source."
        return Symptom(host.name, this, Verdict.PROBLEM if is_fatal else Verdict.WARNING, text, advice, evidence)
    if skew > NOTABLE_SKEW_S:
        return Symptom(host.name, this, Verdict.WARNING, text, "Set the clocks by one source.", evidence)
    return Symptom(host.name, this, Verdict.WELL, text, "", evidence)


def _version(cluster: Cluster, host: Host) -> Symptom:
    this = Aspect.VERSIONS
    if host.build is None:
        return Symptom(host.name, this, Verdict.UNKNOWN, "Its build was not read.")
    builds = Counter(other.build for other in cluster.hosts if other.build is not None)
    usual = builds.most_common(1)[0][0]
    evidence = host_evidence(host, "BuildNumber", host.build)
    if host.build != usual:
        text = f"It runs build {host.build}, most nodes {usual}."
        return Symptom(host.name, this, Verdict.WARNING, text, "Finish the rolling upgrade.", evidence)
    return Symptom(host.name, this, Verdict.WELL, f"Build {host.build}.", "", evidence)
