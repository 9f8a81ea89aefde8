"""The plan's screen: levers that never pile up, consents, what would help, when it plans again by itself."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from console.actions import BY_ID
from console.model.cluster import Cluster, MigrationTransport
from console.model.identity import HostName
from console.planner.values import Plan, PlanOptions
from screens.confirm import ConfirmScreen
from screens.helps import what_would_help
from screens.plan import PlanScreen
from screens.plan_tables import gain_words, verdict
from screens.reading import CommandsScreen
from tests.builders import READ_AT
from tests.screens.driving import Console, console, text_of, until
from tests.screens.fakes import FakeOperations, cluster_of, plan_of


async def _plan_screen(opened: Console) -> PlanScreen:
    app, pilot = opened
    await pilot.press("d")
    screen = app.screen
    assert isinstance(screen, PlanScreen)
    await until(pilot, lambda: screen.plan is not None and not screen.planning and screen.helps is not None)
    return screen


class Slow(FakeOperations):
    """Plans only when it is let to."""

    def __init__(self) -> None:
        super().__init__(cluster_of(4, 6))
        self.asked: list[PlanOptions] = []
        self.gate = threading.Event()
        self.gate.set()

    def plan(self, cluster: Cluster, node: HostName, options: PlanOptions) -> Plan:
        self.asked.append(options)
        self.gate.wait(10)
        return super().plan(cluster, node, options)


async def test_a_held_lever_shows_at_once_and_plans_only_for_the_newest_wish() -> None:
    operations = Slow()
    async with console(operations, (120, 40)) as opened:
        app, pilot = opened
        screen = await _plan_screen(opened)
        operations.asked.clear()
        operations.gate.clear()
        await pilot.press(*["plus"] * 9)
        assert "11 slots" in text_of(app)
        assert "planning" in text_of(app)
        assert [options.slots for options in operations.asked] == [3]
        operations.gate.set()
        await until(pilot, lambda: not screen.planning)
        assert [options.slots for options in operations.asked[:2]] == [3, 11]
        assert screen.plan is not None
        assert screen.plan.slots == 11


async def test_go_waits_for_the_plan_and_carries_its_consents() -> None:
    operations = FakeOperations(cluster_of(4, 4))
    async with console(operations, (120, 40), window_ends_at=operations.window_ends_at) as opened:
        app, pilot = opened
        screen = await _plan_screen(opened)
        assert "2 need your consent: press 2" in text_of(app)
        await pilot.press("2", "space", "space")
        assert "need your consent" not in text_of(app)
        assert screen.plan is not None
        consents = screen.consents(screen.plan)
        assert {i.vm.id for i in screen.plan.interrupted} == consents.interrupt
        assert {item.vm.id for item in screen.plan.left_behind} == consents.leave_behind
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        text = text_of(app)
        assert "Interrupted, with your consent (1)" in text
        assert "Left behind, with your consent (1)" in text
        assert "to spare" in text
        screen.planning = True
        await pilot.press("escape", "D")
        await pilot.pause()
        assert app.screen is screen
    assert operations.changes == []


async def test_levers_hold_leave_send_and_avoid() -> None:
    async with console(FakeOperations(cluster_of(4, 6)), (120, 40)) as opened:
        _, pilot = opened
        screen = await _plan_screen(opened)
        first = screen.moves.cursor_key
        await pilot.press("z", "t")
        assert first in screen.options.held
        assert screen.options.pinned[first] == "HV02"  # type: ignore[index]
        await pilot.press("x", "o", "n")
        assert first in screen.options.excluded
        assert screen.options.heavy.value == "first"
        assert screen.options.avoided
        await until(pilot, lambda: not screen.planning)
        await pilot.press("f")
        assert screen.options == PlanOptions()


async def test_bandwidth_is_refused_with_its_reason_unless_the_transport_is_smb() -> None:
    cluster = cluster_of(4, 3)
    async with console(FakeOperations(cluster), (120, 40)) as opened:
        screen = await _plan_screen(opened)
        await opened[1].press("b")
        assert screen.options.smb_cap_fraction is None
        assert "only with the SMB transport" in screen.refusal(BY_ID["plan.bandwidth"])
    hosts = tuple(replace(host, migration_transport=MigrationTransport.SMB) for host in cluster.hosts)
    async with console(FakeOperations(replace(cluster, hosts=hosts)), (120, 40)) as opened:
        screen = await _plan_screen(opened)
        await opened[1].press("b", "b")
        assert screen.options.smb_cap_fraction == 0.25
        assert screen.plan is not None
        assert screen.consents(screen.plan).settings == (("SMBBandwidthLimitFactor", 2500),)


async def test_a_vm_that_arrives_makes_the_plan_anew_and_a_mere_reading_does_not() -> None:
    operations = Slow()
    async with console(operations, (120, 40)) as opened:
        app, pilot = opened
        screen = await _plan_screen(opened)
        before = screen.plan
        app.store.put_cluster(replace(operations.cluster, read_at=READ_AT + timedelta(seconds=9)))
        await pilot.pause()
        assert screen.plan is before
        moved = replace(operations.cluster.vms_on(HostName("HV02"))[0], host=HostName("HV01"))
        vms = tuple(moved if vm.id == moved.id else vm for vm in operations.cluster.vms)
        app.store.put_cluster(replace(operations.cluster, vms=vms))
        await until(pilot, lambda: screen.plan is not before and not screen.planning)
        assert screen.plan is not None
        assert moved.id in {move.vm.id for move in screen.plan.moves}


async def test_w_shows_the_exact_commands() -> None:
    async with console(FakeOperations(cluster_of(4, 2)), (120, 40)) as opened:
        app, pilot = opened
        await _plan_screen(opened)
        await pilot.press("w")
        await pilot.pause()
        assert isinstance(app.screen, CommandsScreen)
        assert "Suspend-ClusterNode -Name HV01" in text_of(app)


def test_what_would_help_is_planned_and_sorted_by_what_it_saves() -> None:
    cluster = cluster_of(4, 6)
    plan = plan_of(cluster, HostName("HV01"), PlanOptions(slots=2))

    def planner(world: Cluster, node: HostName, options: PlanOptions) -> Plan:
        other = plan_of(world, node, options)
        host = world.host_by_name[node]
        faster = 0.5 if host.migration_transport is MigrationTransport.SMB else 1.0
        return replace(other, makespan_s=other.makespan_s * faster)

    helps = what_would_help(plan, cluster, planner)
    assert helps[0].text == "SMB as the transport of every host"
    assert helps[0].saves_s > 0
    assert [help.saves_s for help in helps] == sorted((help.saves_s for help in helps), reverse=True)
    assert not any("1 move at once" in help.text for help in helps)


def test_the_window_and_the_bound_are_told_in_words() -> None:
    plan = plan_of(cluster_of(4, 6), HostName("HV01"), PlanOptions())
    plan = replace(plan, makespan_s=600, makespan_p90_s=900, lower_bound_s=582)
    assert gain_words(plan) == "at most 3 % could still be gained"
    assert gain_words(replace(plan, lower_bound_s=600)) == "nothing is left to gain"
    for minutes, words in ((20, "5 min 00 s to spare"), (12, "may overrun"), (8, "OVERRUNS the window by 2 min")):
        assert words in verdict(plan, READ_AT, READ_AT + timedelta(minutes=minutes))[0][0]
