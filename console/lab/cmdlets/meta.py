"""Cmdlets about the session: Get-Command, Get-Module, Get-Date."""

from __future__ import annotations

from collections.abc import Iterable

from console.lab import surface
from console.lab.cmdlets import errors
from console.lab.cmdlets.invocation import HANDLERS, Invocation, answers, is_wild, matches
from console.lab.engine import PsEnum, PsError, PsObject, PsValue, Typed

_COMMAND_TYPE = "System.Management.Automation.CommandTypes"
_MODULE_VERSIONS = {"FailoverClusters": "2.0.0.0", "Hyper-V": "2.0.0.0"}


@answers("Get-Command")
def get_command(call: Invocation) -> Iterable[PsValue]:
    from console.lab.cmdlets.engine import LabHostEngine

    scope = call.scope
    visible = sorted(LabHostEngine(scope.cluster, scope.host, scope.sessions).visible_commands(call.context))
    patterns = call.texts("Name") or ["*"]
    for pattern in patterns:
        found = [name for name in visible if matches(pattern.rpartition("\\")[2], name)]
        if not found and not is_wild(pattern):
            call.error(_unknown(pattern))
        for name in found:
            yield _command(call, name)


def _unknown(name: str) -> PsError:
    error = errors.unknown_command(name).error
    return PsError(
        error.message,
        f"CommandNotFoundException,{errors.command_class('Get-Command')}",
        error.category,
        error.exception,
        reason=error.reason,
        activity="Get-Command",
        target=name,
        target_type="String",
    )


def _command(call: Invocation, name: str) -> PsObject:
    facts = surface.cmdlet(name)
    session = call.scope.sessions.get(call.context.configuration_name.casefold())
    if session is not None and name.casefold() in session.functions:
        kind, number, module = "FunctionInfo", 2, session.module
    elif facts is None:
        kind, number, module = ("FunctionInfo", 2, "") if name not in HANDLERS else ("CmdletInfo", 8, "")
    else:
        kind, number, module = "CmdletInfo", 8, facts.module
    types = (f"System.Management.Automation.{kind}", "System.Management.Automation.CommandInfo", "System.Object")
    return PsObject(
        types,
        {
            "Name": name,
            "CommandType": PsEnum(_COMMAND_TYPE, number, "Function" if number == 2 else "Cmdlet"),
            "ModuleName": module,
            "Version": Typed("Version", _MODULE_VERSIONS.get(module, "3.1.0.0")),
            "Source": module,
        },
        name,
    )


@answers("Get-Module")
def get_module(call: Invocation) -> Iterable[PsValue]:
    lacking = call.world.facts.missing_modules.get(call.scope.host.name, ())
    known = {facts.module for name in HANDLERS if (facts := surface.cmdlet(name)) is not None}
    modules = sorted(known - set(lacking))
    patterns = call.texts("Name") or ["*"]
    types = ("System.Management.Automation.PSModuleInfo", "System.Object")
    for module in modules:
        if any(matches(pattern, module) for pattern in patterns):
            version = Typed("Version", _MODULE_VERSIONS.get(module, "1.0.0.0"))
            yield PsObject(types, {"Name": module, "Version": version}, module)


@answers("Get-Date")
def get_date(call: Invocation) -> Iterable[PsValue]:
    return [call.scope.cluster.now()]
