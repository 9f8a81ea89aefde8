"""A call as the PowerShell line that an operator would type, for reading only: what is sent is never text."""

from __future__ import annotations

from collections.abc import Iterator

from console.forecast.values import MigrationType
from console.planner.values import Engine, Plan, PlannedMove
from console.windows.catalogue import changes
from console.windows.commands import Call, Cmdlet, Parameter, ParameterType, Script
from console.windows.powershell import quoted


def spoken(call: Call) -> str:
    """The pipeline as one line, without the projection that only a program wants."""
    stages = [_stage(stage) for stage in call.pipeline if not _is_projection(stage)]
    return " | ".join(stages)


def lines_of(plan: Plan) -> tuple[str, ...]:
    """What carrying out a plan would send, in order: pause the node, start each move, mark the node as drained."""
    return tuple(spoken(call) for call in _calls(plan))


def _calls(plan: Plan) -> Iterator[Call]:
    if plan.options.engine is Engine.NATIVE:
        yield changes.DRAIN_NODE.bind(Node=plan.node)
        return
    yield changes.PAUSE_NODE.bind(Node=plan.node)
    for move in plan.moves:
        yield _start(move)
    yield changes.DRAIN_NODE.bind(Node=plan.node)


def _start(move: PlannedMove) -> Call:
    entry = {
        MigrationType.LIVE: changes.MOVE_VM_LIVE,
        MigrationType.QUICK: changes.MOVE_VM_QUICK,
        MigrationType.OFFLINE: changes.MOVE_VM_STOPPED,
    }[move.forecast.migration_type]
    return entry.bind(VMId=move.vm.id, Destination=move.destination)


def _is_projection(stage: Cmdlet | Script) -> bool:
    return isinstance(stage, Cmdlet) and stage.name == "Select-Object"


def _stage(stage: Cmdlet | Script) -> str:
    if isinstance(stage, Script):
        given = " ".join(_parameter(parameter) for parameter in stage.parameters)
        return f"& {{ {stage.text} }} {given}".rstrip()
    return " ".join([stage.name, *(_parameter(parameter) for parameter in stage.parameters)])


def _parameter(parameter: Parameter) -> str:
    if parameter.type is ParameterType.SWITCH:
        return f"-{parameter.name}" if parameter.value else f"-{parameter.name}:$false"
    return f"-{parameter.name} {_value(parameter.value)}"


def _value(value: str | int | bool | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return ",".join(quoted(item) for item in value)
    return quoted(value)
