"""Get-CimInstance: instances of WMI classes, asked by class and filter or by query."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from console.lab import surface
from console.lab.cmdlets import errors, wql
from console.lab.cmdlets.flow import scalar
from console.lab.cmdlets.invocation import Invocation, Scope, answers
from console.lab.cmdlets.objects import CimShape
from console.lab.engine import PsObject, PsValue

INVALID_NAMESPACE, INVALID_CLASS, INVALID_QUERY = 0x8004100E, 0x80041010, 0x80041017
PROVIDER_FAILED, ACCESS_DENIED = 0x80041013, 0x80070005
WBEM_ACCESS_DENIED = 0x80041003
MSCLUSTER = "root/mscluster"
DEFAULT_NAMESPACE = "root/cimv2"

Instances = Callable[[Scope], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Provider:
    """Where the instances of one class come from."""

    shape: CimShape[Any]
    instances: Instances
    name_of: Callable[[Any], str] | None = None
    """What an instance's Name is, told without making the instance: for classes with thousands of them."""


PROVIDERS: dict[tuple[str, str], Provider] = {}
"""By namespace and class, lower case."""


def provides(shape: CimShape[Any], name_of: Callable[[Any], str] | None = None) -> Callable[[Instances], Instances]:
    """Register a function as the source of a class's instances."""

    def register(instances: Instances) -> Instances:
        PROVIDERS[shape.namespace.lower(), shape.class_name.lower()] = Provider(shape, instances, name_of)
        return instances

    return register


def instances_of(scope: Scope, shape: CimShape[Any]) -> list[PsObject]:
    """Every instance of a class on one host, for cmdlets that are built on it."""
    provider = PROVIDERS[shape.namespace.lower(), shape.class_name.lower()]
    return [shape.make(scope, thing) for thing in provider.instances(scope)]


@dataclass(frozen=True, slots=True)
class _Asked:
    namespace: str
    class_name: str
    where: str | None
    properties: tuple[str, ...]


@answers("Get-CimInstance")
def get_cim_instance(call: Invocation) -> Iterable[PsValue]:
    if _elsewhere(call):
        call.error(errors.cim(call.cmdlet, "Access is denied.", ACCESS_DENIED, "", errors.PERMISSION_DENIED))
        return []
    try:
        asked = _asked(call)
        if asked.namespace.lower() == MSCLUSTER and not call.world.facts.may(call.context.user, "Read"):
            call.error(errors.cim(call.cmdlet, "Access denied ", WBEM_ACCESS_DENIED, "", errors.PERMISSION_DENIED))
            return []
        provider = _provider(call, asked)
        return [] if provider is None else _chosen(call.scope, provider, asked)
    except wql.WqlError:
        call.error(errors.cim(call.cmdlet, "Invalid query ", INVALID_QUERY, "", errors.INVALID_ARGUMENT))
        return []


def _elsewhere(call: Invocation) -> bool:
    """Another computer is asked: the session has nothing to sign in there with."""
    own = {call.scope.host.name.lower(), "localhost", ".", ""}
    return any(name.split(".")[0].lower() not in own for name in call.texts("ComputerName") or ())


def _asked(call: Invocation) -> _Asked:
    namespace = (call.text("Namespace") or DEFAULT_NAMESPACE).replace("\\", "/")
    query = call.text("Query")
    if query is not None:
        parsed = wql.parse_query(query)
        return _Asked(namespace, parsed.class_name, parsed.where, parsed.properties)
    return _Asked(namespace, call.text("ClassName") or "", call.text("Filter"), tuple(call.texts("Property") or ()))


def _provider(call: Invocation, asked: _Asked) -> Provider | None:
    known = PROVIDERS.get((asked.namespace.lower(), asked.class_name.lower()))
    if surface.cim_class(asked.namespace, asked.class_name) is not None:
        if known is None:
            call.error(errors.cim(call.cmdlet, "Provider load failure ", PROVIDER_FAILED, "", errors.NOT_SPECIFIED))
        return known
    if asked.namespace.lower() not in surface.cim_namespaces():
        call.error(errors.cim(call.cmdlet, "Invalid namespace ", INVALID_NAMESPACE, asked.namespace))
    else:
        target = f"{asked.namespace}:{asked.class_name}"
        call.error(errors.cim(call.cmdlet, "Invalid class ", INVALID_CLASS, target))
    return None


def _chosen(scope: Scope, provider: Provider, asked: _Asked) -> Iterable[PsValue]:
    wanted = {_real_name(provider.shape, name) for name in asked.properties}
    things = list(provider.instances(scope))
    if asked.where:
        things = _filtered(scope, provider, things, wql.parse(asked.where))
    found = [provider.shape.make(scope, thing) for thing in things]
    return [_narrowed(instance, wanted) for instance in found] if wanted else found


def _filtered(scope: Scope, provider: Provider, things: list[Any], holds: wql.Condition) -> list[Any]:
    shape, name_of = provider.shape, provider.name_of
    if isinstance(holds, wql.OneOf) and name_of is not None and _real_name(shape, holds.name) == "Name":
        return [thing for thing in things if name_of(thing).casefold() in holds.texts]

    def value_of(thing: object, name: str) -> object:
        return scalar(shape.value(_real_name(shape, name), scope, thing))

    return [thing for thing in things if holds(partial(value_of, thing))]


def _real_name(shape: CimShape[Any], name: str) -> str:
    """A property as the class writes it.

    Raises:
        WqlError: the class has none of that name.
    """
    if name in shape.types:
        return name
    wanted = name.lower()
    found = next((each for each in shape.types if each.lower() == wanted), None)
    if found is None:
        raise wql.WqlError(name)
    return found


def _narrowed(instance: PsObject, wanted: set[str]) -> PsObject:
    """-Property leaves every property there and fills in only those that were asked for."""
    values = {name: instance.properties[name] if name in wanted else None for name in instance.properties}
    return PsObject(instance.type_names, values, instance.to_string, instance=instance.instance)
