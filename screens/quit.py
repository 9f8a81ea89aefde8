"""Leaving while a run is on: never without saying what becomes of it, and what will not start without a runner."""

from __future__ import annotations

from console import formatting
from console.drain.handing_over import not_started, why_not_hand_over
from console.drain.state import MoveState, Purpose, RunState
from console.planner.values import Engine
from screens.choice import Choice, ChoiceScreen
from screens.drawing import Line, wrap
from screens.hand_over import names_of
from screens.sight import Services

KEEP, STOP, HAND_OVER, DETACH = "keep", "stop", "hand-over", "detach"
WIDTH = 72


def quit_screen(services: Services) -> ChoiceScreen[str]:
    """The question; its answer is ``keep``, ``stop``, ``hand-over`` or ``detach``, None to stay."""
    run = services.store.run
    assert run is not None
    verb = "is being emptied" if run.purpose is Purpose.DRAIN else "is taking its VMs back"
    title = f"{formatting.name(run.node)} {verb}: leave?"
    return ChoiceScreen[str](services, title, quit_lines(run), _choices(run))


def quit_lines(run: RunState) -> list[Line]:
    """What goes on without this console, and what needs the runner."""
    flight = formatting.count(len(run.in_flight), "move")
    waiting = not_started(run)
    if run.engine is Engine.NATIVE:
        rows = wrap(
            f"The cluster's own drain works, {flight} in flight: it goes on with or without a runner. The runner "
            "watches, verifies the node at the end and puts settings back.", WIDTH
        )  # fmt: skip
        return [((row, ""),) for row in rows]
    text = (
        f"{flight} in flight, {len(waiting)} not started. The runner is a process of its own on this machine: it "
        "outlives this console and this terminal, but not the machine."
    )
    lines: list[Line] = [((row, ""),) for row in wrap(text, WIDTH)]
    held = sum(move.state is MoveState.HELD for move in run.moves.values())
    if waiting or held:
        names = names_of((move.vm for move in waiting), 4) or "nothing else"
        text = f"Without a runner these do NOT start: {names}" + (f"; {held} held" if held else "") + "."
        lines += [((row, "text.warning"),) for row in wrap(text, WIDTH)]
    return lines


def _choices(run: RunState) -> tuple[Choice[str], ...]:
    rest = len(not_started(run))
    native = run.engine is Engine.NATIVE
    choices = [
        Choice[str]("Stay", "go back to the run", None),
        Choice("Keep running", "leave; the runner goes on by itself", KEEP),
        Choice("Stop after in-flight", "stay until what moves has arrived", STOP),
    ]
    if why_not_hand_over(run) is None:
        choices.append(Choice("Hand over", "the cluster drains the rest; asks first", HAND_OVER))
    left = "the cluster goes on" if native else f"{rest} do NOT start"
    return (*choices, Choice("Detach", f"leave now, end the runner; {left}", DETACH, dangerous=True))
