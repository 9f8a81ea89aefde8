"""Who tells what: each kind of event registers its sentence here."""

from __future__ import annotations

from functools import singledispatch

from console.model.identity import VmId

from .state import RunState

Told = tuple[str, bool] | None
"""The sentence, and whether it tells of a problem."""


@singledispatch
def tell(event: object, state: RunState) -> Told:
    """The event's sentence, from the state before it; None for what nobody wants to read about."""
    return None


def name_of(state: RunState, vm: VmId) -> str:
    """The VM's name, or its id where it has none."""
    move = state.moves.get(vm)
    return (move.vm.name or move.vm.id) if move else vm


def because(reason: str) -> str:
    return f": {reason}" if reason else ""
