"""Every format that a report can have, by the word that is typed for it."""

from __future__ import annotations

import json
from enum import Enum

from .document import report_document
from .facts import RunReport
from .markdown import markdown
from .page import page
from .table import table


class Format(Enum):
    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"
    CSV = "csv"


def render(report: RunReport, form: Format) -> str:
    """The report's text; ends with a line end."""
    match form:
        case Format.MARKDOWN:
            return markdown(report)
        case Format.HTML:
            return page(report)
        case Format.CSV:
            return table(report)
        case Format.JSON:
            return json.dumps(report_document(report), indent=2) + "\n"
