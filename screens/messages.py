"""What screens tell the app, as values."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from console.consents import Consents
from console.drain.requests import OperatorRequest
from console.drain.state import Purpose, RunState
from console.model.identity import HostName, RunId, VmId
from console.planner.values import Plan


@dataclass
class HostChosen(Message):
    """A host was opened."""

    host: HostName


@dataclass
class VmChosen(Message):
    """A VM was opened."""

    vm: VmId


@dataclass
class DrainChosen(Message):
    """A host's drain shall be planned."""

    host: HostName


@dataclass
class CommandsChosen(Message):
    """The exact commands of a plan shall be shown."""

    plan: Plan


@dataclass
class GoChosen(Message):
    """The operator wants to start this plan, with these consents; the typed confirmation comes next."""

    plan: Plan
    consents: Consents
    purpose: Purpose = Purpose.DRAIN


@dataclass
class RunChosen(Message):
    """A run that is on was opened from the history."""

    run: RunId


@dataclass
class PlayChosen(Message):
    """A run that has ended shall be told again from its journal: from its beginning, or as it ended."""

    run: RunId
    playing: bool = True


@dataclass
class HandOverChosen(Message):
    """The rest of a run shall be handed to the cluster's own drain; the typed confirmation comes next."""

    run: RunState


@dataclass
class ReturnChosen(Message):
    """A drained node shall be taken back into service: the return of its VMs is planned first."""

    run: RunState


@dataclass
class Asked(Message):
    """The operator asked the run for something."""

    run: RunId
    request: OperatorRequest


@dataclass
class ResultChosen(Message):
    """The end of a run shall be shown."""

    run: RunState


@dataclass
class DetailsWanted(Message):
    """The finer facts of a node's VMs (None: of all) decide what is shown here: they shall be read, and kept fresh."""

    node: HostName | None


@dataclass
class Failed(Message):
    """Something could not be done: it goes to the Problems pane."""

    source: str
    error: BaseException
