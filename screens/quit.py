"""Leaving while a run is on: never without saying what becomes of it."""

from __future__ import annotations

from console import formatting
from screens.choice import Choice, ChoiceScreen
from screens.drawing import wrap
from screens.sight import Services


def quit_screen(services: Services) -> ChoiceScreen[str]:
    """The question; its answer is ``keep``, ``stop`` or ``detach``, None to stay."""
    run = services.store.run
    assert run is not None
    flight, rest = len(run.in_flight), len(run.moves) - len(run.finished) - len(run.in_flight)
    text = (
        f"{formatting.name(run.node)}: {formatting.count(flight, 'move')} in flight, {rest} not started. The runner is "
        "a process of its own: closing this console does not end it."
    )
    choices = (
        Choice[str]("Stay", "go back to the run", None),
        Choice("Keep running", "leave; the runner goes on by itself", "keep"),
        Choice("Stop after in-flight", "stay until what moves has arrived", "stop"),
        Choice("Detach", f"leave now; {rest} will NOT start", "detach", dangerous=True),
    )
    return ChoiceScreen[str](services, "A drain is on", [((row, ""),) for row in wrap(text, 72)], choices)
