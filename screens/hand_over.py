"""Before the rest of a run is handed to the cluster's own drain: what stops, what finishes, what no one holds then."""

from __future__ import annotations

from collections.abc import Iterable

from console import formatting
from console.drain.handing_over import moved_against, not_started, saved_by_drain
from console.drain.state import RunState
from console.model.identity import VmRef
from screens.drawing import Line, wrap
from screens.sight import Services
from screens.typed import TypedScreen
from screens.vm_columns import vm_label

WIDTH = 72


def hand_over_screen(services: Services, run: RunState) -> TypedScreen:
    """The question; its answer is True once the host's name was typed."""
    return TypedScreen(
        services,
        run.node,
        lambda short: hand_over_lines(run, services, short=short),
        go="hand the rest to the cluster's own drain",
        cancel="this run goes on as planned",
    )


def hand_over_lines(run: RunState, services: Services, *, short: bool) -> list[Line]:
    """Everything that changes with it, in sentences."""
    node, cluster = formatting.name(run.node), services.store.cluster
    waiting, flight = not_started(run), len(run.in_flight)
    gap: list[Line] = [] if short else [()]
    lines: list[Line] = [
        ((f"Hand the rest of {node} to the cluster's own drain?", "text.strong"),),
        *gap,
        *_sentence(f"Suspend-ClusterNode {node} -Drain is sent once. What moves now ({flight}) goes on."),
        *_sentence(
            f"This plan starts nothing more: for the {len(waiting)} that wait the cluster chooses order, destination "
            "and how many at once. Slots, holds and the guard do not bind it; only S stops it."
        ),
        *_sentence("The cluster needs no runner and no console for it. The run watches, verifies the node and closes."),
    ]
    saved = saved_by_drain(cluster, waiting) if cluster is not None else []
    lines += _named("INTERRUPTED: saved and restored, as their priority is low", saved, short, gap)
    against = [move.vm for move in moved_against(run)]
    lines += _named("MOVED TOO, though this run holds or leaves them", against, short, gap)
    return lines


def names_of(vms: Iterable[VmRef], most: int) -> str:
    """The first names, and how many more there are."""
    every = [vm_label(vm) for vm in vms]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def _sentence(text: str) -> list[Line]:
    return [((row, ""),) for row in wrap(text, WIDTH)]


def _named(title: str, vms: list[VmRef], short: bool, gap: list[Line]) -> list[Line]:
    if not vms:
        return []
    rows = wrap(names_of(vms, 3 if short else 12), WIDTH, "  ")
    return [*gap, ((f"{title} ({len(vms)}):", "text.warning"),), *(((row, ""),) for row in rows)]
