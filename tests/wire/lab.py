"""A lab of a few hosts with an engine of these tests' own, and the project's wire connected to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from console.clock import Clock, ManualClock
from console.lab.endpoint.faults import FaultBoard
from console.lab.endpoint.server import LabServer, Listener
from console.lab.engine import (
    Command,
    PsEnum,
    PsError,
    PsObject,
    PsValue,
    SessionContext,
    Sink,
    TerminatingError,
    Typed,
)
from console.model.identity import HostName
from console.windows.commands import Call, Cmdlet, Effect, Parameter, ParameterType
from console.wire.connection import (
    Credentials,
    Target,
    WireOptions,
    WireReader,
    WireWriter,
    connect_reader,
    connect_writer,
)

USER = "LAB\\admin"
PASSWORD = "correct horse"
N1 = HostName("N1")
HOSTILE = "\u202ebad\x1b[31m\r\n_x0041_ \U0001f600"
FAST = WireOptions(open_timeout_s=2.0, read_timeout_s=2.0, connection_timeout_s=2.0, poll_s=0.5, silence_s=0.5)


def call(
    name: str,
    *parameters: Parameter,
    effect: Effect = Effect.READS,
    deadline_s: float = 10.0,
    function: str | None = None,
) -> Call:
    """A call of one cmdlet."""
    return Call(name, effect, (Cmdlet(name, parameters),), deadline_s, function, parameters)


def count(value: int) -> Parameter:
    """The number of VMs asked for."""
    return Parameter("Count", value, ParameterType.INT32)


GET_VM = call("Get-VM")
WAIT = call("Test-Wait", deadline_s=0.6)
CHANGE = call("Test-Change", effect=Effect.CHANGES)


@dataclass
class Engine:
    """A host that knows a handful of commands and remembers what it was told."""

    asked: list[Command] = field(default_factory=list)
    contexts: list[SessionContext] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: int = 0

    def told(self, name: str) -> int:
        """How often a command came."""
        return sum(command.name == name for command in self.asked)

    async def run(self, context: SessionContext, pipeline: Sequence[Command], sink: Sink) -> None:
        command = pipeline[0]
        self.asked.append(command)
        self.contexts.append(context)
        known: dict[str, Callable[[Command, Sink], Any]] = {
            "Get-VM": self._get_vm,
            "Get-DrainboardVm": self._get_vm,
            "Test-Errors": self._errors,
            "Test-Terminating": self._terminating,
            "Test-Wait": self._wait,
            "Test-Change": self._change,
            "Test-Echo": self._echo,
        }
        if command.name not in known:
            text = f"The term '{command.name}' is not recognized."
            kind = "System.Management.Automation.CommandNotFoundException"
            raise TerminatingError(PsError(text, "CommandNotFoundException", 13, kind, target=command.name))
        result = known[command.name](command, sink)
        if asyncio.iscoroutine(result):
            await result

    def visible_commands(self, context: SessionContext) -> frozenset[str]:
        return frozenset({"Get-DrainboardVm"})

    def _get_vm(self, command: Command, sink: Sink) -> None:
        wanted = command.parameters.get("Count")
        for index in range(int(wanted.value) if isinstance(wanted, Typed) else 1):
            values: dict[str, PsValue] = {
                "Name": HOSTILE,
                "State": PsEnum("Microsoft.HyperV.PowerShell.VMState", 2, "Running"),
                "MemoryAssigned": Typed("I64", 2**33 + index),
            }
            sink.output(
                PsObject(("Microsoft.HyperV.PowerShell.VirtualMachine", "System.Object"), values, to_string="vm")
            )

    def _echo(self, command: Command, sink: Sink) -> None:
        values: dict[str, PsValue] = {
            name: value.tag if isinstance(value, Typed) else type(value).__name__
            for name, value in command.parameters.items()
        }
        sink.output(PsObject(("Selected.Echo", "System.Object"), values, notes=True))

    def _errors(self, command: Command, sink: Sink) -> None:
        sink.warning("careful <now>")
        sink.error(
            PsError(
                f"no VM {HOSTILE}", "ObjectNotFound,Get-VM", 13, "VirtualizationException", native_code=5016, target="x"
            )
        )
        sink.output("after")

    def _terminating(self, command: Command, sink: Sink) -> None:
        raise TerminatingError(
            PsError("it fails", "Failed,Test", 7, "System.InvalidOperationException", hresult=0x80071398)
        )

    async def _wait(self, command: Command, sink: Sink) -> None:
        self.started.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        sink.output("released")

    async def _change(self, command: Command, sink: Sink) -> None:
        self.started.set()
        if "Wait" in command.parameters:
            await self.release.wait()
        sink.output("changed")


@dataclass
class Lab:
    """A running lab and everything that was connected to it."""

    server: LabServer
    listeners: dict[str, Listener]
    engines: dict[str, Engine]
    clock: ManualClock
    faults: FaultBoard
    doors: list[WireReader | WireWriter] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        return self.engines["N1"]

    def targets(self, https: bool) -> list[Target]:
        chosen = (
            (host, listener.https_port if https else listener.http_port) for host, listener in self.listeners.items()
        )
        return [Target(HostName(host), "127.0.0.1", port or 0, https) for host, port in chosen]

    def options(self, options: WireOptions) -> WireOptions:
        return options if options.ca_file else replace(options, ca_file=self.server.ca_file)

    def reader(
        self,
        options: WireOptions = FAST,
        *,
        https: bool = True,
        credentials: Credentials | None = None,
        clock: Clock | None = None,
    ) -> WireReader:
        who = credentials or Credentials(USER, PASSWORD)
        door = connect_reader(self.targets(https), who, self.options(options), clock or ManualClock())
        self.doors.append(door)
        return door

    def writer(self, options: WireOptions = FAST, *, https: bool = True) -> WireWriter:
        door = connect_writer(self.targets(https), Credentials(USER, PASSWORD), self.options(options))
        self.doors.append(door)
        return door

    async def stop(self) -> None:
        self.faults.lift_all()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(door.close() for door in self.doors)), 20)
        await self.server.stop()
