"""The few constant scripts that the lab understands, recognised by their form; nothing is evaluated.

Some things have no cmdlet of their own: a property assignment on the cluster
(``param([uint32]$Value) (Get-Cluster).Name = $Value``), a WMI method whose argument is a reference
(GetSystemCompatibilityVectors, GetSystemCompatibilityInfo), a WMI method whose arguments are a hash table
(StdRegProv.GetStringValue, CheckSystemCompatibilityInfo).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from console.lab.cmdlets import cim_virtual, errors
from console.lab.cmdlets.binding import plain
from console.lab.cmdlets.cim_virtual import VECTOR, System
from console.lab.cmdlets.invocation import Scope
from console.lab.engine import Command, PsError, PsObject, PsValue, TerminatingError, Typed
from console.lab.world import facts_directory, facts_processor
from console.lab.world.facts_processor import Vector

Found: TypeAlias = "re.Match[str]"

_NAMESPACE = r"-Namespace\s+root[/\\]"
_ASSIGNMENT = re.compile(
    r"param\s*\(\s*(?:\[\w+\]\s*)?\$(?P<parameter>\w+)\s*\)\s*;?\s*"
    r"\(\s*Get-Cluster\s*\)\s*\.\s*(?P<property>\w+)\s*=\s*\$(?P<value>\w+)",
    re.IGNORECASE,
)
_LITERAL = re.compile(
    r"\(\s*Get-Cluster(?:Group\s+-Name\s+'(?P<group>(?:[^']|'')+)')?\s*\)\s*\.\s*(?P<property>\w+)\s*=\s*(?P<number>\d+)",
    re.IGNORECASE,
)
"""An administrator's own line, with the name and the number in it."""
_VECTORS = re.compile(
    r"param\s*\(\s*\)\s*;?\s*"
    rf"\$(?P<service>\w+)\s*=\s*Get-CimInstance\s+{_NAMESPACE}virtualization[/\\]v2\s+"
    r"-ClassName\s+Msvm_VirtualSystemMigrationService\s*;\s*"
    rf"Get-CimInstance\s+{_NAMESPACE}virtualization[/\\]v2\s+-ClassName\s+Msvm_ComputerSystem\s+"
    r"-Filter\s+\"Name(?P<operator>=|!=|<>)'\$\(\$env:COMPUTERNAME\)'\"\s*\|\s*"
    r"ForEach-Object\s*\{\s*\$(?P<system>\w+)\s*=\s*\$_\s*;\s*"
    r"\(\s*Invoke-CimMethod\s+-InputObject\s+\$(?P=service)\s+-MethodName\s+GetSystemCompatibilityVectors\s+"
    r"-Arguments\s+@\{\s*ComputerSystem\s*=\s*\[ref\]\$(?P=system)\s*\}\s*\)\s*\.\s*CompatibilityVectors\s*\|\s*"
    r"Select-Object\s+-Property\s+(?P<columns>.+?)\s*\}",
    re.IGNORECASE | re.DOTALL,
)
_SERVICE = (
    rf"\$(?P<service>\w+)\s*=\s*Get-CimInstance\s+{_NAMESPACE}virtualization[/\\]v2\s+"
    r"-ClassName\s+Msvm_VirtualSystemMigrationService\s*;\s*"
)
_DESCRIBED = re.compile(
    rf"param\s*\(\s*(?:\[\w+\]\s*)?\$(?P<parameter>\w+)\s*\)\s*;?\s*{_SERVICE}"
    rf"Get-CimInstance\s+{_NAMESPACE}virtualization[/\\]v2\s+-ClassName\s+Msvm_ComputerSystem\s+"
    r"-Filter\s+\"Name='\$(?P=parameter)'\"\s*\|\s*ForEach-Object\s*\{\s*\$(?P<system>\w+)\s*=\s*\$_\s*;\s*"
    r"Invoke-CimMethod\s+-InputObject\s+\$(?P=service)\s+-MethodName\s+GetSystemCompatibilityInfo\s+"
    r"-Arguments\s+@\{\s*ComputerSystem\s*=\s*\[ref\]\$(?P=system)\s*\}\s*\|\s*"
    r"Select-Object\s+-Property\s+'?ReturnValue'?\s*,\s*@\{\s*Name\s*=\s*'CompatibilityInfo'\s*;\s*Expression\s*=\s*"
    r"\{\s*\[Convert\]::ToBase64String\(\s*\$_\.CompatibilityInfo\s*\)\s*\}\s*\}\s*\}",
    re.IGNORECASE,
)
_JUDGED = re.compile(
    rf"param\s*\(\s*(?:\[\w+\]\s*)?\$(?P<parameter>\w+)\s*\)\s*;?\s*{_SERVICE}"
    r"Invoke-CimMethod\s+-InputObject\s+\$(?P=service)\s+-MethodName\s+CheckSystemCompatibilityInfo\s+"
    r"-Arguments\s+@\{\s*CompatibilityInfo\s*=\s*\[Convert\]::FromBase64String\(\s*\$(?P=parameter)\s*\)\s*\}"
    r"\s*\|\s*Select-Object\s+-Property\s+'?ReturnValue'?\s*,\s*'?Reasons'?",
    re.IGNORECASE,
)
_REGISTRY = re.compile(
    r"param\s*\(\s*\)\s*;?\s*"
    rf"Invoke-CimMethod\s+{_NAMESPACE}cimv2\s+-ClassName\s+StdRegProv\s+-MethodName\s+GetStringValue\s+"
    r"-Arguments\s+@\{\s*sSubKeyName\s*=\s*'(?P<key>[^']*)'\s*;\s*sValueName\s*=\s*'(?P<value>[^']*)'\s*\}\s*\|\s*"
    r"Select-Object\s+-Property\s+(?P<columns>.+)",
    re.IGNORECASE | re.DOTALL,
)
_CALCULATED = re.compile(
    r"@\{\s*Name\s*=\s*'(?P<name>\w+)'\s*;\s*Expression\s*=\s*\{\s*\$\w+\.Name\s*\}\s*\}", re.IGNORECASE
)
_METHOD_RESULT = "Microsoft.Management.Infrastructure.CimMethodResult"
_SELECTED = ("System.Management.Automation.PSCustomObject", "System.Object")
INVALID_PARAMETER, NOT_COMPATIBLE = 32773, 32784
"""What CheckSystemCompatibilityInfo returns for no description of a VM, and for a VM that does not fit."""
NOT_FOUND = 2
"""ERROR_FILE_NOT_FOUND, which StdRegProv returns for a value that is not there."""


def changes(text: str) -> bool:
    """Whether a script would change the world; one that is not understood might."""
    return all(form.fullmatch(text.strip()) is None for form, act in _FORMS.items() if act not in (_assign, _literal))


def run(scope: Scope, command: Command) -> Iterable[PsValue]:
    """Do what a recognised script says.

    Raises:
        TerminatingError: the lab does not know it, or the property can not be set.
    """
    text = command.name.strip().rstrip(";").rstrip()
    for form, act in _FORMS.items():
        found = form.fullmatch(text)
        if found is not None:
            return act(scope, command, found)
    raise errors.no_scripts()


def _assign(scope: Scope, command: Command, found: Found) -> Iterable[PsValue]:
    name, parameter = found["property"], found["parameter"]
    if parameter.lower() != found["value"].lower():
        raise errors.no_scripts()
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
    return []


_GROUP_PROPERTIES = {"priority": "priority", "autofailbacktype": "auto_failback", "lockedfrommoving": "locked"}


def _literal(scope: Scope, command: Command, found: Found) -> Iterable[PsValue]:
    name, number = found["property"], int(found["number"])
    if found["group"] is None:
        known = {each.lower(): each for each in scope.world.settings}
        if name.lower() not in known:
            raise _can_not_set(f"The property '{name}' cannot be found on this object.", "PropertyNotFound")
        scope.cluster.service.set_property(known[name.lower()], number)
    else:
        group = scope.world.group_named(found["group"].replace("''", "'"))
        attribute = _GROUP_PROPERTIES.get(name.lower())
        if group is None or attribute is None:
            raise _can_not_set(f"The property '{name}' cannot be found on this object.", "PropertyNotFound")
        setattr(group, attribute, bool(number) if attribute == "locked" else number)
    scope.cluster.touch()
    return []


def _can_not_set(message: str, identifier: str) -> TerminatingError:
    exception = "System.Management.Automation.SetValueInvocationException"
    return TerminatingError(PsError(message, identifier, errors.INVALID_OPERATION, exception))


def _vectors(scope: Scope, command: Command, found: Found) -> Iterable[PsValue]:
    of_host = found["operator"] == "="
    columns = _columns(found["columns"])
    for system in cim_virtual.systems(scope):
        if (system.vm is None) == of_host:
            for vector in _vectors_of(system):
                yield _row(_vector_values(scope, system, vector, columns), VECTOR.type_names[1])


def _vectors_of(system: System) -> list[Vector]:
    if system.vm is None:
        return facts_processor.host_vectors(system.host)
    return facts_processor.vm_vectors(system.vm, system.host)


def _vector_values(scope: Scope, system: System, vector: Vector, columns: Mapping[str, bool]) -> dict[str, PsValue]:
    instance = VECTOR.make(scope, vector)
    return {name: system.name if calculated else instance.properties.get(name) for name, calculated in columns.items()}


def _given(command: Command, found: Found) -> str:
    """The value of the script's one parameter."""
    given = [value for name, value in command.parameters.items() if name.lower() == found["parameter"].lower()]
    return str(plain([*given, *command.positional, ""][0]))


def _described(scope: Scope, command: Command, found: Found) -> Iterable[PsValue]:
    wanted = _given(command, found).upper()
    for system in cim_virtual.systems(scope):
        if system.vm is not None and system.name == wanted:
            info = base64.b64encode(facts_processor.described(system.vm, system.host)).decode()
            yield _row({"ReturnValue": Typed("U32", 0), "CompatibilityInfo": info}, _METHOD_RESULT)


def _judged(scope: Scope, command: Command, found: Found) -> Iterable[PsValue]:
    try:
        info = base64.b64decode(_given(command, found), validate=True)
    except binascii.Error:
        info = b""
    reason = facts_processor.judged(info, scope.host)
    value = INVALID_PARAMETER if reason is None else NOT_COMPATIBLE if reason else 0
    reasons: PsValue = [cim_virtual.error_instance(reason)] if reason else None
    yield _row({"ReturnValue": Typed("U32", value), "Reasons": reasons}, _METHOD_RESULT)


def _registry(scope: Scope, command: Command, found: Found) -> Iterable[PsValue]:
    value = facts_directory.registry_text(scope.host, found["key"], found["value"])
    answer: dict[str, PsValue] = {"ReturnValue": Typed("U32", NOT_FOUND if value is None else 0), "sValue": value}
    chosen = {name: answer.get(name) for name in _columns(found["columns"])}
    return [_row(chosen, _METHOD_RESULT)]


def _columns(text: str) -> dict[str, bool]:
    """Names of Select-Object's columns in order; True for one that is calculated from the system's name."""
    columns: dict[str, bool] = {}
    for part in re.split(r"\s*,\s*", text.strip()):
        calculated = _CALCULATED.fullmatch(part)
        named = calculated or re.fullmatch(r"(?P<quote>'?)(?P<name>\w+)(?P=quote)", part)
        if named is None:
            raise errors.no_scripts()
        columns[named["name"]] = calculated is not None
    return columns


def _row(values: dict[str, PsValue], type_name: str) -> PsObject:
    return PsObject((f"Selected.{type_name}", *_SELECTED), values, None, notes=True)


_FORMS: Mapping[re.Pattern[str], Callable[[Scope, Command, Found], Iterable[PsValue]]] = {
    _ASSIGNMENT: _assign,
    _LITERAL: _literal,
    _VECTORS: _vectors,
    _REGISTRY: _registry,
    _DESCRIBED: _described,
    _JUDGED: _judged,
}
