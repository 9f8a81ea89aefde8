"""Something else moves a VM: the fact is adopted and followed, and who it may be is asked for by name."""

from __future__ import annotations

from datetime import timedelta

from console.model.identity import HostName

from . import move_events as mv
from .commands import ReadActor
from .state import Move
from .turn import Turn

_BEFORE = timedelta(minutes=10)
"""How far back traces of others are looked for."""


def adopt(turn: Turn, move: Move, host: HostName | None, why: str) -> None:
    """Take over what something else began; ``host`` is where the VM is or goes, None when that is not known yet."""
    turn.record(mv.MoveAdopted(turn.at, move.vm.id, host, why))
    turn.ask(ReadActor(move.vm.id, turn.at - _BEFORE))
