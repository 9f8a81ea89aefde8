"""Writing what the checks found into a file: which format, and where it went."""

from __future__ import annotations

import asyncio

from textual.screen import Screen

from console import formatting
from console.checks.values import Findings
from console.model.cluster import Cluster
from console.reporting.formats import Format
from screens.choice import Choice, ChoiceScreen
from screens.drawing import Line, wrap
from screens.messages import Failed
from screens.sight import Services

WIDTH = 72
_FORMATS = (
    Choice(".md    Markdown", "for a ticket or a wiki", Format.MARKDOWN),
    Choice(".json  JSON", "for a program; as `drainboard check --json`", Format.JSON),
    Choice(".csv   CSV", "one row a finding, for a spreadsheet", Format.CSV),
)


def offer_findings(screen: Screen[None], services: Services, cluster: Cluster, findings: Findings) -> None:
    """Ask for the format, write the rows that are listed, show where they are."""
    rows = formatting.count(len(findings.conflicts) + len(findings.unknown), "row")
    lines: list[Line] = [((f"{rows} as listed, written to the folder", ""),)]
    folder = formatting.plain(str(services.sight.report_folder))
    lines += [((row, "text.strong"),) for row in wrap(folder, WIDTH, "  ")]
    choices = (Choice[Format]("Go back", "nothing is written", None), *_FORMATS)
    title = f"Conflicts of {formatting.name(cluster.name)}"

    def chosen(form: Format | None) -> None:
        if form is not None:
            screen.app.run_worker(_write(screen, services, cluster, findings, form), exit_on_error=False)

    screen.app.push_screen(ChoiceScreen[Format](services, title, lines, choices), chosen)


async def _write(screen: Screen[None], services: Services, cluster: Cluster, findings: Findings, form: Format) -> None:
    try:
        path = str(await asyncio.to_thread(services.sight.write_findings, cluster, findings, form))
    except (OSError, ValueError) as error:
        screen.app.post_message(Failed(f"conflicts of {cluster.name}", error))
        return
    lines: list[Line] = [((row, "text.strong"),) for row in wrap(formatting.plain(path), WIDTH, "  ")]
    choices = (
        Choice[str]("Go back", "", None),
        Choice("Copy the path", "to the clipboard, if the terminal allows it", path),
    )

    def answered(answer: str | None) -> None:
        if answer is not None:
            screen.app.copy_to_clipboard(answer)

    screen.app.push_screen(ChoiceScreen[str](services, "The conflicts are written", lines, choices), answered)
