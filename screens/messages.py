"""What screens tell the app, as values."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from console.drain.requests import OperatorRequest
from console.model.identity import HostName, RunId, VmId
from console.operations import Consents
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


@dataclass
class RunChosen(Message):
    """A run was opened from the history."""

    run: RunId


@dataclass
class Asked(Message):
    """The operator asked the run for something."""

    run: RunId
    request: OperatorRequest


@dataclass
class ResultChosen(Message):
    """The end of the run shall be shown."""


@dataclass
class Failed(Message):
    """Something could not be done: it goes to the Problems pane."""

    source: str
    error: BaseException
