"""Which kind of endpoint a node offers, from the names of the commands that its session shows. Pure."""

from __future__ import annotations

from console.windows.commands import Effect
from console.windows.constrained import functions
from console.windows.modules import PLAIN_ENDPOINT

from .symptoms import Aspect, SiteFacts, Symptom, Verdict, Visit

_CMDLETS = ("Move-ClusterVirtualMachineRole", "Suspend-ClusterNode")
"""What a session shows that is not restricted."""
WANTED = (*functions(Effect.READS), *functions(Effect.CHANGES), *_CMDLETS)
"""The names to ask a constrained endpoint for."""
_AGAIN = "Write the endpoint with this console and install it again (drainboard jea export)."
_FEW = 3


def endpoint_symptom(site: SiteFacts, visit: Visit) -> Symptom:
    """What the session configuration that answered is good for."""
    host, name = visit.node.host, site.endpoint
    if name == PLAIN_ENDPOINT:
        text = f"{name} answers: the plain endpoint, which shows every command."
        return Symptom(host, Aspect.ENDPOINT, Verdict.WELL, text)
    if visit.offered is None:
        text = f"{name} answers, but not which functions it offers."
        return Symptom(host, Aspect.ENDPOINT, Verdict.UNKNOWN, text)
    offered = {function.casefold() for function in visit.offered}
    unread = [each for each in functions(Effect.READS) if each.casefold() not in offered]
    unchanged = [each for each in functions(Effect.CHANGES) if each.casefold() not in offered]
    if unread:
        text = f"{name} answers, but lacks {_some(unread)}."
        return Symptom(host, Aspect.ENDPOINT, Verdict.PROBLEM, text, _AGAIN)
    if any(cmdlet.casefold() in offered for cmdlet in _CMDLETS):
        text = f"{name} answers, but is not constrained: it shows the cmdlets themselves too."
        advice = "Register it from its .pssc file, whose SessionType is RestrictedRemoteServer."
        return Symptom(host, Aspect.ENDPOINT, Verdict.WARNING, text, advice)
    if len(unchanged) == len(functions(Effect.CHANGES)):
        text = f"{name} answers: constrained, to watch only ({len(functions(Effect.READS))} functions)."
        return Symptom(host, Aspect.ENDPOINT, Verdict.WELL, text)
    if unchanged:
        text = f"{name} answers: constrained, to watch and to drain, but it lacks {_some(unchanged)}."
        return Symptom(host, Aspect.ENDPOINT, Verdict.PROBLEM, text, _AGAIN)
    count = len(functions(Effect.READS)) + len(functions(Effect.CHANGES))
    text = f"{name} answers: constrained, to watch and to drain ({count} functions)."
    return Symptom(host, Aspect.ENDPOINT, Verdict.WELL, text)


def _some(names: list[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {more} more" if more > 0 else "")
