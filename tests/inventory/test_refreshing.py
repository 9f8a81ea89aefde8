"""The light re-read: little is asked, and nobody who is silent holds the others up."""

from __future__ import annotations

import asyncio

import pytest

from console.clock import ManualClock
from console.inventory import read_cluster, refresh
from console.inventory.refreshing import GRACE_S
from console.model.cluster import Contact, GroupState, NodeState
from console.model.failures import Unreachable
from console.model.identity import HostName, VmId
from console.windows.commands import Call, EnumValue, Row
from tests.inventory.fakes import VM_SQL, FakeReader, two_nodes
from tests.windows import rows

HV01, HV02 = HostName("HV01"), HostName("HV02")
WEB, SQL = VmId(rows.VM_A), VmId(VM_SQL)


def _tell(reader: FakeReader, entry: str, answer: list[Row]) -> None:
    for host in reader.hosts.values():
        host[entry] = answer


async def test_it_asks_little() -> None:
    reader = two_nodes()
    cluster = await read_cluster(reader, [HV01], ManualClock())
    reader.asked.clear()
    await refresh(reader, cluster, ManualClock())
    assert {entry for _, entry in reader.asked} == {"nodes", "groups", "memory-counters", "processor-load"}
    assert reader.asked.total() == 6


async def test_states_owners_and_load_are_laid_over_the_rest() -> None:
    clock = ManualClock()
    reader = two_nodes()
    before = await read_cluster(reader, [HV01], clock)
    _tell(reader, "nodes", [rows.node("HV01", 1, 2), rows.node("HV02", 2)])
    _tell(reader, "groups", [rows.group("web01", "HV02"), rows.group("sql01", "HV02")])
    clock.advance(10)
    after = await refresh(reader, before, clock)
    host = after.host_by_name[HV01]
    assert (host.state, host.memory_free_bytes, host.read_at) == (NodeState.PAUSED, 1024, clock.now())
    assert host.adapters == before.host_by_name[HV01].adapters
    assert after.vm_by_id[WEB].host == HV02
    assert after.vm_by_id[WEB].memory_assigned_bytes == before.vm_by_id[WEB].memory_assigned_bytes
    assert after.read_at == clock.now()


async def test_only_roles_in_flight_are_asked_for_progress() -> None:
    reader = two_nodes()
    before = await read_cluster(reader, [HV01], ManualClock())
    filters: list[str] = []

    def in_flight(call: Call) -> list[Row]:
        filters.append(str(call.arguments[0].value))
        return [{**rows.resource("Virtual Machine web01", "HV01", "web01", (32774 << 32) | 7), "State": 2}]

    pending = EnumValue(4, "Pending")
    _tell(reader, "groups", [rows.group("web01", "HV01", State=pending), rows.group("sql01", "HV02")])
    for host in reader.hosts.values():
        host["resources-in-flight"] = in_flight
    after = await refresh(reader, before, ManualClock())
    assert filters == ["Name='Virtual Machine web01'"]
    web = after.vm_by_id[WEB]
    assert web.role_state is GroupState.PENDING
    assert web.migration is not None
    assert web.migration.percent == 7.0
    assert after.host_by_name[HV01].migrations_in_flight == 1
    _tell(reader, "groups", [rows.group("web01", "HV02"), rows.group("sql01", "HV02")])
    _tell(reader, "resources-in-flight", [{**rows.resource("Virtual Machine web01", "HV02", "web01"), "State": 2}])
    settled = await refresh(reader, after, ManualClock())
    assert settled.vm_by_id[WEB].migration is None


async def test_another_node_answers_when_control_dies() -> None:
    reader = two_nodes()
    cluster = await read_cluster(reader, [HV01], ManualClock())
    del reader.hosts["HV01"]
    after = await refresh(reader, cluster, ManualClock())
    assert after.host_by_name[HV01].contact is Contact.SILENT
    assert after.host_by_name[HV02].contact is Contact.ANSWERING
    reader.asked.clear()
    await refresh(reader, after, ManualClock())
    assert reader.asked["HV01", "nodes"] == 0


async def test_nobody_answers() -> None:
    reader = two_nodes()
    cluster = await read_cluster(reader, [HV01], ManualClock())
    reader.hosts.clear()
    with pytest.raises(Unreachable):
        await refresh(reader, cluster, ManualClock())


async def test_a_host_known_as_silent_holds_nobody_up() -> None:
    clock = ManualClock()
    reader = two_nodes()
    cluster = await read_cluster(reader, [HV01], clock)
    gone = reader.hosts.pop("HV02")
    silent = await refresh(reader, cluster, clock)
    reader.hosts["HV02"] = gone
    reader.hanging = {"HV02"}
    task = asyncio.ensure_future(refresh(reader, silent, clock))
    for _ in range(100):
        await asyncio.sleep(0)
    clock.advance(GRACE_S)
    after = await task
    assert [host.contact for host in after.hosts] == [Contact.ANSWERING, Contact.SILENT]


async def test_a_host_that_answers_again_loses_its_complaint() -> None:
    clock = ManualClock()
    reader = two_nodes()
    cluster = await read_cluster(reader, [HV01], clock)
    gone = reader.hosts.pop("HV02")
    silent = await refresh(reader, cluster, clock)
    assert silent.host_by_name[HV02].problems
    reader.hosts["HV02"] = gone
    back = (await refresh(reader, silent, clock)).host_by_name[HV02]
    assert (back.contact, back.problems) == (Contact.ANSWERING, ())


async def test_a_new_node_is_listed_and_an_evicted_one_is_not() -> None:
    reader = two_nodes()
    cluster = await read_cluster(reader, [HV01], ManualClock())
    _tell(reader, "nodes", [rows.node("HV01", 1), rows.node("HV03", 3)])
    after = await refresh(reader, cluster, ManualClock())
    assert [(host.name, host.contact) for host in after.hosts] == [
        ("HV01", Contact.ANSWERING),
        ("HV03", Contact.NEVER),
    ]
