"""A stuck move: what the watchdog offers, in its order; the last offer saves the VM and wants the host's name typed."""

from __future__ import annotations

from console import formatting
from console.drain.state import Move
from console.drain.watchdog import OFFERS
from screens.choice import Choice, ChoiceScreen
from screens.drawing import Line, wrap
from screens.sight import Services
from screens.typed import TypedScreen
from screens.vm_columns import vm_label

CANCEL, FORCE = "cancel", "force"
WIDTH = 68


def stuck_screen(services: Services, move: Move) -> ChoiceScreen[str]:
    """The offers; its answer is CANCEL, FORCE, or None to wait and look."""
    told = formatting.plain(move.reason).partition(". What can be done")[0]
    lines: list[Line] = [((row, ""),) for row in wrap(f"{vm_label(move.vm)}: {told}.", WIDTH)]
    lines += [((row, "text.muted"),) for row in wrap(f"First {OFFERS[0]}.", WIDTH)]
    choices = (
        Choice[str]("Wait", "and look whether it did not finish after all", None),
        Choice("Cancel the move", f"it goes on running on {formatting.name(move.source)}", CANCEL, dangerous=True),
        Choice(
            "Force it back", f"Move-ClusterGroup to {formatting.name(move.source)}: SAVES it", FORCE, dangerous=True
        ),
    )
    return ChoiceScreen[str](services, "This move is stuck", lines, choices)


def force_screen(services: Services, move: Move) -> TypedScreen:
    """The consent to save the VM; its answer is True once the host's name was typed."""
    source = formatting.name(move.source)
    text = (
        f"Move-ClusterGroup {formatting.plain(str(move.vm.role))} -Node {source} is sent once. Where the VM has to be "
        "stopped for it, it is SAVED and restored: its guest stands still and its connections may break. This is "
        "written down as your consent."
    )

    def tell(short: bool) -> list[Line]:
        title: Line = ((f"Force {vm_label(move.vm)} back to {source}?", "text.strong"),)
        return [title, *([] if short else [()]), *(((row, ""),) for row in wrap(text, WIDTH))]

    return TypedScreen(services, move.source, tell, go="force it back", cancel="the move is left as it is")
