"""Cmdlets that only handle what flows through: Select-Object, Where-Object, Sort-Object, Measure-Object."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from console.lab.cmdlets import errors
from console.lab.cmdlets.invocation import Invocation, answers, is_wild, matches
from console.lab.engine import Command, PsEnum, PsError, PsObject, PsValue, Typed
from console.lab.surface import CmdletFacts

RESTRICTED_PROPERTIES = (
    "ModuleName", "Namespace", "OutputType", "Count", "HelpUri", "Name", "CommandType", "ResolvedCommandName",
    "DefaultParameterSet", "CmdletBinding", "Parameters",
)  # fmt: skip
"""All that the Select-Object proxy of a restricted session accepts for -Property."""


def check_restricted(facts: CmdletFacts, command: Command) -> None:
    """Refuse what the restricted proxy does not take.

    Raises:
        TerminatingError: another parameter than -Property and -InputObject, or a property that is not on the list.
    """
    for name, value in command.parameters.items():
        if name.lower() not in ("property", "inputobject"):
            raise errors.parameter_not_found(facts.name, name)
        for item in value if isinstance(value, list | tuple) else [value]:
            if name.lower() == "property" and str(item) not in RESTRICTED_PROPERTIES:
                message = (
                    f"Cannot validate argument on parameter 'Property'. The argument \"{item}\" does not belong to the"
                    f' set "{",".join(RESTRICTED_PROPERTIES)}" specified by the ValidateSet attribute.'
                )
                raise errors.binding(facts.name, "ParameterArgumentValidationError", message, "Property")


def property_of(value: PsValue, name: str) -> tuple[str, PsValue] | None:
    """(real name, value) of a property in any letter case, or None when there is no such one."""
    if not isinstance(value, PsObject):
        return None
    if name in value.properties:
        return name, value.properties[name]
    wanted = name.casefold()
    for each in value.properties:
        if each.casefold() == wanted:
            return each, value.properties[each]
    return None


@answers("Select-Object")
def select_object(call: Invocation) -> Iterable[PsValue]:
    values = list(call.input)
    given = call.arguments.get("InputObject")
    if isinstance(given, PsObject):
        values.append(given)
    values = _window(call, values)
    expand = call.text("ExpandProperty")
    if expand is not None:
        return _expanded(call, values, expand)
    names = call.texts("Property")
    chosen: list[PsValue] = list(values)
    if names is not None:
        columns = [(name, is_wild(name)) for name in names]
        chosen = [_projected(value, columns) for value in values]
    return _unique(chosen) if call.flag("Unique") else chosen


def _window(call: Invocation, values: list[PsValue]) -> list[PsValue]:
    skip, first, last = (call.arguments.get(name) for name in ("Skip", "First", "Last"))
    if isinstance(skip, int):
        values = values[skip:]
    if isinstance(first, int):
        values = values[:first]
    if isinstance(last, int):
        values = values[-last:] if last else []
    return values


def _expanded(call: Invocation, values: list[PsValue], name: str) -> Iterable[PsValue]:
    for value in values:
        found = property_of(value, name)
        if found is None:
            call.error(
                errors.not_found(call.cmdlet, f'Property "{name}" cannot be found.', "ExpandPropertyNotFound", name)
            )
        elif isinstance(found[1], list):
            yield from found[1]
        else:
            yield found[1]


def _projected(value: PsValue, columns: list[tuple[str, bool]]) -> PsObject:
    """The columns of one object; each a name, and whether it is a pattern."""
    if not isinstance(value, PsObject):
        return PsObject(_selected_types("System.Object"), {name: None for name, _ in columns}, None, notes=True)
    chosen: dict[str, PsValue] = {}
    properties = value.properties
    for name, wild in columns:
        if wild:
            chosen |= {each: properties[each] for each in properties if matches(name, each)}
        elif name in properties:
            chosen[name] = properties[name]
        else:
            found = property_of(value, name)
            chosen[found[0] if found else name] = found[1] if found else None
    first = value.type_names[0] if value.type_names else "System.Object"
    return PsObject(_selected_types(first), chosen, None, notes=True, instance=value.instance)


@cache
def _selected_types(original: str) -> tuple[str, ...]:
    """Named after the .NET type: what follows a hash sign in a CIM instance's name is not part of it."""
    first = original.partition("#")[0]
    return f"Selected.{first}", "System.Management.Automation.PSCustomObject", "System.Object"


def _unique(values: list[PsValue]) -> list[PsValue]:
    seen: set[str] = set()
    kept = []
    for value in values:
        key = (
            str({name: scalar(each) for name, each in value.properties.items()}) if isinstance(value, PsObject) else ""
        )
        key = key or str(scalar(value))
        if key not in seen:
            seen.add(key)
            kept.append(value)
    return kept


def scalar(value: PsValue | object) -> object:
    """A value as comparisons see it: an enumeration by number, an object by its text."""
    if isinstance(value, Typed):
        return value.value
    if isinstance(value, PsEnum):
        return value.number
    if isinstance(value, PsObject):
        return value.to_string or ""
    return value


def _pair(left: PsValue, right: object) -> tuple[object, object]:
    """Left decides how the two are compared, as PowerShell has it."""
    if isinstance(left, PsEnum):
        given = scalar(right)
        return (left.name.casefold(), str(given).casefold()) if isinstance(given, str) else (left.number, given)
    first, second = scalar(left), scalar(right)
    if isinstance(first, bool):
        return first, bool(second)
    if isinstance(first, int | float) and not isinstance(second, int | float):
        try:
            return first, float(str(second))
        except ValueError:
            return str(first), str(second)
    if first is None:
        return first, second
    return (first, second) if isinstance(first, int | float) else (str(first).casefold(), str(second).casefold())


def _less(left: PsValue, right: object) -> bool:
    first, second = _pair(left, right)
    if isinstance(first, int | float) and isinstance(second, int | float):
        return first < second
    return str(first) < str(second)


def _equal(left: PsValue, right: object) -> bool:
    first, second = _pair(left, right)
    return first == second


def _many(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


_OPERATORS: Mapping[str, Callable[[PsValue, object], bool]] = {
    "EQ": _equal,
    "NE": lambda left, right: not _equal(left, right),
    "GT": lambda left, right: not _less(left, right) and not _equal(left, right),
    "GE": lambda left, right: not _less(left, right),
    "LT": _less,
    "LE": lambda left, right: _less(left, right) or _equal(left, right),
    "Like": lambda left, right: matches(str(right), _text(left)),
    "NotLike": lambda left, right: not matches(str(right), _text(left)),
    "Match": lambda left, right: re.search(str(right), _text(left), re.IGNORECASE) is not None,
    "NotMatch": lambda left, right: re.search(str(right), _text(left), re.IGNORECASE) is None,
    "In": lambda left, right: any(_equal(left, item) for item in _many(right)),
    "NotIn": lambda left, right: not any(_equal(left, item) for item in _many(right)),
    "Contains": lambda left, right: any(_equal(item, right) for item in (left if isinstance(left, list) else [left])),
}


def _text(value: PsValue) -> str:
    return value.name if isinstance(value, PsEnum) else str(scalar(value))


@answers("Where-Object")
def where_object(call: Invocation) -> Iterable[PsValue]:
    if "FilterScript" in call.arguments:
        raise errors.no_scripts()
    name = call.text("Property") or ""
    wanted = call.arguments.get("Value")
    operator = next((key for key in _OPERATORS if call.flag(key)), None)
    for value in call.input:
        found = property_of(value, name)
        left = found[1] if found else None
        if operator is None:
            keep = _equal(left, wanted) if "Value" in call.arguments else bool(scalar(left))
        else:
            keep = _OPERATORS[operator](left, wanted)
        if keep:
            yield value


@answers("ForEach-Object")
def for_each_object(call: Invocation) -> Iterable[PsValue]:
    """A member's value, or a method's result, of every object; script blocks are not run."""
    if "MemberName" not in call.arguments:
        raise errors.no_scripts()
    name = call.text("MemberName") or ""
    for value in call.input:
        method = METHODS.get(name.lower())
        found = property_of(value, name)
        if method is not None and isinstance(value, PsObject):
            yield method(call, value)
        elif found is None:
            call.error(_no_member(call, name))
        elif isinstance(found[1], list):
            yield from found[1]
        else:
            yield found[1]


METHODS: dict[str, Callable[[Invocation, PsObject], PsValue]] = {"tostring": lambda _, value: value.to_string or ""}
"""Methods that ForEach-Object can call, by lower-case name."""


def _no_member(call: Invocation, name: str) -> PsError:
    message = f'Input name "{name}" cannot be resolved to a method. Verify that the method exists on the input object.'
    return PsError(
        message,
        f"MethodNotFound,{errors.command_class(call.cmdlet)}",
        errors.INVALID_OPERATION,
        "System.Management.Automation.PSInvalidOperationException",
        activity=call.cmdlet,
        target=name,
        target_type="String",
    )


@answers("Sort-Object")
def sort_object(call: Invocation) -> Iterable[PsValue]:
    names = call.texts("Property") or []

    def key(value: PsValue) -> tuple[tuple[int, float, str], ...]:
        found = [property_of(value, name) for name in names] or [("", value)]
        return tuple(_rank(each[1] if each else None) for each in found)

    return sorted(call.input, key=key, reverse=call.flag("Descending"))


def _rank(value: PsValue) -> tuple[int, float, str]:
    plain = scalar(value)
    if isinstance(plain, int | float):
        return 0, float(plain), ""
    return 1, 0.0, str(plain).casefold()


@answers("Measure-Object")
def measure_object(call: Invocation) -> Iterable[PsValue]:
    types = ("Microsoft.PowerShell.Commands.GenericMeasureInfo", "Microsoft.PowerShell.Commands.MeasureInfo")
    return [PsObject(types, {"Count": len(call.input)}, types[0])]
