"""Values inside lines of PowerShell that a person reads and may paste. What is sent is never text."""

from __future__ import annotations

import re

_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
"""PowerShell takes each of these for a single quote; doubled it is a sign of the text."""


def quoted(text: str) -> str:
    """A single-quoted literal that holds any text: nothing in it is expanded, and nothing in it ends it."""
    doubled = _QUOTES.sub(r"\1\1", text)
    return f"'{doubled}'"
