"""Cmdlets about one host's network adapters, features, SMB, quality of service and Network ATC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from console.lab import surface
from console.lab.cmdlets import cim_host, errors
from console.lab.cmdlets.cim import instances_of, provides
from console.lab.cmdlets.cim_host import Port
from console.lab.cmdlets.invocation import Invocation, Scope, answers, is_wild, matches
from console.lab.cmdlets.objects import CimShape, Shape
from console.lab.engine import PsObject, PsValue
from console.lab.world import facts_host
from console.lab.world.facts_host import Feature
from console.lab.world.state import Host
from console.lab.world.transport import smb_cap_bytes_per_s


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


def _only_host(scope: Scope) -> Iterable[Host]:
    return [scope.host]


SMB_SERVER: CimShape[Host] = CimShape(
    "root/microsoft/windows/smb",
    "MSFT_SmbServerConfiguration",
    {
        "EncryptData": lambda _, h: h.smb_encryption,
        "RejectUnencryptedAccess": lambda _, h: True,
        "EnableMultiChannel": lambda _, h: True,
        "EnableSMB1Protocol": lambda _, h: False,
        "EnableSMB2Protocol": lambda _, h: True,
        "RequireSecuritySignature": lambda _, h: h.build >= 26100,
        "DisableSmbEncryptionOnSecureConnection": lambda _, h: True,
        "EncryptionCiphers": lambda _, h: "AES_128_GCM, AES_128_CCM, AES_256_GCM, AES_256_CCM",
    },
)
provides(SMB_SERVER)(_only_host)


@answers("Get-SmbServerConfiguration")
def get_smb_server(call: Invocation) -> Iterable[PsValue]:
    return list(instances_of(call.scope, SMB_SERVER))


@dataclass(frozen=True, slots=True)
class TrafficClass:
    """A class of traffic and the share of a link that it is sure of."""

    name: str
    priorities: tuple[int, ...]
    percent: int


TRAFFIC_CLASS: CimShape[TrafficClass] = CimShape(
    cim_host.STANDARD_CIMV2,
    "MSFT_NetQosTrafficClassSettingData",
    {
        "Name": lambda _, c: c.name,
        "Priority": lambda _, c: list(c.priorities),
        "BandwidthPercentage": lambda _, c: c.percent,
    },
)


@provides(TRAFFIC_CLASS)
def _traffic_classes(scope: Scope) -> Iterable[TrafficClass]:
    reserved = scope.world.facts.smb_reservation_percent
    others = tuple(priority for priority in range(8) if not reserved or priority != SMB_PRIORITY)
    classes = [TrafficClass("[Default]", others, 100 - reserved)]
    return [*classes, TrafficClass("SMB", (SMB_PRIORITY,), reserved)] if reserved else classes


SMB_PRIORITY = 3
"""The priority that SMB Direct is given by convention."""


@answers("Get-NetQosTrafficClass")
def get_traffic_class(call: Invocation) -> Iterable[PsValue]:
    return list(instances_of(call.scope, TRAFFIC_CLASS))


@dataclass(frozen=True, slots=True)
class Intent:
    name: str
    host: str


INTENT: Shape[Intent] = Shape(
    "IntentStatus",
    {
        "IntentName": lambda _, i: i.name,
        "Host": lambda _, i: i.host.lower(),
        "ConfigurationStatus": lambda _, i: "Success",
        "ProvisioningStatus": lambda _, i: "Completed",
    },
    text=lambda intent: intent.name,
)


@answers("Get-NetIntentStatus")
def get_intent_status(call: Invocation) -> Iterable[PsValue]:
    world = call.world
    return [INTENT.make(call.scope, Intent(name, host)) for host in world.hosts for name in world.facts.intents]


@dataclass(frozen=True, slots=True)
class BandwidthLimit:
    bytes_per_s: int


BANDWIDTH_LIMIT: CimShape[BandwidthLimit] = CimShape(
    "root/microsoft/windows/smb",
    "MSFT_SmbBandwidthLimit",
    {
        "Category": lambda _, limit: surface.value("MSFT_SmbBandwidthLimit", "Category", "LiveMigration"),
        "BytesPerSecond": lambda _, limit: limit.bytes_per_s,
    },
)


@provides(BANDWIDTH_LIMIT)
def _bandwidth_limits(scope: Scope) -> Iterable[BandwidthLimit]:
    cap = smb_cap_bytes_per_s(scope.world, scope.host)
    return [] if cap is None else [BandwidthLimit(int(cap))]


@answers("Get-SmbBandwidthLimit")
def get_bandwidth_limit(call: Invocation) -> Iterable[PsValue]:
    return list(instances_of(call.scope, BANDWIDTH_LIMIT))
