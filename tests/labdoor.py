"""The console's two doors straight into the lab's engines: everything but sockets and sign-in, on a manual clock.

What goes in are the catalogue's own calls; what comes out went through the lab's CLIXML writer and the console's
decoder, so that a row here is the row that the wire would bring.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from console.lab.endpoint.clixml import write
from console.lab.engine import Command, PsError, SessionContext, Typed
from console.lab.serve import USER, InProcessLab
from console.model.failures import CommandFailed, CommandMissing, Failure, Unreachable
from console.model.identity import HostName
from console.windows.commands import Answer, Call, Effect, Parameter, ParameterType, RemoteError, Row, Script, Value
from console.wire.decoder import decode
from console.wire.encoding import check, stages

Result = TypeVar("Result")

_TAGS = {ParameterType.INT32: "I32", ParameterType.UINT32: "U32", ParameterType.INT64: "I64"}


class LabDoor:
    """Reader and writer at once; see :mod:`console.ports`."""

    def __init__(self, lab: InProcessLab, endpoint: str = "Microsoft.PowerShell") -> None:
        self.lab = lab
        self.context = SessionContext(USER, endpoint, constrained=endpoint != "Microsoft.PowerShell")
        self.changes: list[Call] = []
        self.silent: set[HostName] = set()
        """Hosts that do not answer."""
        self.failing: dict[str, Failure] = {}
        """Entry → what its call ends with instead of being sent."""

    async def read(self, host: HostName, call: Call) -> Answer:
        assert call.effect is Effect.READS, f"{call.entry} was sent by a reader"
        return await self._ask(host, call)

    async def change(self, host: HostName, call: Call) -> Answer:
        assert call.effect is Effect.CHANGES, f"{call.entry} was sent by a writer"
        self.changes.append(call)
        return await self._ask(host, call)

    async def _ask(self, host: HostName, call: Call) -> Answer:
        if host in self.silent or host not in self.lab.engines:
            raise Unreachable(host, f"{host} does not answer.")
        if call.entry in self.failing:
            raise self.failing[call.entry]
        pipeline = stages(call, constrained=self.context.constrained)
        outputs, errors = await self.lab.run(host, [command_of(stage) for stage in pipeline], self.context)
        records = tuple(_remote(error) for error in errors)
        for record in records:
            if "CommandNotFoundException" in record.identifier:
                raise CommandMissing(host, record.message, entry=call.entry)
        if records and not outputs and call.effect is Effect.READS and "NoMatchingEvents" not in records[0].identifier:
            raise CommandFailed(host, records[0].message, code=records[0].code, entry=call.entry)
        return Answer(tuple(_row(decode(write(value))) for value in outputs), records)


def command_of(stage: object) -> Command:
    """A stage of the catalogue as the lab's endpoint would hand it to its engine."""
    if isinstance(stage, Script):
        return Command(stage.text, {p.name: _value(p) for p in stage.parameters}, is_script=True)
    return Command(stage.name, {p.name: _value(p) for p in stage.parameters})  # type: ignore[attr-defined]


def _value(parameter: Parameter) -> object:
    check(parameter)
    value = parameter.value
    if parameter.type in _TAGS:
        assert isinstance(value, int)
        return Typed(_TAGS[parameter.type], value)
    if parameter.type is ParameterType.GUID:
        return UUID(str(value))
    return list(value) if isinstance(value, tuple) else value


def _row(value: Value) -> Row:
    return value if isinstance(value, dict) else {"Value": value}


def _remote(error: PsError) -> RemoteError:
    code = error.native_code if error.native_code is not None else error.hresult
    return RemoteError(
        error.message,
        error.identifier,
        error.category,
        error.exception,
        None if code is None else code & 0xFFFFFFFF,
        error.target,
    )


async def run_until_done(lab: InProcessLab, work: Awaitable[Result], *, most_s: float = 6 * 3600) -> Result:
    """Let virtual time go on, from one moment that anybody waits for to the next, until the work is done.

    Raises:
        TimeoutError: it was not within ``most_s`` seconds of the lab.
    """
    task = asyncio.ensure_future(work)
    try:
        while True:
            for _ in range(200):
                if task.done():
                    return task.result()
                await asyncio.sleep(0)
            wake = lab.clock.next_wake_s()
            if wake is None:
                await asyncio.sleep(0.01)  # somebody waits for real time: the look for requests
                continue
            if wake > most_s:
                raise TimeoutError(f"not done after {lab.clock.elapsed_s():.0f} s of the lab")
            await lab.advance(max(0.0, wake - lab.clock.elapsed_s()))
    finally:
        task.cancel()
