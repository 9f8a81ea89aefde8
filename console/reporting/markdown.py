"""The report as Markdown, for a ticket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from console.formatting import plain

from . import words
from .facts import RunReport

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def safe(text: str) -> str:
    """Text that no Markdown reader takes for markup, an address or a piece of HTML."""
    return _SPECIAL.sub(r"\\\1", plain(text)).replace("://", ":\\//")


def markdown(report: RunReport) -> str:
    state = report.state
    lines = [f"# {safe(words.headline(report))}", ""]
    lines += _table(("", ""), words.summary(report))
    lines += _section("To know and to do", words.remarks(report))
    lines += ["", "## Moves", "", *_table(words.MOVE_HEADINGS, (words.move_row(m) for m in state.moves.values()))]
    if state.owned:
        rows = [
            (item.kind.value, item.name, item.state.value, item.destination or "", item.reason) for item in state.owned
        ]
        lines += ["", "## What else the node owned", "", *_table(("what", "name", "state", "to", "why"), rows)]
    lines += ["", "## Forecast against fact", "", safe(words.forecast_sentence(report))]
    lines += _section("Consents", [words.consent_sentence(consent) for consent in state.consents])
    lines += _section("Settings", [words.setting_sentence(change) for change in state.settings_changed])
    lines += _section("Log", [f"{line.at.astimezone():%H:%M:%S} {line.text}" for line in state.log])
    return "\n".join(lines) + "\n"


def _section(title: str, sentences: Sequence[str]) -> list[str]:
    if not sentences:
        return []
    return ["", f"## {title}", "", *(f"- {safe(sentence)}" for sentence in sentences)]


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *([safe(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]
