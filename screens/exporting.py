"""Writing a run's report into a file: which format, and where it went."""

from __future__ import annotations

import asyncio

from textual.screen import Screen

from console import formatting
from console.drain.state import RunState
from console.journal.trouble import JournalUnusable
from console.reporting.formats import Format
from screens.choice import Choice, ChoiceScreen
from screens.drawing import Line, wrap
from screens.messages import Failed
from screens.sight import Services

WIDTH = 72
_FORMATS = (
    Choice(".md    Markdown", "for a ticket or a wiki", Format.MARKDOWN),
    Choice(".html  HTML with charts", "one file without scripts, to mail or print", Format.HTML),
    Choice(".json  JSON", "for a program; all events' facts", Format.JSON),
    Choice(".csv   CSV", "one row a move, for a spreadsheet", Format.CSV),
)


def offer_export(screen: Screen[None], services: Services, run: RunState) -> None:
    """Ask for the format, write the report, show where it is."""
    folder = str(services.sight.report_folder)
    lines: list[Line] = [(("It is written to the folder", ""),)]
    lines += [((row, "text.strong"),) for row in wrap(formatting.plain(folder), WIDTH, "  ")]
    if run.outcome is None:
        lines.append((("The run is still on: the report tells how far it is now.", "text.warning"),))
    choices = (Choice[Format]("Go back", "nothing is written", None), *_FORMATS)
    title = f"Report of the run of {formatting.name(run.node)}, {formatting.date_time(run.created_at)}"

    def chosen(form: Format | None) -> None:
        if form is not None:
            screen.app.run_worker(_write(screen, services, run, form), exit_on_error=False)

    screen.app.push_screen(ChoiceScreen[Format](services, title, lines, choices), chosen)


async def _write(screen: Screen[None], services: Services, run: RunState, form: Format) -> None:
    try:
        path = await asyncio.to_thread(services.sight.write_report, run.run, form)
    except (OSError, ValueError, KeyError, JournalUnusable) as error:
        screen.app.post_message(Failed(f"report of {run.run}", error))
        return
    text = str(path)
    lines: list[Line] = [((row, "text.strong"),) for row in wrap(formatting.plain(text), WIDTH, "  ")]
    choices = (
        Choice[str]("Go back", "", None),
        Choice("Copy the path", "to the terminal's clipboard", text),
    )

    def answered(answer: str | None) -> None:
        if answer is not None:
            screen.app.copy_to_clipboard(answer)

    screen.app.push_screen(ChoiceScreen[str](services, "The report is written", lines, choices), answered)
