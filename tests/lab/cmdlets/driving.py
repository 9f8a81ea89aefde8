"""Ask an in-process lab exactly as the wire would: pypsrp's own encoding in, CLIXML and the client's decoder out."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from pypsrp.complex_objects import ApartmentState, HostInfo, Pipeline, RemoteStreamOptions
from pypsrp.messages import CreatePipeline
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from console.lab.endpoint import clixml
from console.lab.endpoint.create_pipeline import read_pipeline
from console.lab.engine import Command, PsError, PsValue
from console.lab.serve import InProcessLab
from console.model.failures import CommandFailed
from console.model.identity import HostName
from console.windows.commands import Answer, Call, RemoteError
from console.wire.decoder import decode
from console.wire.encoding import add_stages, stages
from console.wire.pool import RowSerializer


def commands(call: Call) -> tuple[Command, ...]:
    """What the lab's endpoint reads when the client sends a call."""
    pool = RunspacePool(WSMan("localhost", username="a", password="b"))
    pool.protocol_version = "2.3"
    powershell = PowerShell(pool)
    add_stages(powershell, stages(call, constrained=False))
    message = CreatePipeline(
        True,
        ApartmentState(value=ApartmentState.UNKNOWN),
        RemoteStreamOptions(value=RemoteStreamOptions.ADD_INVOCATION_INFO),
        False,
        HostInfo(),
        Pipeline(is_nested=False, cmds=powershell.commands, history="", redirect_err_to_out=False),
        False,
    )
    element = RowSerializer().serialize(message)
    assert element is not None
    (statement,) = read_pipeline(ET.tostring(element), _no_secret).statements
    return statement


def _no_secret(text: str) -> str:
    raise AssertionError("nothing secret is sent")


def answer(outputs: list[PsValue], errors: list[PsError]) -> Answer:
    """What the client makes of what came."""
    return Answer(
        rows=tuple(decode(clixml.write(value)) for value in outputs),
        errors=tuple(
            RemoteError(error.message, error.identifier, error.category, error.exception, error.native_code)
            for error in errors
        ),
    )


async def ask(lab: InProcessLab, host: str, call: Call) -> Answer:
    """The answer of one host to one call; a terminating error is among its errors."""
    return answer(*await lab.run(host, commands(call)))


class LabReader:
    """The reading port over an in-process lab."""

    def __init__(self, lab: InProcessLab) -> None:
        self.lab = lab

    async def read(self, host: HostName, call: Call) -> Answer:
        found = await ask(self.lab, host, call)
        if found.errors and not found.rows:
            raise CommandFailed(host, call.entry, found.errors[-1].message)
        return found
