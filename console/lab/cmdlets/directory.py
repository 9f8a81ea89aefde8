"""Get-ADComputer: the hosts' accounts in the domain, where the session's credentials reach that far."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from console.lab.cmdlets import errors, ldap
from console.lab.cmdlets.invocation import Invocation, Scope, answers
from console.lab.cmdlets.objects import Shape
from console.lab.engine import PsError, PsObject, PsValue
from console.lab.world import facts_directory, facts_host
from console.lab.world.state import Host, new_id

_ALWAYS = frozenset(
    ("DistinguishedName", "DNSHostName", "Enabled", "Name", "ObjectClass", "ObjectGUID", "SamAccountName",
     "UserPrincipalName")
)  # fmt: skip
"""What an account has without -Properties."""
_FILTER = re.compile(
    r"\s*(?:\*|(?P<name>\w+)\s+-(?P<operator>eq|like)\s+['\"](?P<value>[^'\"]*)['\"])\s*", re.IGNORECASE
)
_COMMAND = "Microsoft.ActiveDirectory.Management.Commands.GetADComputer"

COMPUTER: Shape[Host] = Shape(
    "ADComputer",
    {
        "Name": lambda _, h: h.name,
        "SamAccountName": lambda _, h: f"{h.name}$",
        "DNSHostName": lambda s, h: facts_directory.domain_name(s.world, h),
        "DistinguishedName": lambda s, h: facts_directory.distinguished_name(s.world, h),
        "Enabled": lambda _, h: True,
        "ObjectClass": lambda _, h: "computer",
        "ObjectGUID": lambda s, h: new_id(s.world.dice("account", h.name)),
        "OperatingSystem": lambda _, h: facts_host.caption(h).removeprefix("Microsoft "),
        "TrustedForDelegation": lambda _, h: False,
        "TrustedToAuthForDelegation": lambda _, h: h.delegation,
        "msDS-AllowedToDelegateTo": lambda s, h: facts_directory.delegated_to(s.world, h),
    },
    text=lambda host: host.name,
)


@answers("Get-ADComputer")
def get_ad_computer(call: Invocation) -> Iterable[PsValue]:
    world = call.world
    if world.scenario.workgroup or not world.facts.directory_answers:
        call.error(_no_server(call))
        return []
    try:
        holds = _wanted(call)
    except ldap.LdapError as error:
        call.error(_error(call, f"The search filter cannot be recognized: {error}", "ActiveDirectoryServer:8254"))
        return []
    found = [host for host in world.hosts.values() if holds(partial(_attribute, call.scope, host))]
    identity = call.text("Identity")
    if identity is not None and not found:
        message = f"Cannot find an object with identity: '{identity}' under: '{world.scenario.domain}'."
        call.error(_error(call, message, "ActiveDirectoryCmdlet:" + _NOT_FOUND))
    more = {name.lower() for name in call.texts("Properties") or ()}
    return [_account(call.scope, host, more) for host in found]


_NOT_FOUND = "Microsoft.ActiveDirectory.Management.ADIdentityNotFoundException"


def _wanted(call: Invocation) -> ldap.Filter:
    text, identity = call.text("LDAPFilter"), call.text("Identity")
    if text is not None:
        return ldap.parse(text)
    if identity is not None:
        return ldap.parse(f"(|(name={identity})(samAccountName={identity})(distinguishedName={identity}))")
    found = _FILTER.fullmatch(call.text("Filter") or "*")
    if found is None:
        raise ldap.LdapError(call.text("Filter"))
    return ldap.parse(f"({found['name']}={found['value']})" if found["name"] else "(objectClass=*)")


def _attribute(scope: Scope, host: Host, name: str) -> str | list[str] | None:
    real = next((each for each in COMPUTER.types if each.lower() == name.lower()), None)
    value = None if real is None else COMPUTER.value(real, scope, host)
    if isinstance(value, list):
        return [str(item) for item in value]
    return None if value is None else str(value)


def _account(scope: Scope, host: Host, more: set[str]) -> PsObject:
    """Only the usual properties, and those asked for."""
    whole = COMPUTER.make(scope, host)
    names = [name for name in COMPUTER.types if name in _ALWAYS or "*" in more or name.lower() in more]
    return PsObject(whole.type_names, {name: whole.properties[name] for name in names}, whole.to_string, instance=host)


def _no_server(call: Invocation) -> PsError:
    message = (
        "Unable to contact the server. This may be because this server does not exist, it is currently down, or it"
        " does not have the Active Directory Web Services running."
    )
    return _error(call, message, "ActiveDirectoryServer:0")


def _error(call: Invocation, message: str, identifier: str) -> PsError:
    return PsError(
        message,
        f"{identifier},{_COMMAND}",
        errors.INVALID_OPERATION,
        "Microsoft.ActiveDirectory.Management.ADException",
        reason="ADException",
        activity=call.cmdlet,
    )
