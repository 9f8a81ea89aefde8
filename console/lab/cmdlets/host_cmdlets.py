"""Cmdlets about one host's network adapters and features."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.lab.cmdlets import cim_host, errors
from console.lab.cmdlets.cim import instances_of
from console.lab.cmdlets.cim_host import Port
from console.lab.cmdlets.invocation import Invocation, answers, is_wild, matches
from console.lab.cmdlets.objects import CimShape, Shape
from console.lab.engine import PsObject, PsValue
from console.lab.world import facts_host
from console.lab.world.facts_host import Feature


def _adapters(call: Invocation, shape: CimShape[Any]) -> Iterable[PsValue]:
    """By -Name or -InterfaceDescription, both of which may be patterns."""
    found = instances_of(call.scope, shape)
    for parameter in ("Name", "InterfaceDescription"):
        patterns = call.texts(parameter)
        if patterns is None:
            continue
        for pattern in patterns:
            if not is_wild(pattern) and not any(matches(pattern, _named(each, parameter)) for each in found):
                call.error(_no_adapter(call, shape, parameter, pattern))
        found = [each for each in found if any(matches(pattern, _named(each, parameter)) for pattern in patterns)]
    return list(found)


def _named(instance: PsObject, parameter: str) -> str:
    assert isinstance(instance.instance, Port)
    adapter = instance.instance.adapter
    return adapter.name if parameter == "Name" else adapter.description


def _no_adapter(call: Invocation, shape: CimShape[Any], parameter: str, value: str) -> Any:
    message = (
        f"No {shape.class_name} objects found with property '{parameter}' equal to '{value}'."
        "  Verify the value of the property and retry."
    )
    return errors.cim_job(call.cmdlet, message, f"CmdletizationQuery_NotFound_{parameter}", value)


@answers("Get-NetAdapter")
def get_adapter(call: Invocation) -> Iterable[PsValue]:
    return _adapters(call, cim_host.NET_ADAPTER)


@answers("Get-NetAdapterRdma")
def get_adapter_rdma(call: Invocation) -> Iterable[PsValue]:
    return _adapters(call, cim_host.RDMA)


@answers("Get-NetAdapterVmq")
def get_adapter_vmq(call: Invocation) -> Iterable[PsValue]:
    return _adapters(call, cim_host.VMQ)


FEATURE: Shape[Feature] = Shape(
    "Feature",
    {
        "Name": lambda _, f: f.name,
        "DisplayName": lambda _, f: f.title,
        "Installed": lambda _, f: f.installed,
        "InstallState": lambda _, f: "Installed" if f.installed else "Available",
        "FeatureType": lambda _, f: f.kind,
        "Path": lambda _, f: f.title,
        "Depth": lambda _, f: 2 if f.kind == "Role Service" else 1,
    },
    text=lambda feature: feature.name,
)


@answers("Get-WindowsFeature")
def get_feature(call: Invocation) -> Iterable[PsValue]:
    patterns = call.texts("Name") or ["*"]
    found = facts_host.features(call.scope.host)
    return [
        FEATURE.make(call.scope, feature)
        for feature in found
        if any(matches(pattern, feature.name) for pattern in patterns)
    ]
