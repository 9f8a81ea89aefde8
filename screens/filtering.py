"""The filter's small language: plain text, ``/`` for a regular expression, ``!`` for all others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as typed; ``error`` says why it can not be used."""

    text: str
    matches: Callable[[str], bool]
    error: str = ""

    @property
    def active(self) -> bool:
        return bool(self.text) and not self.error


def _everything(_: str) -> bool:
    return True


NO_FILTER = Filter("", _everything)


def parse_filter(text: str) -> Filter:
    """Read a filter; case never matters. An unusable expression matches everything and says why."""
    inverse = text.startswith("!")
    body = text[1:] if inverse else text
    if not body or body == "/":
        return Filter("", _everything)
    if not body.startswith("/"):
        wanted = body.casefold()
        return Filter(text, lambda candidate: (wanted in candidate.casefold()) != inverse)
    try:
        pattern = re.compile(body[1:].removesuffix("/"), re.IGNORECASE)
    except re.error as error:
        return Filter(text, _everything, f"not a regular expression: {error}")
    return Filter(text, lambda candidate: (pattern.search(candidate) is not None) != inverse)
