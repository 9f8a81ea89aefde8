"""The report as one HTML file: no script, nothing from elsewhere, readable in print and in the dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from console.formatting import plain
from console.guard import Lines

from . import words
from .charts import guard_chart, moves_chart
from .facts import RunReport

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #6a737d; --line: #d0d7de;
  --good: #1a7f4b; --bad: #c0392b; --other: #8a6d1a; --mark: #2563a8 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --paper: #14171a; --faint: #9aa4ae; --line: #3a424a;
  --good: #4cc38a; --bad: #ff7b6b; --other: #e0b84c; --mark: #79b8ff } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 75rem;
  margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; font-size: 14px } td, th { border-bottom: 1px solid var(--line);
  padding: .2rem .7rem .2rem 0; text-align: left; vertical-align: top }
svg { width: 100%; height: auto; margin: .3rem 0 }
.axis, .label { font: 11px system-ui, sans-serif; fill: var(--faint) }
.grid { stroke: var(--line); stroke-width: .6 } .fact { fill: var(--other) } .fact.done { fill: var(--good) }
.fact.failed, .fact.unknown { fill: var(--bad) } .forecast { fill: none; stroke: var(--mark); stroke-width: 1 }
.reading { fill: none; stroke: var(--mark); stroke-width: 1.4 } .limit { stroke: var(--bad); stroke-dasharray: 5 4 }
.problem { color: var(--bad) } .log { font: 13px/1.4 ui-monospace, monospace; list-style: none; padding: 0 }
"""


_PROBLEM = ' class="problem"'


def page(report: RunReport, lines: Lines | None = None) -> str:
    """The whole document; ``lines`` are the guard's, drawn into its charts."""
    state = report.state
    guard = lines or Lines()
    charts = [guard_chart(name, values, guard.limit_of(name)) for name, values in sorted(report.readings.items())]
    owned = [
        (item.kind.value, item.name, item.state.value, item.destination or "", item.reason) for item in state.owned
    ]
    parts = [
        f"<h1>{_text(words.headline(report))}</h1>",
        _table((), words.summary(report)),
        _list("To know and to do", words.remarks(report)),
        "<h2>When each VM moved</h2><p>Bar: what it took. Frame: its forecast (p50).</p>" + moves_chart(state)
        if moves_chart(state)
        else "",
        f"<p>{_text(words.forecast_sentence(report))}</p>",
        "<h2>Moves</h2>" + _table(words.MOVE_HEADINGS, (words.move_row(move) for move in state.moves.values())),
        "<h2>What else the node owned</h2>" + _table(("what", "name", "state", "to", "why"), owned) if owned else "",
        "<h2>Guard</h2>" + "".join(charts) if any(charts) else "",
        _list("Consents", [words.consent_sentence(consent) for consent in state.consents]),
        _list("Settings", [words.setting_sentence(change) for change in state.settings_changed]),
        _log(report),
    ]
    title = _text(words.headline(report))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n'
    )


def _text(text: str) -> str:
    return escape(plain(text))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "<tr>" + "".join(f"<th>{_text(cell)}</th>" for cell in headings) + "</tr>" if headings else ""
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{head}{body}</table>"


def _list(title: str, sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    return f"<h2>{title}</h2><ul>" + "".join(f"<li>{_text(sentence)}</li>" for sentence in sentences) + "</ul>"


def _log(report: RunReport) -> str:
    rows = "".join(
        f"<li{_PROBLEM if line.problem else ''}>{line.at.astimezone():%H:%M:%S} {_text(line.text)}</li>"
        for line in report.state.log
    )
    return f'<h2>Log</h2><ul class="log">{rows}</ul>'
