"""A remote end without a network: pools and pipelines that do what a test wrote down."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event

from console.model.identity import HostName
from console.windows.commands import Answer, Call, Cmdlet, Effect, Script
from console.wire.conversation import Conversation
from console.wire.remote import Ended
from console.wire.settings import Credentials, Target, WireOptions
from console.wire.signin import SignInGate

N1 = HostName("N1")
READ = Call("node", Effect.READS, (Cmdlet("Get-ClusterNode"),), deadline_s=30.0, constrained_function="Get-DbNode")
CHANGE = Call("pause", Effect.CHANGES, (Cmdlet("Suspend-ClusterNode"),), deadline_s=30.0)
ROWS = Ended(Answer(rows=({"Name": "N1"},)))

Step = Ended | BaseException | float | None
"""What a poll does: end, raise, take so many seconds, or nothing."""


@dataclass
class FakeTime:
    """Seconds that pass only when a fake says so."""

    now_s: float = 0.0

    def elapsed_s(self) -> float:
        return self.now_s

    def pause(self, cancelled: Event, seconds: float) -> bool:
        self.now_s += seconds
        return cancelled.is_set()


@dataclass
class World:
    """What all pools of a test do, and what was done to them."""

    time: FakeTime = field(default_factory=FakeTime)
    opens: list[BaseException | None] = field(default_factory=list)
    begins: list[BaseException | None] = field(default_factory=list)
    polls: list[Step] = field(default_factory=list)
    closes: list[BaseException | None] = field(default_factory=list)
    probes: list[BaseException | bool] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    on_poll: Callable[[], None] | None = None
    on_open: Callable[[], None] | None = None

    def count(self, word: str) -> int:
        return self.log.count(word)

    def _act(self, word: str, script: list[BaseException | None]) -> None:
        self.log.append(word)
        step = script.pop(0) if script else None
        if step is not None:
            raise step

    def factory(
        self,
        target: Target,
        credentials: Credentials,
        options: WireOptions,
        elapsed_s: Callable[[], float],
        answered: Callable[[], None],
    ) -> FakePool:
        return FakePool(self, answered)

    def conversation(self, gate: SignInGate | None = None, options: WireOptions | None = None) -> Conversation:
        gate = gate or SignInGate(self.time.elapsed_s)
        return Conversation(
            N1,
            lambda answered: FakePool(self, answered),
            gate,
            options or WireOptions(),
            self.time.elapsed_s,
            self.time.pause,
        )


@dataclass
class FakePool:
    world: World
    answered: Callable[[], None]

    def open(self, limit_s: float) -> None:
        if self.world.on_open is not None:
            self.world.on_open()
        self.world._act("open", self.world.opens)
        self.answered()

    def prepare(self, pipeline: tuple[Cmdlet | Script, ...]) -> FakePipeline:
        names = [stage.name for stage in pipeline if isinstance(stage, Cmdlet)]
        return FakePipeline(self.world, names)

    def probe(self, limit_s: float) -> bool:
        self.world.log.append("probe")
        step = self.world.probes.pop(0) if self.world.probes else True
        if isinstance(step, BaseException):
            raise step
        return step

    def reset_connection(self) -> None:
        self.world.log.append("reset")

    def close(self, limit_s: float) -> None:
        self.world.log.append("end")


@dataclass
class FakePipeline:
    world: World
    names: list[str]
    result: Ended = ROWS

    def begin(self, limit_s: float) -> None:
        self.world._act("begin " + "|".join(self.names), self.world.begins)

    def poll(self, limit_s: float) -> bool:
        self.world.log.append("poll")
        if self.world.on_poll is not None:
            self.world.on_poll()
        step = self.world.polls.pop(0) if self.world.polls else ROWS
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Ended):
            self.result = step
            return True
        self.world.time.now_s += step or 0.0
        return False

    def ended(self) -> Ended:
        return self.result

    def close(self, limit_s: float) -> None:
        self.world._act("close", self.world.closes)


@contextlib.contextmanager
def waiting_for(event: Event) -> Iterator[None]:
    """Let a thread that waits for ``event`` go on, whatever happens in the body."""
    try:
        yield
    finally:
        event.set()
