"""From a :class:`Call` to what pypsrp sends: commands with parameters of exactly the type that Windows expects.

Left to itself pypsrp writes every whole number as Int32, also those that do not fit, and every list as ``Object[]``.
Here nothing is inferred from the Python type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from console.windows.commands import Call, Cmdlet, Parameter, ParameterType, Script
from console.windows.modules import PLAIN_ENDPOINT

if TYPE_CHECKING:
    from pypsrp.powershell import PowerShell

DEFAULT_CONFIGURATION = PLAIN_ENDPOINT
"""The endpoint that every Windows server has; any other is taken for a constrained one."""

_RANGES = {
    ParameterType.INT32: (-(2**31), 2**31 - 1),
    ParameterType.UINT32: (0, 2**32 - 1),
    ParameterType.INT64: (-(2**63), 2**63 - 1),
}
_TAGS = {
    ParameterType.STRING: "S",
    ParameterType.INT32: "I32",
    ParameterType.UINT32: "U32",
    ParameterType.INT64: "I64",
    ParameterType.BOOLEAN: "B",
    ParameterType.SWITCH: "B",
}
"""CLIXML element names ([MS-PSRP] 2.2.5.1)."""
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Strings(tuple[str, ...]):
    """A ``String[]``; the serializer writes it under that type's name."""


class NotOffered(LookupError):
    """The constrained endpoint has no function for this call."""


def stages(call: Call, *, constrained: bool) -> tuple[Cmdlet | Script, ...]:
    """What a call says on the endpoint at hand: its own pipeline, or the one function that stands for it.

    A call whose function is its own first command (Get-Command, which a restricted session has too) stays as it is:
    its projection keeps whole commands off the wire, and names only properties that are allowed there.

    Raises:
        NotOffered: the endpoint is constrained and the call has no function there.
    """
    if not constrained:
        return call.pipeline
    if call.constrained_function is None:
        raise NotOffered(call.entry)
    first = call.pipeline[0]
    if isinstance(first, Cmdlet) and first.name == call.constrained_function:
        return call.pipeline
    return (Cmdlet(call.constrained_function, call.arguments),)


def add_stages(powershell: PowerShell, pipeline: tuple[Cmdlet | Script, ...]) -> None:
    """Put a pipeline into pypsrp's.

    A script runs in a scope of its own, so that nothing of it remains in the session.

    Raises:
        ValueError: a parameter's value is not of its type.
    """
    for stage in pipeline:
        if isinstance(stage, Script):
            powershell.add_script(stage.text, use_local_scope=True)
        else:
            powershell.add_cmdlet(stage.name)
        for parameter in stage.parameters:
            powershell.add_parameter(parameter.name, encoded(parameter))


def encoded(parameter: Parameter) -> object:
    """A parameter's value as pypsrp's serializer (with :class:`Strings` taught to it) writes it in its own type.

    Raises:
        ValueError: the value is not of the parameter's type, or out of its range.
    """
    from pypsrp.serializer import TaggedValue

    check(parameter)
    value = parameter.value
    if isinstance(value, tuple):
        return Strings(value)
    if parameter.type is ParameterType.GUID:
        return TaggedValue("G", UUID(str(value)))
    return TaggedValue(_TAGS[parameter.type], value)


def check(parameter: Parameter) -> None:
    """Whether a value can travel as what it is said to be.

    Raises:
        ValueError: the value is not of the parameter's type, or out of its range.
    """
    if not _fits(parameter.type, parameter.value):
        raise ValueError(f"-{parameter.name} {parameter.value!r} is not a {parameter.type.value}")


def _fits(kind: ParameterType, value: object) -> bool:
    if kind is ParameterType.STRINGS:
        return isinstance(value, tuple) and all(_is_text(item) for item in value)
    if kind is ParameterType.STRING:
        return _is_text(value)
    if kind is ParameterType.GUID:
        return isinstance(value, str) and _GUID.fullmatch(value) is not None
    if kind in (ParameterType.BOOLEAN, ParameterType.SWITCH):
        return isinstance(value, bool)
    low, high = _RANGES[kind]
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_text(value: object) -> bool:
    """A string that can travel: half a surrogate pair can not be written as XML."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)
