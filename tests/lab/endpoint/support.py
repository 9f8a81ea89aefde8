"""A lab of one host with an engine of the tests' own, and a plain pypsrp client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from console.clock import ManualClock
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

USER = "LAB\\admin"
READER = "LAB\\reader"
PASSWORD = "correct horse"
HOST = "HV01"

T = TypeVar("T")
StartLab = Callable[..., Awaitable["Lab"]]


def number(value: object, default: int = 0) -> int:
    """A parameter's number."""
    return int(value.value) if isinstance(value, Typed) else default


def row(index: int, text: str = "") -> PsObject:
    """A live object as Get-VM would give it."""
    values: dict[str, PsValue] = {
        "Name": f"vm{index}",
        "State": PsEnum("Microsoft.HyperV.PowerShell.VMState", 2, "Running"),
        "MemoryAssigned": Typed("I64", 2**33 + index),
        "Notes": text,
    }
    return PsObject(("Microsoft.HyperV.PowerShell.VirtualMachine", "System.Object"), values, to_string=f"vm{index}")


@dataclass
class TinyEngine:
    """Answers a handful of commands, and remembers what it was asked."""

    asked: list[tuple[SessionContext, tuple[Command, ...]]] = field(default_factory=list)
    stopped: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, context: SessionContext, pipeline: Sequence[Command], sink: Sink) -> None:
        self.asked.append((context, tuple(pipeline)))
        command = pipeline[0]
        known: dict[str, Callable[[Command, Sink], Any]] = {
            "get-vm": self._get_vm,
            "test-errors": self._errors,
            "test-terminating": self._terminating,
            "test-wait": self._wait,
            "test-progress": self._progress,
            "test-broken": self._broken,
            "test-echo": self._echo,
            "get-command": self._get_vm,
        }
        answer = known.get(command.name.casefold())
        if answer is None:
            raise TerminatingError(PsError(f"engine knows no {command.name}", "CommandNotFoundException", 13, "E.Type"))
        result = answer(command, sink)
        if asyncio.iscoroutine(result):
            await result

    def visible_commands(self, context: SessionContext) -> frozenset[str]:
        both = frozenset({"Get-VM", "Select-Object", "Get-Command"})
        return both | {"Test-Echo"} if context.operator else both

    def _get_vm(self, command: Command, sink: Sink) -> None:
        text = str(command.parameters.get("Text", ""))
        for index in range(number(command.parameters.get("Count"), 1)):
            sink.output(row(index, text))

    def _echo(self, command: Command, sink: Sink) -> None:
        sink.output({name: value for name, value in command.parameters.items()})  # type: ignore[misc]
        sink.output(list(command.positional))  # type: ignore[arg-type]

    def _errors(self, command: Command, sink: Sink) -> None:
        sink.output("before")
        sink.warning("careful <now>")
        sink.error(
            PsError(
                "no VM called \u202ebad\x1b[31m",
                "ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.GetVM",
                13,
                "Microsoft.HyperV.PowerShell.VirtualizationException",
                activity="Get-VM",
                target="bad",
                target_type="String",
                hresult=0x80071398,
                native_code=5016,
            )
        )
        sink.output("after")

    def _terminating(self, command: Command, sink: Sink) -> None:
        sink.output("before")
        raise TerminatingError(PsError("it fails", "Failed,Test", 7, "System.InvalidOperationException", target="t"))

    async def _wait(self, command: Command, sink: Sink) -> None:
        sink.output("waiting")
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        sink.output("released")

    async def _progress(self, command: Command, sink: Sink) -> None:
        for percent in (0, 50, 100):
            sink.progress("Moving", f"{percent}", percent)
            await asyncio.sleep(0)

    def _broken(self, command: Command, sink: Sink) -> None:
        raise RuntimeError("engine bug")


@dataclass
class Lab:
    """A running lab of one host."""

    server: LabServer
    listener: Listener
    engine: TinyEngine
    clock: ManualClock
    faults: FaultBoard
    directory: Path

    def wsman(self, auth: str = "basic", *, ssl: bool = True, **options: Any) -> WSMan:
        """A plain pypsrp connection."""
        chosen: dict[str, Any] = {
            "username": USER,
            "password": PASSWORD,
            "operation_timeout": 5,
            "read_timeout": 8,
        } | options
        port = chosen.pop("port", self.listener.https_port if ssl else self.listener.http_port)
        trusted: Any = str(self.server.ca_file)
        return WSMan("127.0.0.1", port=port, ssl=ssl, auth=auth, cert_validation=trusted, no_proxy=True, **chosen)

    async def client(self, work: Callable[[WSMan], T], auth: str = "basic", *, ssl: bool = True, **options: Any) -> T:
        """Run a client's work in its own thread."""

        def run() -> T:
            with self.wsman(auth, ssl=ssl, **options) as wsman:
                return work(wsman)

        return await asyncio.wait_for(asyncio.to_thread(run), 30)


def invoke(pool: RunspacePool, command: str, **parameters: Any) -> PowerShell:
    """Run one command to its end, close it, and hand it over with what it gathered."""
    shell = PowerShell(pool)
    shell.add_cmdlet(command)
    for name, value in parameters.items():
        shell.add_parameter(name, value)
    shell.invoke()
    shell.close()
    return shell


def soon(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    """From a client's thread: let the lab do something a moment later, when the client is likely to wait."""
    loop.call_soon_threadsafe(lambda: loop.call_later(0.05, act))
