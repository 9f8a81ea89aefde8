"""Lab and client share no facts: a name or a number that changes on one side shows on the other."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from copy import copy
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from console.lab import surface
from console.lab.engine import PsEnum, PsObject
from console.lab.serve import InProcessLab
from console.windows import decode
from console.windows.catalogue import ENTRIES
from console.windows.commands import Call, Row, Value
from console.windows.decode import Problems
from tests.lab.cmdlets.asking import reads
from tests.lab.cmdlets.conftest import stir
from tests.lab.cmdlets.decoding import DECODERS
from tests.lab.cmdlets.driving import ask, commands, run

FURNISHED = str(Path(__file__).with_name("furnished.toml"))
_SERVICE = "root/virtualization/v2:Msvm_VirtualSystemMigrationService"
_BARE = frozenset(("System.String", "PSModuleInfo", "CommandInfo", "root/cimv2:StdRegProv", _SERVICE))
"""What comes back is no object of a class in the carried data."""


class Watched(dict[str, Value]):
    """A row that remembers what was looked at."""

    def __init__(self, row: Row, seen: set[str]) -> None:
        super().__init__(row)
        self._seen = seen

    def __getitem__(self, name: str) -> Value:
        self._seen.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._seen.add(name)
        return super().get(name, default)


@dataclass(frozen=True)
class Read:
    """One entry's answer, as the client reads it."""

    call: Call
    rows: tuple[Row, ...]
    value: object
    seen: frozenset[str]
    """Properties that the decoder looked at."""


def decoded(id: str, rows: tuple[Row, ...]) -> tuple[object, Problems, set[str]]:
    problems, seen = Problems(id), set[str]()
    value = DECODERS[id]([Watched(row, seen) for row in rows], problems)
    return value, problems, seen


@pytest.fixture
async def lab() -> AsyncIterator[InProcessLab]:
    async with InProcessLab(FURNISHED) as lab:
        world = lab.cluster.world
        world.groups_on("HV02")[0].queued = True
        world.hosts["HV03"].flags = 32
        for volume in world.volumes.values():
            volume.state_by_node["HV01"] = "FileSystemRedirected"
        yield lab


async def read_all(lab: InProcessLab) -> dict[str, Read]:
    """Every entry that has rows, each read without a problem."""
    found: dict[str, Read] = {}
    for id, call in reads(lab, await stir(lab)).items():
        answer = await ask(lab, "HV01", call)
        assert not answer.errors, f"{id}: {answer.errors[0].message}"
        assert answer.rows, id
        value, problems, seen = decoded(id, answer.rows)
        assert not problems, problems.sentences()
        found[id] = Read(call, answer.rows, value, frozenset(seen))
    return found


def _at(data: dict[str, Any], *path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A copy of the data down to a place, and the copy of that place."""
    whole = copy(data)
    place = reduce(_copied, path, whole)
    return whole, place


def _copied(parent: dict[str, Any], name: str) -> dict[str, Any]:
    parent[name] = copy(parent[name])
    found: dict[str, Any] = parent[name]
    return found


def class_path(type_name: str) -> tuple[str, ...]:
    namespace, _, name = type_name.rpartition(":")
    name = {"WindowsFeature": "Feature"}.get(name, name)
    return ("wmi", namespace, name, "properties") if namespace else ("classes", name, "properties")


EQUIVALENT = frozenset(
    (
        ("vm-vectors", "VMId"),
        ("migration-jobs", "ErrorDescription"),
        ("migration-jobs", "ErrorSummaryDescription"),
        ("migration-counters", "MemoryWalkerUncompressedBytesSent"),
        ("migration-counters", "SMBTransportBytesSent"),
        ("migration-counters", "SMBTransportBytesSentPersec"),
        ("smb-stalls", "Name"),
    )
)
"""A script's own column; two texts, either of which will do; counters that are 0 while moves are compressed; names of
shares none of which stalls."""


def properties_read(found: dict[str, Read]) -> Iterator[tuple[str, str]]:
    """(entry, property) for each property of a class that a decoder reads a value out of, each class once."""
    done: set[tuple[str, str]] = set()
    for id, read in found.items():
        rows = ENTRIES[id].rows
        assert rows is not None
        for property in sorted(read.seen & set(rows.properties)):
            said = any(row[property] not in (None, "", []) for row in read.rows)
            if (
                rows.type_name not in _BARE
                and (id, property) not in EQUIVALENT
                and (rows.type_name, property) not in done
                and said
            ):
                done.add((rows.type_name, property))
                yield id, property


async def visible(lab: InProcessLab, id: str, read: Read, data: dict[str, Any]) -> bool:
    """Whether the client notices, when the lab answers by these data."""
    with surface.replaced(data):
        answer = await ask(lab, "HV01", read.call)
    value, problems, _ = decoded(id, answer.rows)
    return bool(problems) or bool(answer.errors) or value != read.value


async def test_a_property_renamed_in_the_lab_is_noticed_by_the_client(lab: InProcessLab) -> None:
    found, data, tried, missed = await read_all(lab), surface.carried(), 0, []
    for id, property in properties_read(found):
        rows = ENTRIES[id].rows
        assert rows is not None
        changed, properties = _at(data, *class_path(rows.type_name))
        properties[f"{property}Renamed"] = properties.pop(property)
        tried += 1
        if not await visible(lab, id, found[id], changed):
            missed.append((id, property))
    assert not missed
    assert tried > 200


async def test_a_property_misspelt_by_the_client_is_not_answered(lab: InProcessLab) -> None:
    found, missed = await read_all(lab), []
    for id, property in properties_read(found):
        answer = await ask(lab, "HV01", _misspelt(found[id].call, property))
        rows = tuple({name.removesuffix("Misspelt"): value for name, value in row.items()} for row in answer.rows)
        assert all(row[property] is None for row in rows)
        value, problems, _ = decoded(id, rows)
        if not problems and value == found[id].value:
            missed.append((id, property))
    assert not missed


def _misspelt(call: Call, property: str) -> Call:
    stage = call.pipeline[-1]
    (parameter,) = stage.parameters if "param" not in getattr(stage, "text", "") else (None,)
    if parameter is None:
        text = re.sub(rf"(?<=[ ,']){property}(?=[ ,'])", f"{property}Misspelt", getattr(stage, "text", ""))
        return _with_last(call, text=text)
    assert isinstance(parameter.value, tuple)
    names = tuple(f"{name}Misspelt" if name == property else name for name in parameter.value)
    return _with_last(call, parameters=(type(parameter)(parameter.name, names, parameter.type),))


def _with_last(call: Call, **changes: Any) -> Call:
    return replace(call, pipeline=(*call.pipeline[:-1], replace(call.pipeline[-1], **changes)))


_JOB, _GUARD, _VECTOR = "Msvm_MigrationJob", "Win32_DeviceGuard", "Msvm_CompatibilityVector"
NUMBERS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("nodes", ("enums", "ClusterNodeState"), "Up"),
    ("nodes", ("enums", "ClusterNodeDrainStatus"), "NotInitiated"),
    ("groups", ("enums", "ClusterGroupState"), "Online Pending"),
    ("groups", ("enums", "ClusterApplicationStatusInformation"), "Queued"),
    ("groups", ("enums", "GroupType"), "VirtualMachine"),
    ("groups-in-flight", ("enums", "ClusterGroupState"), "Online Pending"),
    ("vm-resources", ("enums", "ClusterResourceState"), "Online Pending"),
    ("resources-in-flight", ("enums", "ClusterResourceState"), "Online Pending"),
    ("resources-in-flight", ("enums", "VMOperationalStatus"), "Ok MigratingVirtualMachine"),
    ("networks", ("enums", "ClusterNetworkRole"), "Cluster ClusterAndClient"),
    ("networks", ("enums", "ClusterNetworkState"), "Up"),
    ("network-interfaces", ("enums", "ClusterNetworkInterfaceState"), "Up"),
    ("shared-volume-states", ("enums", "ClusterSharedVolumeState"), "Direct FileSystemRedirected"),
    ("quorum", ("enums", "ClusterQuorumType"), "Majority"),
    ("cluster-access", ("enums", "ClusterRights"), "Full"),
    ("affinity-rules", ("enums", "RuleType"), "DifferentNode"),
    ("vms", ("enums", "VMState"), "Running"),
    ("vms", ("enums", "VMOperationalStatus"), "Ok InService MigratingVirtualMachine BackingUpVirtualMachine"),
    ("vms", ("enums", "VMHeartbeatStatus"), "OkApplicationsHealthy"),
    ("vm-settings", ("enums", "VMReplicationState"), "Disabled Replicating"),
    ("vm-settings", ("enums", "VMReplicationHealthState"), "NotApplicable Warning"),
    ("vm-host", ("enums", "VMMigrationPerformance"), "Compression"),
    ("vm-host", ("enums", "MigrationAuthenticationType"), "Kerberos"),
    ("vm-optical-drives", ("enums", "DvdMediaType"), "None ISO"),
    ("vm-disks", ("enums", "ControllerType"), "SCSI"),
    ("migration-jobs", ("values", _JOB, "JobState"), "Running Completed Exception"),
    ("migration-jobs", ("values", _JOB, "JobType"), "MovingVirtualMachine"),
    ("migration-jobs", ("values", _JOB, "ErrorCode"), "None Failed"),
    ("host-vectors", ("values", _VECTOR, "CompareOperation"), "Equal Subset"),
    ("device-guard", ("values", _GUARD, "SecurityServicesRunning"), "CredentialGuard"),
    ("adapters", ("values", "MSFT_NetAdapter", "MediaConnectState"), "Connected"),
    ("storage-jobs", ("values", "MSFT_StorageJob", "JobState"), "Running"),
    ("virtual-disks", ("values", "MSFT_VirtualDisk", "HealthStatus"), "Warning"),
)
"""The numbers that the furnished cluster shows and the client reads: entry, where the data hold them, names."""


async def test_a_number_changed_in_the_lab_is_noticed_by_the_client(lab: InProcessLab) -> None:
    data, found, missed = surface.carried(), await read_all(lab), []
    for id, path, names in NUMBERS:
        for name in names.split():
            changed, values = _at(data, *path)
            values[name] = 2**40 if path[1] == "ClusterApplicationStatusInformation" else values[name] + 64
            if not await visible(lab, id, found[id], changed):
                missed.append((*path, name))
    assert not missed


BY_NAME = frozenset(("CompatibilityMode",))
"""Travels as its name."""


def client_numbers() -> list[tuple[ModuleType, str, type[IntEnum] | type[IntFlag]]]:
    """The client's own enumerations, where its decoders know them by name."""
    modules = (decode.cluster, decode.details, decode.facts, decode.host, decode.progress, decode.vms)
    return [
        (module, name, kind)
        for module in modules
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, IntEnum | IntFlag) and list(kind) and name not in BY_NAME
    ]


def _shifted(kind: type[IntEnum] | type[IntFlag]) -> object:
    """The same names with other numbers."""
    if issubclass(kind, IntFlag):
        return IntFlag(kind.__name__, [(name, member << 20) for name, member in kind.__members__.items()])
    return IntEnum(kind.__name__, [(name, member + 4096) for name, member in kind.__members__.items()])


async def test_numbers_changed_in_the_client_do_not_fit_what_the_lab_says(
    lab: InProcessLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, missed = await read_all(lab), []
    for module, name, kind in client_numbers():
        with monkeypatch.context() as patch:
            patch.setattr(module, name, _shifted(kind))
            if not any(_differs(id, read) for id, read in found.items()):
                missed.append(f"{module.__name__}.{name}")
    assert not missed


def _differs(id: str, read: Read) -> bool:
    try:
        value, problems, _ = decoded(id, read.rows)
    except (ValueError, KeyError):
        return True
    return bool(problems) or value != read.value


async def test_every_enumerator_that_the_lab_shows_has_its_number(lab: InProcessLab) -> None:
    unknown = set()
    for id, call in reads(lab, await stir(lab)).items():
        pipeline = [command for command in commands(call) if command.name != "Select-Object"]
        for value in (await run(lab, *pipeline)).outputs:
            if isinstance(value, PsObject):
                for name, item in value.properties.items():
                    items = item if isinstance(item, list) else [item]
                    unknown |= {(id, name, one.name) for one in items if isinstance(one, PsEnum) and one.number == -1}
    assert not unknown
