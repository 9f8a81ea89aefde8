"""Rows with missing, null, renamed or odd properties: never an exception, and never a code that turns clean."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.checks.catalogue import CHECKS, Facts, run_checks
from console.checks.values import Findings, Subject, Unknown
from console.clock import ManualClock
from console.inventory import read_cluster, read_details
from console.model.failures import ProtocolBroken
from console.model.identity import HostName
from console.windows.commands import EnumValue, ObjectText, Row, Value
from tests.inventory.broken import broken_reader
from tests.inventory.fakes import FakeReader

HV01 = HostName("HV01")
NOW = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)

ODD: Sequence[Value] = (
    None,
    "",
    "odd text",
    -1,
    4294967295,
    2**70,
    9999,
    1.5,
    float("nan"),
    True,
    b"\x00",
    [],
    ["a", None, 3],
    {"a": 1},
    EnumValue(9999, "Unheard"),
    ObjectText("", {}),
    "2026-01-01T02:00:00",
    "/Date(1767232800000)/",
    "20260101020000.000000+060",
    "99999-01-01",
)
LEGITIMATE_NULLS = {
    ("quorum", "QuorumResource"), ("vm-disks", "DiskNumber"),
    ("delegation", "msDS-AllowedToDelegateTo"), ("groups", "AntiAffinityClassNames"), ("affinity-rules", "Groups"),
    ("cluster", "MaximumParallelMigrations"), ("cluster", "SetSMBBandwidthLimit"), ("nodes", "FaultDomain"),
}  # fmt: skip
"""Null says something here: no witness, no pass-through disk, nobody to delegate to, no class, no such setting."""


def _world() -> FakeReader:
    return broken_reader()


def _findings(reader: FakeReader) -> Findings:
    async def read() -> Findings:
        try:
            cluster = await read_cluster(reader, [HV01], ManualClock(NOW))
        except ProtocolBroken:
            return Findings(unknown=tuple(Unknown(code, Subject(), "no node could be read") for code in CHECKS))
        return run_checks(Facts(await read_details(reader, cluster, None)))

    return asyncio.run(read())


def _fired(findings: Findings) -> set[str]:
    return {conflict.code for conflict in findings.conflicts}


WHOLE = _fired(_findings(_world()))

PLACES = sorted(
    {
        (entry, property)
        for host in _world().hosts.values()
        for entry, rows in host.items()
        if isinstance(rows, list)
        for row in rows
        for property in row
    }
)


def _damaged(entry: str, change: Callable[[Mapping[str, Value]], dict[str, Value]]) -> FakeReader:
    reader = _world()
    for host in reader.hosts.values():
        rows = host.get(entry)
        if isinstance(rows, list):
            host[entry] = [change(row) for row in rows]
    return reader


def _never_clean(entry: str, findings: Findings) -> None:
    answered = _fired(findings) | {one.code for one in findings.unknown}
    assert answered >= WHOLE, f"{entry}: {sorted(WHOLE - answered)} turned clean"


def test_the_world_is_broken_in_many_ways() -> None:
    assert len(WHOLE) > 45


@pytest.mark.parametrize("entry", sorted({entry for entry, _ in PLACES}))
def test_a_property_that_is_missing_turns_nothing_clean(entry: str) -> None:
    for _, property in [place for place in PLACES if place[0] == entry]:

        def without(row: Mapping[str, Value], lost: str = property) -> dict[str, Value]:
            return {name: value for name, value in row.items() if name != lost}

        _never_clean(f"{entry}.{property}", _findings(_damaged(entry, without)))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.sampled_from(PLACES), st.sampled_from(ODD))
def test_an_odd_value_raises_nothing(place: tuple[str, str], odd: Value) -> None:
    entry, property = place

    def change(row: Mapping[str, Value]) -> dict[str, Value]:
        return {**row, property: odd} if property in row else dict(row)

    findings = _findings(_damaged(entry, change))
    of_no_type = isinstance(odd, dict | bytes) or odd != odd
    if of_no_type or (odd is None and place not in LEGITIMATE_NULLS):
        _never_clean(f"{entry}.{property} {odd!r}", findings)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_renamed_properties_turn_nothing_clean(one: tuple[str, str], other: tuple[str, str]) -> None:
    reader = _world()
    for host in reader.hosts.values():
        for entry, property in (one, other):
            rows = host.get(entry)
            if isinstance(rows, list):
                host[entry] = [_renamed(row, property) for row in rows]
    _never_clean(f"{one} {other}", _findings(reader))


def _renamed(row: Row, property: str) -> dict[str, Value]:
    return {f"{name}New" if name == property else name: value for name, value in row.items()}


@pytest.mark.parametrize("entry", sorted({entry for entry, _ in PLACES}))
def test_an_entry_that_is_refused_turns_nothing_clean(entry: str) -> None:
    reader = _world()
    for host in reader.hosts.values():
        host.pop(entry, None)
    if entry != "nodes":
        _never_clean(entry, _findings(reader))
