"""A rolling run for the change ticket: each node with its moves, its hook and its times, and the log."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from html import escape

from console.drain.roll_events import RollEvent, RollOpened
from console.drain.roll_outlook import sentence_of, stage_words, standing_of
from console.drain.roll_state import RollNode, RollState, apply_roll, open_roll
from console.formatting import UNKNOWN, date_time, duration, plain
from console.roll_documents import roll_run_document

from . import markdown, table
from .formats import Format

_HEADINGS = ("node", "wave", "moved", "planned", "took", "hook", "tries", "drain", "stage")


def render_roll(events: Sequence[RollEvent], form: Format) -> str:
    """The roll's text; ends with a line end.

    Raises:
        ValueError: the events do not follow from one another.
    """
    state, log = _told(events)
    match form:
        case Format.MARKDOWN:
            return _markdown(state, log)
        case Format.HTML:
            return _page(state, log)
        case Format.CSV:
            return _table(state)
        case Format.JSON:
            lines = [{"at": at, "text": plain(text)} for at, text in log]
            return json.dumps({**roll_run_document(state), "log": lines}, indent=2) + "\n"


def _told(events: Sequence[RollEvent]) -> tuple[RollState, list[tuple[str, str]]]:
    if not events or not isinstance(events[0], RollOpened):
        raise ValueError("it does not begin with its opening")
    state = open_roll(events[0])
    log = [(events[0].at.isoformat(timespec="seconds"), sentence_of(events[0], state))]
    for event in events[1:]:
        state = apply_roll(state, event)
        text = sentence_of(event, state)
        if text:
            log.append((event.at.isoformat(timespec="seconds"), text))
    return state, log


def _headline(state: RollState) -> str:
    return f"Rolling run {state.roll} over {state.cluster}"


def _summary(state: RollState) -> list[tuple[str, str]]:
    took_s = (state.finished_at - state.created_at).total_seconds() if state.finished_at else None
    return [
        ("standing", standing_of(state)),
        ("nodes", f"{sum(node.stage.value == 'done' for node in state.nodes.values())} of {len(state.nodes)} done"),
        ("moves", f"{state.moved} made, {state.planned_moves or UNKNOWN} planned"),
        ("began", date_time(state.created_at)),
        ("ended", date_time(state.finished_at)),
        ("took", duration(took_s)),
        ("window", _window(state)),
        ("operator", state.operator or UNKNOWN),
        ("hook", " ".join(state.hook) or "none"),
        ("continues", state.continues or "nothing"),
    ]


def _window(state: RollState) -> str:
    if state.window_ends_at is None:
        return "none"
    risk = "it ended first" if state.window_closed else "at risk" if state.window_at_risk else "kept"
    return f"until {date_time(state.window_ends_at)}, {risk}"


def _row(node: RollNode) -> tuple[str, ...]:
    took_s = (node.since - node.began_at).total_seconds() if node.since and node.began_at else None
    return (
        node.name,
        str(node.wave + 1),
        str(node.moved),
        "" if node.forecast is None else str(node.forecast.moves),
        duration(took_s),
        "" if node.exit_status is None else str(node.exit_status),
        str(node.tries),
        node.drain or "",
        stage_words(node),
    )


def _consents(state: RollState) -> list[str]:
    return [f"{consent.kind} {consent.subject}, by {consent.by}" for consent in state.consents]


def _markdown(state: RollState, log: Sequence[tuple[str, str]]) -> str:
    safe = markdown.safe
    lines = [f"# {safe(_headline(state))}", "", "| | |", "| --- | --- |"]
    lines += [f"| {what} | {safe(text)} |" for what, text in _summary(state)]
    lines += ["", "## Nodes", "", f"| {' | '.join(_HEADINGS)} |", f"|{' --- |' * len(_HEADINGS)}"]
    lines += [f"| {' | '.join(safe(cell) for cell in _row(node))} |" for node in state.nodes.values()]
    if state.consents:
        lines += ["", "## Consents", "", *(f"- {safe(text)}" for text in _consents(state))]
    lines += ["", "## Log", "", *(f"- {at} {safe(text)}" for at, text in log)]
    return "\n".join(lines) + "\n"


def _page(state: RollState, log: Sequence[tuple[str, str]]) -> str:
    def cells(row: Sequence[str], tag: str = "td") -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(plain(cell))}</{tag}>" for cell in row) + "</tr>"

    title = escape(plain(_headline(state)))
    nodes = cells(_HEADINGS, "th") + "".join(cells(_row(node)) for node in state.nodes.values())
    parts = [
        f"<h1>{title}</h1>",
        "<table>" + "".join(cells(row) for row in _summary(state)) + "</table>",
        f"<h2>Nodes</h2><table>{nodes}</table>",
        "<h2>Consents</h2><ul>" + "".join(f"<li>{escape(plain(text))}</li>" for text in _consents(state)) + "</ul>"
        if state.consents
        else "",
        "<h2>Log</h2><ul>" + "".join(f"<li>{at} {escape(plain(text))}</li>" for at, text in log) + "</ul>",
    ]
    style = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem} td,th{text-align:left;padding:.2rem .7rem .2rem 0}"
    head = f'<meta charset="utf-8"><title>{title}</title><style>:root{{color-scheme:light dark}} {style}</style>'
    body = "\n".join(part for part in parts if part)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _table(state: RollState) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(("roll", *_HEADINGS, "began_at", "stage_since"))
    for node in state.nodes.values():
        times = (node.began_at, node.since)
        row = [table.safe(cell) for cell in (state.roll, *_row(node))]
        writer.writerow([*row, *(at.isoformat() if at else "" for at in times)])
    return stream.getvalue()
