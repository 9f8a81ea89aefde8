"""Earlier moves out of the hosts' event logs: what is attested is used, whatever else is there does no harm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.inventory import read_cluster, read_details
from console.inventory.past import FRESH_FOR, moves_of_event_logs, read_past
from console.lab.serve import InProcessLab
from console.model.failures import Unreachable
from console.model.identity import HostName
from console.model.past import FinishedMove, Origin
from console.windows import catalogue
from console.windows.decode.events import EventRecord
from tests.builders import READ_AT, host_name, make_cluster, make_vm
from tests.labdoor import LabDoor

HERE, THERE = host_name(1), host_name(2)
VM, OTHER = make_vm("app1", HERE, 8), make_vm("app2", HERE, 8)
CLUSTER = make_cluster(3, vms=(VM, OTHER))
ROLE = str(VM.ref.role)


def record(id: int, host: str, seconds: float, *values: str) -> EventRecord:
    at = READ_AT + timedelta(seconds=seconds)
    return EventRecord(id, "p", "c", host, at, tuple((f"Parameter{n}", text) for n, text in enumerate(values)))


def told(*records: EventRecord) -> list[tuple[float | None, float | None, HostName, HostName]]:
    return [
        (move.duration_s, move.blackout_s, move.source, move.destination)
        for move in moves_of_event_logs(records, CLUSTER)
    ]


def arrival(seconds: float, blackout: str = "0.5", host: str = f"{THERE}.example.test", id: int = 20415) -> EventRecord:
    return record(id, host, seconds, VM.name, VM.id.upper(), blackout)


def source_s_word(seconds: float) -> EventRecord:
    return record(20418, HERE, seconds, VM.name)


SET_OUT = record(1641, HERE, 70, ROLE, HERE, THERE)


@pytest.mark.parametrize(
    "set_out",
    [SET_OUT, record(1641, THERE, 70, ROLE, HERE, THERE), record(1641, HERE, 70, ROLE, THERE)],
    ids=["at the source", "at the destination", "without the node that it comes from"],
)
def test_setting_out_and_arriving_give_a_duration_and_a_blackout(set_out: EventRecord) -> None:
    assert told(arrival(100), set_out) == [(30, 0.5, HERE, THERE)]


def test_both_ends_words_on_one_move_are_one_move() -> None:
    for order in ((99, 100), (100, 99), (100, 100)):
        assert told(SET_OUT, source_s_word(order[0]), arrival(order[1], "2,5")) == [
            (min(order) - 70 if order[0] != order[1] else 30, 2.5, HERE, THERE)
        ]


def test_the_source_s_word_is_enough_where_the_destination_s_log_is_not_read() -> None:
    assert told(SET_OUT, source_s_word(100)) == [(30, None, HERE, THERE)]


@pytest.mark.parametrize(
    "records",
    [
        (arrival(100),),
        (SET_OUT,),
        (SET_OUT, arrival(70 + 13 * 3600)),
        (record(1641, HERE, 70), arrival(100)),
        (record(1641, HERE, 70, "somebody else", HERE, THERE), arrival(100)),
        (SET_OUT, arrival(100, host="stranger")),
        (SET_OUT, record(20415, THERE, 100, "gone", "11111111-2222-3333-4444-555555555555", "0.3")),
        (record(22508, THERE, 90, VM.name, "12"), record(22509, THERE, 91, VM.name, "0.4")),
    ],
    ids=["no start", "no end", "too long", "no values", "another role", "unknown host", "unknown VM", "not attested"],
)
def test_what_does_not_tell_both_ends_is_no_evidence(records: tuple[EventRecord, ...]) -> None:
    assert told(*records) == []


def test_moves_side_by_side_shared_their_end() -> None:
    beside = (
        record(1641, HERE, 75, str(OTHER.ref.role), HERE, host_name(3)),
        record(20415, host_name(3), 105, OTHER.name, OTHER.id, "0.4"),
    )
    alone = moves_of_event_logs((SET_OUT, arrival(100)), CLUSTER)
    both = moves_of_event_logs((SET_OUT, arrival(100), *beside), CLUSTER)
    assert [move.sharing for move in (*alone, *both)] == [1, 2, 2]


texts = st.sampled_from([ROLE, VM.name, VM.id, HERE, THERE, "", "0.5", "1e999", "\u202e", "-3"])
events = st.builds(
    record, st.sampled_from([1641, 20415, 20417, 20418, 22508]), st.sampled_from([HERE, THERE, "x", ""]),
    st.floats(0, 1e5), texts, texts, texts,
)  # fmt: skip


@given(st.lists(events, max_size=12))
def test_whatever_the_logs_hold_the_moves_make_sense(records: list[EventRecord]) -> None:
    for move in moves_of_event_logs(records, CLUSTER):
        assert move.source != move.destination
        assert move.duration_s is None or 0 < move.duration_s < 12 * 3600
        assert move.origin is Origin.EVENT_LOG
        assert move.sharing >= 1


async def test_planning_reads_the_logs_of_a_cluster_that_has_been_in_service_once() -> None:
    async with InProcessLab("quiet") as lab:
        door = LabDoor(lab)
        cluster = await read_cluster(door, [HERE], lab.clock)
        assert cluster.past is None, "a plain reading costs no log"
        cluster = await read_details(door, cluster, HERE)
        assert cluster.past is not None
        its = [move for move in cluster.past.moves if move.vm in {vm.id for vm in cluster.vms_on(HERE)}]
        assert len(its) > 2 * len({move.vm for move in its}), "every VM left and came back"
        assert all(makes_sense(move) for move in its)
        assert (await read_details(door, cluster, HERE)).past is cluster.past
        again = await read_cluster(door, [HERE], lab.clock, previous=cluster)
        assert again.past is cluster.past
        await lab.advance(FRESH_FOR.total_seconds())
        later = await read_cluster(door, [HERE], lab.clock, previous=cluster)
        assert (await read_past(door, later)).read_at > cluster.past.read_at


def makes_sense(move: FinishedMove) -> bool:
    return 2 < (move.duration_s or 0) < 300 and 0 < (move.blackout_s or 0) < 5 and move.told_by is not None


async def test_a_host_that_tells_nothing_gives_no_evidence_and_is_no_problem() -> None:
    async with InProcessLab("quiet") as lab:
        door = LabDoor(lab)
        cluster = await read_cluster(door, [HERE], lab.clock)
        whole = await read_past(door, cluster)
        door.silent.add(THERE)
        some = await read_past(door, cluster)
        assert some.silent == (THERE,)
        assert 0 < len(some.moves) < len(whole.moves)
        for entry in (catalogue.events.MIGRATION_EVENTS, catalogue.events.CLUSTER_EVENTS):
            door.failing[entry.id] = Unreachable(HERE, "not now")
        nothing = await read_past(door, cluster)
        assert (nothing.moves, set(nothing.silent)) == ((), {host.name for host in cluster.hosts})
