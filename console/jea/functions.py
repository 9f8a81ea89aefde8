"""Each entry of the catalogue as a function of PowerShell: validated parameters, module-qualified commands."""

from __future__ import annotations

import re

from console.windows.catalogue import Entry, Fill, ScriptStage, Stage
from console.windows.commands import Parameter, ParameterType
from console.windows.modules import qualified
from console.windows.powershell import quoted

from .text import array

_TYPES = {
    ParameterType.STRING: "string",
    ParameterType.STRINGS: "string[]",
    ParameterType.INT32: "int",
    ParameterType.UINT32: "uint32",
    ParameterType.INT64: "long",
    ParameterType.BOOLEAN: "bool",
    ParameterType.SWITCH: "switch",
    ParameterType.GUID: "guid",
}
"""PowerShell's own names of the types."""
_COMMAND = re.compile(r"\b[A-Z][A-Za-z]+-[A-Z]\w+")
_SIGNATURE = re.compile(r"param\([^)]*\)\s*")
_OPTIONAL = "optional"

_TEMPLATE = """\
function {name} {{
    <#
    .SYNOPSIS
    {says}
    #>
    [CmdletBinding()]
    param({parameters})
    try {{
{body}
    }} catch {{
        throw
    }}
}}
"""
"""Caught and thrown again: a command that fails would otherwise end its own statement only, not the function."""


def function(entry: Entry) -> str:
    """The function that says the same as the entry's pipeline and returns the same rows."""
    fills = {fill.argument: fill for fill in entry.fills}
    declared = ",\n".join(_declared(fill) for fill in fills.values())
    return _TEMPLATE.format(
        name=entry.constrained_function,
        says=entry.says,
        parameters=f"\n{declared}\n    " if declared else "",
        body="\n".join(f"        {line}" for line in _body(entry)),
    )


def _declared(fill: Fill) -> str:
    attributes = [f"[Parameter(Mandatory = ${'false' if fill.optional else 'true'})]"]
    if fill.may_be_empty:
        attributes.append("[AllowEmptyString()]")
    if fill.pattern:
        whole = quoted(rf"\A(?:{fill.pattern})\z")
        attributes.append(f"[ValidatePattern({whole})]")
    if fill.allowed:
        attributes.append(f"[ValidateSet({array(fill.allowed)})]")
    if fill.within is not None:
        attributes.append(f"[ValidateRange({fill.within[0]}, {fill.within[1]})]")
    return "\n".join(f"        {line}" for line in (*attributes, f"[{_TYPES[fill.type]}]${fill.argument}"))


def _body(entry: Entry) -> list[str]:
    if isinstance(entry.pipeline[0], ScriptStage):
        return _script(entry.pipeline[0])
    lines = []
    optional = [fill for fill in entry.fills if fill.optional]
    if optional:
        lines.append(f"${_OPTIONAL} = @{{}}")
    for fill in optional:
        asked = f"$PSBoundParameters.ContainsKey({quoted(fill.argument)})"
        lines.append(f"if ({asked}) {{ ${_OPTIONAL}[{quoted(fill.name)}] = ${fill.argument} }}")
    stages = [_stage(stage) for stage in entry.pipeline if isinstance(stage, Stage)]
    pipeline = [f"    {stage}" if place else stage for place, stage in enumerate(stages)]
    return [*lines, *(f"{stage} |" for stage in pipeline[:-1]), pipeline[-1]]


def _stage(stage: Stage) -> str:
    words = [qualified(stage.name)]
    optional = False
    for parameter in stage.parameters:
        if isinstance(parameter, Parameter):
            words.append(_given(parameter))
        elif parameter.optional:
            optional = True
        else:
            words.append(f"-{parameter.name} ${parameter.argument}")
    return " ".join([*words, f"@{_OPTIONAL}"] if optional else words)


def _given(parameter: Parameter) -> str:
    name, value = parameter.name, parameter.value
    if isinstance(value, bool):
        is_plain_switch = value and parameter.type is ParameterType.SWITCH
        return f"-{name}" if is_plain_switch else f"-{name}:${str(value).lower()}"
    if isinstance(value, int):
        return f"-{name} {value}"
    return f"-{name} {array(value) if isinstance(value, tuple) else quoted(value)}"


def _script(stage: ScriptStage) -> list[str]:
    """The script's own statements, a line each; its parameters are the function's."""
    text = _SIGNATURE.sub("", stage.text, count=1)
    qualified_text = _COMMAND.sub(lambda found: qualified(found.group()), text)
    return _statements(qualified_text)


def _statements(text: str) -> list[str]:
    """The parts between semicolons that are inside no brace, each broken after its own pipes."""
    lines, depth, continued = [""], 0, False
    for sign in text:
        depth += (sign in "{(") - (sign in "})")
        if depth or sign not in ";|":
            lines[-1] += sign
            continue
        lines[-1] = _line(lines[-1], continued) + (" |" if sign == "|" else "")
        continued = sign == "|"
        lines.append("")
    return [*lines[:-1], _line(lines[-1], continued)]


def _line(text: str, continued: bool) -> str:
    return f"{'    ' if continued else ''}{text.strip()}"
