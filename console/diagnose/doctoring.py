"""From what was found on the way to every node to symptoms with advice. Pure.

Advice follows the documented codes (WinRM's, and those of live migration); :mod:`console.wire.failures` has given each
failure its own already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from console.checks.values import Evidence
from console.model.cluster import Cluster, Contact, Host, NodeState
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

from .endpoint import endpoint_symptom
from .inside import seen_inside
from .symptoms import Aspect, DoctorReport, Reach, SiteFacts, Symptom, Verdict, Visit

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
_QUOTA_ADVICE = "On the node `winrm get winrm/config` shows the limits; this console keeps one session a node."


def diagnose(site: SiteFacts, visits: Sequence[Visit], cluster: Cluster | None, at: datetime) -> DoctorReport:
    """Every aspect of every host, in order; one that rests on another that failed is unknown."""
    symptoms: list[Symptom] = []
    seen = {visit.node.host.casefold() for visit in visits}
    for visit in visits:
        symptoms += _way(site, visit, at)
        host = _host(cluster, visit.node.host)
        symptoms += seen_inside(site, cluster, host) if host and cluster else _not_inside(visit)
        symptoms += _session(visit, at)
    for host in cluster.hosts if cluster else ():
        if cluster and host.name.casefold() not in seen:
            symptoms += _met_through_others(site, cluster, host)
    return DoctorReport(site.name, cluster.name if cluster else "", at, tuple(symptoms))


def _host(cluster: Cluster | None, name: HostName) -> Host | None:
    short = name.casefold().partition(".")[0]
    found = (host for host in cluster.hosts if host.name.casefold() in (name.casefold(), short)) if cluster else ()
    return next((host for host in found if host.contact is Contact.ANSWERING), None)


def _way(site: SiteFacts, visit: Visit, at: datetime) -> Iterator[Symptom]:
    """Name, port, TLS, sign-in, endpoint: what lies before the first command."""
    failed_at = _failed_at(visit)
    failed = False
    for aspect in _BEFORE_COMMANDS:
        found = _plain(visit, aspect, at)
        if not failed and found is None and failed_at is aspect and visit.failure is not None:
            found = Symptom(visit.node.host, aspect, Verdict.PROBLEM, visit.failure.what, visit.failure.advice)
        if failed or (found is None and (not visit.asked or _is_past(aspect, failed_at))):
            found = Symptom(visit.node.host, aspect, Verdict.UNKNOWN, _why_unknown(visit))
        found = found or _well(site, visit, aspect)
        failed = failed or found.verdict is Verdict.PROBLEM
        yield replace(found, evidence=_tried(site, visit, aspect, at))


def _tried(site: SiteFacts, visit: Visit, aspect: Aspect, at: datetime) -> tuple[Evidence, ...]:
    """What was tried at this step of the way, and what came of it; nothing where it was not come to."""
    node, reach = visit.node, visit.reach
    told = {
        Aspect.NAME: (f"resolving {node.address}", ", ".join(reach.addresses) or reach.name_error),
        Aspect.PORT: (f"connecting to port {node.port}", _connected(reach)),
        Aspect.TLS: ("certificate ends", _expires(reach) or reach.tls_error),
        Aspect.SIGN_IN: (f"signing in by {site.authentication} as", site.account if visit.asked else ""),
        Aspect.ENDPOINT: (f"asking {site.endpoint}", _answered(visit)),
    }
    what, value = told[aspect]
    return (Evidence(what, value, node.host, at),) if value else ()


def _connected(reach: Reach) -> str:
    return reach.port_error if reach.connect_s is None else f"accepted after {reach.connect_s * 1000:.0f} ms"


def _expires(reach: Reach) -> str:
    return "" if reach.certificate_expires is None else reach.certificate_expires.date().isoformat()


def _answered(visit: Visit) -> str:
    if visit.failure is not None:
        return visit.failure.what
    return "" if visit.answer_s is None else f"Get-Module answered after {visit.answer_s:.1f} s"


_WELL = {
    Aspect.NAME: "The name resolves.",
    Aspect.PORT: "The port accepts connections.",
    Aspect.TLS: "The certificate is accepted.",
    Aspect.SIGN_IN: "The sign-in was accepted.",
}


def _well(site: SiteFacts, visit: Visit, aspect: Aspect) -> Symptom:
    if aspect is Aspect.ENDPOINT:
        return endpoint_symptom(site, visit)
    return Symptom(visit.node.host, aspect, Verdict.WELL, _WELL[aspect])


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
        advice = (
            "Check WinRM's service and listener on the node (winrm enumerate winrm/config/listener), and the firewall "
            "between."
        )
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
        advice = (
            "Name the authority that signed it as ca_file in the configuration, and the node as the certificate does."
        )
        return Symptom(host, Aspect.TLS, Verdict.PROBLEM, reach.tls_error, advice)
    if reach.certificate_expires is not None and reach.certificate_expires - at < SOON:
        text = f"The certificate ends on {reach.certificate_expires.date().isoformat()}."
        return Symptom(
            host, Aspect.TLS, Verdict.WARNING, text, "Renew it, and bind the new one to WinRM's https listener."
        )
    return None


def _session(visit: Visit, at: datetime) -> Iterator[Symptom]:
    """Time-outs and quotas, as the first question met them."""
    host, failed_at = visit.node.host, _failed_at(visit)
    answer = _answered(visit)
    evidence = (Evidence("the first question", answer, host, at),) if answer else ()
    yield replace(_pace(visit), evidence=evidence)
    if failed_at is Aspect.QUOTAS and visit.failure is not None:
        advice = f"{visit.failure.advice} {_QUOTA_ADVICE}".strip()
        yield Symptom(host, Aspect.QUOTAS, Verdict.PROBLEM, visit.failure.what, advice, evidence)
    elif visit.answer_s is None:
        yield Symptom(host, Aspect.QUOTAS, Verdict.UNKNOWN, _why_unknown(visit), "", evidence)
    else:
        yield Symptom(host, Aspect.QUOTAS, Verdict.WELL, "A session was opened: no limit was met.", "", evidence)


def _pace(visit: Visit) -> Symptom:
    """Whether the first question was answered in time."""
    host, this = visit.node.host, Aspect.TIMEOUTS
    if isinstance(visit.failure, TimedOut):
        return Symptom(host, this, Verdict.PROBLEM, visit.failure.what, visit.failure.advice)
    if visit.answer_s is None:
        return Symptom(host, this, Verdict.UNKNOWN, _why_unknown(visit))
    text = f"The first answer took {visit.answer_s:.1f} s."
    if visit.answer_s > SLOW_ANSWER_S:
        return Symptom(host, this, Verdict.WARNING, text, "Look at the node's load and at the way there.")
    return Symptom(host, this, Verdict.WELL, text)


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
        yield from seen_inside(site, cluster, host)
    elif host.state is NodeState.DOWN:
        yield Symptom(host.name, Aspect.PORT, Verdict.UNKNOWN, "The cluster says that this node is down.")
    else:
        why = next(iter(host.problems), "It does not answer.")
        advice = "Give its address in the configuration when its name alone is not enough."
        yield Symptom(host.name, Aspect.PORT, Verdict.PROBLEM, why, advice)
