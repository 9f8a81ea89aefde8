"""One thing that is wrong with a configuration, and the error that carries all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """Where, which key, what is wrong and what was probably meant."""

    file: Path
    line: int | None
    key: str
    """Dotted path as a TOML file writes it, such as ``clusters.prod.nodes[0].port``."""
    what: str
    nearest: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        hint = f" Did you mean {self.nearest}?" if self.nearest else ""
        key = f" {self.key}:" if self.key else ""
        return f"{place}:{key} {self.what}{hint}"


class ConfigurationError(Exception):
    """The configuration cannot be used; ``problems`` holds every reason, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line or 0, problem.key)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """The valid name that ``word`` most resembles, or None when nothing comes close. Case does not count."""
    by_folded = {name.casefold(): name for name in valid}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None
