"""The few constant scripts that the lab understands, recognised by their form; nothing is evaluated.

A property assignment on the cluster has no cmdlet of its own: ``param([uint32]$Value) (Get-Cluster).Name = $Value``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from console.lab.cmdlets import errors
from console.lab.cmdlets.binding import plain
from console.lab.cmdlets.invocation import Scope
from console.lab.engine import Command, PsError, PsValue, TerminatingError

_ASSIGNMENT = re.compile(
    r"^\s*param\s*\(\s*(?:\[\w+\]\s*)?\$(?P<parameter>\w+)\s*\)\s*;?\s*"
    r"\(\s*Get-Cluster\s*\)\s*\.\s*(?P<property>\w+)\s*=\s*\$(?P<value>\w+)\s*;?\s*$",
    re.IGNORECASE,
)


def run(scope: Scope, command: Command) -> Iterable[PsValue]:
    """Do what a recognised script says.

    Raises:
        TerminatingError: the lab does not know it, or the property can not be set.
    """
    found = _ASSIGNMENT.match(command.name)
    if found is None or found["parameter"].lower() != found["value"].lower():
        raise errors.no_scripts()
    _assign(scope, command, found["property"], found["parameter"])
    return []


def _assign(scope: Scope, command: Command, name: str, parameter: str) -> None:
    given = [value for key, value in command.parameters.items() if key.lower() == parameter.lower()]
    given += list(command.positional)
    known = {each.lower(): each for each in scope.world.settings}
    if name.lower() not in known:
        raise _can_not_set(f"The property '{name}' cannot be found on this object.", "PropertyNotFound")
    value = plain(given[0]) if given else None
    if not isinstance(value, int) or not 0 <= value < 2**32:
        raise _can_not_set(f'Exception setting "{name}": "Cannot convert \'{value}\' to System.UInt32"', "SetValue")
    scope.cluster.service.set_property(known[name.lower()], value)
    scope.cluster.touch()


def _can_not_set(message: str, identifier: str) -> TerminatingError:
    exception = "System.Management.Automation.SetValueInvocationException"
    return TerminatingError(PsError(message, identifier, errors.INVALID_OPERATION, exception))
