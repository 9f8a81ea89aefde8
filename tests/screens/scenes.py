"""Moments of one night on one cluster, for pictures and snapshots: the same values on every machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from console.checks.values import Conflict, Evidence, Findings, Fix, Severity, Subject, Unknown
from console.clock import ManualClock
from console.drain.state import MoveState, Outcome
from console.inventory.progress import ReadingProgress
from console.model.cluster import Cluster, Contact, DrainStatus, MigrationTransport, NodeState
from console.model.failures import Unreachable
from console.model.identity import HostName
from screens.replay import ReplayScreen
from tests.builders import READ_AT, make_cluster, make_vm
from tests.screens.driving import Console, until
from tests.screens.fakes import FakeOperations, FakeRun, cluster_of, run_of
from tests.screens.roll_scenes import (
    AGREE_ALL,
    failed_hook,
    late,
    roll_start,
    rolling,
    rolling_plan,
    under_way,
    waits,
)

_ROLES = ("sql-prod", "web-fe", "exch-mbx", "file", "app-erp", "k8s-node", "cache", "build", "rds", "print")
_SIZES = (192, 16, 64, 32, 48, 24, 12, 8, 16, 4)


def production() -> Cluster:
    """Eight hosts of every condition, 128 VMs with the names and sizes of a working day."""
    vms = []
    for host in range(1, 9):
        for number, (role, gib) in enumerate(zip(_ROLES + _ROLES[1:7], _SIZES + _SIZES[1:7], strict=True)):
            vms.append(make_vm(f"{role}-{host:02d}{'ab'[number // 10]}", f"HV{host:02d}", gib / (1 + host % 3 / 4)))
    vms.append(make_vm("license-dongle", "HV01", 4, clustered=False))
    vms.append(make_vm("legacy-fax", "HV01", 6, default_move_type=1))
    cluster = make_cluster(8, vms=vms, name="PRODUCTION-01", host_memory_gib=1024)
    hosts = [replace(h, cpu_fraction=0.18 + n * 0.07) for n, h in enumerate(cluster.hosts)]
    hosts[2] = replace(hosts[2], problems=("Get-NetAdapterRdma was refused: RDMA is unknown.", "Clock is 4 s off."))
    hosts[3] = replace(hosts[3], migration_transport=MigrationTransport.SMB, memory_free_bytes=70 << 30)
    hosts[4] = replace(hosts[4], state=NodeState.PAUSED, drain_status=DrainStatus.COMPLETED)
    hosts[6] = replace(hosts[6], contact=Contact.SILENT, read_at=READ_AT - timedelta(seconds=190))
    return replace(cluster, hosts=tuple(hosts))


@dataclass(frozen=True)
class Scene:
    """A moment, and how to get there by keys."""

    drive: Callable[[FakeOperations, Console], Awaitable[None]]
    cluster: Callable[[], Cluster] = production
    read_only: bool = False
    unread: bool = False
    """The cluster does not answer yet."""


class Night(FakeOperations):
    """The fake with the conflicts of a real cluster."""

    def check(self, cluster: Cluster, node: HostName | None = None) -> Findings:
        if cluster.name != "PRODUCTION-01" or len(cluster.hosts) < 8:
            return super().check(cluster, node)
        return findings_of_night(cluster)


def findings_of_night(cluster: Cluster) -> Findings:
    sql, web, mail, file = cluster.vms_on(HostName("HV01"))[:4]
    source, there = HostName("HV01"), HostName("HV04")
    return Findings(
        (
            Conflict(
                "net-switch-missing", Severity.BLOCKS, Subject(source, sql.ref, there),
                f"{sql.name} is connected to the switch Storage, which HV04 does not have.",
                (Evidence("switches of HV04", "Compute", there, READ_AT),
                 Evidence("switch of its adapter", "Storage", source, READ_AT)),
                Fix("Create the switch on HV04, or connect the adapter to another one.",
                    "New-VMSwitch -ComputerName 'HV04' -Name 'Storage' -NetAdapterName 'pNIC2'", False),
                "Live migration: virtual switch names must match",
            ),
            Conflict(
                "dev-iso-mounted", Severity.INTERRUPTS, Subject(source, web.ref),
                f"{web.name} has the image D:\\setup.iso mounted, which no other host can open.",
                (Evidence("image", "D:\\setup.iso", source, READ_AT),),
                Fix("Eject it.", f"Set-VMDvdDrive -ComputerName 'HV01' -VMName '{web.name}' -Path $null", False),
                "Move-VM: media on a local path",
            ),
            Conflict(
                "vm-checkpoint-merging", Severity.RISKS, Subject(source, mail.ref),
                f"A checkpoint of {mail.name} is still merging: moves are slower, and start later.",
                (Evidence("status", "Merging disks", source, READ_AT),),
                Fix("Wait until it has merged.", "", False), "Get-VM: operational status",
            ),
            Conflict(
                "tune-smb-limit", Severity.ADVICE, Subject(there),
                "HV04 moves over SMB with 25 % of its bandwidth; 50 % would leave storage half of the link.",
                (Evidence("SMBBandwidthLimitFactor", "2500", there, READ_AT),),
                Fix("Raise the share.", "(Get-Cluster).SMBBandwidthLimitFactor = 5000", False), "Get-Cluster",
            ),
        ),
        (Unknown("cpu-feature-missing", Subject(source, file.ref, HostName("HV07")), "HV07 does not answer"),),
    )  # fmt: skip


def night_of(scene: Scene) -> FakeOperations:
    """The operations that a scene is played on."""
    operations = Night(scene.cluster(), read_only=scene.read_only)
    if scene.unread:
        operations.read_error = Unreachable(HostName("HV01"), "no answer on port 5986 after 20 s")
    return operations


# -- the ways there ----------------------------------------------------------------------------------------------


async def _stay(operations: FakeOperations, opened: Console) -> None:
    await opened[1].pause()


def _keys(*keys: str) -> Callable[[FakeOperations, Console], Awaitable[None]]:
    async def drive(operations: FakeOperations, opened: Console) -> None:
        await opened[1].press(*keys)
        await opened[1].pause()

    return drive


def _planned(*keys: str) -> Callable[[FakeOperations, Console], Awaitable[None]]:
    async def drive(operations: FakeOperations, opened: Console) -> None:
        app, pilot = opened
        await pilot.press("d")
        await until(pilot, lambda: getattr(app.screen, "plan", None) is not None)
        await pilot.press(*keys)
        await pilot.pause(0.02)

    return drive


async def _pass(operations: FakeOperations, opened: Console, seconds: int, stride: int = 5) -> None:
    """Move the clock in strides: long enough to be quick, short enough for the sparklines to have a shape."""
    for left in range(seconds, 0, -stride):
        operations.clock.advance(min(stride, left))
        await opened[1].pause()


async def _stale(operations: FakeOperations, opened: Console) -> None:
    operations.read_error = Unreachable(HostName("HV01"), "no answer on port 5986 after 20 s")
    await _pass(operations, opened, 95)
    opened[0].screen.look_again()  # type: ignore[attr-defined]
    await opened[1].pause()


def _ran(seconds: int, *keys: str, trouble: bool = False) -> Callable[[FakeOperations, Console], Awaitable[None]]:
    async def drive(operations: FakeOperations, opened: Console) -> None:
        app, pilot = opened
        handle = run_of(operations, slots=4)
        app._open_run(handle.run)
        await _pass(operations, opened, seconds)
        if trouble:
            _trouble(handle)
        await _pass(operations, opened, 2)
        await pilot.press(*keys)
        await pilot.pause(0.02)

    return drive


def _trouble(handle: FakeRun) -> None:
    moves = [m for m in handle.state().moves.values() if m.state in (MoveState.PLANNED, MoveState.QUEUED)]
    flight = [m for m in handle.state().moves.values() if m.state is MoveState.MOVING]
    handle.force(flight[0].vm.id, state=MoveState.UNKNOWN, percent=None, reason="HV01 has not answered for 40 s")
    handle.force(
        moves[0].vm.id, state=MoveState.BLOCKED,
        reason="HV04 has 12 GiB free, 48 GiB are needed. Free memory there, or T tries another host.",
    )  # fmt: skip
    handle.force(
        moves[1].vm.id, state=MoveState.FAILED, failure_code=0x80042001, attempts=2,
        reason="HV06 refused the delegated sign-in (0x8009030E). Add HV06 to the delegation of HV01, then T.",
    )  # fmt: skip
    handle.force(moves[2].vm.id, state=MoveState.HELD, reason="held by the operator; H releases it")


def _ended(outcome: Outcome) -> Callable[[FakeOperations, Console], Awaitable[None]]:
    async def drive(operations: FakeOperations, opened: Console) -> None:
        app, pilot = opened
        handle = run_of(operations, slots=4)
        app._open_run(handle.run)
        await _pass(operations, opened, 340 if outcome is Outcome.DRAINED else 60, 20)
        if outcome is not Outcome.DRAINED:
            _trouble(handle)
            handle.end(outcome, left_on_node=("app-erp-01a", "cache-01b"))
        await _pass(operations, opened, 3)
        now = operations.clock.now()
        app.action_app_refresh()
        await until(pilot, lambda: app.store.cluster is not None and app.store.cluster.read_at == now)
        app.screen.look_again()  # type: ignore[attr-defined]
        await pilot.pause(0.05)

    return drive


async def _history(operations: FakeOperations, opened: Console) -> None:
    for node, outcome in (("HV05", Outcome.DRAINED), ("HV03", Outcome.BLOCKED), ("HV02", Outcome.WINDOW_CLOSED)):
        run_of(operations, node)
        handle = list(operations.handles.values())[-1]
        for _ in range(3):
            operations.clock.advance(60)
            handle.state()
        handle.end(outcome)
    handle.state()
    await opened[1].press("a")
    await opened[1].pause(0.05)


async def _handed(operations: FakeOperations, opened: Console) -> None:
    await _ran(30, trouble=True)(operations, opened)
    await opened[1].press("N")
    await opened[1].pause(0.02)


async def _returned(operations: FakeOperations, opened: Console) -> None:
    app, pilot = opened
    await _ended(Outcome.DRAINED)(operations, opened)
    await pilot.press("R")
    await until(pilot, lambda: getattr(app.screen, "plan", None) is not None)
    await pilot.pause(0.02)


def _returned_and(*keys: str) -> Callable[[FakeOperations, Console], Awaitable[None]]:
    async def drive(operations: FakeOperations, opened: Console) -> None:
        await _returned(operations, opened)
        await opened[1].press(*keys)
        await opened[1].pause(0.02)

    return drive


async def _export(operations: FakeOperations, opened: Console) -> None:
    await _history(operations, opened)
    await opened[1].press("e")
    await opened[1].pause(0.02)


def _replayed(*keys: str, seconds: float = 140.0) -> Callable[[FakeOperations, Console], Awaitable[None]]:
    async def drive(operations: FakeOperations, opened: Console) -> None:
        app, pilot = opened
        await _history(operations, opened)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ReplayScreen))
        screen = app.screen
        assert isinstance(screen, ReplayScreen)
        clock = app._pace
        assert isinstance(clock, ManualClock)
        for _ in range(14):
            clock.advance(seconds / 14 / screen.speed)
            screen.turn()
        await pilot.press(*keys)
        await pilot.pause(0.02)

    return drive


def _reading(progress: ReadingProgress) -> Callable[[FakeOperations, Console], Awaitable[None]]:
    async def drive(operations: FakeOperations, opened: Console) -> None:
        opened[0].store.put_reading(progress)
        await opened[1].pause()

    return drive


def _typed(text: str) -> tuple[str, ...]:
    return ("D", "tab", *text)


SCENES = {
    "board": Scene(_stay),
    "board-read-only": Scene(_stay, read_only=True),
    "board-stale": Scene(_stale),
    "loading": Scene(_stay, unread=True),
    "host": Scene(_keys("j", "j", "enter")),
    "vms": Scene(_keys("v", "s", "space", "space")),
    "vms-filter": Scene(_keys("v", "slash", *"sql")),
    "vm": Scene(_keys("v", "slash", *"sql-prod-01a", "enter", "enter")),
    "hostile": Scene(_keys("v"), cluster=lambda: cluster_of(4, 8, hostile=True)),
    "plan": Scene(_planned()),
    "plan-levers": Scene(_planned("plus", "plus", "j", "t", "j", "z", "j", "x")),
    "plan-not-live": Scene(_planned("2", "space")),
    "plan-after": Scene(_planned("3")),
    "plan-notes": Scene(_planned("4")),
    "commands": Scene(_planned("w")),
    "confirm": Scene(_planned("D")),
    "confirm-typed": Scene(_planned(*_typed("HV01"), "enter")),
    "run": Scene(_ran(150)),
    "run-trouble": Scene(_ran(30, trouble=True)),
    "run-guard": Scene(_ran(30, "2")),
    "run-log": Scene(_ran(30, "3")),
    "quit": Scene(_ran(30, "ctrl+q")),
    "drained": Scene(_ended(Outcome.DRAINED)),
    "blocked": Scene(_ended(Outcome.BLOCKED)),
    "conflicts": Scene(_keys("c")),
    "matrix": Scene(_keys("c", "3")),
    "advice": Scene(_keys("u")),
    "doctor": Scene(_keys("i")),
    "rolling-plan": Scene(rolling_plan),
    "rolling": Scene(rolling(under_way)),
    "rolling-waits": Scene(rolling(waits)),
    "rolling-late": Scene(rolling(late)),
    "rolling-failed": Scene(rolling(failed_hook)),
    "roll-start": Scene(roll_start()),
    "roll-start-consents": Scene(roll_start("2", "j", "space")),
    "roll-start-entry": Scene(roll_start("enter")),
    "roll-start-confirm": Scene(roll_start(*AGREE_ALL, "1", "A")),
    "rolling-confirm": Scene(rolling(waits, "A")),
    "problems": Scene(_keys("exclamation_mark")),
    "help": Scene(_keys("question_mark")),
    "palette": Scene(_keys("colon")),
    "history": Scene(_history),
    "hand-over": Scene(_handed),
    "return": Scene(_returned),
    "return-confirm": Scene(_returned_and("R")),
    "export": Scene(_export),
    "replay": Scene(_replayed()),
    "replay-paused": Scene(_replayed("plus", "p")),
    "reading": Scene(
        _reading(ReadingProgress(61, (HostName("HV17"),), (HostName("HV40"), HostName("HV62")), 512, 756)), unread=True
    ),
}
"""By name."""
