"""A rolling run against a cluster that does what it is told, a little later; what it was told is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from console.drain import roll_events as re
from console.drain import rolling as ro
from console.drain.roll_state import RollState, Stage, fold_roll
from console.drain.state import Outcome
from console.model.identity import HostName, RunId

from .moments import EPOCH, moment

ROLL = RunId("roll-1")
A, B, C = HostName("HV01"), HostName("HV02"), HostName("HV03")


def opened(**changes: object) -> re.RollOpened:
    values: dict[str, object] = {
        "waves": ((A,), (B,), (C,)),
        "hook": ("patch", "--now"),
        "approve": False,
        "operator": "ann",
        **changes,
    }
    return re.RollOpened(EPOCH, ROLL, "lab", **values)  # type: ignore[arg-type]


def _well(run: str) -> Outcome:
    return Outcome.RETURNED if "-back-" in run else Outcome.DRAINED


@dataclass
class Shop:
    """Runs a roll against a cluster that does what it is told, a little later, and counts what it was told."""

    opening: re.RollOpened
    outcome: Callable[[HostName, str], Outcome] = lambda node, run: _well(run)
    status: Callable[[HostName], int | None] = lambda node: 0
    well: Callable[[float], bool] = lambda now_s: True
    resume: Callable[[HostName], str] = lambda node: ""
    drains: dict[str, float] = field(default_factory=dict)
    """Run → when it began."""
    hooks: list[HostName] = field(default_factory=list)
    resumed: list[HostName] = field(default_factory=list)
    out_at_once: int = 0
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.journal: list[re.RollEvent] = [self.opening]
        self.state = fold_roll(self.journal)
        self.queue: list[ro.RollSignal] = []

    def send(self, signal: ro.RollSignal) -> ro.RollStep:
        taken = ro.step_roll(self.state, signal)
        self.journal += taken.events
        self.state = taken.state
        assert fold_roll(self.journal) == self.state
        return taken

    def carry_out(self, commands: tuple[ro.RollCommand, ...]) -> None:
        for command in commands:
            answer = self._perform(command)
            if answer is not None:
                self.queue.append(answer)

    def press(self, signal: ro.RollSignal) -> None:
        self.carry_out(self.send(signal).commands)

    def _perform(self, command: ro.RollCommand) -> ro.RollSignal | None:
        at = moment(self.now_s + 1.0)
        match command:
            case ro.LookAtDrain(node, run, _, _):
                began = self.drains.setdefault(run, self.now_s)
                over = self.now_s - began >= 20.0
                return ro.DrainSeen(at, node, run, self.outcome(node, run) if over else None)
            case ro.RunHook(node, _, _):
                self.hooks.append(node)
                return ro.HookSeen(at, node, self.status(node), "output")
            case ro.ResumeNode(node):
                self.resumed.append(node)
                return ro.ResumeSeen(at, node, self.resume(node))
            case ro.ReadHealth():
                return ro.HealthRead(at, self.well(self.now_s), "" if self.well(self.now_s) else "a storage job runs")
        return None

    def turn(self) -> None:
        """One tick, and all the answers that follow from it."""
        self.carry_out(self.send(ro.RollTicked(moment(self.now_s))).commands)
        while self.queue:
            self.carry_out(self.send(self.queue.pop(0)).commands)
        self.out_at_once = max(self.out_at_once, sum(is_out(stage) for stage in self.stages()))
        self.now_s += 5.0

    def run(self, turns: int = 200) -> RollState:
        for _ in range(turns):
            if self.state.closed:
                break
            self.turn()
        return self.state

    def stages(self) -> list[Stage]:
        return [node.stage for node in self.state.nodes.values()]


def is_out(stage: Stage) -> bool:
    return stage in (Stage.DRAINING, Stage.DRAINED, Stage.SERVICING, Stage.SERVICED, Stage.RESUMING)
