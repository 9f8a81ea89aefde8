"""Bind what the client sent to a cmdlet's parameters, as PowerShell does.

Names match in any letter case, by alias and by unique prefix; switches take True; enumerations take names or numbers;
one parameter set must remain and have its mandatory parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from console.lab import surface
from console.lab.cmdlets import errors
from console.lab.engine import Command, PsEnum, PsObject, Typed
from console.lab.surface import CmdletFacts, ParameterFacts

COMMON = {
    "verbose": "Verbose", "vb": "Verbose", "debug": "Debug", "db": "Debug", "erroraction": "ErrorAction",
    "ea": "ErrorAction", "warningaction": "WarningAction", "wa": "WarningAction", "informationaction":
    "InformationAction", "infa": "InformationAction", "errorvariable": "ErrorVariable", "ev": "ErrorVariable",
    "warningvariable": "WarningVariable", "wv": "WarningVariable", "informationvariable": "InformationVariable",
    "iv": "InformationVariable", "outvariable": "OutVariable", "ov": "OutVariable", "outbuffer": "OutBuffer",
    "ob": "OutBuffer", "pipelinevariable": "PipelineVariable", "pv": "PipelineVariable",
}  # fmt: skip
"""Common parameters and their aliases (about_CommonParameters)."""

_INTEGERS = {
    "Byte": (0, 2**8 - 1), "Int16": (-(2**15), 2**15 - 1), "UInt16": (0, 2**16 - 1), "Int32": (-(2**31), 2**31 - 1),
    "UInt32": (0, 2**32 - 1), "Int64": (-(2**63), 2**63 - 1), "UInt64": (0, 2**64 - 1),
}  # fmt: skip


def bind(facts: CmdletFacts, command: Command, has_input: bool) -> dict[str, object]:
    """Parameter name as Windows writes it → plain Python value.

    Raises:
        TerminatingError: a ParameterBindingException, as PowerShell words it.
    """
    bound: dict[str, object] = {}
    for name, value in command.parameters.items():
        parameter = _resolve(facts, name)
        if isinstance(parameter, str):
            bound[parameter] = plain(value)
        else:
            bound[parameter.name] = convert(facts, parameter, value)
    _positional(facts, command.positional, bound)
    _check_sets(facts, bound, has_input)
    return bound


def _resolve(facts: CmdletFacts, name: str) -> ParameterFacts | str:
    """The parameter meant, or the name of a common parameter."""
    wanted = name.lstrip("-").rstrip(":").lower()
    for parameter in facts.parameters.values():
        if wanted == parameter.name.lower() or wanted in (alias.lower() for alias in parameter.aliases):
            return parameter
    if wanted in COMMON:
        return COMMON[wanted]
    matches = [parameter for parameter in facts.parameters.values() if parameter.name.lower().startswith(wanted)]
    common = sorted({full for short, full in COMMON.items() if full.lower().startswith(wanted) and len(short) > 2})
    if len(matches) + len(common) > 1:
        raise errors.ambiguous_parameter(facts.name, name, [match.name for match in matches] + common)
    if matches:
        return matches[0]
    if common:
        return common[0]
    raise errors.parameter_not_found(facts.name, name)


def _positional(facts: CmdletFacts, values: tuple[object, ...], bound: dict[str, object]) -> None:
    places = sorted(
        (parameter for parameter in facts.parameters.values() if parameter.position is not None),
        key=lambda parameter: (parameter.position or 0, parameter.name),
    )
    for value in values:
        taken = {facts.parameters[name].position for name in bound if name in facts.parameters}
        place = next((each for each in places if each.name not in bound and each.position not in taken), None)
        if place is None:
            raise errors.too_many_positional(facts.name, plain(value))
        bound[place.name] = convert(facts, place, value)


def _check_sets(facts: CmdletFacts, bound: Mapping[str, object], has_input: bool) -> None:
    given = [facts.parameters[name] for name in bound if name in facts.parameters]
    names = sorted({name for parameter in facts.parameters.values() for name in parameter.sets})
    left = [name for name in names if all(not parameter.sets or name in parameter.sets for parameter in given)]
    if names and not left:
        raise errors.ambiguous_set(facts.name)
    missing = [_missing(facts, name, bound, has_input) for name in left or [""]]
    fewest = min(missing, key=len)
    if fewest:
        raise errors.missing_mandatory(facts.name, fewest)


def _missing(facts: CmdletFacts, set_name: str, bound: Mapping[str, object], has_input: bool) -> list[str]:
    return [
        parameter.name
        for parameter in facts.parameters.values()
        if parameter.required
        and set_name in (parameter.required_sets or parameter.sets or (set_name,))
        and parameter.name not in bound
        and not (has_input and (parameter.by_value or parameter.by_property_name))
    ]


def plain(value: object) -> object:
    """The Python value inside a wire value."""
    if isinstance(value, Typed):
        return value.value
    if isinstance(value, PsEnum):
        return value.number
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def convert(facts: CmdletFacts, parameter: ParameterFacts, value: object) -> object:
    """A wire value as the parameter's type.

    Raises:
        TerminatingError: it can not be converted.
    """
    kind = parameter.type
    if parameter.is_switch:
        return True if value is None else bool(plain(value))
    if kind.endswith("[]") or kind == "StringCollection":
        items = value if isinstance(value, list | tuple) else [value]
        element = kind.removesuffix("[]") if kind.endswith("[]") else "String"
        return [_one(facts, parameter, element, item) for item in items]
    if isinstance(value, list | tuple) and kind not in ("Object", "PSObject"):
        if len(value) != 1:
            raise errors.cannot_convert(facts.name, parameter.name, "System.Object[]", f"System.{kind}")
        value = value[0]
    return _one(facts, parameter, kind, value)


def _one(facts: CmdletFacts, parameter: ParameterFacts, kind: str, value: object) -> object:
    kind = kind.removeprefix("Nullable<").removesuffix(">")
    if kind in _INTEGERS:
        return _integer(facts, parameter, kind, value)
    if parameter.accepted or surface.enumeration(kind) is not None:
        return _enumeration(facts, parameter, kind, value)
    if kind in ("String", "string"):
        return value.to_string or "" if isinstance(value, PsObject) else _text(plain(value))
    if kind in ("Boolean", "bool"):
        return bool(plain(value))
    if kind == "Guid":
        return _guid(facts, parameter, value)
    return value if isinstance(value, PsObject) else plain(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _integer(facts: CmdletFacts, parameter: ParameterFacts, kind: str, value: object) -> int:
    low, high = _INTEGERS[kind]
    try:
        number = int(str(plain(value)))
    except ValueError:
        raise errors.cannot_convert(facts.name, parameter.name, plain(value), f"System.{kind}") from None
    if not low <= number <= high:
        raise errors.cannot_convert(facts.name, parameter.name, number, f"System.{kind}")
    return number


def _guid(facts: CmdletFacts, parameter: ParameterFacts, value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(plain(value)).strip("{}"))
    except ValueError:
        raise errors.cannot_convert(facts.name, parameter.name, plain(value), "System.Guid") from None


def _enumeration(facts: CmdletFacts, parameter: ParameterFacts, kind: str, value: object) -> str:
    """The enumerator's name; numbers are taken too."""
    numbers = surface.enumeration(kind) or {}
    names = parameter.accepted or tuple(numbers)
    given = plain(value)
    if isinstance(given, int):
        for name, number in numbers.items():
            if number == given:
                return name
    text = str(given)
    exact = [name for name in names if name.lower() == text.lower()]
    found = exact or [name for name in names if name.lower().startswith(text.lower()) and text]
    if len(found) != 1:
        raise errors.cannot_convert(facts.name, parameter.name, text, kind, tuple(names))
    return found[0]


def names_of(values: Iterable[object]) -> list[str]:
    return [str(value) for value in values]
