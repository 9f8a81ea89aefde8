"""Ask an in-process lab exactly as the wire would: pypsrp's own encoding in, CLIXML and the client's decoder out."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from pypsrp.complex_objects import ApartmentState, HostInfo, Pipeline, RemoteStreamOptions
from pypsrp.messages import CreatePipeline
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from console.lab.endpoint import clixml
from console.lab.endpoint.create_pipeline import read_pipeline
from console.lab.engine import Command, PsError, PsValue, SessionContext, TerminatingError
from console.lab.serve import USER, InProcessLab
from console.lab.world.state import VirtualMachine
from console.model.failures import CommandFailed, CommandMissing
from console.model.identity import HostName
from console.windows.commands import Answer, Call, Effect, RemoteError
from console.wire.decoder import decode
from console.wire.encoding import add_stages, stages
from console.wire.pool import RowSerializer

CONTEXT = SessionContext(USER, "Microsoft.PowerShell", constrained=False)


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


@dataclass
class Collected:
    """What one pipeline put out."""

    outputs: list[PsValue] = field(default_factory=list)
    errors: list[PsError] = field(default_factory=list)

    def output(self, value: PsValue) -> None:
        self.outputs.append(value)

    def error(self, error: PsError) -> None:
        self.errors.append(error)

    def warning(self, text: str) -> None:
        raise AssertionError(f"nothing of the lab's warns: {text}")

    def progress(self, activity: str, status: str, percent: int) -> None:
        raise AssertionError(f"nothing of the lab's tells progress: {activity}")

    def answer(self) -> Answer:
        """What the client makes of it."""
        return Answer(
            rows=tuple(decode(clixml.write(value)) for value in self.outputs),
            errors=tuple(
                RemoteError(each.message, each.identifier, each.category, each.exception, each.native_code)
                for each in self.errors
            ),
        )


async def ask(lab: InProcessLab, host: str, call: Call) -> Answer:
    """The answer of one host to one call.

    Raises:
        TerminatingError: the pipeline failed.
    """
    sink = Collected()
    await lab.engines[host].run(CONTEXT, commands(call), sink)
    return sink.answer()


async def run(lab: InProcessLab, *pipeline: Command, host: str = "HV01") -> Collected:
    """One pipeline of commands as the endpoint would hand them on.

    Raises:
        TerminatingError: the pipeline failed.
    """
    sink = Collected()
    await lab.engines[host].run(CONTEXT, pipeline, sink)
    return sink


class LabReader:
    """The reading port over an in-process lab."""

    def __init__(self, lab: InProcessLab) -> None:
        self.lab = lab

    async def read(self, host: HostName, call: Call) -> Answer:
        assert call.effect is Effect.READS
        try:
            return await ask(self.lab, host, call)
        except TerminatingError as failed:
            kind = CommandMissing if "CommandNotFound" in failed.error.identifier else CommandFailed
            raise kind(host, failed.error.message, entry=call.entry) from failed


def running_on(lab: InProcessLab, host: str) -> list[VirtualMachine]:
    """The VMs that run there and can move, biggest first."""
    here = lab.cluster.world.vms_on[host].values()
    able = (vm for vm in here if vm.running and vm.clustered and not vm.assigned_device and not vm.gpu_partition)
    return sorted(able, key=lambda vm: (-vm.memory_bytes, vm.name))
