"""A function's parameters, and PowerShell's own refusals of what does not fit them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from console.lab.cmdlets.binding import COMMON, plain
from console.lab.engine import Command, PsError, TerminatingError, Typed

_INTEGERS = {"int": ("I32", -(2**31), 2**31 - 1), "uint32": ("U32", 0, 2**32 - 1), "long": ("I64", -(2**63), 2**63 - 1)}
_INVALID_ARGUMENT, _INVALID_DATA = 5, 6


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as the function declares it."""

    name: str
    type: str = "string"
    """PowerShell's own name of it, lower-case."""
    mandatory: bool = False
    may_be_empty: bool = False
    pattern: str | None = None
    """A .NET regular expression."""
    allowed: tuple[str, ...] = ()
    within: tuple[int, int] | None = None


def bind(function: str, parameters: Sequence[Parameter], command: Command) -> dict[str, object]:
    """What each parameter is given, by its declared name.

    Raises:
        TerminatingError: a parameter is unknown or missing, or its value is refused.
    """
    bound: dict[str, object] = {}
    for name, value in command.parameters.items():
        wanted = name.lstrip("-").rstrip(":").casefold()
        found = next((each for each in parameters if each.name.casefold() == wanted), None)
        if found is not None:
            bound[found.name] = _checked(function, found, _converted(function, found, value))
        elif wanted not in COMMON:
            message = f"A parameter cannot be found that matches parameter name '{name}'."
            raise _refused(function, "NamedParameterNotFound", message, name)
    if command.positional:
        message = f"A positional parameter cannot be found that accepts argument '{plain(command.positional[0])}'."
        raise _refused(function, "PositionalParameterNotFound", message)
    missing = [each.name for each in parameters if each.mandatory and each.name not in bound]
    if missing:
        message = f"Cannot process command because of one or more missing mandatory parameters: {' '.join(missing)}."
        raise _refused(function, "MissingMandatoryParameter", message)
    return bound


def _converted(function: str, parameter: Parameter, value: object) -> object:
    given = plain(value)
    try:
        if parameter.type == "guid":
            return given if isinstance(given, UUID) else UUID(str(given).strip("{}"))
        if parameter.type in _INTEGERS:
            tag, low, high = _INTEGERS[parameter.type]
            number = int(str(given))
            if low <= number <= high:
                return Typed(tag, number)
            raise ValueError
    except ValueError:
        message = (
            f"Cannot process argument transformation on parameter '{parameter.name}'. Cannot convert value"
            f' "{given}" to type "{parameter.type}".'
        )
        raise _refused(function, "ParameterArgumentTransformationError", message, parameter.name) from None
    return given if isinstance(given, list) else "" if given is None else str(given)


def _checked(function: str, parameter: Parameter, value: object) -> object:
    if value == "" and parameter.mandatory and not parameter.may_be_empty:
        message = f"Cannot bind argument to parameter '{parameter.name}' because it is an empty string."
        identifier = "ParameterArgumentValidationErrorEmptyStringNotAllowed"
        raise _refused(function, identifier, message, parameter.name, _INVALID_DATA)
    for item in value if isinstance(value, list) else [value]:
        why = _objection(parameter, item)
        if why is not None:
            message = f"Cannot validate argument on parameter '{parameter.name}'. {why}"
            raise _refused(function, "ParameterArgumentValidationError", message, parameter.name, _INVALID_DATA)
    return value


def _objection(parameter: Parameter, item: object) -> str | None:
    text = str(plain(item))
    if parameter.pattern is not None and _python(parameter.pattern).search(text) is None:
        return (
            f'The argument "{text}" does not match the "{parameter.pattern}" pattern. Supply an argument that matches'
            f' "{parameter.pattern}" and try the command again.'
        )
    if parameter.allowed and text.casefold() not in {each.casefold() for each in parameter.allowed}:
        return (
            f'The argument "{text}" does not belong to the set "{",".join(parameter.allowed)}" specified by the'
            " ValidateSet attribute. Supply an argument that is in the set and then try the command again."
        )
    if parameter.within is not None:
        low, high = parameter.within
        if int(text) > high:
            return (
                f"The {text} argument is greater than the maximum allowed range of {high}. Supply an argument that is"
                f" less than or equal to {high} and then try the command again."
            )
        if int(text) < low:
            return (
                f"The {text} argument is less than the minimum allowed range of {low}. Supply an argument that is"
                f" greater than or equal to {low} and then try the command again."
            )
    return None


def _python(pattern: str) -> re.Pattern[str]:
    """ValidatePattern ignores case; .NET's very end of a text is ``\\z``."""
    return re.compile(re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", pattern), re.IGNORECASE)


def _refused(
    function: str, identifier: str, message: str, parameter: str = "", category: int = _INVALID_ARGUMENT
) -> TerminatingError:
    kind = "ParameterBindingValidationException" if category == _INVALID_DATA else "ParameterBindingException"
    return TerminatingError(
        PsError(
            message,
            f"{identifier},{function}",
            category,
            f"System.Management.Automation.{kind}",
            reason=kind,
            activity=function,
            target=parameter,
        )
    )


def declared(name: str, attributes: Mapping[str, Sequence[object]], type_name: str) -> Parameter:
    """A parameter from its attributes by lower-case name; ``Parameter``'s own argument is whether it is mandatory."""
    pattern = attributes.get("validatepattern")
    within = attributes.get("validaterange")
    return Parameter(
        name,
        type_name,
        mandatory=bool(attributes.get("parameter", (False,))[0]),
        may_be_empty="allowemptystring" in attributes,
        pattern=None if pattern is None else str(pattern[0]),
        allowed=tuple(str(each) for each in attributes.get("validateset", ())),
        within=None if within is None else (int(str(within[0])), int(str(within[1]))),
    )
