"""From what was found on the way to every node to symptoms with advice. Pure.

Advice follows the documented codes (WinRM's, and those of live migration); :mod:`console.wire.failures` has given each
failure its own already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from console.checks.hosts import MODULES, lacking_commands, missing_entries, principals_of
from console.model.cluster import Cluster, Contact, Host, MigrationAuthentication, NodeState
from console.model.failures import (
    Busy,
    CommandFailed,
    CommandMissing,
    EndpointMissing,
    Failure,
    Forbidden,
    ProtocolBroken,
    Refused,
    SessionGone,
    SignInRefused,
    TimedOut,
    Unreachable,
)
from console.model.identity import HostName
from console.windows import catalogue

from .symptoms import Aspect, DoctorReport, SiteFacts, Symptom, Verdict, Visit

KERBEROS_SKEW_S = 300.0
"""Kerberos refuses tickets from clocks that differ more."""
NOTABLE_SKEW_S = 30.0
SLOW_ANSWER_S = 5.0
SOON = timedelta(days=30)

_FAILS_AT: tuple[tuple[type[Failure], Aspect], ...] = (
    (TimedOut, Aspect.TIMEOUTS),
    (Unreachable, Aspect.PORT),
    (Refused, Aspect.TLS),
    (SignInRefused, Aspect.SIGN_IN),
    (Forbidden, Aspect.ENDPOINT),
    (EndpointMissing, Aspect.ENDPOINT),
    (CommandMissing, Aspect.ENDPOINT),
    (Busy, Aspect.QUOTAS),
    (SessionGone, Aspect.ENDPOINT),
    (ProtocolBroken, Aspect.ENDPOINT),
    (CommandFailed, Aspect.ENDPOINT),
)
_BEFORE_COMMANDS = (Aspect.NAME, Aspect.PORT, Aspect.TLS, Aspect.SIGN_IN, Aspect.ENDPOINT)
_QUOTA_ADVICE = (
    "The defaults are 30 shells a user, 25 sessions a user and 5 users at once an endpoint; on the node "
    "`winrm get winrm/config` shows the real ones. This console keeps one session a node."
)


def diagnose(site: SiteFacts, visits: Sequence[Visit], cluster: Cluster | None, at: datetime) -> DoctorReport:
    """Every aspect of every host, in order; one that rests on another that failed is unknown."""
    symptoms: list[Symptom] = []
    seen = {visit.node.host.casefold() for visit in visits}
    for visit in visits:
        symptoms += _way(visit, at)
        host = _host(cluster, visit.node.host)
        symptoms += _inside(site, cluster, host) if host and cluster else _not_inside(visit)
        symptoms += _session(visit)
    for host in cluster.hosts if cluster else ():
        if cluster and host.name.casefold() not in seen:
            symptoms += _met_through_others(site, cluster, host)
    return DoctorReport(site.name, cluster.name if cluster else "", at, tuple(symptoms))


def _host(cluster: Cluster | None, name: HostName) -> Host | None:
    short = name.casefold().partition(".")[0]
    found = (host for host in cluster.hosts if host.name.casefold() in (name.casefold(), short)) if cluster else ()
    return next((host for host in found if host.contact is Contact.ANSWERING), None)


def _way(visit: Visit, at: datetime) -> Iterator[Symptom]:
    """Name, port, TLS, sign-in, endpoint: what lies before the first command."""
    failed_at = _failed_at(visit)
    failed = False
    for aspect in _BEFORE_COMMANDS:
        found = _plain(visit, aspect, at)
        if not failed and found is None and failed_at is aspect and visit.failure is not None:
            found = Symptom(visit.node.host, aspect, Verdict.PROBLEM, visit.failure.what, visit.failure.advice)
        if failed or (found is None and (not visit.asked or _is_past(aspect, failed_at))):
            found = Symptom(visit.node.host, aspect, Verdict.UNKNOWN, _why_unknown(visit))
        found = found or Symptom(visit.node.host, aspect, Verdict.WELL, _WELL[aspect])
        failed = failed or found.verdict is Verdict.PROBLEM
        yield found


_WELL = {
    Aspect.NAME: "The name resolves.",
    Aspect.PORT: "The port accepts connections.",
    Aspect.TLS: "The certificate is accepted.",
    Aspect.SIGN_IN: "The sign-in was accepted.",
    Aspect.ENDPOINT: "The session configuration answers.",
}


def _failed_at(visit: Visit) -> Aspect | None:
    """Where the first question got stuck; a port that a plain connection reached is not it."""
    if visit.failure is None:
        return None
    found = next(aspect for kind, aspect in _FAILS_AT if isinstance(visit.failure, kind))
    return Aspect.ENDPOINT if found is Aspect.PORT and visit.reach.connect_s is not None else found


def _is_past(aspect: Aspect, failed_at: Aspect | None) -> bool:
    """Whether the aspect lies behind the one that failed; after a time-out or a quota nobody knows of the sign-in."""
    if failed_at is None:
        return False
    if failed_at not in _BEFORE_COMMANDS:
        return aspect in (Aspect.SIGN_IN, Aspect.ENDPOINT)
    return _BEFORE_COMMANDS.index(aspect) > _BEFORE_COMMANDS.index(failed_at)


def _why_unknown(visit: Visit) -> str:
    if not visit.asked:
        return "Not tried: the sign-in was refused on another node, and a second refusal could lock the account."
    return "Not reached: what comes before failed."


def _plain(visit: Visit, aspect: Aspect, at: datetime) -> Symptom | None:
    """What the plain connection alone tells; None when it tells nothing against this aspect."""
    host, reach, node = visit.node.host, visit.reach, visit.node
    if aspect is Aspect.NAME and reach.name_error:
        advice = "Check DNS, or give the node's address in the configuration."
        return Symptom(host, aspect, Verdict.PROBLEM, f"{node.address}: {reach.name_error}", advice)
    if aspect is Aspect.PORT and reach.port_error:
        advice = "Check WinRM's service and listener on the node, and the firewall between."
        return Symptom(host, aspect, Verdict.PROBLEM, f"Port {node.port}: {reach.port_error}", advice)
    if aspect is Aspect.TLS:
        return _tls(visit, at)
    return None


def _tls(visit: Visit, at: datetime) -> Symptom | None:
    host, reach = visit.node.host, visit.reach
    if not visit.node.https:
        text = "Not used: over http the messages themselves are encrypted by the sign-in."
        return Symptom(host, Aspect.TLS, Verdict.WELL, text)
    if reach.tls_error:
        advice = "Give the authority that signed it as ca_file, and use the name that it was made for."
        return Symptom(host, Aspect.TLS, Verdict.PROBLEM, reach.tls_error, advice)
    if reach.certificate_expires is not None and reach.certificate_expires - at < SOON:
        text = f"The certificate ends on {reach.certificate_expires.date().isoformat()}."
        return Symptom(host, Aspect.TLS, Verdict.WARNING, text, "Renew it, and tell WinRM's https listener.")
    return None


def _session(visit: Visit) -> Iterator[Symptom]:
    """Time-outs, quotas and what is left of the certificate's time, as the first question met them."""
    host, failed_at = visit.node.host, _failed_at(visit)
    if isinstance(visit.failure, TimedOut):
        yield Symptom(host, Aspect.TIMEOUTS, Verdict.PROBLEM, visit.failure.what, visit.failure.advice)
    elif visit.answer_s is None:
        yield Symptom(host, Aspect.TIMEOUTS, Verdict.UNKNOWN, _why_unknown(visit))
    elif visit.answer_s > SLOW_ANSWER_S:
        text = f"The first answer took {visit.answer_s:.1f} s."
        yield Symptom(host, Aspect.TIMEOUTS, Verdict.WARNING, text, "Look at the node's load and at the way there.")
    else:
        yield Symptom(host, Aspect.TIMEOUTS, Verdict.WELL, f"The first answer took {visit.answer_s:.1f} s.")
    if failed_at is Aspect.QUOTAS and visit.failure is not None:
        yield Symptom(host, Aspect.QUOTAS, Verdict.PROBLEM, visit.failure.what, visit.failure.advice)
    else:
        yield Symptom(host, Aspect.QUOTAS, Verdict.UNKNOWN, "No limit was met; limits are not readable.", _QUOTA_ADVICE)


_OF_THE_HOST = (
    Aspect.MODULES, Aspect.READ, Aspect.MOVE, Aspect.DELEGATION, Aspect.CLOCK, Aspect.VERSIONS,
)  # fmt: skip


def _not_inside(visit: Visit) -> Iterator[Symptom]:
    why = _why_unknown(visit) if visit.failure or not visit.asked else "The cluster could not be read through it."
    for aspect in _OF_THE_HOST:
        yield Symptom(visit.node.host, aspect, Verdict.UNKNOWN, why)


def _met_through_others(site: SiteFacts, cluster: Cluster, host: Host) -> Iterator[Symptom]:
    """A node that the configuration does not name: it was reached by its own name, or not at all."""
    if host.contact is Contact.ANSWERING:
        yield Symptom(
            host.name, Aspect.SIGN_IN, Verdict.WELL, "Reached by its name, though the configuration has none."
        )
        yield from _inside(site, cluster, host)
    elif host.state is NodeState.DOWN:
        yield Symptom(host.name, Aspect.PORT, Verdict.UNKNOWN, "The cluster says that this node is down.")
    else:
        why = next(iter(host.problems), "It does not answer.")
        advice = "Give its address in the configuration when its name alone is not enough."
        yield Symptom(host.name, Aspect.PORT, Verdict.PROBLEM, why, advice)


def _inside(site: SiteFacts, cluster: Cluster, host: Host) -> Iterator[Symptom]:
    yield _modules(host)
    yield _reading(cluster, host)
    yield _moving(site, cluster, host)
    yield _delegation(cluster, host)
    yield _clock(site, host)
    yield _version(cluster, host)


def _modules(host: Host) -> Symptom:
    if host.modules is None:
        return Symptom(host.name, Aspect.MODULES, Verdict.UNKNOWN, "Get-Module was not answered.")
    missing = [name for name in MODULES if name not in host.modules]
    if missing:
        features = ", ".join(MODULES[name] for name in missing)
        return Symptom(
            host.name, Aspect.MODULES, Verdict.PROBLEM, f"{' and '.join(missing)} is missing.", f"Install {features}."
        )
    return Symptom(host.name, Aspect.MODULES, Verdict.WELL, f"{' and '.join(MODULES)} are there.")


def _reading(cluster: Cluster, host: Host) -> Symptom:
    denied = [entry for entry in (*host.denied, *cluster.denied) if entry != catalogue.cluster.DELEGATION.id]
    unread = sorted({entry.partition(".")[0] for entry in host.unread} - set(denied))
    if denied:
        rights = dict.fromkeys(catalogue.ENTRIES[entry].privilege.value for entry in denied)
        text = f"Refused: {', '.join(denied)}."
        return Symptom(host.name, Aspect.READ, Verdict.PROBLEM, text, f"The account needs {' and '.join(rights)}.")
    if unread:
        text = f"Not answered: {', '.join(unread)}."
        return Symptom(host.name, Aspect.READ, Verdict.WARNING, text, next(iter(host.problems), ""))
    return Symptom(host.name, Aspect.READ, Verdict.WELL, "Everything that was asked was answered.")


def _moving(site: SiteFacts, cluster: Cluster, host: Host) -> Symptom:
    """Without moving anything: whether the commands are there, and whether the cluster's list says no."""
    if host.abilities is None:
        return Symptom(host.name, Aspect.MOVE, Verdict.UNKNOWN, "Get-Command was not answered.")
    if lacking := lacking_commands(host):
        text = f"This session may not run {' nor '.join(lacking)}."
        return Symptom(host.name, Aspect.MOVE, Verdict.PROBLEM, text, "Use an endpoint that offers them.")
    if not host.abilities:
        return Symptom(host.name, Aspect.MOVE, Verdict.PROBLEM, "None of the commands is there.", "See its modules.")
    own = [rule for rule in cluster.access or () if rule.identity.casefold() == site.account.casefold()]
    if any(not rule.allows for rule in own) or (own and not any(rule.full for rule in own)):
        grant = f"Grant-ClusterAccess -User '{site.account}' -Full"
        return Symptom(host.name, Aspect.MOVE, Verdict.PROBLEM, f"The cluster lets {site.account} only read.", grant)
    if any(rule.full for rule in own):
        text = "The commands are there and the cluster gives this account full control."
        return Symptom(host.name, Aspect.MOVE, Verdict.WELL, text)
    text = "The commands are there; whether a group gives this account full control of the cluster is not visible."
    return Symptom(host.name, Aspect.MOVE, Verdict.UNKNOWN, text, "Get-ClusterAccess lists who has it.")


def _delegation(cluster: Cluster, host: Host) -> Symptom:
    if host.migration_authentication is MigrationAuthentication.CREDSSP:
        return Symptom(host.name, Aspect.DELEGATION, Verdict.WELL, "Not used: live migration signs in by CredSSP.")
    if host.part_of_domain is False:
        return Symptom(host.name, Aspect.DELEGATION, Verdict.WELL, "Not used: the node is in no domain.")
    if host.migration_authentication is None or host.delegation is None or host.delegation.any_protocol is None:
        text = "The directory could not be asked from this session."
        return Symptom(
            host.name, Aspect.DELEGATION, Verdict.UNKNOWN, text, "Look at the computer account's delegation."
        )
    if not host.delegation.any_protocol:
        text = "The account may delegate for Kerberos sign-ins only."
        advice = "Choose delegation with any authentication protocol."
        return Symptom(host.name, Aspect.DELEGATION, Verdict.PROBLEM, text, advice)
    known, domain = principals_of(host.delegation), cluster.settings.domain or ""
    missing = [
        entry
        for other in cluster.hosts
        if other.name != host.name
        for entry in missing_entries(known, other.name, domain)
    ]
    if missing:
        text = f"{len(missing)} entries are missing, the first is {missing[0]}."
        advice = "Add them to the computer account (drainboard check names each)."
        return Symptom(host.name, Aspect.DELEGATION, Verdict.PROBLEM, text, advice)
    return Symptom(host.name, Aspect.DELEGATION, Verdict.WELL, "It may delegate to every other node.")


def _clock(site: SiteFacts, host: Host) -> Symptom:
    if host.local_time is None or host.read_at is None:
        return Symptom(host.name, Aspect.CLOCK, Verdict.UNKNOWN, "Its clock was not read.")
    skew = abs((host.local_time - host.read_at).total_seconds())
    text = f"Its clock differs from this machine's by {skew:.0f} s."
    if skew > KERBEROS_SKEW_S:
        is_fatal = site.authentication in ("kerberos", "negotiate")
        advice = "Kerberos refuses more than five minutes: set the clocks by one source."
        return Symptom(host.name, Aspect.CLOCK, Verdict.PROBLEM if is_fatal else Verdict.WARNING, text, advice)
    if skew > NOTABLE_SKEW_S:
        return Symptom(host.name, Aspect.CLOCK, Verdict.WARNING, text, "Set the clocks by one source.")
    return Symptom(host.name, Aspect.CLOCK, Verdict.WELL, text)


def _version(cluster: Cluster, host: Host) -> Symptom:
    if host.build is None:
        return Symptom(host.name, Aspect.VERSIONS, Verdict.UNKNOWN, "Its build was not read.")
    builds = Counter(other.build for other in cluster.hosts if other.build is not None)
    usual = builds.most_common(1)[0][0]
    if host.build != usual:
        text = f"It runs build {host.build}, most nodes {usual}."
        return Symptom(host.name, Aspect.VERSIONS, Verdict.WARNING, text, "Finish the rolling upgrade.")
    return Symptom(host.name, Aspect.VERSIONS, Verdict.WELL, f"Build {host.build}.")
