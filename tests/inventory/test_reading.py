"""Reading a cluster through canned answers: what is joined, and what happens when hosts fail."""

from __future__ import annotations

import asyncio

import pytest

from console.clock import ManualClock
from console.inventory import read_cluster, read_vms
from console.model.cluster import Contact, GroupState, VmState
from console.model.failures import CommandFailed, Forbidden, SessionGone, SignInRefused, TimedOut, Unreachable
from console.model.identity import HostName, VmId
from console.windows.commands import Answer, RemoteError
from tests.inventory.fakes import VM_SQL, FakeReader, cluster_answers, host_answers, two_nodes, unreachable
from tests.windows import rows

HV01, HV02 = HostName("HV01"), HostName("HV02")
WEB, STRAY, SQL = VmId(rows.VM_A), VmId(rows.VM_B), VmId(VM_SQL)


async def test_a_healthy_cluster_is_read_without_problems() -> None:
    clock = ManualClock()
    cluster = await read_cluster(two_nodes(), [HV01], clock)
    assert (cluster.name, cluster.problems) == ("PROD", ())
    assert [(host.name, host.contact, host.problems) for host in cluster.hosts] == [
        ("HV01", Contact.ANSWERING, ()),
        ("HV02", Contact.ANSWERING, ()),
    ]
    host = cluster.host_by_name[HV01]
    assert (host.read_at, host.memory_bytes, host.migrations_in_flight) == (clock.now(), 512 * 2**30, 0)
    assert host.adapters is not None
    assert cluster.settings.move_type_threshold == 2000
    assert [role.name for role in cluster.roles] == ["Cluster Group"]
    assert cluster.volumes[0].coordinator == HV01


async def test_vms_are_joined_with_their_roles_by_guid() -> None:
    reader = two_nodes()
    reader.hosts["HV01"]["vms"] = [rows.vm(rows.VM_A, "renamed"), rows.vm(rows.VM_B, "stray", clustered=False)]
    cluster = await read_cluster(reader, [HV01], ManualClock())
    web = cluster.vm_by_id[WEB]
    assert (web.name, web.ref.role, web.host, web.role_state) == ("renamed", "web01", HV01, GroupState.ONLINE)
    assert (web.resource_name, web.default_move_type, web.priority) == ("Virtual Machine web01", 4294967295, 2000)


async def test_vms_that_are_no_role_are_listed_as_such() -> None:
    cluster = await read_cluster(two_nodes(), [HV01], ManualClock())
    stray = cluster.vm_by_id[STRAY]
    assert (stray.clustered, stray.ref.role, stray.host) == (False, None, HV01)


async def test_a_vm_that_two_hosts_show_is_where_its_role_is() -> None:
    reader = two_nodes()
    reader.hosts["HV02"]["vms"] = [rows.vm(rows.VM_A, "web01", 10), rows.vm(VM_SQL, "sql01")]
    cluster = await read_cluster(reader, [HV01], ManualClock())
    assert cluster.vm_by_id[WEB].host == HV01
    assert cluster.vm_by_id[WEB].state is VmState.RUNNING
    assert len(cluster.vms) == 3


async def test_progress_and_the_queue_are_on_the_vm_and_counted_on_the_host() -> None:
    reader = two_nodes()
    for host in reader.hosts.values():
        host["vm-resources"] = [
            rows.resource("Virtual Machine web01", "HV01", "web01", (32774 << 32) | 42),
            rows.resource("Virtual Machine sql01", "HV02", "sql01"),
        ]
        host["groups"] = [rows.group("web01", "HV01"), rows.group("sql01", "HV02", StatusInformation=4)]
    cluster = await read_cluster(reader, [HV01], ManualClock())
    web, sql = cluster.vm_by_id[WEB].migration, cluster.vm_by_id[SQL].migration
    assert web is not None
    assert (web.percent, web.queued) == (42.0, False)
    assert sql is not None
    assert sql.queued
    assert [host.migrations_in_flight for host in cluster.hosts] == [1, 0]


async def test_a_silent_seed_gives_way_to_the_next() -> None:
    reader = two_nodes()
    cluster = await read_cluster(reader, [HostName("HV99"), HV02], ManualClock())
    assert len(cluster.hosts) == 2
    assert cluster.problems == ("HV99 does not answer: no route to it. Check the network.",)


async def test_when_no_seed_answers_it_fails() -> None:
    with pytest.raises(Unreachable):
        await read_cluster(FakeReader({}), [HV01, HV02], ManualClock())
    with pytest.raises(ValueError, match="no node"):
        await read_cluster(FakeReader({}), [], ManualClock())


async def test_a_refused_sign_in_is_never_tried_on_another_node() -> None:
    reader = two_nodes()
    reader.hosts["HV01"]["nodes"] = SignInRefused(HV01, "the password was refused.")
    with pytest.raises(SignInRefused):
        await read_cluster(reader, [HV01, HV02], ManualClock())
    assert {host for host, _ in reader.asked} == {"HV01"}


async def test_a_seed_that_may_not_tell_the_nodes_gives_way() -> None:
    reader = two_nodes()
    reader.hosts["HV01"]["nodes"] = Forbidden(HV01, "not allowed.")
    assert len((await read_cluster(reader, [HV01, HV02], ManualClock())).hosts) == 2


async def test_the_control_node_may_die_half_way() -> None:
    reader = two_nodes()
    reader.hosts["HV01"]["vm-resources"] = unreachable("HV01")
    cluster = await read_cluster(reader, [HV01], ManualClock())
    assert cluster.vm_by_id[WEB].ref.role == "web01"
    assert reader.asked["HV02", "vm-resources"] == 1
    assert reader.asked["HV02", "groups"] == 0


async def test_a_silent_host_keeps_what_was_known_with_its_age() -> None:
    clock = ManualClock()
    reader = two_nodes()
    before = await read_cluster(reader, [HV01], clock)
    then = clock.now()
    del reader.hosts["HV02"]
    clock.advance(60)
    after = await read_cluster(reader, [HV01], clock, previous=before)
    host = after.host_by_name[HV02]
    assert (host.contact, host.read_at, host.memory_bytes) == (Contact.SILENT, then, 512 * 2**30)
    assert host.problems == ("HV02 does not answer: no route to it. Check the network.",)
    assert after.vm_by_id[SQL].read_at == then
    assert after.host_by_name[HV01].read_at == clock.now()


async def test_vms_of_a_silent_host_follow_their_role_elsewhere() -> None:
    reader = two_nodes()
    before = await read_cluster(reader, [HV01], ManualClock())
    del reader.hosts["HV02"]
    moved = cluster_answers({"HV01": 0, "HV02": 1}, {"web01": (rows.VM_A, "HV01"), "sql01": (VM_SQL, "HV01")})
    reader.hosts["HV01"] |= moved
    after = await read_cluster(reader, [HV01], ManualClock(), previous=before)
    assert after.vm_by_id[SQL].host == HV01


async def test_a_host_that_never_answered_is_not_called_silent() -> None:
    reader = two_nodes()
    del reader.hosts["HV02"]
    cluster = await read_cluster(reader, [HV01], ManualClock())
    assert cluster.host_by_name[HV02].contact is Contact.NEVER
    sql = cluster.vm_by_id[SQL]
    assert (sql.name, sql.host, sql.state, sql.memory_assigned_bytes) == ("sql01", HV02, VmState.UNKNOWN, None)


async def test_a_missing_module_leaves_facts_unknown_and_says_so() -> None:
    reader = two_nodes()
    del reader.hosts["HV02"]["vm-host"]
    del reader.hosts["HV02"]["vms"]
    cluster = await read_cluster(reader, [HV01], ManualClock())
    host = cluster.host_by_name[HV02]
    assert (host.contact, host.migration_enabled, host.memory_bytes) == (Contact.ANSWERING, None, 512 * 2**30)
    assert host.problems == (
        "HV02, vms: vms is not there. Install the module.",
        "HV02, vm-host: vm-host is not there. Install the module.",
    )


async def test_one_slow_read_costs_the_rest_of_that_host_only() -> None:
    reader = two_nodes()
    reader.hosts["HV02"]["vm-host"] = TimedOut(HV02, "no answer within 30 s.")
    cluster = await read_cluster(reader, [HV01], ManualClock())
    host = cluster.host_by_name[HV02]
    assert (host.contact, host.adapters) == (Contact.ANSWERING, None)
    assert cluster.vm_by_id[SQL].memory_assigned_bytes == 8589934592
    assert cluster.host_by_name[HV01].adapters is not None


async def test_a_contact_lost_half_way_keeps_nothing_half() -> None:
    reader = two_nodes()
    before = await read_cluster(reader, [HV01], ManualClock())
    reader.hosts["HV02"]["switches"] = unreachable("HV02")
    after = await read_cluster(reader, [HV01], ManualClock(), previous=before)
    assert after.host_by_name[HV02].contact is Contact.SILENT
    assert after.vm_by_id[SQL] == before.vm_by_id[SQL]


async def test_an_ended_session_is_read_once_more() -> None:
    reader = two_nodes()
    answers = iter([SessionGone(HV02, "the session ended.")])

    def once_gone(_: object) -> list[object]:
        for failure in answers:
            raise failure
        return list(rows.OPERATING_SYSTEM)

    reader.hosts["HV02"]["operating-system"] = once_gone  # type: ignore[assignment]
    cluster = await read_cluster(reader, [HV01], ManualClock())
    assert cluster.host_by_name[HV02].contact is Contact.ANSWERING


async def test_hostile_error_text_is_one_short_line() -> None:
    reader = two_nodes()
    reader.hosts["HV01"]["affinity-rules"] = CommandFailed(HV01, "a\nb\t" + "x" * 500)
    error = RemoteError("The parameter\n'MoveTypeThreshold' is not there", "Id", 13, "System.Exception")
    reader.hosts["HV01"]["vm-resource-type"] = Answer(tuple(rows.NETWORK_RULES), (error,))
    cluster = await read_cluster(reader, [HV01], ManualClock())
    assert cluster.affinity_rules is None
    assert len(cluster.problems) == 2
    assert all("\n" not in problem and len(problem) < 260 for problem in cluster.problems)


async def test_hosts_are_read_at_the_same_time() -> None:
    """64 hosts: each answers only once every other has been asked."""
    names = [f"HV{number:02}" for number in range(1, 65)]
    shared = cluster_answers(dict.fromkeys(names, 0), {})
    reader = FakeReader({name: shared | host_answers([]) for name in names})
    everyone = asyncio.Barrier(64)
    plain = reader.read

    async def together(host: HostName, call: object) -> Answer:
        if getattr(call, "entry", "") == "operating-system":
            await asyncio.wait_for(everyone.wait(), 5)
        return await plain(host, call)  # type: ignore[arg-type]

    reader.read = together  # type: ignore[method-assign]
    cluster = await read_cluster(reader, [HV01], ManualClock())
    assert {host.contact for host in cluster.hosts} == {Contact.ANSWERING}


async def test_vms_alone_are_read_again() -> None:
    clock = ManualClock()
    reader = two_nodes()
    before = await read_cluster(reader, [HV01], clock)
    clock.advance(5)
    reader.hosts["HV02"]["vms"] = [rows.vm(VM_SQL, "sql01"), rows.vm(rows.VM_A, "web01")]
    reader.hosts["HV01"]["vms"] = [rows.vm(rows.VM_B, "stray", clustered=False)]
    reader.asked.clear()
    after = await read_vms(reader, before, [HV01, HV02], clock)
    assert (after.vm_by_id[WEB].host, after.vm_by_id[WEB].ref.role) == (HV02, "web01")
    assert after.vm_by_id[WEB].read_at == clock.now()
    assert {entry for _, entry in reader.asked} == {"vms"}
    assert len(after.vms) == 3


async def test_vms_of_a_host_that_does_not_answer_stay() -> None:
    reader = two_nodes()
    before = await read_cluster(reader, [HV01], ManualClock())
    del reader.hosts["HV02"]
    after = await read_vms(reader, before, [HV02], ManualClock())
    assert after.vm_by_id[SQL] == before.vm_by_id[SQL]
    assert after.host_by_name[HV02].contact is Contact.SILENT


async def test_an_error_about_one_of_several_named_things_leaves_the_others_known() -> None:
    reader = two_nodes()
    error = RemoteError("The parameter 'MoveTypeThreshold' is not there", "Id", 13, "System.Exception")
    for host in reader.hosts.values():
        host["vm-resource-type"] = Answer(tuple(rows.NETWORK_RULES[:2]), (error,))
    cluster = await read_cluster(reader, [HV01], ManualClock())
    assert "vm-resource-type" not in cluster.unread
    assert cluster.settings.move_type_threshold is None
    assert cluster.problems
