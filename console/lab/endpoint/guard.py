"""What a session may run: PowerShell's own refusals, before an engine is asked."""

from __future__ import annotations

from collections.abc import Iterable

from console.lab.endpoint import records
from console.lab.engine import Command, HostEngine, PsError, SessionContext, TerminatingError, Typed

_PROMPTING = frozenset({"read-host", "get-credential"})

RESTRICTED_SELECT = (
    "ModuleName",
    "Namespace",
    "OutputType",
    "Count",
    "HelpUri",
    "Name",
    "CommandType",
    "ResolvedCommandName",
    "DefaultParameterSet",
    "CmdletBinding",
    "Parameters",
)
"""The only properties that the Select-Object of a restricted session selects (PowerShell's RestrictedRemoteServer)."""

_SELECT_PARAMETERS = frozenset({"property", "inputobject"})


def check(engine: HostEngine, context: SessionContext, commands: Iterable[Command]) -> None:
    """Refuse what PowerShell itself refuses.

    Raises:
        TerminatingError: script text or an unlisted command in a constrained session, or a command that prompts.
    """
    visible = {name.casefold() for name in engine.visible_commands(context)} if context.constrained else frozenset()
    for command in commands:
        refusal = _refusal(command, visible if context.constrained else None)
        if refusal is not None:
            raise TerminatingError(refusal)


def _refusal(command: Command, visible: Iterable[str] | None) -> PsError | None:
    name = command.name.casefold()
    if visible is not None:
        if command.is_script:
            return records.scripts_not_allowed()
        if name not in visible:
            return records.command_not_found(command.name)
        if name == "select-object":
            return _restricted_select(command)
    if name in _PROMPTING and not command.is_script:
        return records.prompt_refused(command.name)
    return None


def _restricted_select(command: Command) -> PsError | None:
    for parameter, value in command.parameters.items():
        if parameter.casefold() not in _SELECT_PARAMETERS:
            return records.parameter_not_found("Select-Object", parameter)
        if parameter.casefold() == "property":
            refusal = _unselectable(value)
            if refusal is not None:
                return refusal
    for value in command.positional:
        refusal = _unselectable(value)
        if refusal is not None:
            return refusal
    return None


def _unselectable(value: object) -> PsError | None:
    allowed = {name.casefold() for name in RESTRICTED_SELECT}
    for wanted in value if isinstance(value, list) else [value]:
        shown = str(wanted.value) if isinstance(wanted, Typed) else str(wanted)
        if shown.casefold() not in allowed:
            return records.value_not_in_set("Select-Object", "Property", shown, RESTRICTED_SELECT)
    return None
